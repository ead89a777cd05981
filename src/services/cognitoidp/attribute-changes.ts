/** Changes of a user's attributes: what becomes unverified, what waits for a code, and what codes prove. */
import type { CodeDeliveryDetailsType } from '@aws-sdk/client-cognito-identity-provider'
import { sendCode, withoutCode } from './codes.ts'
import { type Flow, invalidParameter, type PoolRow } from './resources.ts'
import { type Attributes, checkAttributes } from './schema.ts'
import type { UserRow } from './user-rows.ts'

const CONTACTS = ['email', 'phone_number'] as const
export type Contact = (typeof CONTACTS)[number]

export const isContact = (name: string): name is Contact => (CONTACTS as readonly string[]).includes(name)

interface ChangeOptions {
  readonly isAdmin: boolean
  readonly writable?: readonly string[] | undefined
  readonly clientId: string
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
}

interface Changed {
  readonly user: UserRow
  readonly details: readonly CodeDeliveryDetailsType[]
}

/**
 * The user with new attributes, not yet saved. A new address or number is unverified until its code comes back; where
 * the pool says so, the old value stays until then.
 */
export async function changeAttributes(
  call: Flow,
  pool: PoolRow,
  before: UserRow,
  changes: Attributes,
  { isAdmin, writable, clientId, clientMetadata }: ChangeOptions,
): Promise<Changed> {
  checkAttributes(pool, changes, { before: before.attributes, writable, isAdmin })
  const { UserAttributeUpdateSettings: updates, AutoVerifiedAttributes = [], AliasAttributes = [] } = pool.settings
  const attributes: Record<string, string> = { ...before.attributes, ...changes }
  for (const [name, value] of Object.entries(changes)) if (value === '') delete attributes[name]
  if (
    AliasAttributes.includes('preferred_username') &&
    changes['preferred_username'] !== undefined &&
    before.status === 'UNCONFIRMED'
  )
    throw invalidParameter('preferred_username cannot be set before the user is confirmed.')

  let user: UserRow = { ...before, modifiedAt: call.now }
  const details: CodeDeliveryDetailsType[] = []
  const pending: Record<string, string> = {}
  for (const name of CONTACTS) {
    const value = attributes[name]
    if (changes[name] === undefined || value === before.attributes[name]) continue
    if (value === undefined) {
      delete attributes[`${name}_verified`]
      continue
    }
    const isVerifiedNow = isAdmin && changes[`${name}_verified`] === 'true'
    if (isVerifiedNow) continue
    const waits =
      updates?.AttributesRequireVerificationBeforeUpdate?.includes(name) && AutoVerifiedAttributes.includes(name)
    if (waits) {
      pending[name] = value
      if (before.attributes[name] === undefined) delete attributes[name]
      else attributes[name] = before.attributes[name]
    } else attributes[`${name}_verified`] = 'false'
    if (AutoVerifiedAttributes.includes(name)) {
      const sent = await sendCode(call, pool, user, {
        kind: name,
        message: 'attribute',
        attribute: name,
        to: value,
        clientId,
        clientMetadata,
      })
      user = sent.user
      details.push(sent.details)
    }
  }
  return {
    user: {
      ...user,
      attributes,
      ...(Object.keys(pending).length > 0 && { pending: { ...user.pending, ...pending } }),
    },
    details,
  }
}

/** The user after the code of a new address or number came back. Not yet saved. */
export function verified(user: UserRow, name: Contact, value: string, now: number): UserRow {
  const { [name]: _done, ...pending } = user.pending ?? {}
  const isCurrent = user.attributes[name] === value || user.pending?.[name] === value
  if (!isCurrent) throw invalidParameter(`The value of ${name} has changed since the code was sent.`)
  return {
    ...withoutCode(user, name),
    attributes: { ...user.attributes, [name]: value, [`${name}_verified`]: 'true' },
    pending: Object.keys(pending).length > 0 ? pending : undefined,
    modifiedAt: now,
  }
}

/** The user without these attributes. Required ones stay. */
export function withoutAttributes(pool: PoolRow, user: UserRow, names: readonly string[], now: number): UserRow {
  const attributes = { ...user.attributes }
  for (const name of names) {
    const known = pool.schema.find(({ Name }) => Name === name)
    if (!known || name === 'sub')
      throw invalidParameter(`Invalid user attributes: user.${name}: Attribute does not exist in the schema.`)
    if (known.Required)
      throw invalidParameter(`Invalid user attributes: user.${name}: Required attribute cannot be deleted.`)
    if (!known.Mutable) throw invalidParameter(`user.${name}: Attribute cannot be updated.`)
    delete attributes[name]
    if (isContact(name)) delete attributes[`${name}_verified`]
  }
  return { ...user, attributes, modifiedAt: now }
}
