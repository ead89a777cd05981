/** Operations that a token authorizes in place of a signature: no policy names their callers, so none is evaluated. */
import type { HttpRequest } from '../../wire/http.ts'
import type { Call } from '../gate/call.ts'
import type { Reader } from '../ports/ports.ts'

/** The caller, as its token proves it. */
export interface Bearer<C> {
  /** Of the token: the call acts and is recorded there. */
  readonly account: string
  readonly region: string
  /** For the audit log, in CloudTrail's form of a user. */
  readonly identity: Readonly<Record<string, unknown>> & { readonly principalId: string; readonly userName?: string }
  /**
   * What was issued. Whether it is still valid (sign-out, deleted user) the handler reads from rows, in its unit.
   */
  readonly claims: C
}

export type BearerCall<C> = Call & { readonly bearer: Bearer<C> }

export interface BearerScheme<C> {
  /** Where the token is: a header or a member. Nothing is verified here. */
  readonly token: (
    request: Pick<HttpRequest, 'rawHeaders'>,
    input: Readonly<Record<string, unknown>>,
  ) => string | undefined
  /** Throws the service's fault for a token that is missing, forged or expired. */
  readonly verify: (
    token: string | undefined,
    at: Pick<Call, 'vault' | 'now'> & { readonly reader: Reader },
  ) => Bearer<C> | Promise<Bearer<C>>
}
