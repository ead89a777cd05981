/** When secrets rotate: sixty rules by the clock. */
import { describe, expect, test } from 'vitest'
import type { RotationRules } from './resources.ts'
import { checkRules, nextRotation } from './rotation-rules.ts'

/** A Tuesday. */
const NOW = Date.UTC(2026, 10, 24, 10, 30)
const at = (text: string) => Date.parse(`${text}:00Z`)
const rate = (text: string): RotationRules => ({ ScheduleExpression: `rate(${text})` })
const cron = (text: string, Duration?: string): RotationRules => ({
  ScheduleExpression: `cron(${text})`,
  ...(Duration && { Duration }),
})

describe('Secrets 6: the next rotation', () => {
  test.each<[RotationRules, string]>([
    [{ AutomaticallyAfterDays: 1 }, '2026-11-25T10:30'],
    [{ AutomaticallyAfterDays: 30 }, '2026-12-24T10:30'],
    [{ AutomaticallyAfterDays: 1000 }, '2029-08-20T10:30'],
    [rate('4 hours'), '2026-11-24T14:30'],
    [rate('23 hours'), '2026-11-25T09:30'],
    [rate('1 day'), '2026-11-25T10:30'],
    [rate('10 days'), '2026-12-04T10:30'],
    [rate('999 days'), '2029-08-19T10:30'],
    [cron('0 16 * * ? *'), '2026-11-24T16:00'],
    [cron('0 8 * * ? *'), '2026-11-25T08:00'],
    [cron('0 0 * * ? *'), '2026-11-25T00:00'],
    [cron('0 0/8 * * ? *'), '2026-11-24T16:00'],
    [cron('0 */6 * * ? *'), '2026-11-24T12:00'],
    [cron('0 1,13 * * ? *'), '2026-11-24T13:00'],
    [cron('0 8 1 * ? *'), '2026-12-01T08:00'],
    [cron('0 8 1,15 * ? *'), '2026-12-01T08:00'],
    [cron('0 8 24 * ? *'), '2026-12-24T08:00'],
    [cron('0 18 24 * ? *'), '2026-11-24T18:00'],
    [cron('0 8 L * ? *'), '2026-11-30T08:00'],
    [cron('0 8 15W * ? *'), '2026-12-15T08:00'],
    [cron('0 8 1W * ? *'), '2026-12-01T08:00'],
    [cron('0 8 31 * ? *'), '2026-12-31T08:00'],
    [cron('0 8 29 2 ? *'), '2028-02-29T08:00'],
    [cron('0 8 ? * MON *'), '2026-11-30T08:00'],
    [cron('0 18 ? * TUE *'), '2026-11-24T18:00'],
    [cron('0 8 ? * MON-FRI *'), '2026-11-25T08:00'],
    [cron('0 8 ? * SUN *'), '2026-11-29T08:00'],
    [cron('0 8 ? * 1 *'), '2026-11-29T08:00'],
    [cron('0 8 ? * 6#1 *'), '2026-12-04T08:00'],
    [cron('0 8 ? * MON#2 *'), '2026-12-14T08:00'],
    [cron('0 8 ? * 7L *'), '2026-11-28T08:00'],
    [cron('0 8 ? JAN SUN *'), '2027-01-03T08:00'],
    [cron('0 8 1 1/3 ? *'), '2027-01-01T08:00'],
    [cron('0 8 1 JAN,JUL ? *'), '2027-01-01T08:00'],
    [cron('0 8 1 1 ? *'), '2027-01-01T08:00'],
  ])('of %j comes at %s', (rules, next) => {
    checkRules(rules, NOW)
    expect(new Date(nextRotation(rules, NOW)!).toISOString().slice(0, 16)).toBe(next)
    expect(nextRotation(rules, NOW)).toBe(at(next))
  })
})

describe('Secrets 6: a window', () => {
  test.each<RotationRules>([
    cron('0 20 * * ? *', '4h'),
    cron('0 0 * * ? *', '24h'),
    cron('0 23 * * ? *', '1h'),
    cron('0 0/8 * * ? *', '8h'),
    { ...rate('4 hours'), Duration: '4h' },
    { AutomaticallyAfterDays: 7, Duration: '3h' },
  ])('of %j fits', (rules) => {
    expect(() => checkRules(rules, NOW)).not.toThrow()
  })
})

describe('Secrets 6: rules are refused', () => {
  test.each<[string, RotationRules]>([
    ['both kinds', { AutomaticallyAfterDays: 1, ...rate('1 day') }],
    ['neither', { Duration: '2h' }],
    ['more often than every four hours', rate('3 hours')],
    ['an hour', rate('1 hour')],
    ['minutes', rate('300 minutes')],
    ['a singular of many', rate('5 day')],
    ['a plural of one', rate('1 days')],
    ['nothing at all', rate('0 days')],
    ['five fields', cron('0 8 * * ?')],
    ['another minute than the full hour', cron('30 8 * * ? *')],
    ['every hour', cron('0 * * * ? *')],
    ['hours that are too near', cron('0 8,10 * * ? *')],
    ['hours that are too near over midnight', cron('0 1,23 * * ? *')],
    ['an hour of 24', cron('0 24 * * ? *')],
    ['a day and a weekday', cron('0 8 1 * MON *')],
    ['neither a day nor a weekday', cron('0 8 ? * ? *')],
    ['a year', cron('0 8 1 1 ? 2027')],
    ['a window over midnight', cron('0 22 * * ? *', '3h')],
    ['a window longer than the time between', cron('0 0/8 * * ? *', '9h')],
    ['a window of a day by rate', { ...rate('12 hours'), Duration: '13h' }],
    ['a window of nothing', cron('0 8 * * ? *', '0h')],
    ['a window of no number', { ...rate('1 day'), Duration: 'hh' }],
    ['a window without its unit', { ...rate('1 day'), Duration: '3' }],
    ['a window of more than a day', cron('0 0 * * ? *', '25h')],
    ['another language', { ScheduleExpression: 'every day' }],
  ])('that say %s', (_what, rules) => {
    expect(() => checkRules(rules, NOW)).toThrow(expect.objectContaining({ code: 'InvalidParameterException' }))
  })
})
