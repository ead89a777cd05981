/** People and groups as SCIM shows them (RFC 7643), and back. */
import { spelled } from '../attributes.ts'
import { type GroupRow, SCIM_ISSUER, type UserRow } from '../rows.ts'
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

const ENTERPRISE_TEXTS = ['employeeNumber', 'costCenter', 'organization', 'division', 'department']

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

const externalOf = ({ externalIds }: Pick<UserRow, 'externalIds'>): string | undefined =>
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
export function booleanOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  throw bad('active is not a boolean.')
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
    attributes[attribute.slice(0, 1).toUpperCase() + attribute.slice(1)] = spelled(withoutNulls(value))
  }
  const enterprise = resource[ENTERPRISE]
  if (isObject(enterprise)) attributes['Extensions'] = { [EXTENSION]: enterpriseOf(enterprise) }
  const externalId = resource['externalId']
  return {
    userName,
    attributes,
    externalIds: typeof externalId === 'string' && externalId !== '' ? [{ Issuer: SCIM_ISSUER, Id: externalId }] : [],
    isEnabled: resource['active'] === undefined || resource['active'] === null ? true : booleanOf(resource['active']),
  }
}

const DEPTH_MAX = 6

function withoutNulls(value: unknown, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw bad('A value is nested too deeply.')
  if (Array.isArray(value)) return value.map((each) => withoutNulls(each, depth + 1))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => member !== null && member !== undefined && member !== '' && name !== '$ref')
      .map(([name, member]) => [name, withoutNulls(member, depth + 1)]),
  )
}

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
  const externalId = sent['externalId']
  return {
    displayName,
    externalIds: typeof externalId === 'string' && externalId !== '' ? [{ Issuer: SCIM_ISSUER, Id: externalId }] : [],
  }
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
