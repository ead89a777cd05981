/** The second factors of a user, as rows hold them and as operations show them. */
import { invalidParameter, type PoolRow } from './resources.ts'
import type { Factor, UserRow } from './user-rows.ts'

export type Mfa = 'SMS_MFA' | 'SOFTWARE_TOKEN_MFA' | 'EMAIL_OTP'

const FACTORS = { SMS_MFA: 'sms', SOFTWARE_TOKEN_MFA: 'totp', EMAIL_OTP: 'email' } as const
const NAMES = Object.keys(FACTORS) as readonly Mfa[]

export const enabledMfa = (user: UserRow): readonly Mfa[] =>
  NAMES.filter((name) => user.factors[FACTORS[name]]?.isEnabled)

export const preferredMfa = (user: UserRow): Mfa | undefined =>
  NAMES.find((name) => user.factors[FACTORS[name]]?.isPreferred && user.factors[FACTORS[name]]?.isEnabled)

export const isMfaEnabled = (user: UserRow): boolean => enabledMfa(user).length > 0

export function mfaSettings(user: UserRow): { PreferredMfaSetting?: string; UserMFASettingList?: string[] } {
  const enabled = enabledMfa(user)
  const preferred = preferredMfa(user)
  return {
    ...(preferred && { PreferredMfaSetting: preferred }),
    ...(enabled.length > 0 && { UserMFASettingList: [...enabled] }),
  }
}

/** What the pool offers as a second factor. */
export function offeredMfa(pool: PoolRow): readonly Mfa[] {
  if ((pool.settings.MfaConfiguration ?? 'OFF') === 'OFF') return []
  return NAMES.filter((name) => {
    if (name === 'SMS_MFA') return pool.isSmsMfaEnabled
    return name === 'SOFTWARE_TOKEN_MFA' ? pool.isTotpEnabled : pool.emailMfa !== undefined
  })
}

interface Wanted {
  readonly Enabled?: boolean | undefined
  readonly PreferredMfa?: boolean | undefined
}

export interface MfaPreference {
  readonly SMSMfaSettings?: Wanted | undefined
  readonly SoftwareTokenMfaSettings?: Wanted | undefined
  readonly EmailMfaSettings?: Wanted | undefined
}

/** The user with new preferences, not yet saved. Throws where a factor is not set up or is not the pool's. */
export function withPreference(pool: PoolRow, user: UserRow, input: MfaPreference, now: number): UserRow {
  const wanted: Readonly<Record<'sms' | 'totp' | 'email', Wanted | undefined>> = {
    sms: input.SMSMfaSettings,
    totp: input.SoftwareTokenMfaSettings,
    email: input.EmailMfaSettings,
  }
  if (Object.values(wanted).filter((each) => each?.PreferredMfa).length > 1)
    throw invalidParameter('Only one MFA method can be preferred.')
  const newlyPreferred = Object.entries(wanted).find(([, each]) => each?.PreferredMfa)?.[0]
  const factors: { sms?: Factor; totp?: Factor; email?: Factor } = { ...user.factors }
  for (const name of ['sms', 'totp', 'email'] as const) {
    const before = factors[name]
    const change = wanted[name]
    const isEnabled = change ? (change.Enabled ?? change.PreferredMfa ?? false) : (before?.isEnabled ?? false)
    if (change && isEnabled) assertPossible(pool, user, name)
    const isPreferred =
      isEnabled &&
      (newlyPreferred
        ? newlyPreferred === name
        : change?.PreferredMfa === false
          ? false
          : (before?.isPreferred ?? false))
    if (before || change) factors[name] = { isEnabled, isPreferred }
  }
  return { ...user, factors, modifiedAt: now }
}

function assertPossible(pool: PoolRow, user: UserRow, name: 'sms' | 'totp' | 'email'): void {
  if (name === 'totp' && !user.totp) throw invalidParameter('User has not verified software token mfa')
  if (name === 'sms' && !user.attributes['phone_number'])
    throw invalidParameter('User does not have a phone number, so SMS MFA cannot be enabled.')
  if (name === 'email' && (!user.attributes['email'] || !pool.emailMfa))
    throw invalidParameter('User does not have an email address, or the user pool has no email MFA.')
}
