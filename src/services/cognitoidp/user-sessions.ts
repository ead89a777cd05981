/**
 * Tracked sessions of users: listed, revoked one by one, and limited in number. A session is a family of tokens; sign-ins at the
 * pages of managed login are kept by the browser alone, so there are no sessions of the type `SSO`.
 * Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SetUserPoolSessionConfiguration.html
 */
import type { SessionDescriptionType } from '@aws-sdk/client-cognito-identity-provider'
import type { Unit } from '../../store/store.ts'
import { accessToken, BY_TOKEN, self } from './access-token.ts'
import { cognito, type Flow, invalidParameter, notFound, type PoolRow, poolNamed } from './resources.ts'
import { isTracking, liveSessions, MAX_PER_USER_DEFAULT, type SessionRow, sessionKey } from './sessions.ts'
import { requireUser, type UserRow } from './user-rows.ts'

const LISTED_MAX = 125
const FORM = /^tkn[0-9a-z]{25}$/

/** 128 bits are 25 digits of base 36: an ID of AWS's form that says which family it is. */
export const sessionIdOf = (family: string): string =>
  `tkn${BigInt(`0x${family.replaceAll('-', '')}`)
    .toString(36)
    .padStart(25, '0')}`

const notTracking = () =>
  cognito.fail('OperationNotEnabledException', 'User session tracking is not enabled for this user pool.')

const configuration = ({ id, sessions }: PoolRow) => ({
  UserPoolId: id,
  UserSessionTracking: sessions?.tracking ?? ('DISABLED' as const),
  TokenSession: { MaxPerUser: sessions?.maxPerUser ?? MAX_PER_USER_DEFAULT },
})

export const setUserPoolSessionConfiguration = cognito
  .operation('SetUserPoolSessionConfiguration')
  .on(poolNamed)
  .run((call, input, { row: pool, save }) => {
    const sessions = { tracking: input.UserSessionTracking, maxPerUser: input.TokenSession.MaxPerUser }
    const updated: PoolRow = { ...pool, sessions, modifiedAt: call.now }
    save(updated)
    return configuration(updated)
  })

export const getUserPoolSessionConfiguration = cognito
  .operation('GetUserPoolSessionConfiguration')
  .on(poolNamed)
  .run((_call, _input, { row }) => configuration(row))

const shown = (row: SessionRow, current: string | undefined): SessionDescriptionType => ({
  SessionId: sessionIdOf(row.id),
  SessionType: 'TOKEN',
  ClientId: row.client,
  CreateDate: new Date(row.authTime),
  LastActiveDate: new Date(row.lastActiveAt ?? row.authTime),
  DeviceType: row.deviceName ?? 'unknown',
  ...(row.address !== undefined && { LastIPAddress: row.address }),
  IsCurrentSession: row.id === current,
})

async function list(
  call: Pick<Flow, 'unit' | 'now'>,
  pool: PoolRow,
  user: UserRow,
  current: string | undefined,
): Promise<{ Sessions: SessionDescriptionType[] }> {
  if (!isTracking(pool)) throw notTracking()
  const live = await liveSessions(call.unit, pool, user.sub, call.now)
  const newest = live.toSorted((a, b) => b.authTime - a.authTime || (a.id < b.id ? -1 : 1))
  return { Sessions: newest.slice(0, LISTED_MAX).map((row) => shown(row, current)) }
}

/** What is `LINKED` to a family would be a session of the pages, which the server does not keep. */
async function revokeSession(
  call: { readonly unit: Unit; readonly now: number },
  pool: PoolRow,
  user: UserRow,
  { SessionId: id, current }: { readonly SessionId: string; readonly current?: string | undefined },
): Promise<Record<string, never>> {
  if (!isTracking(pool)) throw notTracking()
  const live = FORM.test(id) ? await liveSessions(call.unit, pool, user.sub, call.now) : []
  const row = live.find((each) => sessionIdOf(each.id) === id)
  if (!row) throw notFound('Session does not exist.')
  if (row.id === current) throw invalidParameter('The session of the access token cannot be revoked.')
  call.unit.delete(sessionKey(pool, user.sub, row.id))
  return {}
}

export const listUserSessions = cognito
  .operation('ListUserSessions')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call) => {
    const { pool, user } = await self(call)
    return list(call, pool, user, call.bearer.claims.session)
  })

export const revokeUserSession = cognito
  .operation('RevokeUserSession')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, { SessionId }) => {
    const { pool, user } = await self(call)
    return revokeSession(call, pool, user, { SessionId, current: call.bearer.claims.session })
  })

export const adminListUserSessions = cognito
  .operation('AdminListUserSessions')
  .on(poolNamed)
  .run(async (call, input, { row }) => list(call, row, await requireUser(call.unit, row, input.Username), undefined))

export const adminRevokeUserSession = cognito
  .operation('AdminRevokeUserSession')
  .on(poolNamed)
  .run(async (call, { Username, SessionId }, { row }) =>
    revokeSession(call, row, await requireUser(call.unit, row, Username), { SessionId }),
  )
