/** The rows of identities: an identity, its place in the list of its pool, and one row for each login that leads to it. */
import { createHash } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Unit } from '../../store/store.ts'
import { type IdentityRow, identityKey, loginKey, memberKey, type PoolRow } from './resources.ts'

/** AWS: logins of one identity. Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html */
export const LOGINS_MAX = 20

/** Of a subject at a provider. */
export const subjectHash = (subject: string): string => createHash('sha256').update(subject).digest('base64url')

export interface Login {
  readonly provider: string
  readonly subjectHash: string
}

export const loginsOf = ({ logins }: IdentityRow): readonly Login[] =>
  Object.entries(logins).map(([provider, subjectHash]) => ({ provider, subjectHash }))

/** The identity that a login leads to. */
export async function identityOf(reader: Reader, poolId: string, login: Login): Promise<IdentityRow | undefined> {
  const found = await reader.get<{ readonly identity: string }>(loginKey(poolId, login.provider, login.subjectHash))
  return found && reader.get<IdentityRow>(identityKey(found.identity))
}

export function newIdentity(call: Call, { id: poolId, region }: PoolRow): IdentityRow {
  return {
    id: `${region}:${call.newId()}`,
    poolId,
    logins: {},
    developerUsers: [],
    createdAt: call.now,
    modifiedAt: call.now,
  }
}

export function saveIdentity(unit: Unit, row: IdentityRow): IdentityRow {
  unit.put(identityKey(row.id), row)
  unit.put(memberKey(row.poolId, row.id), row)
  return row
}

/** From now on the logins lead to the identity. */
export function linkLogins(call: Call, row: IdentityRow, logins: readonly Login[]): IdentityRow {
  const added = logins.filter(({ provider, subjectHash }) => row.logins[provider] !== subjectHash)
  if (added.length === 0) return row
  for (const { provider, subjectHash } of added)
    call.unit.put(loginKey(row.poolId, provider, subjectHash), { identity: row.id })
  return saveIdentity(call.unit, {
    ...row,
    logins: { ...row.logins, ...Object.fromEntries(added.map((each) => [each.provider, each.subjectHash])) },
    modifiedAt: call.now,
  })
}

/** An identity without any login can no longer be reached. */
export function unlinkLogins(call: Call, row: IdentityRow, providers: readonly string[]): IdentityRow {
  for (const provider of providers) {
    const hash = row.logins[provider]
    if (hash !== undefined) call.unit.delete(loginKey(row.poolId, provider, hash))
  }
  const logins = Object.fromEntries(Object.entries(row.logins).filter(([provider]) => !providers.includes(provider)))
  return saveIdentity(call.unit, withAccess({ ...row, logins, modifiedAt: call.now }))
}

export const withAccess = (row: IdentityRow): IdentityRow =>
  Object.keys(row.logins).length + row.developerUsers.length > 0 ? row : { ...row, isDisabled: true }

/** Developer users are logins of the pool's developer provider, of which an identity may have several. */
export const developerLogin = (provider: string, user: string): Login => ({ provider, subjectHash: subjectHash(user) })

export function forgetIdentity(unit: Unit, row: IdentityRow, developerProvider?: string): void {
  for (const { provider, subjectHash } of loginsOf(row)) unit.delete(loginKey(row.poolId, provider, subjectHash))
  if (developerProvider !== undefined)
    for (const user of row.developerUsers) unit.delete(loginKey(row.poolId, developerProvider, subjectHash(user)))
  unit.delete(identityKey(row.id))
  unit.delete(memberKey(row.poolId, row.id))
}
