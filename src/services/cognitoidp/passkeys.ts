/** Passkeys that users register, as a first factor of USER_AUTH. WebAuthn, Level 3. */
import { randomBytes } from 'node:crypto'
import { pageOf } from '../../kernel/service/page.ts'
import { accessToken, BY_TOKEN, self } from './access-token.ts'
import { at, cognito, type Flow, invalidParameter, notFound, type PoolRow } from './resources.ts'
import { type PasskeyRow, saveUser, type UserRow } from './user-rows.ts'

const TIMEOUT_MS = 5 * 60_000
/** ES256 and RS256: COSE algorithm identifiers. */
const ALGORITHMS = [-7, -257]
const PASSKEYS_MAX = 20
const PAGE = 20
const TRANSPORTS_MAX = 8

export const newChallenge = (): string => randomBytes(32).toString('base64url')

/** The relying party's ID: as configured, else the pool's domain. */
export function relyingPartyOf(pool: PoolRow): string | undefined {
  const { customDomain, domain, region, webAuthn } = pool
  return webAuthn?.RelyingPartyId ?? customDomain ?? (domain && `${domain}.auth.${region}.amazoncognito.com`)
}

const descriptor = ({ credentialId, transports }: PasskeyRow) => ({
  id: credentialId,
  type: 'public-key',
  transports: [...transports],
})

/** Without a user: whichever passkey of the relying party the person chooses. */
export const authenticationOptions = (pool: PoolRow, user: UserRow | undefined, challenge: string): string =>
  JSON.stringify({
    challenge,
    timeout: TIMEOUT_MS,
    rpId: relyingPartyOf(pool),
    ...(user && { allowCredentials: user.passkeys.map(descriptor) }),
    userVerification: pool.webAuthn?.UserVerification ?? 'preferred',
  })

/** Whether an origin belongs to the relying party: the host itself, or one below it. Plain HTTP on the loopback alone. */
export function isOriginOf(relyingParty: string, origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, hostname } = new URL(origin)
  const isBelow = hostname === relyingParty || hostname.endsWith(`.${relyingParty}`)
  return isBelow && (protocol === 'https:' || hostname === 'localhost')
}

const originIn = (clientData: unknown): string => {
  try {
    const { origin } = JSON.parse(Buffer.from(String(clientData), 'base64url').toString('utf8')) as { origin?: unknown }
    return typeof origin === 'string' ? origin : ''
  } catch {
    return ''
  }
}

interface Answer {
  readonly id?: unknown
  readonly response?: {
    readonly clientDataJSON?: unknown
    readonly transports?: unknown
    readonly userHandle?: unknown
  }
}

/** Whose passkey answered, as the authenticator says: nothing is verified yet. */
export function holderNamedBy(text: string): string | undefined {
  try {
    const handle = (JSON.parse(text) as Answer | null)?.response?.userHandle
    return typeof handle === 'string' ? Buffer.from(handle.slice(0, 128), 'base64url').toString('utf8') : undefined
  } catch {
    return undefined
  }
}

/** The passkey that signed the challenge, with its new counter; undefined for anything that does not verify. */
export async function verifyPasskey(
  pool: PoolRow,
  user: UserRow,
  challenge: string,
  text: string,
): Promise<PasskeyRow | undefined> {
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  try {
    const answer = JSON.parse(text) as Answer
    const passkey = user.passkeys.find(({ credentialId }) => credentialId === answer.id)
    const origin = originIn(answer.response?.clientDataJSON)
    if (!passkey || !isOriginOf(passkey.relyingParty, origin)) return undefined
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: answer as never,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: passkey.relyingParty,
      requireUserVerification: pool.webAuthn?.UserVerification === 'required',
      credential: {
        id: passkey.credentialId,
        publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
        counter: passkey.counter,
      },
    })
    return verified ? { ...passkey, counter: authenticationInfo.newCounter } : undefined
  } catch {
    return undefined
  }
}

interface Registration {
  readonly challenge: string
  readonly relyingParty: string
  readonly expiresAt: number
}

const registrationKey = (pool: PoolRow, user: UserRow) => at.spent(pool.id, user.sub, 'passkey-registration')

type Registering = Pick<Flow, 'unit' | 'now'>

/** Whether users of the pool may have passkeys, and where they are good. */
export const offersPasskeys = (pool: PoolRow): boolean =>
  pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors?.includes('WEB_AUTHN') === true &&
  relyingPartyOf(pool) !== undefined

/** What the browser makes a passkey by. The one before that was not completed is void. */
export function startRegistration(call: Registering, pool: PoolRow, user: UserRow) {
  const relyingParty = relyingPartyOf(pool)
  if (!pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors?.includes('WEB_AUTHN'))
    throw cognito.fail('WebAuthnNotEnabledException', 'Passkeys are not enabled for the user pool.')
  if (relyingParty === undefined)
    throw cognito.fail(
      'WebAuthnConfigurationMissingException',
      'The user pool has neither a relying party ID nor a domain.',
    )
  const challenge = newChallenge()
  const pending: Registration & { readonly endsAt: number } = {
    challenge,
    relyingParty,
    expiresAt: call.now + TIMEOUT_MS,
    endsAt: call.now + TIMEOUT_MS,
  }
  call.unit.put(registrationKey(pool, user), pending)
  const name = user.attributes['email'] ?? user.username
  return {
    challenge,
    rp: { id: relyingParty, name: relyingParty },
    user: { id: Buffer.from(user.sub).toString('base64url'), name, displayName: user.attributes['name'] ?? name },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    excludeCredentials: user.passkeys.map(descriptor),
    authenticatorSelection: {
      requireResidentKey: true,
      residentKey: 'required',
      userVerification: pool.webAuthn?.UserVerification ?? 'preferred',
    },
    timeout: TIMEOUT_MS,
  }
}

/** Saves the passkey that the browser made. Throws Cognito's faults for one that does not verify. */
export async function completeRegistration(
  call: Registering,
  pool: PoolRow,
  user: UserRow,
  credential: unknown,
): Promise<void> {
  const pending = await call.unit.get<Registration>(registrationKey(pool, user))
  if (!pending || pending.expiresAt <= call.now)
    throw cognito.fail('WebAuthnChallengeNotFoundException', 'There is no registration in progress. Start one first.')
  const answer = credential as Answer
  const origin = originIn(answer?.response?.clientDataJSON)
  if (!isOriginOf(pending.relyingParty, origin))
    throw cognito.fail(
      'WebAuthnOriginNotAllowedException',
      'The origin of the registration does not belong to the relying party.',
    )
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
  const verified = await verifyRegistrationResponse({
    response: answer as never,
    expectedChallenge: pending.challenge,
    expectedOrigin: origin,
    expectedRPID: pending.relyingParty,
    requireUserVerification: pool.webAuthn?.UserVerification === 'required',
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch(() => undefined)
  if (!verified?.verified)
    throw cognito.fail('WebAuthnCredentialNotSupportedException', 'The passkey could not be verified.')
  const { id, publicKey, counter } = verified.registrationInfo.credential
  if (user.passkeys.length >= PASSKEYS_MAX)
    throw cognito.fail('LimitExceededException', `A user can have at most ${PASSKEYS_MAX} passkeys.`)
  const transports = Array.isArray(answer.response?.transports) ? answer.response.transports : []
  const passkey: PasskeyRow = {
    credentialId: id,
    publicKey: Buffer.from(publicKey).toString('base64url'),
    counter,
    transports: transports
      .filter((each): each is string => /^[a-z-]{1,20}$/.test(String(each)))
      .slice(0, TRANSPORTS_MAX),
    name: `Passkey ${user.passkeys.length + 1}`,
    relyingParty: pending.relyingParty,
    createdAt: call.now,
  }
  call.unit.delete(registrationKey(pool, user))
  await saveUser(call.unit, pool, user, { ...user, passkeys: [...user.passkeys, passkey], modifiedAt: call.now })
}

export const startWebAuthnRegistration = cognito
  .operation('StartWebAuthnRegistration')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call) => {
    const { pool, user } = await self(call)
    return { CredentialCreationOptions: startRegistration(call, pool, user) }
  })

export const completeWebAuthnRegistration = cognito
  .operation('CompleteWebAuthnRegistration')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, user } = await self(call)
    await completeRegistration(call, pool, user, input.Credential)
    return {}
  })

export const listWebAuthnCredentials = cognito
  .operation('ListWebAuthnCredentials')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { user } = await self(call)
    const { items, next } = await pageOf(call, user.passkeys, ({ credentialId }) => credentialId, {
      token: input.NextToken,
      size: input.MaxResults ?? PAGE,
      query: user.sub,
      bad: () => invalidParameter('Invalid pagination token'),
    })
    return {
      Credentials: items.map((passkey) => ({
        CredentialId: passkey.credentialId,
        FriendlyCredentialName: passkey.name,
        RelyingPartyId: passkey.relyingParty,
        AuthenticatorTransports: [...passkey.transports],
        CreatedAt: new Date(passkey.createdAt),
      })),
      ...(next !== undefined && { NextToken: next }),
    }
  })

export const deleteWebAuthnCredential = cognito
  .operation('DeleteWebAuthnCredential')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, user } = await self(call)
    const passkeys = user.passkeys.filter(({ credentialId }) => credentialId !== input.CredentialId)
    if (passkeys.length === user.passkeys.length) throw notFound('The passkey does not exist.')
    await saveUser(call.unit, pool, user, { ...user, passkeys, modifiedAt: call.now })
    return {}
  })
