/** What KMS stores: keys with their material, aliases and grants. */
import type * as KMS from '@aws-sdk/client-kms'
import type { Row } from '../../kernel/resource/facts.ts'
import type { Pins } from '../../kernel/resource/pinned.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { Spec } from '../../vault/material/specs.ts'
import type { Sealed } from '../../vault/sealed-value.ts'

export type KeyState =
  | 'Enabled'
  | 'Disabled'
  | 'PendingDeletion'
  | 'PendingReplicaDeletion'
  | 'PendingImport'
  | 'Unavailable'
  | 'Creating'
  | 'Updating'

export type KeyUsage = KMS.KeyUsageType

/** One generation of a key's material. */
export interface MaterialRow {
  /** 64 lower hex digits. */
  readonly id: string
  /** Gone once imported material was deleted or has expired. */
  readonly sealed?: Sealed
  readonly madeAt: number
  /** How it became the current one; absent for the first. */
  readonly rotation?: { readonly type: 'AUTOMATIC' | 'ON_DEMAND'; readonly at: number }
  /** Imported and not yet rotated to. */
  readonly pending?: true
  readonly description?: string
  /** Imported material only; epoch milliseconds. */
  readonly expiresAt?: number
  readonly expiryJob?: Key
}

export interface KeyRow extends Row {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly createdAt: number
  readonly description: string
  readonly spec: Spec
  readonly usage: KeyUsage
  readonly origin: 'AWS_KMS' | 'EXTERNAL'
  readonly manager: 'CUSTOMER' | 'AWS'
  readonly state: KeyState
  /** Verbatim. */
  readonly policy: string
  readonly pins: Pins
  /** Names with their `alias/`. */
  readonly aliases: readonly string[]
  /** Oldest first. */
  readonly materials: readonly MaterialRow[]
  /** The id of the material that encrypts. */
  readonly current?: string
  /** DER SPKI in base64. */
  readonly publicKey?: string
  /** Set by the first grant and kept: a key without grants needs no search. */
  readonly granted?: true
  readonly rotation?: { readonly periodDays: number; readonly nextAt: number; readonly job: Key }
  readonly rotationsOnDemand: number
  readonly deletion?: { readonly windowDays: number; readonly at?: number; readonly job?: Key }
  /** The same in every Region's row. */
  readonly multiRegion?: { readonly primary: string; readonly replicas: readonly string[] }
}

export interface AliasRow extends Row {
  readonly name: string
  readonly keyId: string
  readonly createdAt: number
  readonly updatedAt: number
}

export interface GrantRow extends Row {
  readonly id: string
  readonly account: string
  readonly region: string
  readonly keyId: string
  readonly createdAt: number
  readonly issuer: string
  readonly name?: string
  /** As in the request, and the name that decisions use: the unique ID of a user or role. */
  readonly grantee: { readonly as: string; readonly by: string; readonly service?: true }
  readonly retirer?: { readonly as: string; readonly by: string; readonly service?: true }
  readonly operations: readonly KMS.GrantOperation[]
  readonly constraints?: GrantConstraints
}

export interface GrantConstraints {
  readonly EncryptionContextSubset?: Readonly<Record<string, string>>
  readonly EncryptionContextEquals?: Readonly<Record<string, string>>
  readonly SourceArn?: string
}

/** Which key a material belongs to, in one Region: what a ciphertext is found by. */
export interface MaterialOwner {
  readonly account: string
  readonly keyId: string
}

type KeyPlace = Pick<KeyRow, 'account' | 'region' | 'id'>

/** Where rows are stored that are no resources of their own; keys and aliases have types, in `resources.ts`. */
export const at = {
  material: (region: string, id: string): Key => key('kms', 'material', region, id),
  grant: ({ account, region, id }: KeyPlace, grantId: string): Key => key('kms', 'grant', account, region, id, grantId),
  grants: ({ account, region, id }: KeyPlace): Key => under('kms', 'grant', account, region, id),
  granteeGrant: ({ account, region, id }: KeyPlace, by: string, grantId: string): Key =>
    key('kms', 'grantee', account, region, id, by, grantId),
  granteeGrants: ({ account, region, id }: KeyPlace, by: string): Key =>
    under('kms', 'grantee', account, region, id, by),
  retirable: (region: string, retirer: string, grantId: string): Key =>
    key('kms', 'retirable', region, retirer, grantId),
  retirables: (region: string, retirer: string): Key => under('kms', 'retirable', region, retirer),
  namedGrant: ({ account, region, id }: KeyPlace, name: string, hash: string): Key =>
    key('kms', 'grant-name', account, region, id, name, hash),
  namedGrants: ({ account, region, id }: KeyPlace): Key => under('kms', 'grant-name', account, region, id),
  grantCount: ({ account, region, id }: KeyPlace): Key => key('kms', 'grant-count', account, region, id),
}
