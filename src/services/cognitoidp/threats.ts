/** Threat protection in a sign-in: its risk is evaluated once the first factor is right, recorded, and acted on where it is enforced. */
import type { EventFilterType } from '@aws-sdk/client-cognito-identity-provider'
import {
  type ActivityRow,
  activityOf,
  addActivity,
  isEnforcing,
  isProtected,
  type NewActivity,
  passActivity,
} from './activity-rows.ts'
import { isCompromised } from './compromised.ts'
import { enabledMfa, offeredMfa } from './mfa-settings.ts'
import { cognito, type Flow, notAuthorized, type PoolClient, type PoolRow } from './resources.ts'
import { isSkipped, type RiskSettings, riskSettings } from './risk.ts'
import { sendNotice } from './risk-notices.ts'
import { type ClientFacts, type ContextData, clientFacts } from './threat-client.ts'
import { isRequiringMfa, isStopping, riskLevel, takeoverAction } from './threat-risk.ts'
import type { UserRow } from './user-rows.ts'

export interface Attempt extends PoolClient {
  readonly call: Flow
  readonly isAdmin: boolean
  readonly context?: ContextData | undefined
}

const factsOf = ({ call, client, context, isAdmin }: Attempt): ClientFacts =>
  clientFacts(call, client, context, isAdmin)

const hasMfa = (pool: PoolRow, user: UserRow): boolean => {
  const offered = offeredMfa(pool)
  return enabledMfa(user).some((each) => offered.includes(each))
}

const stopped = () => notAuthorized('Unable to login because of security reasons.')

/** Whether the operator's list has the password, where the pool cares. Read once, though the transaction is retried. */
const hasLeaked = (call: Flow, pool: PoolRow, password: string): Promise<boolean> =>
  isProtected(pool) ? call.once(() => isCompromised(password)) : Promise.resolve(false)

const blocksLeaked = (pool: PoolRow, settings: RiskSettings | undefined, event: EventFilterType): boolean => {
  const { EventFilter, Actions } = settings?.CompromisedCredentialsRiskConfiguration ?? {}
  const isMeant = !EventFilter || EventFilter.length === 0 || EventFilter.includes(event)
  return isEnforcing(pool) && isMeant && Actions?.EventAction === 'BLOCK'
}

/** Throws for a new password that the operator's list has, where the pool blocks such ones. */
export async function assertNotLeaked(
  call: Flow,
  { pool, client }: PoolClient,
  password: string,
  event: Exclude<EventFilterType, 'SIGN_IN'>,
): Promise<void> {
  if (!(await hasLeaked(call, pool, password))) return
  const settings = await riskSettings(call.unit, { pool, client })
  if (blocksLeaked(pool, settings, event))
    throw cognito.fail('InvalidPasswordException', 'Provided password cannot be used for security reasons.')
}

interface Proved {
  /** undefined where the first factor was no password, or one that the server did not see. */
  readonly password?: string | undefined
  readonly isPassword: boolean
}

/**
 * To be called when the first factor is right. Throws where the sign-in is stopped, with its event recorded all the same. Returns
 * whether a second factor is due although the device is remembered.
 */
export async function assessSignIn(of: Attempt, user: UserRow, { password, isPassword }: Proved): Promise<boolean> {
  const { call, pool, client } = of
  if (!isProtected(pool)) return false
  const settings = await riskSettings(call.unit, of)
  const facts = factsOf(of)
  const isLeaked = password !== undefined && (await hasLeaked(call, pool, password))
  const isExempt = isSkipped(settings, facts.address)
  const level = isExempt ? undefined : riskLevel(await activityOf(call.unit, pool, user), facts, call.now)
  const { EventAction: action, Notify: isNotified } = takeoverAction(settings, level)
  const isTakeover = isEnforcing(pool) && isStopping(action, hasMfa(pool, user))
  const isBlocked = isTakeover || (isLeaked && blocksLeaked(pool, settings, 'SIGN_IN'))
  const activity: NewActivity = {
    type: 'SignIn',
    response: isBlocked ? 'Fail' : 'InProgress',
    challenges: isPassword ? [{ name: 'Password', isPassed: true }] : [],
    decision: isBlocked ? 'Block' : level === undefined ? 'NoRisk' : 'AccountTakeover',
    level,
    isCompromised: isLeaked,
  }
  const isNoticed = isEnforcing(pool) && isNotified === true && level !== undefined
  const write = async (unit: Flow['unit']): Promise<ActivityRow> => {
    const place = { unit, now: call.now, newId: call.newId }
    const row = (await addActivity(place, pool, user, { client: client.id, facts, activity }))!
    if (isNoticed) await sendNotice({ ...noticeContext(call), unit }, pool, user, { settings, action, row })
    return row
  }
  if (!isBlocked) {
    await write(call.unit)
    return isEnforcing(pool) && isRequiringMfa(action, hasMfa(pool, user))
  }
  // A refusal writes nothing, and this has to last. Only the right password leads here, so no other client adds rows.
  await call.commitNow(write)
  if (isTakeover) throw stopped()
  throw cognito.fail('PasswordResetRequiredException', 'Password reset required for user due to security reasons')
}

const noticeContext = ({ vault, quotas, now, use }: Flow) => ({ vault, quotas, now, use })

/** Everything is proved. */
export const recordPass = (of: Attempt, user: UserRow, isMfa: boolean): Promise<void> => {
  const { call, pool, client } = of
  return isProtected(pool)
    ? passActivity(call, pool, user, { client: client.id, facts: factsOf(of), isMfa })
    : Promise.resolve()
}

/** A wrong password, in the transaction that counts it. A user that does not exist takes as long. */
export async function recordWrongPassword(of: Attempt, user: UserRow | undefined, unit: Flow['unit']): Promise<void> {
  const { call, pool, client } = of
  if (!isProtected(pool)) return
  const place = { unit, now: call.now, newId: () => call.requestId }
  const activity = { type: 'SignIn', response: 'Fail', challenges: [{ name: 'Password', isPassed: false }] } as const
  await addActivity(place, pool, user, { client: client.id, facts: factsOf(of), activity })
}

/** What users do besides signing in. A user that does not exist takes as long. */
export async function recordOther(
  call: Flow,
  { pool, client }: PoolClient,
  user: UserRow | undefined,
  { type, response }: Pick<ActivityRow, 'type' | 'response'>,
): Promise<void> {
  if (!isProtected(pool)) return
  const facts = clientFacts(call, client, undefined, false)
  await addActivity(call, pool, user, { client: client.id, facts, activity: { type, response } })
}
