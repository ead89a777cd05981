/** Reachability over either family of addresses: what one does not reach over IPv4 it may reach over IPv6. */
import type { Network } from './network.ts'
import { compile, INTERNET, type Question, reach, type Snapshot, type Verdict } from './reachability.ts'

export interface Snapshots {
  readonly ipv4: Snapshot
  /** Undefined where no interface has an address of IPv6. */
  readonly ipv6: Snapshot | undefined
}

export interface FamilyVerdict {
  readonly verdict: Verdict
  /** What the verdict is about. */
  readonly snapshot: Snapshot
}

export const compileBoth = (network: Network): Snapshots => ({
  ipv4: compile(network),
  ipv6: network.interfaces.some(({ address6 }) => address6 !== undefined) ? compile(network, 6) : undefined,
})

const hasNoAddress = ({ blocked }: Verdict): boolean => blocked[0]?.code === 'NO_POSSIBLE_DESTINATION'

/**
 * The verdict of IPv4; that of IPv6 where only it is reachable, or where an end has no address of IPv4.
 *
 * @example
 * reachEither(compileBoth(network), { from: INTERNET, to: 'eni-1', protocol: 6, port: 443 }).verdict.isReachable
 */
export function reachEither({ ipv4, ipv6 }: Snapshots, question: Question): FamilyVerdict {
  const first: FamilyVerdict = { verdict: reach(ipv4, question), snapshot: ipv4 }
  if (first.verdict.isReachable || !ipv6) return first
  const second = reach(ipv6, question)
  return second.isReachable || (hasNoAddress(first.verdict) && !hasNoAddress(second))
    ? { verdict: second, snapshot: ipv6 }
    : first
}

/** Everything that reaches an interface or an endpoint: the internet, and other interfaces, each with its verdict. */
export function* whoReaches(
  snapshots: Snapshots,
  to: string,
  what: Pick<Question, 'protocol' | 'port'> = {},
): Generator<FamilyVerdict & { readonly from: string }> {
  for (const { id: from } of [{ id: INTERNET }, ...snapshots.ipv4.network.interfaces]) {
    if (from === to) continue
    const found = reachEither(snapshots, { ...what, from, to })
    if (found.verdict.isReachable) yield { from, ...found }
  }
}
