/** Lists of people and groups: by pages, by what is unique, and searches over both. */
import { page } from '../../../kernel/service/page.ts'
import type { WebAnswer } from '../../../kernel/web/site.ts'
import { type Key, key } from '../../../store/store.ts'
import {
  externalValue,
  type GroupRow,
  groupKey,
  groupsIn,
  idByUnique,
  memberKey,
  SCIM_ISSUER,
  type UserRow,
  userKey,
  usersIn,
} from '../rows.ts'
import { listOf } from './discovery.ts'
import { bad } from './faults.ts'
import { readFilter } from './filter.ts'
import { projectionOf } from './projection.ts'
import { type Request, type Run, scim } from './request.ts'
import { ENTERPRISE, objectOf, type Resource, shownGroup, shownUser } from './resources.ts'

const PAGE_MAX = 100

interface Listing<R extends object> {
  readonly prefix: Key
  readonly counted: 'Users' | 'Groups'
  readonly show: (row: R) => Resource
  /** The rows that a filter names. Throws for filters that are not supported. */
  readonly filtered: (path: Readonly<Record<string, string>>) => Promise<readonly (R | undefined)[]>
}

/** The options of a list: the parameters of an address, or the members of a search. */
export interface ListQuery {
  readonly filter?: string | undefined
  readonly cursor?: string | undefined
  readonly startIndex?: string | undefined
  readonly count?: string | undefined
  readonly attributes?: unknown
  readonly excludedAttributes?: unknown
}

interface Listed {
  readonly resources: readonly Resource[]
  readonly total: number
  readonly next: string | undefined
}

async function list<R extends object>(
  { call, storeId }: Request,
  query: ListQuery,
  listing: Listing<R>,
): Promise<Listed> {
  const { filter, cursor, startIndex } = query
  const requestedCount = Number(query.count ?? PAGE_MAX)
  if (!Number.isInteger(requestedCount) || requestedCount < 0) throw bad('count is not a number.')
  if (startIndex !== undefined && startIndex !== '1' && startIndex !== '0')
    throw bad('startIndex is not supported: use cursor.')
  if (filter !== undefined) {
    const comparisons = new Map<string, string>()
    let isContradiction = false
    for (const { path, value } of readFilter(filter)) {
      if (comparisons.has(path) && comparisons.get(path) !== value) isContradiction = true
      comparisons.set(path, value)
    }
    const rows = await listing.filtered(Object.fromEntries(comparisons))
    const found = isContradiction ? [] : rows.filter((row) => row !== undefined)
    return { resources: found.slice(0, PAGE_MAX).map(listing.show), total: found.length, next: undefined }
  }
  const binding = { partition: 'aws', account: storeId, region: '', operation: `scim ${listing.counted}` }
  const { items, next } = await page<R>(
    { ...call, ...binding, caller: { principal: { kind: 'anonymous' } } } as never,
    (after, limit) => call.unit.range<R>(listing.prefix, { after, limit }),
    {
      token: cursor === undefined || cursor === '' ? undefined : cursor,
      size: Math.max(1, Math.min(PAGE_MAX, requestedCount)),
      query: 'scim',
      bad: () => bad('The cursor is not one of this list.', 'invalidValue'),
    },
  )
  const at = key('identitystore', 'count', storeId, listing.counted)
  const total = (await call.unit.get<{ readonly count: number }>(at))?.count ?? items.length
  return { resources: requestedCount === 0 ? [] : items.map(listing.show), total, next }
}

const unsupported = () => bad('The filter names attributes that are not supported.', 'invalidFilter')

export function users(request: Request, query: ListQuery): Promise<Listed> {
  const { call, storeId, base } = request
  const byId = async (id: string | undefined) =>
    id === undefined ? undefined : call.unit.get<UserRow>(userKey(storeId, id.toLowerCase()))
  return list<UserRow>(request, query, {
    prefix: usersIn(storeId),
    counted: 'Users',
    show: (row) => shownUser(row, base),
    filtered: async (wanted) => {
      const { username, externalid, id, ...rest } = wanted
      const manager = rest['manager'] ?? rest['manager.value']
      const others = Object.keys(rest).filter((name) => name !== 'manager' && name !== 'manager.value')
      if (others.length > 0) throw unsupported()
      const ids = await Promise.all([
        username === undefined ? undefined : idByUnique(call.unit, storeId, 'user-name', username),
        externalid === undefined
          ? undefined
          : idByUnique(call.unit, storeId, 'user-external', externalValue({ Issuer: SCIM_ISSUER, Id: externalid })),
      ])
      const named = [username, externalid].flatMap((value, index) => (value === undefined ? [] : [ids[index]]))
      const all = id === undefined ? named : [id.toLowerCase(), ...named]
      if (all.length === 0) throw unsupported()
      const [first] = all
      if (all.some((each) => each !== first)) return []
      const row = await byId(first)
      if (!row || manager === undefined) return [row]
      const { [ENTERPRISE]: extension } = shownUser(row, base) as { [ENTERPRISE]?: { manager?: { value?: string } } }
      return extension?.manager?.value === manager ? [row] : []
    },
  })
}

export function groups(request: Request, query: ListQuery): Promise<Listed> {
  const { call, storeId, base } = request
  return list<GroupRow>(request, query, {
    prefix: groupsIn(storeId),
    counted: 'Groups',
    show: (row) => shownGroup(row, base),
    filtered: async ({ displayname, externalid, id, members, 'members.value': member, ...rest }) => {
      if (Object.keys(rest).length > 0) throw unsupported()
      const named = [
        ...(displayname === undefined ? [] : [await idByUnique(call.unit, storeId, 'group-name', displayname)]),
        ...(externalid === undefined
          ? []
          : [
              await idByUnique(
                call.unit,
                storeId,
                'group-external',
                externalValue({ Issuer: SCIM_ISSUER, Id: externalid }),
              ),
            ]),
        ...(id === undefined ? [] : [id.toLowerCase()]),
      ]
      if (named.length === 0) throw unsupported()
      const [first] = named
      if (first === undefined || named.some((each) => each !== first)) return []
      const wanted = members ?? member
      if (wanted !== undefined && !(await call.unit.get(memberKey(storeId, first, wanted.toLowerCase())))) return []
      return [await call.unit.get<GroupRow>(groupKey(storeId, first))]
    },
  })
}

type List = (request: Request, query: ListQuery) => Promise<Listed>

async function answered(request: Request, query: ListQuery, read: List): Promise<WebAnswer> {
  const project = projectionOf(query)
  const { resources, total, next } = await read(request, query)
  return scim(listOf(resources.map(project), total, next === undefined ? {} : { nextCursor: next }))
}

export const listing =
  (read: List): Run =>
  (request) =>
    answered(request, request.input.query, read)

/** A search sends as a body what a list has in its address (RFC 7644, section 3.4.3). */
export const searching =
  (read: List): Run =>
  (request) => {
    const sent = objectOf(request.input.json)
    const textOf = (name: string): string | undefined => {
      const value = sent[name] ?? undefined
      if (typeof value === 'object') throw bad(`${name} is not a text or a number.`, 'invalidSyntax')
      return value === undefined ? undefined : String(value)
    }
    const { attributes, excludedAttributes } = sent
    const query: ListQuery = {
      filter: textOf('filter'),
      cursor: textOf('cursor'),
      startIndex: textOf('startIndex'),
      count: textOf('count'),
      attributes: attributes ?? undefined,
      excludedAttributes: excludedAttributes ?? undefined,
    }
    return answered(request, query, read)
  }

const GROUPS_CURSOR = 'groups.'

/** People, then groups. A cursor of groups says so. */
export const everything: List = async (request, query) => {
  const { cursor, filter } = query
  if (filter !== undefined) throw bad('Search for Users or Groups where there is a filter.', 'invalidFilter')
  const isInGroups = cursor?.startsWith(GROUPS_CURSOR) === true
  const size = Number(query.count ?? PAGE_MAX)
  const people = isInGroups
    ? { resources: [], total: (await users(request, { count: '0' })).total, next: undefined }
    : await users(request, query)
  const room = Math.min(PAGE_MAX, size) - people.resources.length
  const mayHaveGroups = people.next === undefined && room > 0
  const groupCursor = isInGroups ? cursor!.slice(GROUPS_CURSOR.length) : undefined
  const others = await groups(request, { count: String(mayHaveGroups ? room : 0), cursor: groupCursor })
  // The last page of people may be full: groups begin on the next one.
  const nextOfGroups = mayHaveGroups ? others.next : size > 0 && others.total > 0 ? '' : undefined
  return {
    resources: [...people.resources, ...others.resources],
    total: people.total + others.total,
    next: people.next ?? (nextOfGroups === undefined ? undefined : `${GROUPS_CURSOR}${nextOfGroups}`),
  }
}
