/** Lists in pages, with KMS's members: Limit, Marker, NextMarker, Truncated. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Collection } from '../../kernel/resource/collection.ts'
import { page, pageOf } from '../../kernel/service/page.ts'
import type { Key } from '../../store/store.ts'
import { kms } from './words.ts'

export interface Paging {
  readonly Limit?: number | undefined
  readonly Marker?: string | undefined
}

interface Sizes {
  readonly default: number
  readonly max: number
}

export const SMALL: Sizes = { default: 50, max: 100 }
export const LARGE: Sizes = { default: 100, max: 1000 }

const pageRequest = <T>({ Limit, Marker }: Paging, sizes: Sizes, query: unknown, keep?: (row: T) => boolean) => ({
  token: Marker,
  size: Math.min(Limit ?? sizes.default, sizes.max),
  query,
  ...(keep && { keep }),
  bad: () => kms.fail('InvalidMarkerException', 'Could not deserialize pagination token.'),
})

const rest = (next: string | undefined) => ({
  Truncated: next !== undefined,
  ...(next !== undefined && { NextMarker: next }),
})

/** The resources of a type. */
export async function listCollection<T>(collection: Collection<T>, input: Paging, sizes: Sizes) {
  const { items, next } = await collection.page(pageRequest<T>(input, sizes, null))
  return { items, rest: rest(next) }
}

/** The rows below a key of the store. */
export async function listBelow<T extends object>(
  call: Call,
  prefix: Key,
  input: Paging,
  sizes: Sizes,
  query: unknown,
  keep?: (row: T) => boolean,
) {
  const { items, next } = await page<T>(
    call,
    (after, limit) => call.unit.range<T>(prefix, { after, limit }),
    pageRequest(input, sizes, query, keep),
  )
  return { items, rest: rest(next) }
}

/** Rows already in memory. */
export async function listAmong<T>(
  call: Call,
  rows: readonly T[],
  by: (row: T) => string,
  input: Paging,
  sizes: Sizes,
  query: unknown,
) {
  const { items, next } = await pageOf(call, rows, by, pageRequest(input, sizes, query))
  return { items, rest: rest(next) }
}
