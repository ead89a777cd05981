/** How an operation finds the resource that its input names. */
import type { Fault } from '../../wire/fault.ts'
import type { Call } from '../gate/call.ts'
import type { DeclaredResourceType } from './declared-resource-type.ts'
import type { ResourceFacts, TagAuthorization } from './facts.ts'

/** What a request names. The ARN is known even when the row is missing, so that authorization can come first. */
export interface ResolvedTarget<R> {
  readonly acted: ResourceFacts | undefined
  /** Undefined when it does not exist: `missing` is thrown then, after authorization. */
  readonly row: R | undefined
  readonly missing?: () => Fault
  /** Present when the request tags what it creates. */
  readonly tagging?: TagAuthorization | undefined
}

/** For tests and documents that enumerate operations: `DescribeKey` names an existing key in `KeyId`. */
export interface TargetDescription {
  readonly type: DeclaredResourceType
  readonly how: 'named' | 'optional' | 'created' | 'createdOrReplaced' | 'collection'
  /** The member that names the resource. */
  readonly member?: string
}

/** What an operation acts on, found in its input. */
export interface Target<I, R> {
  /** Absent: no resource type, or a target that the service has written itself. */
  readonly about?: TargetDescription
  find(call: Call, input: I): Promise<ResolvedTarget<R>> | ResolvedTarget<R>
}

/** No single resource: IAM sees `*`. */
export const anything: Target<unknown, undefined> = { find: () => ({ acted: undefined, row: undefined }) }
