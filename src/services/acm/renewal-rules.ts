/** When a certificate is renewed. Pure. */
import type { CertificateRow, Material } from './resources.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const RENEWAL_DAYS = 45

/**
 * From 45 days, or a third of its time, before its end, whichever is more; never before its middle. `suggestedAt`: the authority's own
 * time (RFC 9773), which decides, but for the last half of what is left: a certificate must not end because of a suggestion.
 */
export function renewsAt(
  { notBefore, notAfter }: Pick<Material, 'notBefore' | 'notAfter'>,
  suggestedAt?: number,
): number {
  const lifetime = notAfter - notBefore
  const at = notAfter - Math.min(Math.max(RENEWAL_DAYS * DAY_MS, lifetime / 3), lifetime / 2)
  return suggestedAt === undefined ? at : Math.min(suggestedAt, (at + notAfter) / 2)
}

/** Used, or exported since it was issued; imported certificates are replaced by their owners. */
export function isRenewable({ type, inUseBy, exportedAt, issuedAt, renewedAt, acme }: CertificateRow): boolean {
  if (type === 'IMPORTED' || acme) return false
  return inUseBy.length > 0 || (exportedAt ?? -1) >= (renewedAt ?? issuedAt ?? 0)
}
