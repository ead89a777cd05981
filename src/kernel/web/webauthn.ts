/** WebAuthn, Level 3: options for the browser, and the verification of what its authenticators answer. */
import { randomBytes } from 'node:crypto'
import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'

/** A credential as its owner's service keeps it. */
export interface PasskeyCredential {
  /** base64url */
  readonly credentialId: string
  /** COSE, base64url. */
  readonly publicKey: string
  readonly counter: number
  readonly transports: readonly string[]
}

const TIMEOUT_MS = 5 * 60_000
/** EdDSA, ES256 and RS256: COSE algorithm identifiers. */
const ALGORITHMS = [-8, -7, -257]

export const newChallenge = (): string => randomBytes(32).toString('base64url')

/** The relying party's ID: the host name of the pages. */
const relyingParty = (origin: string): string => new URL(origin).hostname

const descriptor = ({ credentialId, transports }: PasskeyCredential) => ({
  id: credentialId,
  type: 'public-key',
  transports,
})

export const authenticationOptions = (
  origin: string,
  challenge: string,
  passkeys: readonly PasskeyCredential[],
): string =>
  JSON.stringify({
    challenge,
    rpId: relyingParty(origin),
    allowCredentials: passkeys.map(descriptor),
    userVerification: 'preferred',
    timeout: TIMEOUT_MS,
  })

export const registrationOptions = (
  origin: string,
  challenge: string,
  user: { readonly id: string; readonly name: string },
  existing: readonly PasskeyCredential[],
): string =>
  JSON.stringify({
    challenge,
    rp: { id: relyingParty(origin), name: 'Merlon' },
    user: { id: Buffer.from(user.id).toString('base64url'), name: user.name, displayName: user.name },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    excludeCredentials: existing.map(descriptor),
    authenticatorSelection: { residentKey: 'discouraged', userVerification: 'preferred' },
    attestation: 'none',
    timeout: TIMEOUT_MS,
  })

interface Ceremony {
  readonly origin: string
  readonly challenge: string
  /** The browser's answer, as JSON text. */
  readonly response: string
}

/** The passkey that signed, and its authenticator's counter; undefined for anything that does not verify. */
export async function verifyAuthentication<P extends PasskeyCredential>(
  { origin, challenge, response }: Ceremony,
  passkeys: readonly P[],
): Promise<{ readonly passkey: P; readonly counter: number } | undefined> {
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  try {
    const answer = JSON.parse(response) as AuthenticationResponseJSON
    const passkey = passkeys.find(({ credentialId }) => credentialId === answer.id)
    if (!passkey) return undefined
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: answer,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: relyingParty(origin),
      requireUserVerification: false,
      credential: {
        id: passkey.credentialId,
        publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
        counter: passkey.counter,
        transports: passkey.transports as AuthenticatorTransport[],
      },
    })
    return verified ? { passkey, counter: authenticationInfo.newCounter } : undefined
  } catch {
    return undefined
  }
}

const TRANSPORTS_MAX = 8

/** The new passkey; undefined for anything that does not verify. */
export async function verifyRegistration({
  origin,
  challenge,
  response,
}: Ceremony): Promise<PasskeyCredential | undefined> {
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
  try {
    const answer = JSON.parse(response) as RegistrationResponseJSON
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: answer,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: relyingParty(origin),
      requireUserVerification: false,
      supportedAlgorithmIDs: ALGORITHMS,
    })
    if (!verified) return undefined
    const { id, publicKey, counter } = registrationInfo.credential
    const transports = (answer.response.transports ?? []).filter((each) => /^[a-z-]{1,20}$/.test(each))
    return {
      credentialId: id,
      publicKey: Buffer.from(publicKey).toString('base64url'),
      counter,
      transports: transports.slice(0, TRANSPORTS_MAX),
    }
  } catch {
    return undefined
  }
}
