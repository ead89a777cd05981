/** The first factors of a sign-in: the password in clear or by SRP, a code, a passkey, and which of them a user may choose. */
import { randomUUID } from 'node:crypto'
import type { ChallengeNameType } from '@aws-sdk/client-cognito-identity-provider'
import type { SignInState } from './challenge-state.ts'
import { migrated } from './migration.ts'
import { authenticationOptions, newChallenge } from './passkeys.ts'
import { checkPassword, simulatedVerifier, verifierOf } from './passwords.ts'
import { invalidParameter, type PoolClient } from './resources.ts'
import { afterFirstFactor } from './second-factor.ts'
import {
  admit,
  challenged,
  type Parameters,
  type Person,
  type SignIn,
  type SignInAnswer,
  sendSignInCode,
  simulatedName,
} from './sign-in.ts'
import { firstStep } from './srp-steps.ts'
import { recordWrongPassword } from './threats.ts'
import type { UserRow } from './user-rows.ts'

/** What an SRP block belongs to. */
export const srpOwner = ({ pool, client }: PoolClient, person: Person): string =>
  JSON.stringify([pool.id, client.id, person.user?.sub ?? `unknown ${person.login}`])

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
  // The block and the session are one step: either of them spends both.
  const id = randomUUID()
  const step = firstStep(call, { owner: srpOwner(of, person), id }, parameters['SRP_A'], verifier)
  return challenged(
    of,
    person,
    'PASSWORD_VERIFIER',
    { ...step, USERNAME: name, USER_ID_FOR_SRP: name },
    { ...more, id },
  )
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
