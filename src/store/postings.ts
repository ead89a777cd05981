/**
 * The attribute index of the log: posting lists. A row says, for one value of an attribute, which of the log rows that were
 * indexed together carry it. A value that many events share costs a few bytes an event.
 */

/**
 * No list goes over more time. A search for what was before some moment looks at the lists that end within this time after
 * it: longer, and it looks at more of them; shorter, and lists of quiet hours hold fewer events.
 */
export const SPAN_MS = 30_000

/** A row of the log, as far as the index goes. */
export interface Indexable {
  readonly position: number
  readonly id: string
  readonly account: string
  readonly region: string
  readonly timeMs: number
  /** JSON: `[["EventName","CreateUser"],…]` */
  readonly attributes: string
}

/** A row of `log_postings`. */
export interface PostingList {
  readonly account: string
  readonly region: string
  readonly name: string
  readonly value: string
  /** The times of its records are between these; less than {@link SPAN_MS} apart. */
  readonly firstMs: number
  readonly lastMs: number
  /** Of the first record: with `lastMs` and what is above that, the row's key. */
  readonly position: number
  /** Numbers joined by commas, two a record: how far behind the one before it (the first: 0), and its time after `firstMs`. */
  readonly postings: string
}

export interface Posting {
  readonly timeMs: number
  readonly position: number
}

/** A list while it is put together. */
interface Growing {
  readonly row: Indexable
  firstMs: number
  lastMs: number
  last: number
  /** Of each record the distance to the one before it, and its time. */
  readonly numbers: number[]
}

/** The lists of log rows that are indexed together, in ascending positions; neighbours in the index follow each other. */
export function postingLists(rows: readonly Indexable[]): readonly PostingList[] {
  // By what most rows have in common, then by value: long keys for each value would cost more than all the rest.
  const places = new Map<string, Map<string, Map<string, Growing[]>>>()
  for (const row of rows) {
    const names = entryOf(places, `${row.account} ${row.region}`)
    for (const [name, value] of JSON.parse(row.attributes) as [string, string][]) {
      if (!isFoundById(row, value)) add(entryOf(names, name), value, row)
    }
  }
  const lists: PostingList[] = []
  for (const names of places.values())
    for (const [name, values] of names)
      for (const [value, growing] of values) for (const list of growing) lists.push(listOf(name, value, list))
  return lists.sort(inIndexOrder)
}

function add(values: Map<string, Growing[]>, value: string, row: Indexable): void {
  const { position, timeMs } = row
  const lists = values.get(value)
  const list = lists?.at(-1)
  if (list?.last === position) return
  if (list && Math.max(list.lastMs, timeMs) - Math.min(list.firstMs, timeMs) < SPAN_MS) {
    list.numbers.push(position - list.last, timeMs)
    list.last = position
    list.firstMs = Math.min(list.firstMs, timeMs)
    list.lastMs = Math.max(list.lastMs, timeMs)
    return
  }
  const next = { row, firstMs: timeMs, lastMs: timeMs, last: position, numbers: [0, timeMs] }
  if (lists) lists.push(next)
  else values.set(value, [next])
}

function listOf(name: string, value: string, { row, firstMs, lastMs, numbers }: Growing): PostingList {
  for (let n = 1; n < numbers.length; n += 2) numbers[n]! -= firstMs
  const { account, region, position } = row
  return { account, region, name, value, firstMs, lastMs, position, postings: numbers.join() }
}

function entryOf<T>(map: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let entry = map.get(key)
  if (!entry) {
    entry = new Map()
    map.set(key, entry)
  }
  return entry
}

function inIndexOrder(a: PostingList, b: PostingList): number {
  for (const column of ['account', 'region', 'name', 'value', 'lastMs'] as const) {
    if (a[column] !== b[column]) return a[column] < b[column] ? -1 : 1
  }
  return 0
}

/** What a list holds, in ascending positions. */
export function postingsIn({
  firstMs,
  position,
  postings,
}: Pick<PostingList, 'firstMs' | 'position' | 'postings'>): readonly Posting[] {
  const numbers = JSON.parse(`[${postings}]`) as number[]
  const found: Posting[] = []
  let at = position
  for (let n = 0; n < numbers.length; n += 2) {
    at += numbers[n]!
    found.push({ timeMs: firstMs + numbers[n + 1]!, position: at })
  }
  return found
}

/** Whether the index leaves a value out: it is the record's own id, which says where in the log the record is. */
const isFoundById = ({ id, timeMs }: Indexable, value: string): boolean => value === id && timeOfId(id) === timeMs

/**
 * The time in an id that sorts by time, in epoch milliseconds; undefined for any other text.
 * Source: RFC 9562 §5.7 (UUID version 7).
 */
export function timeOfId(id: string): number | undefined {
  return TIME_ORDERED.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined
}
const TIME_ORDERED = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
