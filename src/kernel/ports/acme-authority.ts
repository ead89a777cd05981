/**
 * The ACME authority port: another authority from which requested certificates come by ACME (RFC 8555), as the operator
 * configured it; provided by the server, which sends requests to that authority alone.
 */
import { port } from './port.ts'

export interface AcmeAuthoritySettings {
  /** The address of the directory. */
  readonly directory: string
  /** Mail addresses for the account. */
  readonly contacts: readonly string[]
  /** The external account binding, where the authority demands one. */
  readonly binding?: { readonly keyId: string; readonly macKey: Buffer }
}

export interface AcmeRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: string
  /** A signed message, `application/jose+json`. */
  readonly body?: string
}

export interface AcmeResponse {
  readonly status: number
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

export interface AcmeAuthorityPort {
  /** For certificates of this account; undefined where this installation issues them itself. */
  settings(account: string): AcmeAuthoritySettings | undefined
  /**
   * Throws for an address that has not the directory's origin, so that nothing the authority answers leads the server
   * elsewhere; and when there is no answer in time, or too long a one. Redirects are not followed.
   */
  send(request: AcmeRequest): Promise<AcmeResponse>
}

export const acmeAuthority = port<AcmeAuthorityPort>('acme-authority')
