/** Sign-in events of users, as threat protection lists them, and what people say of them. */
import type { AuthEventType, EventResponseType, FeedbackValueType } from '@aws-sdk/client-cognito-identity-provider'
import { page } from '../../kernel/service/page.ts'
import { under } from '../../store/store.ts'
import { cognito, type Flow, invalidParameter, notFound, type PoolRow, poolNamed } from './resources.ts'
import { requireUser, type UserRow } from './user-rows.ts'

/** Of one user: older ones go. */
const EVENTS_MAX = 50
const PAGE = 60

interface ActivityRow {
  readonly id: string
  readonly at: number
  readonly type: 'SignIn' | 'SignUp' | 'ForgotPassword' | 'PasswordChange'
  readonly response: EventResponseType
  readonly address?: string | undefined
  readonly challenge?: string | undefined
  readonly feedback?: { readonly value: FeedbackValueType; readonly at: number } | undefined
}

const prefix = (pool: PoolRow, user: Pick<UserRow, 'sub'>) => under('cognito-idp', 'auth-event', pool.id, user.sub)

/** Newest first, by a key that counts down. */
const keyOf = (pool: PoolRow, user: Pick<UserRow, 'sub'>, row: Pick<ActivityRow, 'id' | 'at'>) =>
  `${prefix(pool, user)}${String(9_999_999_999_999 - row.at).padStart(13, '0')}-${row.id}`

/** Records an event of a pool whose threat protection is on. In the transaction of the sign-in. */
export async function recordActivity(
  call: Pick<Flow, 'unit' | 'now' | 'newId' | 'remoteAddress'>,
  pool: PoolRow,
  user: UserRow,
  of: Pick<ActivityRow, 'type' | 'response' | 'challenge'>,
): Promise<void> {
  if ((pool.settings.UserPoolAddOns?.AdvancedSecurityMode ?? 'OFF') === 'OFF') return
  const row: ActivityRow = { id: call.newId(), at: call.now, address: call.remoteAddress, ...of }
  const rows = await call.unit.range(prefix(pool, user), { limit: EVENTS_MAX + 5 })
  for (const { key } of rows.slice(EVENTS_MAX - 1)) call.unit.delete(key)
  call.unit.put(keyOf(pool, user, row), row)
}

const shown = (row: ActivityRow): AuthEventType => ({
  EventId: row.id,
  EventType: row.type,
  CreationDate: new Date(row.at),
  EventResponse: row.response,
  EventRisk: { RiskDecision: 'NoRisk', CompromisedCredentialsDetected: false },
  ChallengeResponses:
    row.challenge === undefined ? [] : [{ ChallengeName: row.challenge as never, ChallengeResponse: 'Success' }],
  EventContextData: { ...(row.address !== undefined && { IpAddress: row.address }) },
  ...(row.feedback && {
    EventFeedback: { FeedbackValue: row.feedback.value, Provider: 'Admin', FeedbackDate: new Date(row.feedback.at) },
  }),
})

const assertProtected = ({ settings }: PoolRow): void => {
  if ((settings.UserPoolAddOns?.AdvancedSecurityMode ?? 'OFF') === 'OFF')
    throw cognito.fail('UserPoolAddOnNotEnabledException', 'User pool add-ons are not enabled for the user pool.')
}

export const adminListUserAuthEvents = cognito
  .operation('AdminListUserAuthEvents')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    assertProtected(pool)
    const user = await requireUser(call.unit, pool, input.Username)
    const { items, next } = await page<ActivityRow>(
      call,
      (after, limit) => call.unit.range(prefix(pool, user), { after, limit }),
      {
        token: input.NextToken,
        size: input.MaxResults || PAGE,
        query: [pool.id, user.sub],
        bad: () => invalidParameter('Invalid pagination token'),
      },
    )
    return { AuthEvents: items.map(shown), ...(next !== undefined && { NextToken: next }) }
  })

export const adminUpdateAuthEventFeedback = cognito
  .operation('AdminUpdateAuthEventFeedback')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    assertProtected(pool)
    const user = await requireUser(call.unit, pool, input.Username)
    const rows = await call.unit.range<ActivityRow>(prefix(pool, user), { limit: EVENTS_MAX + 5 })
    const found = rows.find(({ document }) => document.id === input.EventId)
    if (!found) throw notFound('The event does not exist.')
    call.unit.put(found.key, { ...found.document, feedback: { value: input.FeedbackValue, at: call.now } })
    return {}
  })
