/** SCIM 2.0: identity providers create, change and delete people and groups of a directory. */
import { route, type WebAnswer, type WebCall, type WebRoute, type WebSite } from '../../../kernel/web/site.ts'
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
import { type GroupRow, groupKey, type MemberIndex, memberKey, membersIn, type UserRow, userKey } from '../rows.ts'
import { configuration, listOf, resourceTypes, schemas } from './discovery.ts'
import { bad, missing, scimFault } from './faults.ts'
import { everything, groups, listing, searching, users } from './lists.ts'
import { patched, readPatch } from './patch.ts'
import { projectionOf } from './projection.ts'
import { type Request, type Run, scim } from './request.ts'
import {
  externalOf,
  memberIds,
  objectOf,
  readGroup,
  readUser,
  shownGroup,
  shownUser,
  withOtherIds,
  withOthers,
} from './resources.ts'
import { type ScimClaims, scimScheme } from './tokens.ts'

const BODY_BYTES_MAX = 256 * 1024

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
  return scim(shownUser(await saveUser(change, row, withOthers(row, readUser(sent))), base))
}

const patchUser: Run = async (request) => {
  const { change, input, base } = request
  const row = await userNamed(request)
  const after = patched(shownUser(row, base), readPatch(input.json))
  return scim(shownUser(await saveUser(change, row, withOthers(row, readUser(after))), base))
}

const deleteUser: Run = async (request) => {
  await removeUser(request.change, await userNamed(request))
  await count(request.call, request.storeId, 'Users', -1)
  return { empty: true }
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

/** In one transaction: a larger group is changed member by member. */
const REPLACED_MEMBERS_MAX = 1_000

async function setMembers(request: Request, groupId: string, ids: readonly string[]): Promise<void> {
  const { call, storeId, change } = request
  const wanted = new Set(ids)
  const known = await call.unit.range<MemberIndex>(membersIn(storeId, groupId), { limit: REPLACED_MEMBERS_MAX + 1 })
  if (known.length > REPLACED_MEMBERS_MAX)
    throw bad(`A group of more than ${REPLACED_MEMBERS_MAX} members is changed by adding and removing members.`)
  for (const { document } of known) if (!wanted.has(document.userId)) removeMembership(change, document)
  await addMembers(request, groupId, ids)
}

/** Members that are named replace those of before; a group without the member `members` keeps them. */
const replaceGroup: Run = async (request) => {
  const { input, change, base } = request
  const before = await groupNamed(request)
  const sent = objectOf(input.json)
  if (sent['id'] !== undefined && sent['id'] !== before.id) throw bad('id cannot be changed.', 'mutability')
  const group = readGroup(sent)
  const row = await saveGroup(change, before, { ...before, ...group, externalIds: withOtherIds(before, group) })
  if (Array.isArray(sent['members'])) await setMembers(request, before.id, memberIds(sent['members']))
  return scim(shownGroup(row, base))
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
      if (op === 'add') await addMembers(request, row.id, ids)
      else if (op === 'replace' || ids.length === 0) await setMembers(request, row.id, op === 'replace' ? ids : [])
      else
        for (const id of ids) {
          const index = await call.unit.get<MemberIndex>(memberKey(storeId, row.id, id))
          if (index) removeMembership(change, index)
        }
      continue
    }
    const fields = path === undefined ? objectOf(value) : { [path]: value }
    if (op === 'remove' && /^externalid$/i.test(path ?? '')) {
      row = { ...row, externalIds: withOtherIds(row, { externalIds: [] }) }
      continue
    }
    if (op === 'remove') throw bad(`${path ?? 'The group'} cannot be removed.`, 'noTarget')
    for (const [name, each] of Object.entries(fields)) {
      if (/^(schemas|id)$/i.test(name)) continue
      if (/^members$/i.test(name)) await addMembers(request, row.id, memberIds(each))
      else if (/^(displayname|externalid)$/i.test(name)) {
        const known = { displayName: row.displayName, externalId: externalOf(row) }
        const group = readGroup({ ...known, [/^d/i.test(name) ? 'displayName' : 'externalId']: each })
        row = { ...row, ...group, externalIds: withOtherIds(row, group) }
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

const unknown: Run = ({ input }) => {
  throw missing(input.path['id'] ?? input.path['unknown'] ?? '')
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
  { method: 'POST', path: '/.search', event: 'Search', run: searching(everything) },
  { method: 'POST', path: '/Users/.search', event: 'ListUsers', run: searching(users) },
  { method: 'POST', path: '/Groups/.search', event: 'ListGroups', run: searching(groups) },
  { method: 'GET', path: '/Users', event: 'ListUsers', run: listing(users) },
  { method: 'POST', path: '/Users', event: 'CreateUser', run: createUser },
  {
    method: 'GET',
    path: '/Users/:id',
    event: 'GetUser',
    run: async (request) => {
      const project = projectionOf(request.input.query)
      return scim(project(shownUser(await userNamed(request), request.base)))
    },
  },
  { method: 'PUT', path: '/Users/:id', event: 'PutUser', run: replaceUser },
  { method: 'PATCH', path: '/Users/:id', event: 'PatchUser', run: patchUser },
  { method: 'DELETE', path: '/Users/:id', event: 'DeleteUser', run: deleteUser },
  { method: 'GET', path: '/Groups', event: 'ListGroups', run: listing(groups) },
  { method: 'POST', path: '/Groups', event: 'CreateGroup', run: createGroup },
  {
    method: 'GET',
    path: '/Groups/:id',
    event: 'GetGroup',
    run: async (request) => {
      const project = projectionOf(request.input.query)
      return scim(project(shownGroup(await groupNamed(request), request.base)))
    },
  },
  { method: 'PUT', path: '/Groups/:id', event: 'PutGroup', run: replaceGroup },
  { method: 'PATCH', path: '/Groups/:id', event: 'PatchGroup', run: patchGroup },
  { method: 'DELETE', path: '/Groups/:id', event: 'DeleteGroup', run: deleteGroup },
  { method: 'GET', path: '/:unknown', event: 'GetResource', run: unknown },
  { method: 'GET', path: '/:unknown/:id', event: 'GetResource', run: unknown },
  { method: 'POST', path: '/:unknown', event: 'CreateResource', run: unknown },
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
