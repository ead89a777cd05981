/** The faults of the gate itself. */
import { ContentionError, UnavailableError } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import type { ServiceRow } from '../../wire/services.ts'

/** Everything that is not a fault is an error of ours: the caller learns only that it happened. */
export function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  if (error instanceof UnavailableError) {
    return new Fault('ServiceUnavailable', 'The service cannot reach its data at the moment. Please try again.', {
      cause: error,
    })
  }
  if (error instanceof ContentionError) {
    return new Fault('ServiceUnavailable', 'Too many requests changed the same resource. Please try again.', {
      cause: error,
    })
  }
  return new Fault('InternalFailure', 'The request processing has failed because of an unknown error.', {
    cause: error,
  })
}

export function notImplemented({ id, iamPrefix, unbuilt }: ServiceRow, operation: string | undefined): Fault {
  const name = operation === undefined ? iamPrefix : `${iamPrefix}:${operation}`
  // Several services share a prefix: the client's own name of the service says which one is meant.
  const service = unbuilt && id !== iamPrefix ? ` (${id})` : ''
  return new Fault('NotImplemented', `Merlon does not implement ${name}${service}.`, { status: 400 })
}

/** For callers that have not proved an identity yet: the largest such request has a SAML assertion. */
const UNPROVEN_BYTES_MAX = 256 * 1024

/** Throws for a body that an unproven caller may not send. */
export function checkUnproven(bytes: number): void {
  if (bytes <= UNPROVEN_BYTES_MAX) return
  throw new Fault('RequestEntityTooLarge', `An unsigned request can have at most ${UNPROVEN_BYTES_MAX} bytes.`, {
    status: 413,
  })
}
