/** What the service says of itself: RFC 7643, sections 5 to 7. */
import { ENTERPRISE, GROUP, USER } from './resources.ts'

const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

export const listOf = (Resources: readonly object[], totalResults: number, more: object = {}) => ({
  schemas: [LIST],
  totalResults,
  itemsPerPage: Resources.length,
  startIndex: 1,
  Resources,
  ...more,
})

export const configuration = (base: string) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
  documentationUri: 'https://docs.aws.amazon.com/singlesignon/latest/developerguide/what-is-scim.html',
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 1, maxPayloadSize: 1_048_576 },
  filter: { supported: true, maxResults: 100 },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: false },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'OAuth Bearer Token',
      description: 'Authentication scheme using the OAuth Bearer Token Standard',
      specUri: 'https://www.rfc-editor.org/info/rfc6750',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
})

const type = (base: string, id: 'User' | 'Group', schema: string, more: object = {}) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
  id,
  name: id,
  endpoint: `/${id}s`,
  description: id === 'User' ? 'User Account' : 'Group',
  schema,
  ...more,
  meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${id}` },
})

export const resourceTypes = (base: string) => [
  type(base, 'User', USER, { schemaExtensions: [{ schema: ENTERPRISE, required: false }] }),
  type(base, 'Group', GROUP),
]

interface Options {
  readonly required?: boolean
  readonly uniqueness?: 'none' | 'server'
  readonly mutability?: 'readWrite' | 'readOnly' | 'writeOnly' | 'immutable'
  readonly returned?: 'default' | 'request'
}

const attribute = (name: string, kind: string, { required = false, ...options }: Options = {}, more: object = {}) => ({
  name,
  type: kind,
  multiValued: false,
  description: name,
  required,
  ...(kind === 'string' && { caseExact: false, uniqueness: options.uniqueness ?? 'none' }),
  mutability: options.mutability ?? 'readWrite',
  returned: options.returned ?? 'default',
  ...more,
})

const text = (name: string, options?: Options) => attribute(name, 'string', options)
const complex = (name: string, subAttributes: readonly object[], options?: Options, more: object = {}) =>
  attribute(name, 'complex', options, { subAttributes, ...more })
const list = (name: string, subAttributes: readonly object[], options?: Options) =>
  complex(name, subAttributes, options, { multiValued: true })

const VALUE = [text('value'), text('type'), attribute('primary', 'boolean')]
const ADDRESS = [
  ...['formatted', 'streetAddress', 'locality', 'region', 'postalCode', 'country', 'type'].map((name) => text(name)),
  attribute('primary', 'boolean'),
]

/** Members are people. */
const MEMBER_REFERENCE = attribute('$ref', 'reference', { mutability: 'immutable' }, { referenceTypes: ['User'] })

const schema = (base: string, id: string, name: string, attributes: readonly object[]) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
  id,
  name,
  description: name,
  attributes,
  meta: { resourceType: 'Schema', location: `${base}/Schemas/${id}` },
})

export const schemas = (base: string) => [
  schema(base, USER, 'User', [
    text('userName', { required: true, uniqueness: 'server' }),
    complex(
      'name',
      [
        text('formatted'),
        text('familyName', { required: true }),
        text('givenName', { required: true }),
        text('middleName'),
        text('honorificPrefix'),
        text('honorificSuffix'),
      ],
      { required: true },
    ),
    text('displayName', { required: true }),
    ...['nickName', 'profileUrl', 'title', 'userType', 'preferredLanguage', 'locale', 'timezone'].map((name) =>
      text(name),
    ),
    attribute('active', 'boolean', { required: true }),
    list('emails', VALUE),
    list('phoneNumbers', VALUE),
    list('addresses', ADDRESS),
  ]),
  schema(base, GROUP, 'Group', [
    text('displayName', { required: true, uniqueness: 'server' }),
    list('members', [text('value', { mutability: 'immutable' }), MEMBER_REFERENCE], {
      mutability: 'writeOnly',
      returned: 'request',
    }),
  ]),
  schema(base, ENTERPRISE, 'EnterpriseUser', [
    ...['employeeNumber', 'costCenter', 'organization', 'division', 'department'].map((name) => text(name)),
    complex('manager', [text('value')]),
  ]),
]
