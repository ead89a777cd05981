/** When an issued certificate begins and ends: within the time of its authority, and its usage mode. */
import type * as PrivateCa from '../../../models/schemas/acm-pca.types.ts'
import { Fault } from '../../wire/fault.ts'
import type { Strict } from '../../wire/typed.ts'
import type { AuthorityRow } from './resources.ts'
import type { Template } from './templates.ts'

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
const SHORT_LIVED_MS = 7 * DAY_MS

const outOfTime = (message: string) => new Fault('ValidationException', message, { status: 400 })

/** Epoch milliseconds. Throws `ValidationException` for times that the authority may not give. */
export function timesOf(
  row: AuthorityRow,
  { isRoot }: Template,
  { Validity, ValidityNotBefore }: Pick<Strict<PrivateCa.IssueCertificateRequest>, 'Validity' | 'ValidityNotBefore'>,
  now: number,
): { readonly notBefore: number; readonly notAfter: number } {
  const notBefore = ValidityNotBefore ? timeOf(ValidityNotBefore, now) : now - HOUR_MS
  const notAfter = timeOf(Validity, now)
  if (notAfter <= now || notAfter <= notBefore) throw outOfTime('The certificate would end before it begins.')
  if (row.usageMode === 'SHORT_LIVED_CERTIFICATE' && !isRoot && notAfter - now > SHORT_LIVED_MS)
    throw outOfTime('An authority for short-lived certificates issues for seven days at most.')
  if (!isRoot && row.notAfter !== undefined && notAfter > row.notAfter)
    throw outOfTime('The certificate would outlive the certificate of its authority.')
  return { notBefore, notAfter }
}

function timeOf({ Type, Value }: Strict<PrivateCa.Validity>, now: number): number {
  const date = new Date(now)
  switch (Type) {
    case 'ABSOLUTE':
      return Value * 1_000
    case 'DAYS':
      return now + Value * DAY_MS
    case 'MONTHS':
      return date.setUTCMonth(date.getUTCMonth() + Value)
    case 'YEARS':
      return date.setUTCFullYear(date.getUTCFullYear() + Value)
    case 'END_DATE':
      return endDate(String(Value))
  }
}

/** `YYMMDDHHMMSS` (UTCTime, RFC 5280 §4.1.2.5.1) or `YYYYMMDDHHMMSS`. */
function endDate(text: string): number {
  const digits = text.padStart(12, '0')
  const whole = digits.length === 12 ? `${Number(digits.slice(0, 2)) < 50 ? '20' : '19'}${digits}` : digits
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(whole) ?? []
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(at)) throw outOfTime(`The end date ${text} is not valid.`)
  return at
}
