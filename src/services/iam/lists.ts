/** IAM's way of listing: Marker in, IsTruncated and Marker out, 100 a page, by name. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Collection } from '../../kernel/resource/collection.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { Fault } from '../../wire/fault.ts'

export interface ListInput {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
  readonly PathPrefix?: string | undefined
}

export interface Listed<T> {
  readonly items: readonly T[]
  /** Spread into the answer. */
  readonly rest: { readonly IsTruncated: boolean; readonly Marker?: string }
}

const SIZE_DEFAULT = 100

const options = <T>(input: ListInput, keep?: (row: T) => boolean) => {
  const { Marker, MaxItems, ...query } = input
  return {
    token: Marker,
    size: MaxItems ?? SIZE_DEFAULT,
    query,
    ...(keep && { keep }),
    bad: () => new Fault('ValidationError', `Invalid Marker: ${Marker}`),
  }
}

const rest = (next: string | undefined) =>
  next === undefined ? { IsTruncated: false } : { IsTruncated: true, Marker: next }

/** Rows of a kind, optionally below a path. */
export async function listRows<R extends { readonly path: string }>(
  rows: Collection<R>,
  input: ListInput,
  keep?: (row: R) => boolean,
): Promise<Listed<R>> {
  const prefix = input.PathPrefix
  const below = prefix === undefined || prefix === '/' ? undefined : (row: R) => row.path.startsWith(prefix)
  const both = below && keep ? (row: R) => below(row) && keep(row) : (below ?? keep)
  const { items, next } = await rows.page(options(input, both))
  return { items, rest: rest(next) }
}

/** Things already at hand, ordered by `by`. */
export async function listItems<T>(
  call: Call,
  all: readonly T[],
  by: (item: T) => string,
  input: ListInput,
): Promise<Listed<T>> {
  const { items, next } = await pageOf(call, all, by, options(input))
  return { items, rest: rest(next) }
}
