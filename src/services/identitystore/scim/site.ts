/** SCIM 2.0: identity providers create, change and delete people and groups of a directory. */
import { page } from '../../../kernel/service/page.ts'
import {
  route,
  type WebAnswer,
  type WebCall,
  type WebInput,
  type WebRoute,
  type WebSite,
} from '../../../kernel/web/site.ts'
import { type Key, key } from '../../../store/store.ts'
import { count } from '../counts.ts'
import {
  addGroup,
  addMembership,
  addUser,
  type Change,
  removeGroup,
  removeMembership,
  removeUser,
  saveGroup,
  saveUser,
} from '../directory.ts'
import {
  externalValue,
  type GroupRow,
  groupKey,
  groupsIn,
  idByUnique,
  type MemberIndex,
  memberKey,
  SCIM_ISSUER,
  type UserRow,
  userKey,
  usersIn,
} from '../rows.ts'
import { configuration, listOf, resourceTypes, schemas } from './discovery.ts'
import { bad, missing, scimFault } from './faults.ts'
import { readFilter } from './filter.ts'
import { patched, readPatch } from './patch.ts'
import { memberIds, objectOf, type Resource, readGroup, readUser, shownGroup, shownUser } from './resources.ts'
import { type ScimClaims, scimScheme } from './tokens.ts'

const BODY_BYTES_MAX = 256 * 1024
const PAGE_MAX = 100

interface Request {
  readonly call: WebCall<ScimClaims>
  readonly input: WebInput
  readonly storeId: string
  readonly change: Change
  /** The address of the service: what `meta.location` begins with. */
  readonly base: string
}

type Run = (request: Request) => Promise<WebAnswer> | WebAnswer

const scim = (json: object, status = 200, headers: Readonly<Record<string, string>> = {}): WebAnswer => ({
  json,
  status,
  contentType: 'application/scim+json',
  headers,
})

const baseOf = ({ origin }: WebCall<ScimClaims>, storeId: string): string => `${origin}/scim/${storeId}/v2`

interface Definition {
  readonly method: WebRoute['method']
  readonly path: string
  readonly event: string
  readonly run: Run
}

const define = (prefix: string, { method, path, event, run }: Definition): WebRoute =>
  route<ScimClaims>({
    method,
    path: `${prefix}${path}`,
    event,
    authentication: { bearer: scimScheme },
    body: method === 'GET' || method === 'DELETE' ? 'none' : 'json',
    bodyBytesMax: BODY_BYTES_MAX,
    shown: ['id', 'tenant'],
    run: (call, input) => {
      const { storeId, tokenId } = call.claims
      // A token of another directory learns no more than that the path is not its own.
      if (input.path['tenant'] !== storeId) throw missing(input.path['tenant'] ?? '')
      const { unit, now, newId } = call
      const change: Change = { unit, now, storeId, by: `scim/${tokenId}`, newId }
      return run({ call, input, storeId, change, base: baseOf(call, storeId) })
    },
  })

async function userNamed({ call, input, storeId }: Request): Promise<UserRow> {
  const id = (input.path['id'] ?? '').toLowerCase()
  const row = await call.unit.get<UserRow>(userKey(storeId, id))
  if (!row) throw missing(id)
  return row
}

async function groupNamed({ call, input, storeId }: Request): Promise<GroupRow> {
  const id = (input.path['id'] ?? '').toLowerCase()
  const row = await call.unit.get<GroupRow>(groupKey(storeId, id))
  if (!row) throw missing(id)
  return row
}

interface Listing<R extends object> {
  readonly prefix: Key
  readonly counted: 'Users' | 'Groups'
  readonly show: (row: R) => Resource
  /** The rows that a filter names. Throws for filters that are not supported. */
  readonly filtered: (path: Readonly<Record<string, string>>) => Promise<readonly (R | undefined)[]>
}

async function list<R extends object>({ call, input, storeId }: Request, listing: Listing<R>): Promise<WebAnswer> {
  const { filter, cursor, startIndex } = input.query
  const requestedCount = Number(input.query['count'] ?? PAGE_MAX)
  if (!Number.isInteger(requestedCount) || requestedCount < 0) throw bad('count is not a number.')
  if (startIndex !== undefined && startIndex !== '1' && startIndex !== '0')
    throw bad('startIndex is not supported: use cursor.')
  if (filter !== undefined) {
    const comparisons = Object.fromEntries(readFilter(filter).map(({ path, value }) => [path, value]))
    const found = (await listing.filtered(comparisons)).filter((row) => row !== undefined)
    return scim(listOf(found.slice(0, PAGE_MAX).map(listing.show), found.length))
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
  const Resources = requestedCount === 0 ? [] : items.map(listing.show)
  return scim(listOf(Resources, total, next === undefined ? {} : { nextCursor: next }))
}

const unsupported = () => bad('The filter names attributes that are not supported.', 'invalidFilter')

const listUsers: Run = (request) => {
  const { call, storeId, base } = request
  const byId = async (id: string | undefined) =>
    id === undefined ? undefined : call.unit.get<UserRow>(userKey(storeId, id.toLowerCase()))
  return list<UserRow>(request, {
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
      const shown = JSON.stringify(shownUser(row, base))
      return shown.includes(JSON.stringify({ value: manager })) ? [row] : []
    },
  })
}

const createUser: Run = async ({ call, input, storeId, change, base }) => {
  const sent = readUser(objectOf(input.json))
  await count(call, storeId, 'Users', 1)
  const row = await addUser(change, sent)
  const shown = shownUser(row, base)
  return scim(shown, 201, { location: `${base}/Users/${row.id}` })
}

const replaceUser: Run = async (request) => {
  const { change, input, base } = request
  const row = await userNamed(request)
  const sent = objectOf(input.json)
  if (sent['id'] !== undefined && sent['id'] !== row.id) throw bad('id cannot be changed.', 'mutability')
  return scim(shownUser(await saveUser(change, row, { ...row, ...readUser(sent) }), base))
}

const patchUser: Run = async (request) => {
  const { change, input, base } = request
  const row = await userNamed(request)
  const after = patched(shownUser(row, base), readPatch(input.json))
  return scim(shownUser(await saveUser(change, row, { ...row, ...readUser(after) }), base))
}

const deleteUser: Run = async (request) => {
  await removeUser(request.change, await userNamed(request))
  await count(request.call, request.storeId, 'Users', -1)
  return { empty: true }
}

const listGroups: Run = (request) => {
  const { call, storeId, base } = request
  return list<GroupRow>(request, {
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

async function addMembers({ call, storeId, change }: Request, groupId: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    if (!(await call.unit.get(userKey(storeId, id)))) throw missing(id)
    if (!(await call.unit.get(memberKey(storeId, groupId, id)))) await addMembership(change, groupId, id)
  }
}

const createGroup: Run = async (request) => {
  const { call, input, storeId, change, base } = request
  const sent = objectOf(input.json)
  const group = readGroup(sent)
  const members = memberIds(sent['members'])
  await count(call, storeId, 'Groups', 1)
  const row = await addGroup(change, group)
  await addMembers(request, row.id, members)
  return scim(shownGroup(row, base), 201, { location: `${base}/Groups/${row.id}` })
}

const MEMBER_PATH = /^members\[value eq "([^"]{1,64})"\]$/i

const patchGroup: Run = async (request) => {
  const { call, input, storeId, change } = request
  const before = await groupNamed(request)
  let row = before
  for (const { op, path, value } of readPatch(input.json)) {
    const named = MEMBER_PATH.exec(path ?? '')?.[1]
    if (named !== undefined || /^members$/i.test(path ?? '')) {
      const ids = named === undefined ? memberIds(value) : [named.toLowerCase()]
      if (op === 'replace') throw bad('Members cannot be replaced: add and remove them.', 'invalidSyntax')
      if (op === 'add') await addMembers(request, row.id, ids)
      else {
        if (ids.length === 0) throw bad('All members cannot be removed at once: name them.', 'invalidSyntax')
        for (const id of ids) {
          const index = await call.unit.get<MemberIndex>(memberKey(storeId, row.id, id))
          if (index) removeMembership(change, index)
        }
      }
      continue
    }
    const fields = path === undefined ? objectOf(value) : { [path]: value }
    if (op === 'remove') throw bad(`${path ?? 'The group'} cannot be removed.`, 'noTarget')
    for (const [name, each] of Object.entries(fields)) {
      if (/^(schemas|id)$/i.test(name)) continue
      if (/^members$/i.test(name)) await addMembers(request, row.id, memberIds(each))
      else if (/^(displayname|externalid)$/i.test(name)) {
        const known = { displayName: row.displayName, externalId: row.externalIds[0]?.Id }
        row = { ...row, ...readGroup({ ...known, [/^d/i.test(name) ? 'displayName' : 'externalId']: each }) }
      } else throw bad(`The path ${name} is not known.`, 'invalidPath')
    }
  }
  await saveGroup(change, before, row)
  return { empty: true }
}

const deleteGroup: Run = async (request) => {
  await removeGroup(request.change, await groupNamed(request))
  await count(request.call, request.storeId, 'Groups', -1)
  return { empty: true }
}

const oneOf = (all: readonly { readonly id: string }[], id: string | undefined): WebAnswer => {
  const found = all.find((each) => each.id === id)
  if (!found) throw missing(id ?? '')
  return scim(found)
}

const definitions: readonly Definition[] = [
  {
    method: 'GET',
    path: '/ServiceProviderConfig',
    event: 'GetServiceProviderConfig',
    run: ({ base }) => scim(configuration(base)),
  },
  {
    method: 'GET',
    path: '/ResourceTypes',
    event: 'ListResourceTypes',
    run: ({ base }) => scim(listOf(resourceTypes(base), 2)),
  },
  {
    method: 'GET',
    path: '/ResourceTypes/:id',
    event: 'GetResourceType',
    run: ({ base, input }) => oneOf(resourceTypes(base), input.path['id']),
  },
  { method: 'GET', path: '/Schemas', event: 'ListSchemas', run: ({ base }) => scim(listOf(schemas(base), 3)) },
  {
    method: 'GET',
    path: '/Schemas/:id',
    event: 'GetSchema',
    run: ({ base, input }) => oneOf(schemas(base), input.path['id']),
  },
  { method: 'GET', path: '/Users', event: 'ListUsers', run: listUsers },
  { method: 'POST', path: '/Users', event: 'CreateUser', run: createUser },
  {
    method: 'GET',
    path: '/Users/:id',
    event: 'GetUser',
    run: async (request) => scim(shownUser(await userNamed(request), request.base)),
  },
  { method: 'PUT', path: '/Users/:id', event: 'PutUser', run: replaceUser },
  { method: 'PATCH', path: '/Users/:id', event: 'PatchUser', run: patchUser },
  { method: 'DELETE', path: '/Users/:id', event: 'DeleteUser', run: deleteUser },
  { method: 'GET', path: '/Groups', event: 'ListGroups', run: listGroups },
  { method: 'POST', path: '/Groups', event: 'CreateGroup', run: createGroup },
  {
    method: 'GET',
    path: '/Groups/:id',
    event: 'GetGroup',
    run: async (request) => scim(shownGroup(await groupNamed(request), request.base)),
  },
  { method: 'PATCH', path: '/Groups/:id', event: 'PatchGroup', run: patchGroup },
  { method: 'DELETE', path: '/Groups/:id', event: 'DeleteGroup', run: deleteGroup },
]

const site = (base: string, prefix: string, more: Pick<WebSite, 'host'> = {}): WebSite => ({
  service: 'identitystore',
  eventSource: 'identitystore-scim.amazonaws.com',
  base,
  listener: 'api',
  printFault: scimFault,
  routes: definitions.map((each) => define(prefix, each)),
  ...more,
})

/** At AWS's host names, and below a path of the API. */
export const scimSites: readonly WebSite[] = [
  site('', '/:tenant/scim/v2', { host: /^scim\./ }),
  site('/scim', '/:tenant/v2'),
]
