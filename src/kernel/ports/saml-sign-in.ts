/**
 * The SAML sign-in port: what a response that a browser posts to `/saml` allows; provided by STS and used by the sign-in
 * pages. Inspecting spends nothing. The session comes from AssumeRoleWithSAML, which takes each response once.
 *
 * @example
 * const found = await call.use(samlSignIn).inspect({ response, webOrigin })
 * if (found.outcome === 'verified') page(found.roles)
 * // after the choice, with the same response:
 * const client = { remoteAddress: call.remoteAddress, userAgent: call.userAgent, isSecure: true }
 * await call.act({ service: 'signin.amazonaws.com', account: role.accountId, region, source: role.roleArn, client }, sts,
 *   'AssumeRoleWithSAML', { RoleArn: role.roleArn, PrincipalArn: role.providerArn, SAMLAssertion: response })
 */
import { port } from './port.ts'

export interface SamlSignInRole {
  readonly roleArn: string
  readonly roleName: string
  readonly providerArn: string
  readonly accountId: string
  readonly accountName: string
  readonly accountAlias?: string
}

export interface SamlSignInRequest {
  /** `SAMLResponse` as posted: base64. */
  readonly response: string
  /** The origin at which the page received it; `/saml` below it may be the recipient, where it is configured or loopback. */
  readonly webOrigin: string
  /** From `/saml/acs/:id`: the provider's `SAMLProviderUUID`. Required for encrypted assertions, optional for others. */
  readonly providerId?: string | undefined
}

export type SamlSignIn =
  | {
      readonly outcome: 'verified'
      /** In the order of the response, each once; at least one. Whether a role trusts the provider is decided at its use. */
      readonly roles: readonly SamlSignInRole[]
      /** For the audit log: `NameQualifier:Subject`. */
      readonly principalId: string
      readonly subject: string
      readonly sessionName: string
      /** Seconds, where the response has `SessionDuration`. */
      readonly duration: number | undefined
      /** Epoch milliseconds; until then a role can be chosen. */
      readonly endsAt: number
    }
  /** `code` and `message` are those of AssumeRoleWithSAML. */
  | { readonly outcome: 'refused'; readonly code: string; readonly message: string }

export interface SamlSignInPort {
  inspect(request: SamlSignInRequest): Promise<SamlSignIn>
}

export const samlSignIn = port<SamlSignInPort>('saml-sign-in')
