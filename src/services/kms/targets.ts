/** The key that a request acts on, with everything that decides over it: its policy, its grants, its tags. */
import type { Call } from '../../kernel/call.ts'
import { compilePinned } from '../../kernel/pinned.ts'
import type { Acted, Found, Target } from '../../kernel/resource.ts'
import type { CompiledPolicy } from '../../policy/index.ts'
import { type GrantQuestion, handedTo } from './grant-authority.ts'
import { ensureManagedKey } from './managed-keys.ts'
import { resolve } from './references.ts'
import { aliasArn, arnOf, type KeyRow } from './resources.ts'

const TYPE = 'AWS::KMS::Key'

/** Rows never change in place, so a policy is compiled once for each version of its row. */
const compiled = new WeakMap<KeyRow, CompiledPolicy>()

export function policyOf(row: KeyRow): CompiledPolicy {
  let policy = compiled.get(row)
  if (!policy) {
    policy = compilePinned(row.policy, row.pins, { id: 'default', kind: 'resource', arn: arnOf(row) })
    compiled.set(row, policy)
  }
  return policy
}

/** The key as authorisation sees it: its policy is the root of all authority over it. */
export async function actedOn(call: Call, row: KeyRow, question: GrantQuestion = {}): Promise<Acted> {
  return {
    arn: arnOf(row),
    type: TYPE,
    account: row.account,
    tags: row.tags,
    policy: policyOf(row),
    policyMode: 'required',
    aboveRcps: row.manager === 'AWS',
    grants: row.granted && (await handedTo(call, row, question)),
  }
}

/** Found by any name, before anyone is told whether it exists. */
export async function findKey(
  call: Call,
  text: string,
  aliases: boolean,
  question?: GrantQuestion,
): Promise<Found<KeyRow>> {
  if (aliases) await ensureManagedKey(call, text)
  const { row, arn, account, alias, missing } = await resolve(call, text, aliases)
  const acted = row ? await actedOn(call, row, question) : { arn, type: TYPE, account }
  // A denial names an alias as the caller did: the ID of its key would show that the alias exists.
  const requested = alias === undefined ? undefined : aliasArn({ account, region: call.region }, alias)
  return { acted: { ...acted, requested }, row, missing }
}

type Naming = { readonly KeyId?: string | undefined }

const questionIn = (input: object): GrantQuestion => ({
  context: (input as { EncryptionContext?: Readonly<Record<string, string>> }).EncryptionContext,
})

/** For managing a key: an id or an ARN, of any account. */
export const managedKey: Target<Naming, KeyRow> = {
  find: (call, input) => findKey(call, input.KeyId ?? '', false, questionIn(input)),
}

/** For using a key: aliases too. */
export const usedKey: Target<Naming, KeyRow> = {
  find: (call, input) => findKey(call, input.KeyId ?? '', true, questionIn(input)),
}

/** For what AWS lets only the key's own account do. */
export const ownKey: Target<Naming, KeyRow> = {
  find: async (call, input) => {
    const found = await findKey(call, input.KeyId ?? '', false, questionIn(input))
    return found.acted?.account === call.account ? found : { ...found, row: undefined }
  },
}
