/** ISO 8601 durations of permission sets: one to twelve hours. */
import { invalid } from './resources.ts'

const HOUR_S = 3600
const MAX_HOURS = 12
const FORM = /^P(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})(?:\.\d{1,6})?S)?)?$/

/** Throws for durations of another form, or outside of what AWS allows. */
export function durationSeconds(text: string): number {
  const match = FORM.exec(text)
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match ?? []
  const total = Number(days) * 24 * HOUR_S + Number(hours) * HOUR_S + Number(minutes) * 60 + Number(seconds)
  if (!match || total < HOUR_S || total > MAX_HOURS * HOUR_S)
    throw invalid(`The session duration ${text} is not between PT1H and PT${MAX_HOURS}H.`)
  return total
}
