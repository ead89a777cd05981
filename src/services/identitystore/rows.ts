/** What an identity store holds: people, groups, memberships, and the indexes by which they are found. */
import type * as IdentityStore from '@aws-sdk/client-identitystore'
import type { IdentityStoreFacts } from '../../kernel/ports/identity-store.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { personOf } from '../../kernel/state/sign-in-sessions.ts'
import { type Key, key, under } from '../../store/store.ts'

export const identitystore = defineService<typeof IdentityStore>('identitystore')

export interface StoreRow extends IdentityStoreFacts {
  readonly createdAt: number
}

export interface Written {
  readonly createdAt: number
  readonly updatedAt: number
  /** ARN of the caller. */
  readonly createdBy: string
  readonly updatedBy: string
}

export interface ExternalId {
  readonly Issuer: string
  readonly Id: string
}

/** A person. `attributes` has the members of the API's user, as the API spells them. */
export interface UserRow extends Written {
  readonly id: string
  readonly userName: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly externalIds: readonly ExternalId[]
  readonly isEnabled: boolean
}

export interface GroupRow extends Written {
  readonly id: string
  readonly displayName: string
  readonly description?: string
  readonly externalIds: readonly ExternalId[]
}

export interface MembershipRow extends Written {
  readonly id: string
  readonly groupId: string
  readonly userId: string
}

export const storeKey = (storeId: string): Key => key('identitystore', 'store', storeId)
export const userKey = (storeId: string, id: string): Key => key('identitystore', 'user', storeId, id)
export const groupKey = (storeId: string, id: string): Key => key('identitystore', 'group', storeId, id)
export const membershipKey = (storeId: string, id: string): Key => key('identitystore', 'membership', storeId, id)
/** A group's members, and a person's groups: the ID of the membership. */
export const memberKey = (storeId: string, groupId: string, userId: string): Key =>
  key('identitystore', 'member', storeId, groupId, userId)
export const memberOfKey = (storeId: string, userId: string, groupId: string): Key =>
  key('identitystore', 'member-of', storeId, userId, groupId)

export const usersIn = (storeId: string): Key => under('identitystore', 'user', storeId)
export const groupsIn = (storeId: string): Key => under('identitystore', 'group', storeId)
export const membersIn = (storeId: string, groupId: string): Key => under('identitystore', 'member', storeId, groupId)
export const groupsWith = (storeId: string, userId: string): Key => under('identitystore', 'member-of', storeId, userId)

export interface MemberIndex {
  readonly membershipId: string
  readonly groupId: string
  readonly userId: string
}

/** What is unique in a store, in any case of letters, and leads to an ID. */
export type Unique = 'user-name' | 'user-email' | 'user-external' | 'group-name' | 'group-external'

export const uniqueKey = (storeId: string, kind: Unique, value: string): Key =>
  key('identitystore', 'unique', storeId, kind, value.toLowerCase())

export async function idByUnique(
  reader: Pick<Reader, 'get'>,
  storeId: string,
  kind: Unique,
  value: string,
): Promise<string | undefined> {
  return (await reader.get<{ readonly id: string }>(uniqueKey(storeId, kind, value)))?.id
}

/** An external ID belongs to its issuer. Encoded with lengths by JSON. */
export const externalValue = ({ Issuer, Id }: ExternalId): string => JSON.stringify([Issuer, Id])

export const signInPersonOf = (storeId: string, userId: string): string => personOf(`identity-store/${storeId}`, userId)

/** Of the first address, which is the only one that a store keeps. */
export const emailOf = ({ attributes }: Pick<UserRow, 'attributes'>): string | undefined => {
  const [first] = (attributes['Emails'] as readonly { readonly Value?: string }[] | undefined) ?? []
  return first?.Value
}

/** The issuer of external IDs that come by SCIM. */
export const SCIM_ISSUER = 'SCIM'
