/** Where a user's recovery code goes. */
import type { PoolRow } from './resources.ts'
import type { UserRow } from './user-rows.ts'

export interface RecoveryWay {
  readonly attribute: 'email' | 'phone_number'
  readonly to: string
}

/** The first mechanism of the pool that the user has verified. A number that is the second factor recovers nothing. */
export function recoveryOf({ settings }: Pick<PoolRow, 'settings'>, user: UserRow): RecoveryWay | undefined {
  const mechanisms = [...(settings.AccountRecoverySetting?.RecoveryMechanisms ?? [])].sort(
    (a, b) => (a.Priority ?? 0) - (b.Priority ?? 0),
  )
  for (const { Name } of mechanisms) {
    const attribute =
      Name === 'verified_email' ? 'email' : Name === 'verified_phone_number' ? 'phone_number' : undefined
    if (!attribute) continue
    const factor = attribute === 'email' ? user.factors.email : user.factors.sms
    if (factor?.isEnabled) continue
    const to = user.attributes[attribute]
    if (to && user.attributes[`${attribute}_verified`] === 'true') return { attribute, to }
  }
  return undefined
}
