/** The second factor: a device's one-time code, checked and spent before the decision that may require it. */
import type { Call } from '../../kernel/gate/call.ts'
import { retryText } from '../../kernel/state/failure-budget.ts'
import { Fault } from '../../wire/fault.ts'

interface MfaInput {
  readonly SerialNumber?: string | undefined
  readonly TokenCode?: string | undefined
}

/**
 * Whether a code was shown; throws when it is wrong, was used, or the device is another user's. A correct code is spent
 * even if the call is denied afterwards.
 */
export async function verifiedMfa(call: Call, { SerialNumber, TokenCode }: MfaInput): Promise<boolean> {
  if (SerialNumber === undefined && TokenCode === undefined) return false
  if (SerialNumber === undefined || TokenCode === undefined) {
    throw new Fault(
      'AccessDenied',
      'MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.',
    )
  }
  const checked = await call.ports.identity.verifyMfa(call, SerialNumber, TokenCode)
  if (checked.outcome === 'refused') {
    throw new Fault('AccessDenied', `MultiFactorAuthentication failed. ${retryText(checked.retryAfterMs)}`)
  }
  if (checked.outcome === 'wrong') {
    throw new Fault('AccessDenied', 'MultiFactorAuthentication failed with invalid MFA one time pass code.')
  }
  return true
}
