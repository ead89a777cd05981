/** What authorization knows of a key besides its policy and tags: its condition keys, and the grants on it. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { ResourceFacts } from '../../kernel/resource/facts.ts'
import { GrantUse, grantedTo } from './grant-authority.ts'
import type { KeyRow } from './rows.ts'

interface WithContext {
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined
}

/** `input` is the request, or what grants are compared with in its place. */
export async function keyFacts(call: Call, row: KeyRow | undefined, input: object): Promise<Partial<ResourceFacts>> {
  const conditions = callerKeys(call)
  if (!row) return { conditions }
  const use = input instanceof GrantUse ? input : new GrantUse({ context: (input as WithContext).EncryptionContext })
  return {
    conditions: Object.assign(conditions, keysOfKey(row)),
    aboveRcps: row.manager === 'AWS',
    grants: row.granted && (await grantedTo(call, row, use)),
  }
}

/** Which account calls, and through which service. */
export function callerKeys(call: Pick<Call, 'account' | 'region' | 'via'>): Conditions {
  const via = call.via.at(-1)
  return {
    'kms:CallerAccount': call.account,
    'kms:ViaService': via?.replace(/\.amazonaws\.com$/, `.${call.region}.amazonaws.com`),
  }
}

export function keysOfKey(row: KeyRow): Conditions {
  return {
    'kms:KeySpec': row.spec,
    'kms:CustomerMasterKeySpec': row.spec,
    'kms:KeyUsage': row.usage,
    'kms:CustomerMasterKeyUsage': row.usage,
    'kms:KeyOrigin': row.origin,
    'kms:MultiRegion': String(row.multiRegion !== undefined),
    'kms:MultiRegionKeyType': row.multiRegion && (row.multiRegion.primary === row.region ? 'PRIMARY' : 'REPLICA'),
    'kms:ResourceAliases': row.aliases.length > 0 ? row.aliases : undefined,
  }
}
