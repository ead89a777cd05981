/** ListUsers: by pages, and by a filter on one attribute, which an index answers. */
import type { Call } from '../../kernel/gate/call.ts'
import { page } from '../../kernel/service/page.ts'
import { key, under } from '../../store/store.ts'
import { at, cognito, invalidParameter, type PoolRow, poolNamed } from './resources.ts'
import { folded, INDEX_LENGTH_MAX, INDEXED, type UserRow } from './user-rows.ts'
import { describedUser } from './users.ts'

const PAGE = 60

interface Filter {
  readonly attribute: string
  readonly isPrefix: boolean
  readonly value: string
}

const SEARCHABLE: readonly string[] = ['username', 'cognito:user_status', 'status', 'sub', ...INDEXED]

/** `attribute = "value"` or `attribute ^= "value"`; a quotation mark in the value is escaped by a backslash. */
export function readFilter(text: string): Filter {
  const [, , attribute = '', operator, quoted = ''] =
    /^\s*("?)([\w:]+)\1\s*(\^?=)\s*"((?:\\.|[^"\\])*)"\s*$/.exec(text) ?? []
  if (!operator) throw invalidParameter(`Error while parsing filter: ${text.slice(0, 256)}`)
  if (!SEARCHABLE.includes(attribute)) throw invalidParameter(`Invalid search attribute: ${attribute}`)
  return { attribute, isPrefix: operator === '^=', value: quoted.replace(/\\(.)/g, '$1') }
}

const indexed = (pool: PoolRow, attribute: string, value: string, isPrefix: boolean): string => {
  const short = value.slice(0, INDEX_LENGTH_MAX)
  return isPrefix
    ? `${under('cognito-idp', 'user-by', pool.id, attribute)}${key(short)}`
    : under('cognito-idp', 'user-by', pool.id, attribute, short)
}

type Read = (
  after: string | undefined,
  limit: number,
) => Promise<readonly { key: string; document: { readonly sub: string } }[]>

/** How the rows of a filter are read, in the order of their keys, and which of them fit. */
function reading(
  call: Call,
  pool: PoolRow,
  filter: Filter | undefined,
): { read: Read; keep?: (row: { readonly sub: string }) => boolean } {
  const { unit } = call
  const all: Read = (after, limit) => unit.range<UserRow>(under('cognito-idp', 'user', pool.id), { after, limit })
  const by =
    (prefix: string): Read =>
    (after, limit) =>
      unit.range<{ readonly sub: string }>(prefix, { after, limit })
  if (!filter) return { read: all }
  const { attribute, value, isPrefix } = filter
  if (attribute === 'sub')
    return { read: by(isPrefix ? `${under('cognito-idp', 'user', pool.id)}${key(value)}` : at.user(pool.id, value)) }
  if (attribute === 'cognito:user_status') return { read: by(indexed(pool, 'status', value.toUpperCase(), isPrefix)) }
  if (attribute === 'status') {
    const isEnabled = /^enabled$/i.test(value)
    if (!isEnabled) return { read: by(indexed(pool, 'disabled', 'true', false)) }
    return { read: all, keep: (row) => (row as UserRow).isEnabled }
  }
  return { read: by(indexed(pool, attribute, folded(pool, value), isPrefix)) }
}

/** Values that are longer than their index row are compared in full. */
function fits(pool: PoolRow, user: UserRow, filter: Filter | undefined): boolean {
  if (!filter || filter.value.length < INDEX_LENGTH_MAX) return true
  const value = folded(
    pool,
    filter.attribute === 'username' ? user.username : (user.attributes[filter.attribute] ?? ''),
  )
  const wanted = folded(pool, filter.value)
  return filter.isPrefix ? value.startsWith(wanted) : value === wanted
}

export const listUsers = cognito
  .operation('ListUsers')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const filter = input.Filter ? readFilter(input.Filter) : undefined
    const { read, keep } = reading(call, pool, filter)
    const { items, next } = await page<{ readonly sub: string }>(call, read, {
      token: input.PaginationToken,
      size: input.Limit ?? PAGE,
      query: [pool.id, input.Filter ?? null],
      ...(keep && { keep }),
      bad: () => invalidParameter('Invalid pagination token'),
    })
    const found = await Promise.all(items.map(({ sub }) => call.unit.get<UserRow>(at.user(pool.id, sub))))
    const users = found.filter((user) => user !== undefined && fits(pool, user, filter)).map((user) => user!)
    return {
      Users: users.map((user) => describedUser(user, input.AttributesToGet)),
      ...(next !== undefined && { PaginationToken: next }),
    }
  })
