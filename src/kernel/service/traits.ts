/** What the kernel must know of a single service: data that the service says of itself. */

import type { Fault } from '../../wire/fault.ts'
import type { EventNames } from '../events/event-names.ts'
import type { Session } from '../gate/session.ts'
import type { Reader } from '../state/reader.ts'

/** The head of a request, as a listener sees it before the body arrives. */
export interface RequestHead {
  readonly method: string | undefined
  /** Path and query. */
  readonly url: string
  readonly authorization: string | undefined
}

/** Requests whose bodies may be larger than those of other calls. */
export interface Upload {
  matches(head: RequestHead): boolean
  /** The answer to one that announces more than any upload may have. Default: the listener's own. */
  readonly tooLarge?: { readonly status: number; readonly contentType: string; readonly body: string }
}

/** A web ACL in front of operations that need no signature. */
export interface ProtectedOperations {
  /**
   * ARN of the resource that a request is for, by what it says of itself; undefined: it names none that exists. Nothing is
   * verified at this point.
   */
  resource(reader: Reader, input: object): Promise<string | undefined>
  /** For a request that the web ACL of the resource does not allow. */
  refusal(): Fault
}

export interface ServiceTraits {
  /** Where CloudTrail's names differ from the model's, and what it leaves out. */
  readonly eventNames?: EventNames
  /** Actions that the audit log counts as reading, though IAM calls them writing. */
  readonly readActions?: readonly string[]
  /** Actions that no resource control policy takes away. */
  readonly exemptFromRcps?: readonly string[]
  readonly uploads?: readonly Upload[]
  readonly protectedOperations?: ProtectedOperations
  /** Whether a session may call the service at all. Default: every valid session may. */
  readonly acceptsSession?: (session: Session) => boolean
}
