/** Times in the reader's own zone and language. */
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })

export const timeShown = (time: Date | undefined): string => (time ? whole.format(time) : '–')

const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const

/** `3 minutes ago`, `in 2 days` */
export function timeFromNow(time: Date | undefined, now = Date.now()): string {
  if (!time) return '–'
  const seconds = Math.round((time.getTime() - now) / 1000)
  for (const [unit, size] of UNITS)
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit)
  return Math.abs(seconds) < 10 ? 'now' : relative.format(seconds, 'second')
}
