/** The dimensions of behavior of an API call, and how probable a value is where nothing was ever seen. */
import { classOf } from '../api-classes.ts'
import type { Dimension, Observed } from '../baseline.ts'
import { textOf } from '../normalize/json.ts'
import type { Lookups } from '../rule.ts'
import type { ApiEvent } from '../types.ts'
import { KNOWN_FAMILIES, userAgentFamily } from '../user-agent.ts'

/** The autonomous system, where it is known; otherwise the first half of an IPv4 address, or /32 of an IPv6 one. */
export function networkOf(address: string, lookups: Lookups): string {
  const asn = lookups.geography(address)?.asn
  if (asn !== undefined) return `AS${asn}`
  const second = address.indexOf('.', address.indexOf('.') + 1)
  if (second > 0 && /^\d+\.\d+\.\d+\.\d+$/.test(address)) return `${address.slice(0, second)}.0.0/16`
  if (address.includes(':')) return `${address.split(':').slice(0, 2).join(':')}::/32`
  return address.slice(0, 80)
}

const DENIED = /AccessDenied|Unauthorized|Forbidden|NotAuthorized/

export const isDenied = ({ errorCode }: ApiEvent): boolean => errorCode !== '' && DENIED.test(errorCode)

/** What a call is on, where its name says something: random IDs are always new. */
function targetOf({ service, request }: ApiEvent): string | undefined {
  const name =
    service === 's3' || service === 's3control'
      ? request.bucketName
      : service === 'secretsmanager'
        ? request.secretId
        : service === 'sts'
          ? request.roleArn
          : service === 'lambda'
            ? request.functionName
            : undefined
  const text = textOf(name, 120)
  return text === '' ? undefined : `${service}:${text.slice(text.lastIndexOf(':') + 1)}`
}

const HOUR_MS = 3_600_000

/** Of a week, an hour says nothing yet. */
export const HOUR_AGE_MS = 7 * 24 * HOUR_MS

/** Four hours of the day, weekdays and weekends apart; UTC. */
function hourOf(time: number): string {
  const days = Math.floor(time / (24 * HOUR_MS))
  // 1970-01-01 was a Thursday.
  const isWeekend = (days + 4) % 7 === 0 || (days + 4) % 7 === 6
  const from = Math.floor((time % (24 * HOUR_MS)) / (4 * HOUR_MS)) * 4
  return `${isWeekend ? 'weekend' : 'weekday'} ${from}–${from + 4} h`
}

export function observe(event: ApiEvent, lookups: Lookups): Observed {
  const country = lookups.geography(event.address)?.country
  const target = targetOf(event)
  return {
    action: event.action,
    service: event.service,
    tactic: classOf(event.service, event.action)?.tactic ?? 'none',
    region: event.region,
    network: networkOf(event.address, lookups),
    ...(country !== undefined && { country }),
    userAgent: userAgentFamily(event.userAgent),
    hour: hourOf(event.time),
    errors: isDenied(event) ? 'denied' : 'allowed',
    ...(target !== undefined && { resource: target }),
  }
}

/** Of values that no baseline has: about one in as many as are in use in an ordinary organization. */
const PRIORS: Readonly<Record<Dimension, number>> = {
  action: 1 / 1_000,
  service: 1 / 60,
  tactic: 1 / 100,
  region: 1 / 20,
  network: 1 / 50,
  country: 1 / 50,
  userAgent: 1 / 400,
  hour: 1 / 12,
  errors: 1 / 20,
  resource: 1 / 50,
}
const KNOWN_USER_AGENT = 1 / 12
const COMMON_TACTIC = 1 / 4

export function priorOf(dimension: Dimension, value: string): number {
  if (dimension === 'userAgent' && KNOWN_FAMILIES.has(value)) return KNOWN_USER_AGENT
  if (dimension === 'tactic' && (value === 'none' || value === 'Discovery')) return COMMON_TACTIC
  if (dimension === 'errors' && value === 'allowed') return 1 - PRIORS.errors
  return PRIORS[dimension]
}
