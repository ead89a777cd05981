/** The only error a caller ever sees. Anything else that is thrown is our bug and is shown as an internal failure. */
export class Fault extends Error {
  override readonly name = 'Fault'
  /** @param code the modelled shape name (`NoSuchEntityException`) or a common code (`ValidationError`, `AccessDenied`)
   *  @param details `status` where it differs from the model's; `members` for the other members of a modelled error */
  constructor(
    readonly code: string,
    message: string,
    readonly details: {
      readonly status?: number
      readonly members?: Readonly<Record<string, unknown>>
      readonly cause?: unknown
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
  }
}
