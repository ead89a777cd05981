/** The key that a request acts on: which texts name it, and which account may be its owner. */
import type { Call } from '../../kernel/gate/call.ts'
import type { ResourceFacts } from '../../kernel/resource/facts.ts'
import type { NamedOptions } from '../../kernel/resource/resource-type.ts'
import type { GrantUse } from './grant-authority.ts'
import { ensureManagedKey } from './managed-keys.ts'
import { readReference } from './references.ts'
import { arnOf, type KeyId, key, scopeOf } from './resources.ts'
import type { KeyRow } from './rows.ts'

/** For managing a key: an ID or an ARN, of any account. */
export const byIdOrArn: NamedOptions<KeyId> = {
  reference: (call, text) => readReference(call, text, { aliases: false }),
}

/** For using a key: aliases, too. The first use of `alias/aws/…` by its service creates the key. */
export const byAnyName: NamedOptions<KeyId> = {
  reference: async (call, text) => {
    await ensureManagedKey(call, text)
    return readReference(call, text, { aliases: true })
  },
}

/** For what AWS offers to the key's own account alone. */
export const ofOwnAccount: NamedOptions<KeyId> = { ...byIdOrArn, ownAccount: true }

export const managedKey = key.named('KeyId', byIdOrArn)
export const usedKey = key.named('KeyId', byAnyName)
export const ownKey = key.named('KeyId', ofOwnAccount)

/** A key as authorization sees it that the request names beside its target, or does not name at all. */
export const factsOf = (call: Call, row: KeyRow, use: GrantUse | object = {}): Promise<ResourceFacts> =>
  key.facts(call, { scope: scopeOf(row), arn: arnOf(row), row, input: use })
