/**
 * The federation HTTP port: requests to identity providers; provided by the server, which guards what may be reached.
 * HTTPS only, but for loopback hosts that the operator lists in MERLON_FEDERATION_HOSTS. Redirects are not followed.
 */
import { port } from './port.ts'

export interface FederationRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent as `application/x-www-form-urlencoded`. */
  readonly form?: Readonly<Record<string, string>> | undefined
}

export interface FederationHttpPort {
  /** Throws when the host may not be reached, does not answer in time, or answers too much. */
  send(request: FederationRequest): Promise<{ readonly status: number; readonly body: string }>
}

export const federationHttp = port<FederationHttpPort>('federation-http')
