/** Pages, once. A token is sealed and bound to its caller, Region, operation and query: it cannot be read, moved or forged. */
import type { Entry, Key } from '../../store/store.ts'
import type { Fault } from '../../wire/fault.ts'
import type { Call } from '../gate/call.ts'

export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | undefined
}

export interface PageOptions<T> {
  readonly token: string | undefined
  readonly size: number
  /** The parts of the request that must stay the same from page to page. */
  readonly query: unknown
  readonly keep?: (document: T) => boolean
  /** Thrown when the token is not ours or belongs to another query. */
  readonly bad: () => Fault
}

/** No operation of AWS returns more in a page. */
const SIZE_MAX = 1_000
/** Rows are read in portions of this size when a filter drops some. */
const PORTION = 200

export async function page<T>(
  call: Call,
  read: (after: Key | undefined, limit: number) => Promise<readonly Entry<T>[]>,
  options: PageOptions<T>,
): Promise<Page<T>> {
  const tokens = pageTokens(call, options.query)
  let after = options.token === undefined ? undefined : tokens.open(options.token)
  if (options.token !== undefined && after === undefined) throw options.bad()

  // Not every model has a least and a greatest size.
  const size = Math.min(SIZE_MAX, Math.max(1, Math.floor(options.size)))
  const items: Entry<T>[] = []
  for (;;) {
    const limit = options.keep ? PORTION : size + 1
    const portion = await read(after, limit)
    for (const entry of portion) {
      if (options.keep && !options.keep(entry.document)) continue
      if (items.length === size) {
        return { items: items.map((item) => item.document), next: tokens.seal(items.at(-1)!.key) }
      }
      items.push(entry)
    }
    if (portion.length < limit) return { items: items.map((item) => item.document), next: undefined }
    after = portion.at(-1)!.key
  }
}

/** The same over rows already in memory, ordered by `by`. */
export function pageOf<T>(
  call: Call,
  rows: readonly T[],
  by: (row: T) => string,
  options: PageOptions<T>,
): Promise<Page<T>> {
  const sorted = rows.map((row) => ({ key: by(row), document: row })).sort((a, b) => (a.key < b.key ? -1 : 1))
  return page(
    call,
    async (after, limit) => (after === undefined ? sorted : sorted.filter((row) => row.key > after)).slice(0, limit),
    options,
  )
}

/** The bare tokens, for lists whose position is not a row. */
export function pageTokens(call: Call, query: unknown) {
  const principal = call.caller.principal
  const arn = 'arn' in principal ? principal.arn : principal.kind
  // Includes the Region: a position is a key of the store, and after a position of another Region come other rows.
  const binding = JSON.stringify([call.account, call.region, arn, call.operation, query ?? null])
  return {
    seal: (position: string): string => call.vault.issue('paging-token', binding, Buffer.from(position)),
    open: (token: string): string | undefined => call.vault.redeem('paging-token', binding, token)?.toString('utf8'),
  }
}
