/**
 * The risk of a sign-in whose password or other first factor was right: compared with the sign-ins of the user before it. There are
 * no learned weights: the levels are the rules below, which docs/cognito.md states.
 */
import type {
  AccountTakeoverActionType,
  AccountTakeoverEventActionType,
  RiskConfigurationType,
  RiskLevelType,
} from '@aws-sdk/client-cognito-identity-provider'
import { kilometersBetween } from '../../engines/network/country-distance.ts'
import { networkOf } from '../../kernel/gate/unauthenticated-refusals.ts'
import type { ActivityRow } from './activity-rows.ts'
import type { ClientFacts } from './threat-client.ts'

/** Of an airliner, with the way to and from the airport left out. */
const KILOMETERS_AN_HOUR = 900
/** Countries are compared by places in them: a person can be in both without a journey. */
const NEAR_KILOMETERS = 500
const HOUR_MS = 60 * 60_000
const FAILURES_MANY = 5

export interface Risk {
  /** undefined: none. */
  readonly level: RiskLevelType | undefined
  readonly isCompromised: boolean
}

const couldTravel = (from: ActivityRow, to: string | undefined, now: number): boolean => {
  if (from.country === undefined || to === undefined) return true
  const kilometers = kilometersBetween(from.country, to) ?? 0
  return kilometers - NEAR_KILOMETERS <= ((now - from.at) / HOUR_MS) * KILOMETERS_AN_HOUR
}

/** `history` is newest first. */
export function riskLevel(
  history: readonly ActivityRow[],
  client: ClientFacts,
  now: number,
): RiskLevelType | undefined {
  const signIns = history.filter(({ type }) => type === 'SignIn')
  const passed = signIns.filter(({ response, feedback }) => response === 'Pass' && feedback?.value !== 'Invalid')
  const network = networkOf(client.address ?? '')
  const isDisowned = signIns.some(
    ({ feedback, device, address }) =>
      feedback?.value === 'Invalid' && device === client.device && networkOf(address ?? '') === network,
  )
  if (isDisowned) return 'High'
  const [last] = passed
  // A first sign-in has nothing that it could differ from.
  if (!last) return undefined
  if (!couldTravel(last, client.country, now)) return 'High'
  const isNewDevice = !passed.some(({ device }) => device === client.device)
  const isNewNetwork = !passed.some(({ address }) => networkOf(address ?? '') === network)
  const isNewCountry =
    client.country !== undefined &&
    passed.some(({ country }) => country !== undefined) &&
    !passed.some(({ country }) => country === client.country)
  const failures = signIns.filter(({ response, at }) => response === 'Fail' && at > now - HOUR_MS).length
  const points =
    Number(isNewDevice) +
    Number(isNewNetwork) +
    2 * Number(isNewCountry) +
    Number((isNewDevice || isNewNetwork) && failures >= FAILURES_MANY)
  return points === 0 ? undefined : points === 1 ? 'Low' : points === 2 ? 'Medium' : 'High'
}

const NO_ACTION: AccountTakeoverActionType = { EventAction: 'NO_ACTION', Notify: false }

/** What the configuration does at this level. */
export function takeoverAction(
  settings: Omit<RiskConfigurationType, 'UserPoolId'> | undefined,
  level: RiskLevelType | undefined,
): AccountTakeoverActionType {
  const actions = settings?.AccountTakeoverRiskConfiguration?.Actions
  if (level === undefined) return NO_ACTION
  const action = { Low: actions?.LowAction, Medium: actions?.MediumAction, High: actions?.HighAction }[level]
  return action ?? NO_ACTION
}

/** Whether a sign-in is stopped: `MFA_REQUIRED` stops users that have no second factor. */
export const isStopping = (action: AccountTakeoverEventActionType | undefined, hasMfa: boolean): boolean =>
  action === 'BLOCK' || (action === 'MFA_REQUIRED' && !hasMfa)

/** Whether a second factor is due, although the device is remembered. */
export const isRequiringMfa = (action: AccountTakeoverEventActionType | undefined, hasMfa: boolean): boolean =>
  hasMfa && (action === 'MFA_REQUIRED' || action === 'MFA_IF_CONFIGURED')
