/** Conditional requests and ranges. Sources: RFC 9110 §13 and §14, and S3's GetObject. */
import { Fault } from '../../wire/fault.ts'
import { headerNotImplemented, invalidArgument, noSuchKey, refuse } from './errors.ts'
import type { ObjectRow } from './rows.ts'

export interface ConditionalInput {
  readonly IfMatch?: string | undefined
  readonly IfNoneMatch?: string | undefined
  readonly IfModifiedSince?: Date | undefined
  readonly IfUnmodifiedSince?: Date | undefined
}

const SECOND_MS = 1_000
const bare = (etag: string) => etag.trim().replace(/^W\//, '').replaceAll('"', '')
const names = (list: string, { etag }: ObjectRow): boolean =>
  list.split(',').some((each) => each.trim() === '*' || bare(each) === bare(etag))

/** `Condition`: the header that did not hold. */
const preconditionFailed = (Condition: string) =>
  refuse('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', { Condition })

/** Throws 412 or 304. A tag counts for more than a time. */
export function requireConditions(conditions: ConditionalInput, row: ObjectRow): void {
  const changed = Math.floor(row.changedAt / SECOND_MS) * SECOND_MS
  const since = (date: Date | undefined) => date !== undefined && changed > date.getTime()
  if (conditions.IfMatch !== undefined) {
    if (!names(conditions.IfMatch, row)) throw preconditionFailed('If-Match')
  } else if (since(conditions.IfUnmodifiedSince)) throw preconditionFailed('If-Unmodified-Since')
  const same =
    conditions.IfNoneMatch !== undefined
      ? names(conditions.IfNoneMatch, row)
      : conditions.IfModifiedSince !== undefined && !since(conditions.IfModifiedSince)
  if (same)
    throw new Fault('NotModified', 'Not Modified', {
      status: 304,
      headers: { etag: row.etag, 'last-modified': new Date(changed).toUTCString() },
    })
}

/** Of a write: only what has the tag is replaced, or only where nothing is. */
export function requireWritable(
  { IfMatch, IfNoneMatch }: ConditionalInput,
  key: string,
  row: ObjectRow | undefined,
): void {
  if (IfMatch !== undefined && IfNoneMatch !== undefined)
    throw headerNotImplemented('If-Match,If-None-Match', 'Multiple conditional request headers present in the request')
  if (IfNoneMatch !== undefined && IfNoneMatch !== '*')
    throw headerNotImplemented(
      'If-None-Match',
      "We don't accept the provided value of If-None-Match header for this API",
    )
  if (IfNoneMatch === '*' && row) throw preconditionFailed('If-None-Match')
  if (IfMatch !== undefined && !row) throw noSuchKey(key)
  if (IfMatch !== undefined && row && !names(IfMatch, row)) throw preconditionFailed('If-Match')
}

export interface Part {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/** An object is one part: the first is the whole, and there is no other. */
export function partNumbered(number: number, range: string | undefined, bytes: number): Part | undefined {
  if (range !== undefined)
    throw refuse('InvalidRequest', 400, 'Cannot specify both Range header and partNumber query parameter')
  if (number < 1 || number > PART_NUMBER_MAX)
    throw invalidArgument(
      `Part number must be an integer between 1 and ${PART_NUMBER_MAX}, inclusive`,
      'partNumber',
      String(number),
    )
  if (number > 1)
    throw refuse('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable', {
      ActualPartCount: 1,
      PartNumberRequested: number,
    })
  return bytes === 0 ? undefined : { start: 0, end: bytes }
}

const PART_NUMBER_MAX = 10_000

/** undefined: the whole object. Several ranges, and invalid ones, are ignored. */
export function partOf(range: string | undefined, bytes: number): Part | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? bytes : Math.min(bytes, Number(last) + 1)
  if (start >= bytes || (first === '' && Number(last) === 0))
    throw refuse('InvalidRange', 416, 'The requested range is not satisfiable', {
      RangeRequested: range,
      ActualObjectSize: bytes,
    })
  return { start, end }
}
