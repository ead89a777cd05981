/**
 * When a secret is rotated.
 * Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
 */
import { parseSchedule } from '../../kernel/jobs/schedule.ts'
import { invalidParameter, type RotationRules } from './resources.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** AWS: not more often than this. */
const EVERY_MS_MIN = 4 * HOUR_MS
/** How many times ahead a cron expression is looked at for two that are too near. */
const LOOK_AHEAD = 64

/** Refuses rules that AWS refuses. */
export function checkRules(rules: RotationRules, now: number): void {
  const { AutomaticallyAfterDays: days, ScheduleExpression: text, Duration } = rules
  if ((days === undefined) === (text === undefined)) {
    throw invalidParameter('Specify either AutomaticallyAfterDays or ScheduleExpression, but not both.')
  }
  if (Duration !== undefined && !/^\d{1,2}h$/.test(Duration)) throw invalidParameter('The Duration is not valid.')
  const hours = Duration === undefined ? undefined : Number.parseInt(Duration, 10)
  if (hours !== undefined && (hours < 1 || hours > 24)) throw outside()
  if (text === undefined) return

  const schedule = parseSchedule(text)
  const secretly = schedule?.kind === 'rate' ? !text.includes('minute') : /^cron\(\s*0\s.*\s\*\s*\)$/.test(text)
  if (!schedule || !secretly) throw invalidParameter('The ScheduleExpression is not valid.')
  let at = schedule.next(now)
  for (let i = 0; at !== undefined && i < LOOK_AHEAD; i++) {
    const then = schedule.next(at)
    if (then !== undefined && then - at < EVERY_MS_MIN) {
      throw invalidParameter('A secret can be rotated every four hours at the most.')
    }
    const window = (hours ?? 0) * HOUR_MS
    if (schedule.kind === 'cron' && (at % DAY_MS) + window > DAY_MS) throw outside()
    if (then !== undefined && then - at < window) throw outside()
    at = then
  }
}

function outside(): Error {
  return invalidParameter('The rotation window must end within the UTC day, and before the next one begins.')
}

/** The next time after `after`; undefined when there is none. Epoch milliseconds. */
export function nextRotation(rules: RotationRules, after: number): number | undefined {
  const { AutomaticallyAfterDays: days, ScheduleExpression: text } = rules
  return days !== undefined ? after + days * DAY_MS : parseSchedule(text ?? '')?.next(after)
}
