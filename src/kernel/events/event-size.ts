/**
 * How large the fields of a record may be: texts are cut, the rest is left out and says so. Without a limit, a caller
 * could choose how much of the log one call takes.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */

const KB = 1024
const TEXTS = ['userAgent', 'errorCode', 'errorMessage'] as const
const TEXT_BYTES_MAX = KB
const FIELDS: Readonly<Record<string, number>> = {
  requestParameters: 100 * KB,
  responseElements: 100 * KB,
  serviceEventDetails: 100 * KB,
  additionalEventData: 28 * KB,
}

type Fields = Readonly<Record<string, unknown>>

/** As JSON. Records that fit, which is nearly all of them, are written once. */
export function writtenRecord(record: Fields): string {
  const text = JSON.stringify(withCutTexts(record))
  return Buffer.byteLength(text) <= FIELDS['additionalEventData']!
    ? text
    : JSON.stringify(withinLimits(withCutTexts(record)))
}

function withCutTexts(record: Fields): Fields {
  const long = TEXTS.filter(
    (name) => typeof record[name] === 'string' && Buffer.byteLength(record[name]) > TEXT_BYTES_MAX,
  )
  if (long.length === 0) return record
  return { ...record, ...Object.fromEntries(long.map((name) => [name, cut(String(record[name]))])) }
}

/** At a character's end. */
function cut(text: string): string {
  const bytes = Buffer.from(text).subarray(0, TEXT_BYTES_MAX)
  return new TextDecoder().decode(bytes, { stream: true })
}

const withinLimits = (record: Fields): Fields =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => {
      const limit = value === undefined ? undefined : FIELDS[name]
      const originalSize = limit === undefined ? 0 : Buffer.byteLength(JSON.stringify(value))
      const fits = limit === undefined || originalSize <= limit
      return [name, fits ? value : { omitted: true, originalSize, reason: `${name} too large` }]
    }),
  )
