/** People and groups as SCIM shows them (RFC 7643), and back. */
import { spelled } from '../attributes.ts'
import { type ExternalId, type GroupRow, SCIM_ISSUER, type UserRow } from '../rows.ts'
import { bad } from './faults.ts'

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const EXTENSION = 'aws:identitystore:enterprise'

export type Resource = Record<string, unknown>

/** Attributes of a person besides the name, with the type of their value. */
export const ATTRIBUTES: Readonly<Record<string, 'text' | 'list' | 'complex' | 'boolean'>> = {
  userName: 'text',
  name: 'complex',
  displayName: 'text',
  nickName: 'text',
  profileUrl: 'text',
  emails: 'list',
  addresses: 'list',
  phoneNumbers: 'list',
  userType: 'text',
  title: 'text',
  preferredLanguage: 'text',
  locale: 'text',
  timezone: 'text',
  active: 'boolean',
  externalId: 'text',
  [ENTERPRISE]: 'complex',
}

const VALUE_MEMBERS = ['value', 'type', 'primary', 'display']

/** Members of complex attributes and of elements of lists: others are not kept. `primary` is a boolean, the rest are texts. */
export const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  name: ['formatted', 'familyName', 'givenName', 'middleName', 'honorificPrefix', 'honorificSuffix'],
  emails: VALUE_MEMBERS,
  phoneNumbers: VALUE_MEMBERS,
  addresses: ['formatted', 'streetAddress', 'locality', 'region', 'postalCode', 'country', 'type', 'primary'],
  [ENTERPRISE]: ['employeeNumber', 'costCenter', 'organization', 'division', 'department', 'manager'],
}

const ENTERPRISE_TEXTS = ['employeeNumber', 'costCenter', 'organization', 'division', 'department']

const upperFirst = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1)

/** As SCIM spells members. */
function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [lowerFirst(name), lowered(member)]))
}

const meta = (resourceType: string, location: string, row: Pick<UserRow, 'createdAt' | 'updatedAt'>) => ({
  resourceType,
  created: new Date(row.createdAt).toISOString(),
  lastModified: new Date(row.updatedAt).toISOString(),
  location,
})

export const externalOf = ({ externalIds }: Pick<UserRow, 'externalIds'>): string | undefined =>
  externalIds.find(({ Issuer }) => Issuer === SCIM_ISSUER)?.Id

export function shownUser(row: UserRow, base: string): Resource {
  const { Extensions, ...attributes } = row.attributes
  const extension = (Extensions as Readonly<Record<string, object>> | undefined)?.[EXTENSION]
  const externalId = externalOf(row)
  return {
    schemas: [USER, ...(extension ? [ENTERPRISE] : [])],
    id: row.id,
    ...(externalId !== undefined && { externalId }),
    userName: row.userName,
    ...(lowered(attributes) as Resource),
    active: row.isEnabled,
    ...(extension && { [ENTERPRISE]: extension }),
    meta: meta('User', `${base}/Users/${row.id}`, row),
  }
}

/** AWS lists no members with a group. */
export function shownGroup(row: GroupRow, base: string): Resource {
  const externalId = externalOf(row)
  return {
    schemas: [GROUP],
    id: row.id,
    ...(externalId !== undefined && { externalId }),
    displayName: row.displayName,
    members: [],
    meta: meta('Group', `${base}/Groups/${row.id}`, row),
  }
}

const isObject = (value: unknown): value is Resource =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function objectOf(value: unknown): Resource {
  if (!isObject(value)) throw bad('The body is not a JSON object.', 'invalidSyntax')
  return value
}

/** SCIM names attributes in any case of letters: as the schema spells them. */
export function canonical(resource: Resource): Resource {
  const names = new Map(Object.keys(ATTRIBUTES).map((name) => [name.toLowerCase(), name]))
  return Object.fromEntries(
    Object.entries(resource).map(([name, value]) => [names.get(name.toLowerCase()) ?? name, value]),
  )
}

/** Entra sends booleans as texts. */
export function booleanOf(value: unknown, name = 'active'): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  throw bad(`${name} is not a boolean.`)
}

function text(resource: Resource, name: string): string {
  const value = resource[name]
  if (typeof value !== 'string' || value === '')
    throw bad(`Request is unparsable, syntactically incorrect, or violates schema: ${name} is required.`)
  return value
}

const NAME_MAX = 128

/** What a directory keeps of a SCIM user. Throws for what AWS requires and is not there. */
export function readUser(sent: Resource): Pick<UserRow, 'userName' | 'attributes' | 'externalIds' | 'isEnabled'> {
  const resource = canonical(sent)
  const userName = text(resource, 'userName')
  if (userName.length > NAME_MAX || /[\p{Z}\p{C}]/u.test(userName)) throw bad('userName is not valid.')
  text(resource, 'displayName')
  const name = isObject(resource['name']) ? resource['name'] : {}
  text(name, 'givenName')
  text(name, 'familyName')
  const attributes: Record<string, unknown> = {}
  for (const [attribute, kind] of Object.entries(ATTRIBUTES)) {
    const value = resource[attribute]
    const isEmpty =
      value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
    if (isEmpty || ['userName', 'active', 'externalId', ENTERPRISE].includes(attribute)) continue
    if (kind === 'list') {
      if (!Array.isArray(value) || !value.every(isObject)) throw bad(`${attribute} is not a list of objects.`)
      if (value.length > 1) throw bad(`List attribute ${attribute} exceeds allowed limit of 1.`)
    } else if (kind === 'complex' ? !isObject(value) : typeof value !== 'string')
      throw bad(`${attribute} is not of its type.`)
    const known = Array.isArray(value) ? value.map((each) => membersOf(attribute, each)) : membersOf(attribute, value)
    attributes[upperFirst(attribute)] = spelled(known)
  }
  const enterprise = resource[ENTERPRISE]
  if (isObject(enterprise)) attributes['Extensions'] = { [EXTENSION]: enterpriseOf(enterprise) }
  return {
    userName,
    attributes,
    externalIds: externalIdsOf(resource),
    isEnabled: resource['active'] === undefined || resource['active'] === null ? true : booleanOf(resource['active']),
  }
}

/** Of a value of the attribute, without what is empty. Throws for members of other types. */
function membersOf(attribute: string, value: unknown): unknown {
  const known = MEMBERS[attribute]
  if (!known || !isObject(value)) return value
  const members = new Map(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]))
  const kept: Resource = {}
  for (const name of known) {
    const member = members.get(name.toLowerCase())
    if (member === undefined || member === null || member === '') continue
    if (name === 'primary') kept[name] = booleanOf(member, `${attribute}.${name}`)
    else if (typeof member === 'string') kept[name] = member
    else throw bad(`${attribute}.${name} is not a text.`)
  }
  return kept
}

const EXTERNAL_ID_MAX = 256

function externalIdsOf({ externalId }: Resource): readonly ExternalId[] {
  if (externalId === undefined || externalId === null || externalId === '') return []
  if (typeof externalId !== 'string' || externalId.length > EXTERNAL_ID_MAX)
    throw bad(`externalId is not a text of 1 to ${EXTERNAL_ID_MAX} characters.`)
  return [{ Issuer: SCIM_ISSUER, Id: externalId }]
}

type Provisioned = Pick<UserRow, 'attributes' | 'externalIds'>

/** Provisioning replaces what it can show: attributes and IDs that came another way are kept. */
export function withOthers(before: UserRow, after: Provisioned & Pick<UserRow, 'userName' | 'isEnabled'>): UserRow {
  const shown = new Set([...Object.keys(ATTRIBUTES).map(upperFirst), 'Extensions'])
  const others = Object.fromEntries(Object.entries(before.attributes).filter(([name]) => !shown.has(name)))
  const { [EXTENSION]: _shown, ...extensions } = (before.attributes['Extensions'] ?? {}) as Resource
  const own = (after.attributes['Extensions'] ?? {}) as Resource
  const all = { ...extensions, ...own }
  const { Extensions: _own, ...attributes } = after.attributes
  return {
    ...before,
    ...after,
    attributes: { ...others, ...attributes, ...(Object.keys(all).length > 0 && { Extensions: all }) },
    externalIds: withOtherIds(before, after),
  }
}

export const withOtherIds = (
  before: Pick<UserRow, 'externalIds'>,
  after: Pick<UserRow, 'externalIds'>,
): readonly ExternalId[] => [...before.externalIds.filter(({ Issuer }) => Issuer !== SCIM_ISSUER), ...after.externalIds]

function enterpriseOf(sent: Resource): Resource {
  const kept: Resource = {}
  for (const name of ENTERPRISE_TEXTS) {
    const value = sent[name]
    if (typeof value === 'string' && value !== '') kept[name] = value.slice(0, 1024)
  }
  const manager = sent['manager']
  const value = isObject(manager) ? manager['value'] : manager
  if (typeof value === 'string' && value !== '') kept['manager'] = { value: value.slice(0, 1024) }
  return kept
}

export function readGroup(sent: Resource): Pick<GroupRow, 'displayName' | 'externalIds'> {
  const displayName = text(sent, 'displayName')
  if (displayName.length > 1024) throw bad('displayName is too long.')
  return { displayName, externalIds: externalIdsOf(sent) }
}

/** IDs in a list of members, or in one. */
export function memberIds(value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  const list = Array.isArray(value) ? value : [value]
  if (list.length > 100) throw bad('A request changes at most 100 members.')
  return list.map((each) => {
    const id = isObject(each) ? each['value'] : each
    if (typeof id !== 'string' || id === '') throw bad('A member has no value.')
    return id.toLowerCase()
  })
}
