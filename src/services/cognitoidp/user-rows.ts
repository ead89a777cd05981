/**
 * Users as rows: a document by its `sub`, and rows that lead to it by user name, by alias and by each attribute that
 * `ListUsers` filters on. {@link saveUser} keeps all of them together; nothing else writes them.
 */
import type { UserStatusType } from '@aws-sdk/client-cognito-identity-provider'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Unit, under } from '../../store/store.ts'
import type { Sealed } from '../../vault/sealed-value.ts'
import { at, cognito, type PoolRow } from './resources.ts'
import type { Attributes } from './schema.ts'

export type CodeKind = 'sign-up' | 'forgot' | 'email' | 'phone_number'

/** A code that was sent, as a keyed digest. */
export interface CodeRow {
  readonly digest: string
  readonly expiresAt: number
  /** The attribute that the code proves, and the value that it was sent to. */
  readonly attribute: 'email' | 'phone_number'
  readonly value: string
}

export interface Factor {
  readonly isEnabled: boolean
  readonly isPreferred: boolean
}

export interface TotpRow {
  readonly seed: Sealed
  /** Of the device's clock, in steps. */
  readonly drift: number
  readonly spent: number
  readonly name?: string | undefined
}

export interface PasskeyRow {
  readonly credentialId: string
  readonly publicKey: string
  readonly counter: number
  readonly transports: readonly string[]
  readonly name: string
  readonly relyingParty: string
  readonly attachment?: string | undefined
  readonly createdAt: number
}

/** A user of an identity provider that belongs to this user. */
export interface LinkedIdentity {
  readonly provider: string
  readonly type: string
  readonly userId: string
  readonly issuer?: string | undefined
  readonly isPrimary: boolean
  readonly linkedAt: number
}

export interface UserRow {
  readonly sub: string
  readonly username: string
  readonly attributes: Attributes
  readonly status: UserStatusType
  readonly isEnabled: boolean
  readonly createdAt: number
  readonly modifiedAt: number
  /** Salt and verifier of SRP. */
  readonly password?: Sealed | undefined
  /** The verifiers before it, newest first. */
  readonly history?: readonly Sealed[] | undefined
  /** Of a temporary password. Epoch milliseconds. */
  readonly passwordExpiresAt?: number | undefined
  readonly codes: Readonly<Partial<Record<CodeKind, CodeRow>>>
  /** New values that wait for their code, where the pool verifies before it updates. */
  readonly pending?: Attributes | undefined
  readonly totp?: TotpRow | undefined
  readonly factors: { readonly sms?: Factor; readonly totp?: Factor; readonly email?: Factor }
  readonly groups: readonly string[]
  readonly passkeys: readonly PasskeyRow[]
  readonly identities: readonly LinkedIdentity[]
  /** Tokens that were issued before this are dead. Epoch milliseconds. */
  readonly signedOutAt?: number | undefined
}

export const newUser = (sub: string, username: string, now: number): UserRow => ({
  sub,
  username,
  attributes: {},
  status: 'UNCONFIRMED',
  isEnabled: true,
  createdAt: now,
  modifiedAt: now,
  codes: {},
  factors: {},
  groups: [],
  passkeys: [],
  identities: [],
})

/** What `ListUsers` filters on. Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html */
export const INDEXED = ['email', 'phone_number', 'name', 'given_name', 'family_name', 'preferred_username'] as const
/** Longer values are found by their beginning and then compared. */
export const INDEX_LENGTH_MAX = 256

/** Pools are case-sensitive unless they say otherwise, where they were made by the API. */
export const isCaseSensitive = ({ settings }: Pick<PoolRow, 'settings'>): boolean =>
  settings.UsernameConfiguration?.CaseSensitive !== false

export const folded = (pool: Pick<PoolRow, 'settings'>, value: string): string =>
  isCaseSensitive(pool) ? value : value.toLowerCase()

/** Aliases by which the user signs in, beside the user name. */
export function aliasesOf(pool: PoolRow, user: UserRow | undefined): readonly (readonly [string, string])[] {
  if (!user) return []
  const { AliasAttributes = [], UsernameAttributes = [] } = pool.settings
  const { attributes } = user
  const found: [string, string][] = []
  for (const name of ['email', 'phone_number'] as const) {
    const value = attributes[name]
    if (!value) continue
    const isVerified = attributes[`${name}_verified`] === 'true' && user.status !== 'UNCONFIRMED'
    if (UsernameAttributes.includes(name) || (AliasAttributes.includes(name) && isVerified))
      found.push([name, folded(pool, value)])
  }
  const preferred = attributes['preferred_username']
  if (preferred && AliasAttributes.includes('preferred_username') && user.status !== 'UNCONFIRMED')
    found.push(['preferred_username', folded(pool, preferred)])
  return found
}

const indexRowsOf = (pool: PoolRow, user: UserRow | undefined): readonly string[] =>
  user
    ? [
        at.index(pool.id, 'username', folded(pool, user.username).slice(0, INDEX_LENGTH_MAX), user.sub),
        at.index(pool.id, 'status', user.status, user.sub),
        ...(user.isEnabled ? [] : [at.index(pool.id, 'disabled', 'true', user.sub)]),
        ...INDEXED.flatMap((name) => {
          const value = user.attributes[name]
          return value ? [at.index(pool.id, name, folded(pool, value).slice(0, INDEX_LENGTH_MAX), user.sub)] : []
        }),
      ]
    : []

interface SaveOptions {
  /** Takes an alias away from the user who has it: `ForceAliasCreation`. */
  readonly force?: boolean | undefined
}

const ALIAS_WORDS: Readonly<Record<string, string>> = {
  email: 'An account with the email already exists.',
  phone_number: 'An account with the phone_number already exists.',
  preferred_username: 'An account with the preferred_username already exists.',
}

/** Writes a user and all that leads to it. `before` is what the transaction read; undefined for a new user. */
export async function saveUser(
  unit: Unit,
  pool: PoolRow,
  before: UserRow | undefined,
  after: UserRow,
  { force }: SaveOptions = {},
): Promise<UserRow> {
  const aliasesBefore = aliasesOf(pool, before)
  const aliasesAfter = aliasesOf(pool, after)
  for (const [name, value] of aliasesAfter) {
    const taken = await unit.get<{ readonly sub: string }>(at.alias(pool.id, name, value))
    if (!taken || taken.sub === after.sub) continue
    if (!force || (pool.settings.UsernameAttributes ?? []).length > 0)
      throw cognito.fail('AliasExistsException', ALIAS_WORDS[name] ?? '')
    const other = await unit.get<UserRow>(at.user(pool.id, taken.sub))
    if (!other) continue
    const attributes = { ...other.attributes }
    if (name === 'preferred_username') delete attributes[name]
    else attributes[`${name}_verified`] = 'false'
    await saveUser(unit, pool, other, { ...other, attributes })
  }
  for (const [name, value] of aliasesBefore) unit.delete(at.alias(pool.id, name, value))
  for (const [name, value] of aliasesAfter) unit.put(at.alias(pool.id, name, value), { sub: after.sub })

  const indexBefore = indexRowsOf(pool, before)
  const indexAfter = indexRowsOf(pool, after)
  for (const row of indexBefore) if (!indexAfter.includes(row)) unit.delete(row)
  for (const row of indexAfter) if (!indexBefore.includes(row)) unit.put(row, { sub: after.sub })

  if (!before) {
    unit.put(at.userName(pool.id, folded(pool, after.username)), { sub: after.sub })
    await addToCount(unit, pool.id, after.sub, 1)
  }
  unit.put(at.user(pool.id, after.sub), after)
  return after
}

export async function removeUser(unit: Unit, pool: PoolRow, user: UserRow): Promise<void> {
  for (const [name, value] of aliasesOf(pool, user)) unit.delete(at.alias(pool.id, name, value))
  for (const row of indexRowsOf(pool, user)) unit.delete(row)
  for (const group of user.groups) unit.delete(at.member(pool.id, group, user.sub))
  for (const { provider, userId } of user.identities) unit.delete(linkKey(pool.id, provider, userId))
  for (const part of ['session', 'spent', 'device', 'auth-event']) {
    const rows = await unit.range(under('cognito-idp', part, pool.id, user.sub), { limit: 1000 })
    for (const { key } of rows) unit.delete(key)
  }
  unit.delete(at.userName(pool.id, folded(pool, user.username)))
  unit.delete(at.user(pool.id, user.sub))
  await addToCount(unit, pool.id, user.sub, -1)
}

/** A provider's user → ours. */
export const linkKey = (pool: string, provider: string, userId: string) =>
  at.alias(pool, 'identity', `${provider} ${userId}`)

/** Sixteen counters, so that sign-ups at one time do not wait for each other. */
async function addToCount(unit: Unit, pool: string, sub: string, change: number): Promise<void> {
  const row = at.count(pool, sub.slice(0, 1))
  const { users = 0 } = (await unit.get<{ readonly users: number }>(row)) ?? {}
  unit.put(row, { users: users + change })
}

export async function countUsers(reader: Reader, pool: string): Promise<number> {
  const rows = await reader.range<{ readonly users: number }>(under('cognito-idp', 'user-count', pool))
  return rows.reduce((sum, { document }) => sum + document.users, 0)
}

/** By user name, `sub` or alias. All ways are tried for every name, so that none takes longer than another. */
export async function findUser(reader: Reader, pool: PoolRow, login: string): Promise<UserRow | undefined> {
  const name = folded(pool, login)
  const rows = await Promise.all([
    reader.get<{ readonly sub: string }>(at.userName(pool.id, name)),
    reader.get<{ readonly sub: string }>(at.alias(pool.id, 'email', name)),
    reader.get<{ readonly sub: string }>(at.alias(pool.id, 'phone_number', name)),
    reader.get<{ readonly sub: string }>(at.alias(pool.id, 'preferred_username', name)),
  ])
  const sub = rows.find((row) => row !== undefined)?.sub ?? login
  return reader.get<UserRow>(at.user(pool.id, sub))
}

export const userMissing = () => cognito.fail('UserNotFoundException', 'User does not exist.')

export async function requireUser(reader: Reader, pool: PoolRow, login: string): Promise<UserRow> {
  const user = await findUser(reader, pool, login)
  if (!user) throw userMissing()
  return user
}
