/**
 * A sign-in, step by step: which first factors a user may prove, what must follow them, and the tokens at the end. The
 * operations and the pages of managed login both walk through here.
 */
import { randomUUID } from 'node:crypto'
import type { AuthenticationResultType, ChallengeNameType } from '@aws-sdk/client-cognito-identity-provider'
import { type SignInState, sealState, sessionMs } from './challenge-state.ts'
import { digestOf } from './codes.ts'
import { deviceMissing, deviceOf } from './devices.ts'
import { isConcealing, simulatedDelivery } from './existence.ts'
import { newCode } from './ids.ts'
import { deliveryDetails, type Medium, send } from './messages.ts'
import { enabledMfa, type Mfa, offeredMfa, preferredMfa } from './mfa-settings.ts'
import { migrated } from './migration.ts'
import { authenticationOptions, newChallenge } from './passkeys.ts'
import { checkPassword, simulatedSub, simulatedVerifier, verifierOf, wrongPassword } from './passwords.ts'
import {
  cognito,
  type Flow,
  groupOf,
  invalidParameter,
  notAuthorized,
  type PoolClient,
  type PoolRow,
} from './resources.ts'
import { attributeList } from './schema.ts'
import { checkSecretHash } from './secret-hash.ts'
import { firstStep } from './srp-steps.ts'
import { type Attempt, assessSignIn, recordPass, recordWrongPassword } from './threats.ts'
import { beginSession, tokensOf } from './tokens.ts'
import { trigger } from './triggers.ts'
import { findUser, type UserRow, userMissing } from './user-rows.ts'

export type Parameters = Readonly<Record<string, string | undefined>>

/** An answer of InitiateAuth and RespondToAuthChallenge. */
export interface SignInAnswer {
  readonly ChallengeName?: ChallengeNameType
  readonly Session?: string
  readonly ChallengeParameters?: Record<string, string>
  readonly AuthenticationResult?: AuthenticationResultType
  readonly AvailableChallenges?: ChallengeNameType[]
}

export interface SignIn extends Attempt {
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
  /** Of the pages of managed login, where the registered address proves the client: no SECRET_HASH. */
  readonly isPage?: true
  /** What follows in place of tokens. */
  readonly finish?: ((user: UserRow) => Promise<SignInAnswer>) | undefined
}

export interface Person {
  /** As the request named the user. */
  readonly login: string
  readonly user: UserRow | undefined
}

export const required = (parameters: Parameters, name: string): string => {
  const value = parameters[name]
  if (value === undefined || value === '') throw invalidParameter(`Missing required parameter ${name}`)
  return value
}

/**
 * The person of a request, with the client's secret proved. Throws for one that does not exist where that may be
 * revealed.
 */
export async function personOf(of: SignIn, parameters: Parameters): Promise<Person> {
  const { call, pool, client } = of
  const login = required(parameters, 'USERNAME')
  const user = await findUser(call.unit, pool, login)
  if (!of.isPage)
    checkSecretHash(call.vault, client, parameters['SECRET_HASH'], [login, ...(user ? [user.username, user.sub] : [])])
  return { login, user }
}

/** Users that do not exist go on as if they did, or are reported. */
export function admit(of: SignIn, { user }: Person): void {
  if (!user && !isConcealing(of.client)) throw userMissing()
}

export async function preAuthentication(of: SignIn, { login, user }: Person): Promise<void> {
  const { call, pool, client, clientMetadata } = of
  if (!user && !isConcealing(client)) return
  await trigger(call, pool, 'PreAuthentication', {
    source: 'PreAuthentication_Authentication',
    userName: user?.username ?? login,
    clientId: client.id,
    user,
    request: { validationData: clientMetadata ?? null, ...(!user && { userAttributes: {}, userNotFound: true }) },
    response: {},
  })
}

/** A state that leads to a challenge. */
export function challenged(
  of: SignIn,
  person: Person,
  challenge: ChallengeNameType,
  parameters: Record<string, string>,
  more: Partial<SignInState> = {},
): SignInAnswer {
  const { call, pool, client, isAdmin } = of
  const state: SignInState = {
    id: randomUUID(),
    pool: pool.id,
    client: client.id,
    login: person.login,
    sub: person.user?.sub,
    expiresAt: call.now + sessionMs(of),
    isAdmin,
    ...more,
    challenge,
  }
  return { ChallengeName: challenge, Session: sealState(call.vault, state), ChallengeParameters: parameters }
}

const ownerOf = ({ pool, client }: PoolClient, person: Person): string =>
  JSON.stringify([pool.id, client.id, person.user?.sub ?? `unknown ${person.login}`])

export const srpOwner = ownerOf

/** The user name that a user who does not exist would have. */
const simulatedName = ({ call, pool }: SignIn, login: string): string =>
  (pool.settings.UsernameAttributes ?? []).length === 0 ? login : simulatedSub(call.vault, pool, login)

/** The first answer of SRP: the same for users that do not exist. */
export function passwordVerifier(
  of: SignIn,
  person: Person,
  parameters: Parameters,
  more: Partial<SignInState> = {},
): SignInAnswer {
  const { call, pool } = of
  const { user, login } = person
  const verifier = (user && verifierOf(call, pool, user)) ?? simulatedVerifier(call.vault, pool, login)
  const name = user?.username ?? simulatedName(of, login)
  const step = firstStep(call, ownerOf(of, person), parameters['SRP_A'], verifier)
  return challenged(of, person, 'PASSWORD_VERIFIER', { ...step, USERNAME: name, USER_ID_FOR_SRP: name }, more)
}

/** A password in clear. A user that another directory knows is taken over. */
export async function signInWithPassword(
  of: SignIn,
  person: Person,
  password: string,
  deviceKey: string | undefined,
): Promise<SignInAnswer> {
  const { call, pool, client, clientMetadata } = of
  const known =
    person.user ??
    (await migrated(call, pool, client, {
      username: person.login,
      password,
      source: 'UserMigration_Authentication',
      clientMetadata,
    }))
  if (!known) admit(of, person)
  // What was just taken over has been verified by its function.
  if (person.user || !known)
    await checkPassword(call, pool, known, person.login, password, (unit) => recordWrongPassword(of, known, unit))
  return afterFirstFactor(of, { login: person.login, user: known }, { factor: 'PASSWORD', deviceKey, password })
}

/** Which first factors a user of USER_AUTH may choose. For users that do not exist: what the pool offers all of them. */
export function availableFactors({ pool }: PoolClient, user: UserRow | undefined): ChallengeNameType[] {
  const allowed = pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? ['PASSWORD']
  const has = (attribute: 'email' | 'phone_number') => !user || user.attributes[`${attribute}_verified`] === 'true'
  return [
    ...(allowed.includes('PASSWORD') && (!user || user.password) ? (['PASSWORD', 'PASSWORD_SRP'] as const) : []),
    ...(allowed.includes('WEB_AUTHN') && user && user.passkeys.length > 0 ? (['WEB_AUTHN'] as const) : []),
    ...(allowed.includes('EMAIL_OTP') && has('email') ? (['EMAIL_OTP'] as const) : []),
    ...(allowed.includes('SMS_OTP') && has('phone_number') ? (['SMS_OTP'] as const) : []),
  ]
}

/** The challenge of a first factor that was chosen in USER_AUTH. */
export async function firstFactor(
  of: SignIn,
  person: Person,
  factor: string,
  parameters: Parameters,
): Promise<SignInAnswer> {
  const available = availableFactors(of, person.user)
  if (!(available as readonly string[]).includes(factor))
    throw invalidParameter(`The challenge ${factor} is not available for the user.`)
  const deviceKey = parameters['DEVICE_KEY']
  const more = { deviceKey }
  switch (factor) {
    case 'PASSWORD':
      if (parameters['PASSWORD'] === undefined) return challenged(of, person, 'PASSWORD', {}, more)
      return signInWithPassword(of, person, parameters['PASSWORD'], deviceKey)
    case 'PASSWORD_SRP':
      if (parameters['SRP_A'] === undefined) return challenged(of, person, 'PASSWORD_SRP', {}, more)
      return passwordVerifier(of, person, parameters, more)
    case 'WEB_AUTHN': {
      const challenge = newChallenge()
      return challenged(
        of,
        person,
        'WEB_AUTHN',
        { CREDENTIAL_REQUEST_OPTIONS: authenticationOptions(of.pool, person.user!, challenge) },
        {
          ...more,
          webAuthn: challenge,
        },
      )
    }
    default:
      return sendSignInCode(of, person, factor as 'EMAIL_OTP' | 'SMS_OTP', more)
  }
}

/** Sends a code for a challenge, and leads to it. To users that do not exist nothing is sent. */
export async function sendSignInCode(
  of: SignIn,
  person: Person,
  challenge: 'EMAIL_OTP' | 'SMS_OTP' | 'SMS_MFA',
  more: Partial<SignInState>,
): Promise<SignInAnswer> {
  const { call, pool, client, clientMetadata } = of
  const { user } = person
  const medium: Medium = challenge === 'EMAIL_OTP' ? 'EMAIL' : 'SMS'
  const to = user?.attributes[medium === 'EMAIL' ? 'email' : 'phone_number']
  const code = newCode()
  if (user && to)
    await send(call, pool, user, { kind: 'sign-in', medium, to, code, clientId: client.id, clientMetadata })
  const details = user && to ? deliveryDetails(medium, to) : await simulatedDelivery(call, pool, person.login)
  return challenged(
    of,
    person,
    challenge,
    {
      CODE_DELIVERY_DELIVERY_MEDIUM: medium,
      CODE_DELIVERY_DESTINATION: details.Destination ?? '',
      USER_ID_FOR_SRP: user?.username ?? simulatedName(of, person.login),
    },
    { ...more, code: digestOf(call.vault, pool, user?.sub ?? person.login, 'sign-in', code) },
  )
}

interface Proved {
  readonly factor: string
  readonly deviceKey?: string | undefined
  /** In clear, where the request had it. */
  readonly password?: string | undefined
  /** A second factor is due, although the device is remembered. */
  readonly isRisky?: boolean
  /** Custom authentication itself decides what follows. */
  readonly next?: ((person: Person) => Promise<SignInAnswer>) | undefined
}

/** The first factor is proved: whether the user may go on, and what must follow. */
export async function afterFirstFactor(of: SignIn, person: Person, proved: Proved): Promise<SignInAnswer> {
  const { call, pool } = of
  const { user } = person
  if (!user) throw wrongPassword()
  assertMaySignIn(call, user)
  const isRisky =
    isAssessed(of, proved) &&
    (await assessSignIn(of, user, { password: proved.password, isPassword: proved.factor === 'PASSWORD' }))
  if (user.status === 'FORCE_CHANGE_PASSWORD') {
    const missing = pool.schema.filter(
      ({ Name = '', Required }) => Required && Name !== 'sub' && !user.attributes[Name],
    )
    return challenged(
      of,
      person,
      'NEW_PASSWORD_REQUIRED',
      {
        USER_ID_FOR_SRP: user.username,
        requiredAttributes: JSON.stringify(missing.map(({ Name }) => `userAttributes.${Name}`)),
        userAttributes: JSON.stringify(
          Object.fromEntries(attributeList(user.attributes).map(({ Name, Value }) => [Name, Value])),
        ),
      },
      { factor: proved.factor, deviceKey: proved.deviceKey },
    )
  }
  return secondFactor(of, { ...person, user }, { ...proved, isRisky })
}

/** Custom authentication is evaluated where the pool says so. */
const isAssessed = ({ pool }: SignIn, { factor, next }: Proved): boolean =>
  (factor !== 'CUSTOM' && !next) ||
  (pool.settings.UserPoolAddOns?.AdvancedSecurityAdditionalFlows?.CustomAuthMode ?? 'AUDIT') === 'ENFORCED'

/** Throws for users that may not sign in, whatever they proved. */
export function assertMaySignIn(call: Pick<Flow, 'now'>, user: UserRow): void {
  if (!user.isEnabled) throw notAuthorized('User is disabled.')
  if (user.status === 'UNCONFIRMED') throw cognito.fail('UserNotConfirmedException', 'User is not confirmed.')
  if (user.status === 'RESET_REQUIRED')
    throw cognito.fail('PasswordResetRequiredException', 'Password reset required for the user')
  if (
    user.status === 'FORCE_CHANGE_PASSWORD' &&
    user.passwordExpiresAt !== undefined &&
    user.passwordExpiresAt <= call.now
  )
    throw notAuthorized('Temporary password has expired and must be reset by an administrator.')
}

type KnownPerson = Person & { readonly user: UserRow }

/** Custom authentication continues by its functions; a remembered device replaces the second factor. */
export async function secondFactor(of: SignIn, person: KnownPerson, proved: Proved): Promise<SignInAnswer> {
  const { call, pool } = of
  const { user } = person
  if (proved.next) return proved.next(person)
  const { deviceKey } = proved
  if (deviceKey !== undefined && !proved.isRisky) {
    const device = await deviceOf(call.unit, pool, user, deviceKey)
    if (!device) throw deviceMissing()
    return challenged(
      of,
      person,
      'DEVICE_SRP_AUTH',
      { USERNAME: user.username, DEVICE_KEY: deviceKey },
      { factor: proved.factor, deviceKey },
    )
  }
  return chooseMfa(of, person, proved.factor)
}

/** The second factor that the pool and the user's settings require. */
export async function chooseMfa(
  of: SignIn,
  person: KnownPerson,
  factor: string,
  provedDevice?: string,
): Promise<SignInAnswer> {
  const { pool } = of
  const { user } = person
  const offered = offeredMfa(pool)
  // A code to the same address proves nothing twice.
  const usable = (name: Mfa) =>
    offered.includes(name) &&
    !(factor === 'EMAIL_OTP' && name === 'EMAIL_OTP') &&
    !(factor === 'SMS_OTP' && name === 'SMS_MFA')
  const enabled = enabledMfa(user).filter(usable)
  const isMultiFactor =
    factor === 'WEB_AUTHN' && pool.webAuthn?.FactorConfiguration === 'MULTI_FACTOR_WITH_USER_VERIFICATION'
  if (isMultiFactor) return finish(of, person, { deviceKey: provedDevice })
  if (enabled.length === 0) {
    if (pool.settings.MfaConfiguration !== 'ON') return finish(of, person, { deviceKey: provedDevice })
    if (usable('SMS_MFA') && user.attributes['phone_number'])
      return mfaChallenge(of, person, 'SMS_MFA', { factor, provedDevice })
    if (usable('EMAIL_OTP') && user.attributes['email'])
      return mfaChallenge(of, person, 'EMAIL_OTP', { factor, provedDevice })
    return challenged(
      of,
      person,
      'MFA_SETUP',
      { MFAS_CAN_SETUP: JSON.stringify(offered), USER_ID_FOR_SRP: user.username },
      { factor, provedDevice, choices: offered },
    )
  }
  const preferred = preferredMfa(user)
  const chosen = preferred && enabled.includes(preferred) ? preferred : enabled.length === 1 ? enabled[0]! : undefined
  if (chosen) return mfaChallenge(of, person, chosen, { factor, provedDevice })
  return challenged(
    of,
    person,
    'SELECT_MFA_TYPE',
    { MFAS_CAN_CHOOSE: JSON.stringify(enabled), USER_ID_FOR_SRP: user.username },
    { factor, provedDevice, choices: enabled },
  )
}

export async function mfaChallenge(
  of: SignIn,
  person: KnownPerson,
  name: Mfa,
  more: Pick<SignInState, 'factor' | 'provedDevice'>,
): Promise<SignInAnswer> {
  if (name !== 'SOFTWARE_TOKEN_MFA')
    return sendSignInCode(of, person, name, { factor: more.factor, provedDevice: more.provedDevice })
  return challenged(
    of,
    person,
    'SOFTWARE_TOKEN_MFA',
    {
      USER_ID_FOR_SRP: person.user.username,
      ...(person.user.totp?.name !== undefined && { FRIENDLY_DEVICE_NAME: person.user.totp.name }),
    },
    { factor: more.factor, provedDevice: more.provedDevice },
  )
}

interface Finished {
  readonly deviceKey?: string | undefined
  readonly isMfa?: boolean
  readonly source?: string
}

/** Everything is proved: tokens, and a device's key where the pool remembers devices. */
export async function finish(
  of: SignIn,
  person: KnownPerson,
  { deviceKey, isMfa = false, source = 'TokenGeneration_Authentication' }: Finished = {},
): Promise<SignInAnswer> {
  const { call, pool, client, clientMetadata } = of
  const { user } = person
  await recordPass(of, user, isMfa)
  const isNewDevice = pool.settings.DeviceConfiguration !== undefined && deviceKey === undefined
  await trigger(call, pool, 'PostAuthentication', {
    source: 'PostAuthentication_Authentication',
    userName: user.username,
    clientId: client.id,
    user,
    request: { newDeviceUsed: isNewDevice, clientMetadata: clientMetadata ?? {} },
    response: {},
  })
  if (of.finish) return of.finish(user)
  const newKey = isNewDevice ? `${pool.region}_${randomUUID()}` : undefined
  const session = await beginSession(call, pool, client, user, { deviceKey: deviceKey ?? newKey })
  const tokens = await tokensOf(call, { pool, client, user, session, source, clientMetadata, withRefresh: true })
  return {
    AuthenticationResult: {
      ...tokens,
      ...(newKey !== undefined && { NewDeviceMetadata: { DeviceKey: newKey, DeviceGroupKey: deviceGroup(pool) } }),
    },
    ChallengeParameters: {},
  }
}

/** What device SRP hashes with a device's key. Begins with a dash, as AWS's do. */
export const deviceGroup = (pool: PoolRow): string => `-${groupOf(pool)}`
