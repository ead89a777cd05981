/**
 * Certificate policies along a path (RFC 5280 §6.1.3 to §6.1.5). What the standard draws as a tree is kept as RFC 9618 has it: for
 * each policy that the next certificate may name, the policies of the anchor's domain that it goes back to. A tree would double with
 * each certificate; this grows with the number of policies. Pure.
 */
import type { PathCertificate } from './path-certificate.ts'

export const ANY_POLICY = '2.5.29.32.0'

export interface PolicyOptions {
  /** Policies that the caller accepts; default: any. */
  readonly accepted?: ReadonlySet<string>
  /** Whether the path has to be valid for one of them; default: only where an authority demands it. */
  readonly isRequired?: boolean
}

/** Expected policy → policies of the anchor's domain. */
type Expected = ReadonlyMap<string, ReadonlySet<string>>
const NONE: Expected = new Map()

/** Whether the policies of a path are as its certificates and the caller demand. `path`: from below the anchor to the leaf. */
export function arePoliciesValid(path: readonly PathCertificate[], { accepted, isRequired }: PolicyOptions): boolean {
  const unlimited = path.length + 1
  let expected: Expected = new Map([[ANY_POLICY, new Set([ANY_POLICY])]])
  let explicit = isRequired ? 0 : unlimited
  let mapping = unlimited
  let any = unlimited
  for (const [index, certificate] of path.entries()) {
    const isLast = index === path.length - 1
    expected = named(expected, certificate, any > 0 || (!isLast && certificate.isSelfIssued))
    if (explicit === 0 && expected.size === 0) return false
    if (!certificate.isSelfIssued || isLast) explicit = Math.max(0, explicit - 1)
    if (isLast) {
      if (certificate.requireExplicitPolicy === 0) explicit = 0
      break
    }
    if (certificate.policyMappings.some((pair) => pair.includes(ANY_POLICY))) return false
    expected = mapped(expected, certificate, mapping > 0)
    if (!certificate.isSelfIssued) {
      mapping = Math.max(0, mapping - 1)
      any = Math.max(0, any - 1)
    }
    explicit = Math.min(explicit, certificate.requireExplicitPolicy ?? explicit)
    mapping = Math.min(mapping, certificate.inhibitPolicyMapping ?? mapping)
    any = Math.min(any, certificate.inhibitAnyPolicy ?? any)
  }
  if (explicit > 0) return true
  if (!accepted) return expected.size > 0
  return [...expected.values()].some((origins) =>
    [...origins].some((origin) => origin === ANY_POLICY || accepted.has(origin)),
  )
}

/** §6.1.3 (d) and (e). */
function named(expected: Expected, { policies }: PathCertificate, isAnyAllowed: boolean): Expected {
  if (!policies) return NONE
  const next = new Map<string, ReadonlySet<string>>()
  for (const policy of policies) {
    if (policy === ANY_POLICY) continue
    const origins = expected.get(policy) ?? (expected.has(ANY_POLICY) ? new Set([policy]) : undefined)
    if (origins) next.set(policy, origins)
  }
  if (policies.has(ANY_POLICY) && isAnyAllowed)
    for (const [policy, origins] of expected) if (!next.has(policy)) next.set(policy, origins)
  return next
}

/** §6.1.4 (b). */
function mapped(expected: Expected, { policyMappings }: PathCertificate, isMappingAllowed: boolean): Expected {
  if (policyMappings.length === 0) return expected
  const from = new Set(policyMappings.map(([issuer]) => issuer))
  const next = new Map<string, Set<string>>()
  for (const [policy, origins] of expected) if (!from.has(policy)) next.set(policy, new Set(origins))
  if (!isMappingAllowed) return next
  for (const [issuer, subject] of policyMappings) {
    const origins = expected.get(issuer) ?? (expected.has(ANY_POLICY) ? new Set([issuer]) : undefined)
    if (!origins) continue
    const known = next.get(subject) ?? new Set<string>()
    for (const origin of origins) known.add(origin)
    next.set(subject, known)
  }
  return next
}
