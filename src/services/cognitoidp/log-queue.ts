/**
 * What a pool's logs will say, as it waits for delivery: a row for each event, in the transaction of what it reports. A job delivers
 * all rows of a pool together. The forms are those of the developer guide.
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/exporting-quotas-and-usage.html
 */
import type { EventSourceName } from '@aws-sdk/client-cognito-identity-provider'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { key, type Unit, under } from '../../store/store.ts'
import type { ActivityRow } from './activity-rows.ts'
import type { PoolRow } from './resources.ts'
import type { UserRow } from './user-rows.ts'

/** In documents that wait: never change it. */
export const DELIVER_LOGS = 'cognito-idp.deliver-logs'
/** Events of this long are delivered together. */
const GATHER_MS = 5_000

export interface LogPlace {
  readonly unit: Unit
  /** Epoch milliseconds. */
  readonly now: number
}

/** A row that waits. Without a text it is never delivered: it took the place of an event of a user that does not exist. */
export interface QueuedLog {
  readonly source: EventSourceName
  readonly at: number
  readonly text?: string
}

export const logQueueOf = (pool: string) => under('cognito-idp', 'log-queue', pool)
export const logQueueState = (pool: string) => key('cognito-idp', 'log-queue-state', pool)

export const logs = (pool: Pick<PoolRow, 'logDelivery'>, source: EventSourceName): boolean =>
  pool.logDelivery?.some(({ EventSource }) => EventSource === source) ?? false

export function scheduleLogs(unit: Unit, pool: string, dueAt: number): void {
  scheduleJob(unit, { id: `${DELIVER_LOGS}/${pool}`, kind: DELIVER_LOGS, dueAt, payload: { pool } })
}

async function queue({ unit, now }: LogPlace, pool: PoolRow, name: string, row: QueuedLog): Promise<void> {
  unit.put(`${logQueueOf(pool.id)}${name}`, row)
  if (await unit.get(logQueueState(pool.id))) return
  unit.put(logQueueState(pool.id), { since: now })
  scheduleLogs(unit, pool.id, now + GATHER_MS)
}

const padded = (at: number): string => String(at).padStart(15, '0')

/** An event of threat protection. For a user that does not exist, does the same work and delivers nothing. */
export async function queueActivity(
  place: LogPlace,
  pool: PoolRow,
  user: Pick<UserRow, 'sub' | 'username'> | undefined,
  row: ActivityRow,
): Promise<void> {
  if (!logs(pool, 'userAuthEvents')) return
  const { now } = place
  const record = {
    eventTimestamp: String(row.at),
    eventSource: 'USER_ACTIVITY',
    logLevel: 'INFO',
    message: {
      version: '1',
      eventId: row.id,
      eventType: row.type,
      userSub: user?.sub ?? '',
      userName: user?.username ?? '',
      userPoolId: pool.id,
      clientId: row.client ?? '',
      creationDate: new Date(row.at).toUTCString(),
      eventResponse: row.response,
      riskLevel: row.level ?? '',
      riskDecision: row.decision,
      challenges: row.challenges.map(({ name, isPassed }) => `${name}:${isPassed ? 'Success' : 'Failure'}`),
      deviceName: row.deviceName ?? '',
      ipAddress: row.address ?? '',
      requestId: '',
      idpName: '',
      compromisedCredentialDetected: String(row.isCompromised),
      city: '',
      country: row.country ?? '',
      eventFeedbackValue: row.feedback?.value ?? '',
      eventFeedbackDate: row.feedback ? new Date(row.feedback.at).toUTCString() : '',
      eventFeedbackProvider: row.feedback?.by ?? '',
      hasContextData: String(row.address !== undefined),
    },
    logSourceId: { userPoolId: pool.id },
  }
  const text = JSON.stringify(record)
  const name = user ? `${padded(now)}-${row.id}-${row.response}` : 'none'
  await queue(place, pool, name, { source: 'userAuthEvents', at: row.at, ...(user && { text }) })
}

/** A message that could not be sent. `details` names no code and no whole address. */
export async function queueNotification(place: LogPlace, pool: PoolRow, id: string, details: string): Promise<void> {
  if (!logs(pool, 'userNotification')) return
  const { now } = place
  const record = {
    eventTimestamp: String(now),
    eventSource: 'USER_NOTIFICATION',
    logLevel: 'ERROR',
    message: { details },
    logSourceId: { userPoolId: pool.id },
  }
  const text = JSON.stringify(record)
  await queue(place, pool, `${padded(now)}-${id}`, { source: 'userNotification', at: now, text })
}
