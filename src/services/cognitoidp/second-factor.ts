/** What follows a proved first factor: a new password, a remembered device, or the second factor that pool and user require. */
import type { SignInState } from './challenge-state.ts'
import { deviceMissing, deviceOf } from './devices.ts'
import { enabledMfa, type Mfa, offeredMfa, preferredMfa } from './mfa-settings.ts'
import { wrongPassword } from './passwords.ts'
import { attributeList } from './schema.ts'
import {
  assertMaySignIn,
  challenged,
  finish,
  type KnownPerson,
  type Person,
  type SignIn,
  type SignInAnswer,
  sendSignInCode,
} from './sign-in.ts'
import { assessSignIn } from './threats.ts'

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
