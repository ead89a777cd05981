/** What of the packets passes security groups, network ACLs and routes, by which rule, or what stops them. */
import { assertFew, type Box, meets, type Packets, within, withinAny, without } from './boxes.ts'
import type { Interface, Subnet } from './network.ts'
import { entriesOf, routesOf, rulesOf, type Snapshot } from './snapshot.ts'

/** Source: https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html */
export type Code =
  | 'ENI_SG_RULES_MISMATCH'
  | 'SUBNET_ACL_RESTRICTION'
  | 'NO_ROUTE_TO_DESTINATION'
  | 'NO_POSSIBLE_DESTINATION'
  | 'BAD_STATE_ROUTE'
  | 'IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS'
  | 'IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS'
  | 'IGW_NOT_ATTACHED_TO_VPC'
  | 'IGW_SUBNET_BLOCKED_BY_VPC_BPA'
  | 'BAD_STATE_PCX'
  | 'UNSUPPORTED_COMPONENT'

/** One component on the way. */
export interface Hop {
  readonly component: string
  readonly kind:
    | 'interface'
    | 'security-group'
    | 'network-acl'
    | 'route-table'
    | 'internet-gateway'
    | 'egress-only-internet-gateway'
    | 'nat-gateway'
    | 'vpc-endpoint'
    | 'vpc-peering-connection'
    | 'internet'
  /** What matched in it: the IDs of rules, the numbers of entries, the destination of a route. */
  readonly by?: readonly string[]
}

export interface Block {
  readonly code: Code
  readonly component: string
  readonly direction: 'forward' | 'return'
  /** The entry that denied. */
  readonly by?: string | undefined
}

/** Thrown where no packet is left. */
export class Blocked extends Error {
  readonly block: Omit<Block, 'direction'>
  constructor(code: Code, component: string, by?: string) {
    super(code)
    this.block = { code, component, ...(by !== undefined && { by }) }
  }
}

/** Allowing only: whatever one rule of one group lets through. */
export function throughGroups(
  snapshot: Snapshot,
  eni: Interface,
  packets: Packets,
  egress: boolean,
  hops: Hop[],
): Packets {
  if (eni.isUnfiltered) return packets
  const allowed: Box[] = []
  const passed: Hop[] = []
  for (const id of eni.groups) {
    const by: string[] = []
    for (const rule of rulesOf(snapshot, id, egress)) {
      const boxes = rule.boxes.filter((each) => meets(packets, each))
      if (boxes.length === 0) continue
      allowed.push(...boxes)
      by.push(rule.id)
    }
    if (by.length > 0) passed.push({ component: id, kind: 'security-group', by })
  }
  const left = withinAny(packets, allowed)
  if (left.length === 0) throw new Blocked('ENI_SG_RULES_MISMATCH', eni.groups.join(' ') || eni.id)
  hops.push(...passed)
  return left
}

/** The first entry that matches decides. */
export function throughAcl(
  snapshot: Snapshot,
  subnet: Subnet,
  packets: Packets,
  egress: boolean,
  hops: Hop[],
): Packets {
  const allowed: Box[] = []
  const by: string[] = []
  let denied: string | undefined
  let rest = packets
  for (const { number, allow, matching } of entriesOf(snapshot, subnet.acl, egress)) {
    if (rest.length === 0) break
    assertFew(rest)
    assertFew(allowed)
    const these = within(rest, matching)
    if (these.length === 0) continue
    rest = without(rest, matching)
    if (allow) {
      allowed.push(...these)
      by.push(number)
    } else denied ??= number
  }
  if (allowed.length === 0) throw new Blocked('SUBNET_ACL_RESTRICTION', subnet.acl, denied)
  hops.push({ component: subnet.acl, kind: 'network-acl', by })
  return allowed
}

/** Packets by where a route table sends them. */
export interface Routed {
  readonly target: string
  readonly packets: Packets
  /** Destinations of the routes. */
  readonly by: readonly string[]
}

/**
 * Where the packets of a subnet's interfaces go, by target: of each prefix what longer ones have left. Throws where none goes to
 * a target that is accepted.
 */
export function routed(
  snapshot: Snapshot,
  { routeTable }: Subnet,
  packets: Packets,
  accepts: (target: string) => boolean,
): readonly Routed[] {
  const found = new Map<string, { target: string; packets: Box[]; by: string[] }>()
  let wrong: Blocked | undefined
  let rest = packets
  for (const { target, destination, isBlackhole, matching } of routesOf(snapshot, routeTable)) {
    assertFew(rest)
    const these = within(rest, matching)
    if (these.length === 0) continue
    rest = without(rest, matching)
    if (isBlackhole) wrong ??= new Blocked('BAD_STATE_ROUTE', routeTable, destination)
    else if (accepts(target)) {
      const known = found.get(target) ?? { target, packets: [], by: [] }
      known.packets.push(...these)
      if (!known.by.includes(destination)) known.by.push(destination)
      found.set(target, known)
    } else wrong ??= new Blocked('NO_ROUTE_TO_DESTINATION', routeTable, destination)
    if (rest.length === 0) break
  }
  if (found.size === 0) throw wrong ?? new Blocked('NO_ROUTE_TO_DESTINATION', routeTable)
  return [...found.values()]
}
