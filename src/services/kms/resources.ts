/** What exists in KMS: keys with their material, aliases and grants; and where each is kept. */
import type * as KMS from '@aws-sdk/client-kms'
import { printArn } from '../../kernel/arn.ts'
import type { Scope } from '../../kernel/call.ts'
import type { Pins } from '../../kernel/pinned.ts'
import type { Row } from '../../kernel/resource.ts'
import { service } from '../../kernel/service.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { Spec } from '../../vault/material/specs.ts'
import type { Sealed } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'

export const kms = service<typeof KMS>('kms')

export const date = (ms: number): Date => new Date(ms)

export const DAY_MS = 86_400_000

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
  /** How it became the current one; the first never did. */
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
  /** Set by the first grant and kept: who has none is spared the search. */
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
  /** As asked, and the name it is decided by: a unique id where it names a user or role. */
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

type Place = Pick<Scope, 'account' | 'region'>
type KeyPlace = Pick<KeyRow, 'account' | 'region' | 'id'>

export const at = {
  key: ({ account, region }: Place, id: string): Key => key('kms', 'key', account, region, id),
  keys: ({ account, region }: Place): Key => under('kms', 'key', account, region),
  alias: ({ account, region }: Place, name: string): Key => key('kms', 'alias', account, region, name),
  aliases: ({ account, region }: Place): Key => under('kms', 'alias', account, region),
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

const arn = ({ account, region }: Place, resource: string): string =>
  printArn({ partition: 'aws', service: 'kms', region, account, resource })

export const keyArn = (place: Place, id: string): string => arn(place, `key/${id}`)
export const arnOf = (row: KeyRow): string => keyArn(row, row.id)
export const aliasArn = (place: Place, name: string): string => arn(place, name)

/** AWS's word for input that no model forbids. */
export const invalid = (message: string) => new Fault('ValidationError', message)

export const keyNotFound = (of: string) => kms.fail('NotFoundException', `Key '${of}' does not exist`)
export const aliasNotFound = (of: string) => kms.fail('NotFoundException', `Alias ${of} is not found.`)
export const unsupported = (of: KeyRow, operation: string) =>
  kms.fail(
    'UnsupportedOperationException',
    `${arnOf(of)} of key spec ${of.spec} and origin ${of.origin} does not support ${operation}.`,
  )
