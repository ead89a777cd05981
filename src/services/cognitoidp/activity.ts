/** Sign-in events of users, as threat protection lists them, and what administrators and users say of them. */
import type { AuthEventType } from '@aws-sdk/client-cognito-identity-provider'
import { page } from '../../kernel/service/page.ts'
import { type ActivityRow, activityPrefix, addFeedback, isProtected } from './activity-rows.ts'
import { cognito, invalidParameter, notAuthorized, notFound, type PoolRow, poolById, poolNamed } from './resources.ts'
import { readFeedbackToken } from './risk-notices.ts'
import { requireUser } from './user-rows.ts'

const PAGE = 60

const shown = (row: ActivityRow): AuthEventType => ({
  EventId: row.id,
  EventType: row.type,
  CreationDate: new Date(row.at),
  EventResponse: row.response,
  EventRisk: {
    RiskDecision: row.decision,
    ...(row.level && { RiskLevel: row.level }),
    CompromisedCredentialsDetected: row.isCompromised,
  },
  ChallengeResponses: row.challenges.map(({ name, isPassed }) => ({
    ChallengeName: name,
    ChallengeResponse: isPassed ? 'Success' : 'Failure',
  })),
  EventContextData: {
    ...(row.address !== undefined && { IpAddress: row.address }),
    ...(row.deviceName !== undefined && { DeviceName: row.deviceName }),
    ...(row.country !== undefined && { Country: row.country }),
  },
  ...(row.feedback && {
    EventFeedback: {
      FeedbackValue: row.feedback.value,
      Provider: row.feedback.by,
      FeedbackDate: new Date(row.feedback.at),
    },
  }),
})

const assertProtected = (pool: PoolRow): void => {
  if (!isProtected(pool))
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
      (after, limit) => call.unit.range(activityPrefix(pool, user), { after, limit }),
      {
        token: input.NextToken,
        size: input.MaxResults || PAGE,
        query: [pool.id, user.sub],
        bad: () => invalidParameter('Invalid pagination token'),
      },
    )
    return { AuthEvents: items.map(shown), ...(next !== undefined && { NextToken: next }) }
  })

const eventMissing = () => notFound('The event does not exist.')

export const adminUpdateAuthEventFeedback = cognito
  .operation('AdminUpdateAuthEventFeedback')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    assertProtected(pool)
    const user = await requireUser(call.unit, pool, input.Username)
    const feedback = { value: input.FeedbackValue, by: 'Admin', at: call.now } as const
    if (!(await addFeedback(call.unit, pool, user, input.EventId, feedback))) throw eventMissing()
    return {}
  })

export const updateAuthEventFeedback = cognito
  .operation('UpdateAuthEventFeedback')
  .anonymous()
  .withoutPermission('the token of a notice to the user authorizes feedback on its event')
  .run(async (call, input) => {
    const claims = readFeedbackToken(call, input.FeedbackToken)
    const pool = claims && (await poolById(call.unit, claims.pool))
    const isSame = claims?.pool === input.UserPoolId && claims.event === input.EventId
    if (!pool || !isSame || claims.username !== input.Username) throw notAuthorized('Invalid feedback token.')
    assertProtected(pool)
    const user = await requireUser(call.unit, pool, claims.username)
    const feedback = { value: input.FeedbackValue, by: 'User', at: call.now } as const
    if (!(await addFeedback(call.unit, pool, user, claims.event, feedback))) throw eventMissing()
    return {}
  })
