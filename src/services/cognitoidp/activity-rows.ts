/** Sign-in events of users as rows: recorded where threat protection is on, newest first, so many a user. */
import type {
  EventResponseType,
  EventType,
  FeedbackValueType,
  RiskDecisionType,
  RiskLevelType,
} from '@aws-sdk/client-cognito-identity-provider'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Unit, under } from '../../store/store.ts'
import { type LogPlace, queueActivity } from './log-queue.ts'
import type { PoolRow } from './resources.ts'
import type { ClientFacts } from './threat-client.ts'
import type { UserRow } from './user-rows.ts'

/** Of one user: older ones go. */
export const EVENTS_MAX = 50
/** A sign-in that stops at a second factor is completed within this time, the longest session of a client. */
const COMPLETED_MS = 15 * 60_000

export interface Challenge {
  readonly name: 'Password' | 'Mfa'
  readonly isPassed: boolean
}

export interface ActivityRow {
  readonly id: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly type: EventType
  readonly response: EventResponseType
  readonly client?: string | undefined
  readonly address?: string | undefined
  readonly country?: string | undefined
  readonly device?: string | undefined
  readonly deviceName?: string | undefined
  readonly challenges: readonly Challenge[]
  readonly decision: RiskDecisionType
  readonly level?: RiskLevelType | undefined
  readonly isCompromised: boolean
  readonly feedback?:
    | { readonly value: FeedbackValueType; readonly by: 'Admin' | 'User'; readonly at: number }
    | undefined
}

export const isProtected = ({ settings }: Pick<PoolRow, 'settings'>): boolean =>
  (settings.UserPoolAddOns?.AdvancedSecurityMode ?? 'OFF') !== 'OFF'

/** Whether risks have consequences, or are only recorded. */
export const isEnforcing = ({ settings }: Pick<PoolRow, 'settings'>): boolean =>
  settings.UserPoolAddOns?.AdvancedSecurityMode === 'ENFORCED'

type Owner = Pick<UserRow, 'sub' | 'username'>

export const activityPrefix = (pool: PoolRow, { sub }: Pick<UserRow, 'sub'>) =>
  under('cognito-idp', 'auth-event', pool.id, sub)

/** Newest first, by a key that counts down. */
const keyOf = (pool: PoolRow, user: Owner, { at, id }: Pick<ActivityRow, 'at' | 'id'>) =>
  `${activityPrefix(pool, user)}${String(9_999_999_999_999 - at).padStart(13, '0')}-${id}`

/** Newest first. */
export const activityOf = async (reader: Reader, pool: PoolRow, user: Owner): Promise<readonly ActivityRow[]> =>
  (await reader.range<ActivityRow>(activityPrefix(pool, user), { limit: EVENTS_MAX })).map(({ document }) => document)

export type NewActivity = Pick<ActivityRow, 'type' | 'response'> &
  Partial<Pick<ActivityRow, 'challenges' | 'decision' | 'level' | 'isCompromised'>>

interface Place extends LogPlace {
  readonly newId: () => string
}

/** What events of users that do not exist are written as: one row a pool, so that they take as long and add nothing. */
const NONE: Owner = { sub: 'none', username: '' }

/** Adds an event, if the pool is protected. For a user that does not exist, does the same work. */
export async function addActivity(
  { unit, now, newId }: Place,
  pool: PoolRow,
  user: Owner | undefined,
  { client, facts, activity }: { readonly client: string; readonly facts: ClientFacts; readonly activity: NewActivity },
): Promise<ActivityRow | undefined> {
  if (!isProtected(pool)) return undefined
  const id = newId()
  const { address, country, device, deviceName } = facts
  const row: ActivityRow = {
    challenges: [],
    decision: 'NoRisk',
    isCompromised: false,
    ...activity,
    ...{ id, at: now, client, address, country, device, deviceName },
  }
  const owner = user ?? NONE
  const rows = await unit.range(activityPrefix(pool, owner), { limit: EVENTS_MAX + 5 })
  for (const { key } of rows.slice(EVENTS_MAX - 1)) unit.delete(key)
  unit.put(user ? keyOf(pool, owner, row) : keyOf(pool, owner, { at: 0, id: 'none' }), row)
  await queueActivity({ unit, now }, pool, user, row)
  return row
}

/**
 * A sign-in has come to its end: its event, which stopped at a second factor, or a new one. The risk of the event stays as it was
 * evaluated.
 */
export async function passActivity(
  { unit, now, newId }: Place,
  pool: PoolRow,
  user: Owner,
  { client, facts, isMfa }: { readonly client: string; readonly facts: ClientFacts; readonly isMfa: boolean },
): Promise<void> {
  if (!isProtected(pool)) return
  const rows = await unit.range<ActivityRow>(activityPrefix(pool, user), { limit: EVENTS_MAX })
  const open = rows.find(
    ({ document: row }) =>
      row.type === 'SignIn' &&
      row.response === 'InProgress' &&
      row.client === client &&
      row.device === facts.device &&
      row.address === facts.address &&
      row.at > now - COMPLETED_MS,
  )
  if (!open) {
    const challenges = [{ name: isMfa ? 'Mfa' : 'Password', isPassed: true }] as const
    const activity = { type: 'SignIn', response: 'Pass', challenges } as const
    await addActivity({ unit, now, newId }, pool, user, { client, facts, activity })
    return
  }
  const row: ActivityRow = {
    ...open.document,
    response: 'Pass',
    challenges: isMfa ? [...open.document.challenges, { name: 'Mfa', isPassed: true }] : open.document.challenges,
  }
  unit.put(open.key, row)
  await queueActivity({ unit, now }, pool, user, row)
}

/** Records what is said of an event. False: there is no such event. */
export async function addFeedback(
  unit: Unit,
  pool: PoolRow,
  user: Owner,
  id: string,
  feedback: NonNullable<ActivityRow['feedback']>,
): Promise<boolean> {
  const rows = await unit.range<ActivityRow>(activityPrefix(pool, user), { limit: EVENTS_MAX })
  const found = rows.find(({ document }) => document.id === id)
  if (found) unit.put(found.key, { ...found.document, feedback })
  return found !== undefined
}
