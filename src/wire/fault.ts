/** The only error a caller ever sees. Anything else that is thrown is our bug and is shown as an internal failure. */
export interface FaultDetails {
  /** HTTP status, where it differs from the model's. */
  readonly status?: number
  /** The other members of a modelled error; of S3's, which no model lists, every element of the document. */
  readonly members?: Readonly<Record<string, unknown>>
  /** Response headers that belong to the error, in lower case: `x-amz-bucket-region`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
  /** When a retry may succeed, for clients that honor it. */
  readonly retryAfterMs?: number
}

export class Fault extends Error {
  override readonly name = 'Fault'
  /** The modelled shape name (`NoSuchEntityException`) or a common code (`ValidationError`, `AccessDenied`). */
  readonly code: string
  readonly details: FaultDetails

  constructor(code: string, message: string, details: FaultDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.details = details
  }
}
