/**
 * Messages that a service provider sends to an identity provider by redirect: requests to sign a person in or out.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-bindings-2.0-os.pdf §3.4
 *
 * @example
 * const xml = authnRequest({ id, issuer, destination, now, acs })
 * const url = await redirectAddress(destination, xml, relayState, signer)
 */
import { deflateRawSync } from 'node:zlib'
import { element, text } from './canonical-writer.ts'
import type { SamlSigner } from './issue.ts'
import { ASSERTION, BINDING, PROTOCOL } from './names.ts'

interface Message {
  readonly id: string
  /** The entity ID of the service provider. */
  readonly issuer: string
  /** The endpoint of the identity provider. */
  readonly destination: string
  /** Epoch milliseconds. */
  readonly now: number
}

const head = ({ id, destination, now }: Message) => ({
  'xmlns:samlp': PROTOCOL,
  ID: id,
  Version: '2.0',
  IssueInstant: new Date(now).toISOString(),
  Destination: destination,
})

const issuerOf = ({ issuer }: Message) => element('saml:Issuer', { 'xmlns:saml': ASSERTION }, text(issuer))

/** `acs`: where the answer should be posted. `isForced`: the person must sign in again. */
export const authnRequest = (
  message: Message & { readonly acs: string; readonly isForced?: boolean | undefined },
): string =>
  element(
    'samlp:AuthnRequest',
    {
      ...head(message),
      AssertionConsumerServiceURL: message.acs,
      ProtocolBinding: BINDING.post,
      ForceAuthn: message.isForced ? 'true' : undefined,
    },
    issuerOf(message),
  )

export interface SignedInSubject {
  readonly value: string
  /** The URI of its format. */
  readonly format: string
  readonly sessionIndex?: string | undefined
}

export const logoutRequest = (message: Message & { readonly subject: SignedInSubject }): string =>
  element(
    'samlp:LogoutRequest',
    head(message),
    issuerOf(message),
    element('saml:NameID', { 'xmlns:saml': ASSERTION, Format: message.subject.format }, text(message.subject.value)),
    message.subject.sessionIndex === undefined
      ? undefined
      : element('samlp:SessionIndex', {}, text(message.subject.sessionIndex)),
  )

/** The signature, if there is a signer, covers the parameters as they are encoded. */
export async function redirectAddress(
  endpoint: string,
  xml: string,
  relayState: string,
  signer: SamlSigner | undefined,
): Promise<string> {
  const parameters = [
    ['SAMLRequest', deflateRawSync(xml).toString('base64')],
    ['RelayState', relayState],
    ...(signer ? [['SigAlg', 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256']] : []),
  ] as const
  const query = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value!)}`).join('&')
  const signature = signer && Buffer.from(await signer.sign(Buffer.from(query))).toString('base64')
  const all = signature === undefined ? query : `${query}&Signature=${encodeURIComponent(signature)}`
  return `${endpoint}${endpoint.includes('?') ? '&' : '?'}${all}`
}
