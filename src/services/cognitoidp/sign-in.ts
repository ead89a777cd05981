/**
 * What every step of a sign-in shares: its person, the challenge it leads to, the codes it sends, and the tokens at the end.
 * The operations and the pages of managed login both use it. `first-factor.ts` and `second-factor.ts` have the steps.
 */

import { randomUUID } from 'node:crypto'
import type { AuthenticationResultType, ChallengeNameType } from '@aws-sdk/client-cognito-identity-provider'
import { userPoolCounts } from '../../kernel/ports/user-pool-counts.ts'
import { type SignInState, sealState, sessionMs } from './challenge-state.ts'
import { digestOf } from './codes.ts'
import { isConcealing, simulatedDelivery } from './existence.ts'
import { newCode } from './ids.ts'
import { deliveryDetails, type Medium, send } from './messages.ts'
import { simulatedSub } from './passwords.ts'
import { cognito, type Flow, groupOf, invalidParameter, notAuthorized, type PoolRow } from './resources.ts'
import { checkSecretHash } from './secret-hash.ts'
import { type Attempt, recordPass } from './threats.ts'
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

export type KnownPerson = Person & { readonly user: UserRow }

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

/** The user name that a user who does not exist would have. */
export const simulatedName = ({ call, pool }: SignIn, login: string): string =>
  (pool.settings.UsernameAttributes ?? []).length === 0 ? login : simulatedSub(call.vault, pool, login)

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
  call.afterCommit(() => call.use(userPoolCounts).count('sign_ins', { result: 'success' }))
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
