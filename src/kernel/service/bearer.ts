/** Operations that a token authorizes in place of a signature: no policy names their callers, so none is evaluated. */
import type { HttpRequest } from '../../wire/http.ts'
import type { Bearer } from '../gate/bearer.ts'
import type { Call } from '../gate/call.ts'
import type { Reader } from '../state/reader.ts'

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
