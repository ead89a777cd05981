/** Shared by the services of IAM Identity Center: the administering account of an instance, and IDs. */
import { randomBytes } from 'node:crypto'
import type { Call } from './gate/call.ts'
import { randomText } from './service/id.ts'

/** The service that organizations delegate to a member account. */
export const SSO_PRINCIPAL = 'sso.amazonaws.com'

/**
 * Whether an account administers what another account owns: its owner, or the delegated administrator of the
 * organization whose management account is the owner. `member`: of that organization, without being either.
 */
export async function administration(
  call: Pick<Call, 'account' | 'ports' | 'unit'>,
  owner: string,
): Promise<'administrator' | 'member' | undefined> {
  if (call.account === owner) return 'administrator'
  const membership = await call.ports.organizations.membership(call.unit, call.account)
  if (membership?.management !== owner) return undefined
  return membership.administers.includes(SSO_PRINCIPAL) ? 'administrator' : 'member'
}

const HEX = '0123456789abcdef'

export const newIdentityCenterIds = {
  instance: (): string => `ssoins-${randomText(HEX, 16)}`,
  permissionSet: (): string => `ps-${randomText(HEX, 16)}`,
  application: (): string => `apl-${randomText(HEX, 16)}`,
  store: (): string => `d-${randomText(HEX, 10)}`,
  /** The end of a role's name in an account. */
  roleSuffix: (): string => randomText(HEX, 16),
  serial: (): Uint8Array => {
    const bytes = randomBytes(16)
    bytes[0] = (bytes[0]! & 0x7f) | 0x40
    return bytes
  },
}

/** `arn:aws:sso:::instance/ssoins-…` → `ssoins-…`; undefined for other texts. */
export const instanceIdOf = (arn: string): string | undefined =>
  /^arn:aws:sso:::instance\/((?:sso)?ins-[a-zA-Z0-9-.]{16})$/.exec(arn)?.[1]
