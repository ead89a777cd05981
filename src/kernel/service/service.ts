/** What a service consists of, as the kernel sees it. Services are declared with `service/define-service.ts`. */
import type { Unit } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Violation } from '../../wire/constraints.ts'
import type { Fault } from '../../wire/fault.ts'
import type { Call } from '../gate/call.ts'
import type { ActAs } from '../gate/service-caller.ts'
import type { ExchangeHandler } from '../planes/exchange.ts'
import type { RecordHandler } from '../planes/records.ts'
import type { SnapshotSource } from '../planes/snapshot.ts'
import type { BlobPlace } from '../ports/blobs.ts'
import type { Use } from '../ports/port.ts'
import type { Ports } from '../ports/ports.ts'
import type { WebAclResourceType } from '../ports/web-acl-resources.ts'
import type { AbsentKeys } from '../resource/absent-keys.ts'
import type { ConditionKeyTable } from '../resource/condition-keys.ts'
import type { Conditions } from '../resource/conditions.ts'
import type { DeclaredResourceType } from '../resource/declared-resource-type.ts'
import type { Target } from '../resource/target.ts'
import type { Reader } from '../state/reader.ts'
import type { WebSite } from '../web/site.ts'
import type { Api } from './api.ts'
import type { Awaitable } from './awaitable.ts'
import type { BearerScheme } from './bearer.ts'
import type { PublicDocument } from './documents.ts'
import type { ServiceLife } from './open-services.ts'
import type { Quotas } from './quota.ts'
import type { ServiceTraits } from './traits.ts'

// biome-ignore-start lint/suspicious/noExplicitAny: the registry holds operations of every type; `operation()` typed them.
export interface Operation {
  readonly name: string
  /** IAM actions checked on the target; several where AWS checks several (ReEncrypt). Empty: no permission needed. */
  readonly actions: readonly string[]
  /** Where the input chooses the actions, as a version ID does in S3: all that it can choose, and the choice. */
  readonly choice?: { readonly among: readonly string[]; readonly of: (input: any) => readonly string[] }
  readonly target: Target<any, any>
  readonly conditions: ((input: any, call: Call, row: any) => Awaitable<Conditions>) | undefined
  /** Called without a signature: the request itself must prove the caller's identity. */
  readonly unsigned?: true
  /** How the token that replaces a signature is read and verified. */
  readonly bearer?: BearerScheme<any>
  /** Why no permission is needed. */
  readonly reason?: string
  /** A data event: recorded like any other, but not among the events that LookupEvents shows. */
  readonly dataEvent?: true
  readonly run: (call: Call, input: any, row: any) => any
}
// biome-ignore-end lint/suspicious/noExplicitAny: see above

/** Bytes in the objects plane, as the row that names them says. */
export interface StoredBytes {
  /** As people name it: an ARN. */
  readonly name: string
  readonly place: BlobPlace
  /** The length. */
  readonly bytes: number
}

export interface Service extends ServiceLife {
  readonly api: Api<unknown>
  /** What the kernel must know of this one service. */
  readonly traits?: ServiceTraits
  readonly operations: readonly Operation[]
  /** The resource types that the service has defined. */
  readonly resources?: readonly DeclaredResourceType[]
  /** Values of the service's condition keys, beside what operations supply by `conditions`. */
  readonly conditionKeys?: ConditionKeyTable
  /** Keys of the authorization reference that no request carries, with the reason: the linter says so. */
  readonly absentKeys?: AbsentKeys
  /** Its own error for input that violates its model. Default: AWS's general error. */
  readonly invalidInput?: (violations: readonly Violation[]) => Fault | undefined
  /** Documents that any client may read. */
  readonly documents?: readonly PublicDocument[]
  /** Its pages, and its endpoints that are no API operations. */
  readonly sites?: readonly WebSite[]
  /** Everything that it stores in the objects plane: copies of an installation carry and check it. */
  readonly storedBytes?: (reader: Reader) => AsyncIterable<StoredBytes>
  /** The intent of planes that it publishes, numbered and signed. A plane has one source. */
  readonly snapshots?: readonly SnapshotSource<unknown>[]
  /** What it does with the records of planes, by plane. */
  readonly planeRecords?: Readonly<Record<string, RecordHandler>>
  /** What it answers to messages of planes, by plane. A plane has one such service. */
  readonly planeExchanges?: Readonly<Record<string, ExchangeHandler>>
  /** Its resources that a web ACL can protect. */
  readonly webAclResources?: readonly WebAclResourceType[]
  /** What its jobs do, by kind: `kms.delete-key`. */
  readonly jobs?: Readonly<Record<string, ServiceJob>>
}

/** What a job works with, besides its unit. */
export interface JobContext {
  /** Epoch milliseconds. */
  readonly now: number
  /** Committed state, for what a job does before its unit. */
  readonly reader: Reader
  readonly vault: Vault
  readonly ports: Ports
  /** What other services and planes provide. */
  readonly use: Use
  readonly quotas: Quotas
  readonly actAs: ActAs
}

/** See {@link JobHandler}, in the hands of a service. */
// biome-ignore lint/suspicious/noExplicitAny: the registry holds jobs of every payload.
export interface ServiceJob<P = any, E = any> {
  readonly effect?: (work: JobContext, payload: P) => Promise<E>
  readonly run: (unit: Unit, work: JobContext, payload: P, outcome: E) => Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: one body serves operations whose inputs differ in their members' names.
export type LooseInput = any
