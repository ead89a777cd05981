/**
 * Schedules as AWS writes them: `rate(4 hours)` and six-field `cron(…)` in UTC.
 * Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */

export interface Schedule {
  readonly kind: 'rate' | 'cron'
  /** The first time after this instant; undefined when there is none within a hundred years. Epoch milliseconds. */
  next(afterMs: number): number | undefined
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const DAY_MS = 86_400_000
const HORIZON_DAYS = 36_525

/** undefined when the text is no schedule. */
export function parseSchedule(text: string): Schedule | undefined {
  const rate = /^rate\(\s*([1-9]\d{0,8})\s+(minute|hour|day)(s?)\s*\)$/.exec(text)
  if (rate) {
    const count = Number(rate[1])
    if ((count === 1) === (rate[3] === 's')) return undefined
    const every = count * UNIT_MS[rate[2]!]!
    return { kind: 'rate', next: (after) => after + every }
  }
  const cron = /^cron\(\s*([^()]+?)\s*\)$/.exec(text)
  return cron ? parseCron(cron[1]!.split(/\s+/)) : undefined
}

type Days = (date: Date) => boolean

function parseCron(fields: readonly string[]): Schedule | undefined {
  if (fields.length !== 6) return undefined
  const [minuteText, hourText, dayText, monthText, weekdayText, yearText] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  // Exactly one of the two must be `?`.
  if ((dayText === '?') === (weekdayText === '?')) return undefined
  const minutes = numbers(minuteText, 0, 59)
  const hours = numbers(hourText, 0, 23)
  const months = numbers(monthText, 1, 12, MONTHS, 1)
  const years = numbers(yearText, 1970, 2199)
  const days = dayText === '?' ? onWeekdays(weekdayText) : onDays(dayText)
  if (!minutes || !hours || !months || !years || !days) return undefined
  return { kind: 'cron', next: (after) => nextTime(after, { minutes, hours, months, years, days }) }
}

interface Cron {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly years: ReadonlySet<number>
  readonly days: Days
}

function nextTime(after: number, { minutes, hours, months, years, days }: Cron): number | undefined {
  const first = Math.floor(after / 60_000) * 60_000 + 60_000
  const startDay = Math.floor(first / DAY_MS) * DAY_MS
  for (let i = 0; i < HORIZON_DAYS; i++) {
    const day = startDay + i * DAY_MS
    const date = new Date(day)
    if (!years.has(date.getUTCFullYear()) || !months.has(date.getUTCMonth() + 1) || !days(date)) continue
    for (const hour of sorted(hours)) {
      for (const minute of sorted(minutes)) {
        const time = day + hour * 3_600_000 + minute * 60_000
        if (time >= first) return time
      }
    }
  }
  return undefined
}

const sorted = (set: ReadonlySet<number>) => [...set].sort((a, b) => a - b)

/** `*`, `5`, `1-5`, steps such as `0/15`, `1,3`, names where there are some; undefined when malformed. */
function numbers(
  text: string,
  min: number,
  max: number,
  names: readonly string[] = [],
  base = 0,
): ReadonlySet<number> | undefined {
  const found = new Set<number>()
  const value = (word: string): number | undefined => {
    const named = names.indexOf(word.toUpperCase())
    const number = named >= 0 ? named + base : /^\d{1,4}$/.test(word) ? Number(word) : Number.NaN
    return number >= min && number <= max ? number : undefined
  }
  for (const part of text.split(',')) {
    const [range = '', stepText, ...more] = part.split('/')
    if (more.length > 0 || (stepText !== undefined && !/^[1-9]\d{0,3}$/.test(stepText))) return undefined
    const step = Number(stepText ?? 1)
    const ends = range.split('-')
    const from = range === '*' ? min : value(ends[0]!)
    const to = range === '*' ? max : ends.length === 2 ? value(ends[1]!) : stepText === undefined ? from : max
    if (ends.length > 2 || from === undefined || to === undefined || from > to) return undefined
    for (let n = from; n <= to; n += step) found.add(n)
  }
  return found
}

const lastDay = (date: Date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()

/** `L`: the last of the month; `15W`: the weekday nearest to it within the month. */
function onDays(text: string): Days | undefined {
  if (text === 'L') return (date) => date.getUTCDate() === lastDay(date)
  const near = /^(\d{1,2})W$/.exec(text)
  if (near) {
    const day = Number(near[1])
    if (day < 1 || day > 31) return undefined
    return (date) => date.getUTCDate() === nearestWeekday(date, day)
  }
  const days = numbers(text, 1, 31)
  return days && ((date) => days.has(date.getUTCDate()))
}

function nearestWeekday(date: Date, day: number): number | undefined {
  const last = lastDay(date)
  if (day > last) return undefined
  const weekday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day)).getUTCDay()
  if (weekday === 6) return day > 1 ? day - 1 : day + 2
  if (weekday === 0) return day < last ? day + 1 : day - 2
  return day
}

/** 1 is Sunday. `6L`: the last Friday; `3#2`: the second Tuesday; `L` alone: Saturday. */
function onWeekdays(text: string): Days | undefined {
  const word = (part: string) => sole(numbers(part, 1, 7, DAYS, 1))
  if (text === 'L') return (date) => date.getUTCDay() === 6
  const last = /^([A-Za-z]{3}|[1-7])L$/.exec(text)
  if (last) {
    const weekday = word(last[1]!)
    return weekday === undefined
      ? undefined
      : (date) => date.getUTCDay() + 1 === weekday && date.getUTCDate() > lastDay(date) - 7
  }
  const nth = /^([A-Za-z]{3}|[1-7])#([1-5])$/.exec(text)
  if (nth) {
    const weekday = word(nth[1]!)
    return weekday === undefined
      ? undefined
      : (date) => date.getUTCDay() + 1 === weekday && Math.ceil(date.getUTCDate() / 7) === Number(nth[2])
  }
  const weekdays = numbers(text, 1, 7, DAYS, 1)
  return weekdays && ((date) => weekdays.has(date.getUTCDay() + 1))
}

const sole = (set: ReadonlySet<number> | undefined) => (set?.size === 1 ? [...set][0] : undefined)
