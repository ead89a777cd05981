/** Grant tokens: sealed names of grants, so that they cannot be forged. */
import type { Call } from '../../kernel/gate/call.ts'
import type { GrantRow } from './rows.ts'

export type GrantName = Pick<GrantRow, 'account' | 'region' | 'keyId' | 'id'>

export function makeGrantToken(call: Pick<Call, 'vault'>, { account, region, keyId, id }: GrantName): string {
  return call.vault.issue('grant-token', '', Buffer.from(JSON.stringify([account, region, keyId, id])))
}

export function openGrantToken(call: Pick<Call, 'vault'>, token: string): GrantName | undefined {
  const opened = call.vault.redeem('grant-token', '', token)
  if (!opened) return undefined
  const [account, region, keyId, id] = JSON.parse(opened.toString('utf8')) as [string, string, string, string]
  return { account, region, keyId, id }
}
