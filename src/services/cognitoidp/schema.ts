/** The attributes that users of a pool can have: the standard ones of OpenID Connect, and the pool's own. */
import type { AttributeType, SchemaAttributeType } from '@aws-sdk/client-cognito-identity-provider'
import { invalidParameter, notAuthorized, type PoolRow } from './resources.ts'

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html */
const CUSTOM_MAX = 50
const NAME_MAX = 20
const VALUE_MAX = 2048

const text = (Name: string, MinLength = '0', MaxLength = String(VALUE_MAX)): SchemaAttributeType => ({
  Name,
  AttributeDataType: 'String',
  DeveloperOnlyAttribute: false,
  Mutable: true,
  Required: false,
  StringAttributeConstraints: { MinLength, MaxLength },
})
const flag = (Name: string): SchemaAttributeType => ({
  Name,
  AttributeDataType: 'Boolean',
  DeveloperOnlyAttribute: false,
  Mutable: true,
  Required: false,
})

export const standardAttributes: readonly SchemaAttributeType[] = [
  { ...text('sub', '1'), Mutable: false, Required: true },
  ...['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture'].map(
    (name) => text(name),
  ),
  text('website'),
  text('email'),
  flag('email_verified'),
  text('gender'),
  text('birthdate', '10', '10'),
  ...['zoneinfo', 'locale', 'phone_number'].map((name) => text(name)),
  flag('phone_number_verified'),
  text('address'),
  {
    Name: 'updated_at',
    AttributeDataType: 'Number',
    DeveloperOnlyAttribute: false,
    Mutable: true,
    Required: false,
    NumberAttributeConstraints: { MinValue: '0' },
  },
  { ...text('identities'), StringAttributeConstraints: {} },
]

const isStandard = (name: string): boolean => standardAttributes.some(({ Name }) => Name === name)

/** The schema of a new pool. Standard attributes can be made required or immutable; all others become `custom:…`. */
export function schemaOf(given: readonly SchemaAttributeType[] | undefined): readonly SchemaAttributeType[] {
  const own = given ?? []
  const overrides = own.filter(({ Name }) => isStandard(Name ?? ''))
  const standard = standardAttributes.map((attribute) => {
    const override = overrides.find(({ Name }) => Name === attribute.Name)
    if (!override) return attribute
    if (override.AttributeDataType && override.AttributeDataType !== attribute.AttributeDataType)
      throw invalidParameter(
        `You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute ${attribute.Name}`,
      )
    return {
      ...attribute,
      Mutable: override.Mutable ?? attribute.Mutable,
      Required: override.Required ?? attribute.Required,
      ...(override.StringAttributeConstraints && { StringAttributeConstraints: override.StringAttributeConstraints }),
    }
  })
  return withCustom(
    standard,
    own.filter(({ Name }) => !isStandard(Name ?? '')),
  )
}

/** Adds attributes of the pool's own. Throws for names and types that AWS refuses. */
export function withCustom(
  schema: readonly SchemaAttributeType[],
  added: readonly SchemaAttributeType[],
): readonly SchemaAttributeType[] {
  const result = [...schema]
  for (const attribute of added) {
    const bare = (attribute.Name ?? '').replace(/^(custom|dev):/, '')
    if (bare.length === 0 || bare.length > NAME_MAX)
      throw invalidParameter(`Invalid AttributeName: custom attribute names have 1 to ${NAME_MAX} characters.`)
    if (attribute.Required) throw invalidParameter('Required custom attributes are not supported currently.')
    const prefix = attribute.DeveloperOnlyAttribute ? 'dev:custom' : 'custom'
    const Name = `${prefix}:${bare}`
    if (result.some((known) => known.Name === Name))
      throw invalidParameter(`${Name}: Existing attribute already has name ${Name}.`)
    const type = attribute.AttributeDataType ?? 'String'
    result.push({
      Name,
      AttributeDataType: type,
      DeveloperOnlyAttribute: attribute.DeveloperOnlyAttribute ?? false,
      Mutable: attribute.Mutable ?? true,
      Required: false,
      ...(type === 'String' && { StringAttributeConstraints: attribute.StringAttributeConstraints ?? {} }),
      ...(type === 'Number' && { NumberAttributeConstraints: attribute.NumberAttributeConstraints ?? {} }),
    })
  }
  const custom = result.filter(({ Name }) => !isStandard(Name ?? '')).length
  if (custom > CUSTOM_MAX) throw invalidParameter(`A user pool can have at most ${CUSTOM_MAX} custom attributes.`)
  return result
}

const EMAIL = /^[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)*$/
const PHONE = /^\+[0-9]{5,15}$/
const DATE = /^\d{4}-\d{2}-\d{2}$/

export type Attributes = Readonly<Record<string, string>>

/** A list of the model as a record. A name that occurs twice is an error. */
export function attributesOf(list: readonly AttributeType[] | undefined): Attributes {
  const entries = (list ?? []).map(({ Name = '', Value = '' }) => [Name, Value] as const)
  const result = Object.fromEntries(entries)
  if (Object.keys(result).length !== entries.length) throw invalidParameter('An attribute is given more than once.')
  return result
}

export const attributeList = (attributes: Attributes): AttributeType[] =>
  Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }))

interface CheckOptions {
  /** A user's attributes before the change; undefined for a new user. */
  readonly before: Attributes | undefined
  /** Attributes that the client may write; undefined: all that a user can have. */
  readonly writable?: readonly string[] | undefined
  /** Administrators set `…_verified`, developer attributes and immutable ones at creation. */
  readonly isAdmin: boolean
}

/** Throws for values that do not fit the schema, and for what the caller may not write. */
export function checkAttributes(
  { schema }: Pick<PoolRow, 'schema'>,
  attributes: Attributes,
  { before, writable, isAdmin }: CheckOptions,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    const known = schema.find(({ Name }) => Name === name)
    if (!known || name === 'sub' || name === 'identities')
      throw invalidParameter(
        `Attributes did not conform to the schema: Type for attribute {${name}} could not be determined`,
      )
    const isVerification = name === 'email_verified' || name === 'phone_number_verified'
    if (!isAdmin && (isVerification || known.DeveloperOnlyAttribute || (writable && !writable.includes(name))))
      throw unauthorizedAttribute()
    if (before && !known.Mutable && before[name] !== undefined && before[name] !== value)
      throw invalidParameter(`user.${name}: Attribute cannot be updated.`)
    const problem = valueProblem(known, value)
    if (problem) throw invalidParameter(problem)
  }
}

const unauthorizedAttribute = () => notAuthorized('A client attempted to write unauthorized attribute')

/** Throws where an attribute that the pool requires is missing. */
export function checkRequired({ schema }: Pick<PoolRow, 'schema'>, attributes: Attributes): void {
  const missing = schema.filter(({ Name = '', Required }) => Required && Name !== 'sub' && !attributes[Name])
  if (missing.length > 0)
    throw invalidParameter(
      `Attributes did not conform to the schema: ${missing.map(({ Name }) => `${Name}: The attribute is required`).join('\n')}\n`,
    )
}

function valueProblem(attribute: SchemaAttributeType, value: string): string | undefined {
  const { Name = '', AttributeDataType: type } = attribute
  const conform = (why: string) => `Attributes did not conform to the schema: ${Name}: ${why}\n`
  if (value.length > VALUE_MAX) return conform(`String must be no longer than ${VALUE_MAX} characters`)
  if (value === '') return undefined
  if (Name === 'email' && !EMAIL.test(value)) return 'Invalid email address format.'
  if (Name === 'phone_number' && !PHONE.test(value)) return 'Invalid phone number format.'
  if (Name === 'birthdate' && !DATE.test(value)) return conform('Invalid date format')
  if (type === 'Boolean' && value !== 'true' && value !== 'false') return conform('Not a boolean')
  if (type === 'Number') {
    if (!/^-?\d{1,30}(\.\d{1,30})?$/.test(value)) return conform('Not a number')
    const { MinValue, MaxValue } = attribute.NumberAttributeConstraints ?? {}
    if (MinValue !== undefined && Number(value) < Number(MinValue))
      return conform(`Number must be at least ${MinValue}`)
    if (MaxValue !== undefined && Number(value) > Number(MaxValue)) return conform(`Number must be at most ${MaxValue}`)
  }
  if (type === 'DateTime' && Number.isNaN(Date.parse(value))) return conform('Not a date')
  if (type === 'String') {
    const { MinLength, MaxLength } = attribute.StringAttributeConstraints ?? {}
    if (MinLength !== undefined && value.length < Number(MinLength))
      return conform(`String must be at least ${MinLength} characters long`)
    if (MaxLength !== undefined && value.length > Number(MaxLength))
      return conform(`String must be no longer than ${MaxLength} characters`)
  }
  return undefined
}
