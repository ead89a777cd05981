/**
 * What a sign-in leaves behind: a row for each family of tokens. A token lives while its family does, so that signing out
 * and revoking end tokens at once; a refresh token that was exchanged already ends its whole family.
 */
import { type Unit, under } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { at, type ClientRow, type PoolRow } from './resources.ts'
import type { UserRow } from './user-rows.ts'

export interface SessionRow {
  /** The `origin_jti` of every token of the family. */
  readonly id: string
  readonly client: string
  readonly authTime: number
  /** Of the refresh token. Epoch milliseconds. */
  readonly expiresAt: number
  /** Until when tokens of the family can be valid: then the row may go. */
  readonly endsAt: number
  /** Counts the refresh tokens of the family: only the newest is good. */
  readonly generation: number
  readonly rotatedAt?: number | undefined
  /** A refresh token was used a second time: another client has it, too. */
  readonly isEnded?: true
  readonly deviceKey?: string | undefined
  readonly scopes: readonly string[]
  readonly nonce?: string | undefined
  readonly provider?: string | undefined
  /** The latest sign-in or refresh, where the pool tracks sessions. */
  readonly lastActiveAt?: number | undefined
  readonly address?: string | undefined
  readonly deviceName?: string | undefined
}

const DAY_MS = 24 * 60 * 60_000
const UNIT_MS = { seconds: 1_000, minutes: 60_000, hours: 60 * 60_000, days: DAY_MS } as const
const SIGN_INS_PER_SWEEP = 8
/** Rows of each kind that one sweep reads. A sign-in leaves one session and at most four spent steps. */
const SWEPT = 100

export interface Validity {
  readonly accessMs: number
  readonly idMs: number
  readonly refreshMs: number
}

/** Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_TokenValidityUnitsType.html */
export function validityOf({ settings }: Pick<ClientRow, 'settings'>): Validity {
  const units = settings.TokenValidityUnits
  const ms = (value: number | undefined, unit: keyof typeof UNIT_MS | undefined, fallbackMs: number, plain: number) =>
    value ? value * (unit ? UNIT_MS[unit] : plain) : fallbackMs
  return {
    accessMs: ms(settings.AccessTokenValidity, units?.AccessToken, UNIT_MS.hours, UNIT_MS.hours),
    idMs: ms(settings.IdTokenValidity, units?.IdToken, UNIT_MS.hours, UNIT_MS.hours),
    refreshMs: ms(settings.RefreshTokenValidity, units?.RefreshToken, 30 * DAY_MS, DAY_MS),
  }
}

/**
 * Removes some of a user's rows whose time is over, at one of eight sign-ins: the ID of the new session, which is random, decides
 * when, and where to begin. So every row is reached in time, however many live ones there are, and what is over remains a part
 * of what is not.
 */
export async function sweep(unit: Unit, pool: PoolRow, sub: string, now: number, id: string): Promise<void> {
  if (Number.parseInt(id.at(-1)!, 16) % SIGN_INS_PER_SWEEP !== 0) return
  for (const kind of ['session', 'spent'] as const) {
    const rows = await unit.range<{ readonly endsAt: number }>(under('cognito-idp', kind, pool.id, sub), {
      after: at[kind](pool.id, sub, id),
      limit: SWEPT,
    })
    for (const { key, document } of rows) if (document.endsAt <= now) unit.delete(key)
  }
}

/** Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolTokenSessionConfigType.html */
export const MAX_PER_USER_DEFAULT = 20
/** Rows that one request reads: with a limit of 100 and sweeping, a user of a pool that tracks sessions has fewer. */
const READ_MAX = 1_000

export const isTracking = ({ sessions }: PoolRow): boolean => sessions?.tracking === 'ENABLED'

/** A user's families whose tokens are good. */
export async function liveSessions(unit: Unit, pool: PoolRow, sub: string, now: number): Promise<SessionRow[]> {
  const rows = await unit.range<SessionRow>(under('cognito-idp', 'session', pool.id, sub), { limit: READ_MAX })
  return rows.map(({ document }) => document).filter(({ isEnded, endsAt }) => !isEnded && endsAt > now)
}

/** Ends the least recently used families, so that one more is within the limit of the pool. */
export async function evict(unit: Unit, pool: PoolRow, sub: string, now: number): Promise<void> {
  const live = await liveSessions(unit, pool, sub, now)
  const surplus = live.length + 1 - (pool.sessions?.maxPerUser ?? MAX_PER_USER_DEFAULT)
  if (surplus <= 0) return
  const usedAt = ({ lastActiveAt, authTime }: SessionRow) => lastActiveAt ?? authTime
  for (const { id } of live.toSorted((a, b) => usedAt(a) - usedAt(b)).slice(0, surplus))
    unit.delete(sessionKey(pool, sub, id))
}

/** Ends every family of tokens. */
export async function endSessions(unit: Unit, pool: PoolRow, user: UserRow): Promise<void> {
  for (const { key } of await unit.range(under('cognito-idp', 'session', pool.id, user.sub))) unit.delete(key)
}

/** What a refresh token carries, sealed. */
export interface RefreshClaims {
  readonly pool: string
  readonly client: string
  readonly sub: string
  readonly session: string
  readonly generation: number
}

const BINDING = 'refresh token'

export const sealRefresh = (vault: Pick<Vault, 'issue'>, claims: RefreshClaims): string =>
  vault.issue('user-pool', BINDING, Buffer.from(JSON.stringify(claims)))

export function openRefresh(vault: Pick<Vault, 'redeem'>, token: string): RefreshClaims | undefined {
  const opened = vault.redeem('user-pool', BINDING, token)
  return opened && (JSON.parse(opened.toString('utf8')) as RefreshClaims)
}

export const sessionKey = (pool: Pick<PoolRow, 'id'>, sub: string, id: string) => at.session(pool.id, sub, id)
