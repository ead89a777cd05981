/** Conditional requests and ranges. Sources: RFC 9110 §13 and §14, and S3's GetObject. */
import { type ObjectRow, refuse } from './resources.ts'

export interface Asked {
  readonly IfMatch?: string | undefined
  readonly IfNoneMatch?: string | undefined
  readonly IfModifiedSince?: Date | undefined
  readonly IfUnmodifiedSince?: Date | undefined
}

const SECOND_MS = 1_000
const bare = (etag: string) => etag.trim().replace(/^W\//, '').replaceAll('"', '')
const names = (list: string, { etag }: ObjectRow): boolean =>
  list.split(',').some((each) => each.trim() === '*' || bare(each) === bare(etag))

export const preconditionFailed = () =>
  refuse('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold')

/** Throws 412 or 304. A tag counts for more than a time. */
export function requireConditions(asked: Asked, row: ObjectRow): void {
  const changed = Math.floor(row.changedAt / SECOND_MS) * SECOND_MS
  const since = (date: Date | undefined) => date !== undefined && changed > date.getTime()
  if (asked.IfMatch !== undefined ? !names(asked.IfMatch, row) : since(asked.IfUnmodifiedSince))
    throw preconditionFailed()
  const same =
    asked.IfNoneMatch !== undefined
      ? names(asked.IfNoneMatch, row)
      : asked.IfModifiedSince !== undefined && !since(asked.IfModifiedSince)
  if (same) throw refuse('NotModified', 304, 'Not Modified')
}

/** Of a write: only what has the tag is replaced, or only where nothing is. */
export function requireWritable({ IfMatch, IfNoneMatch }: Asked, row: ObjectRow | undefined): void {
  if (IfNoneMatch !== undefined && IfNoneMatch !== '*')
    throw refuse('NotImplemented', 501, 'A header you provided implies functionality that is not implemented')
  if (IfNoneMatch === '*' && row) throw preconditionFailed()
  if (IfMatch !== undefined && !row) throw refuse('NoSuchKey', 404, 'The specified key does not exist.')
  if (IfMatch !== undefined && row && !names(IfMatch, row)) throw preconditionFailed()
}

export interface Part {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/** undefined: the whole. Several ranges, and what is no range, are not heard. */
export function partOf(range: string | undefined, bytes: number): Part | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? bytes : Math.min(bytes, Number(last) + 1)
  if (start >= bytes || (first === '' && Number(last) === 0))
    throw refuse('InvalidRange', 416, 'The requested range is not satisfiable')
  return { start, end }
}
