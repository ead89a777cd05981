/**
 * Which packets get from one interface, or the internet, to another: through security groups, network ACLs, routes and
 * gateways, and their answers back. Sets of packets are computed at once; none is enumerated.
 *
 * Source: https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html for the codes.
 */
import { parseAddress, parseBlock } from './addresses.ts'
import {
  ADDRESSES,
  answers,
  type Box,
  box,
  meets,
  type Packets,
  PORTS,
  type Range,
  within,
  withinAny,
  without,
} from './boxes.ts'
import type {
  GroupRule,
  Interface,
  Match,
  Network,
  NetworkAcl,
  Route,
  RouteTable,
  SecurityGroup,
  Subnet,
} from './network.ts'

export const INTERNET = 'internet'

/** Ports that clients choose for themselves. Source: RFC 6056, and the ephemeral ports of the network ACL guide. */
export const CLIENT_PORTS: Range = [1024, 65_535]

export interface Question {
  /** The ID of an interface, or {@link INTERNET}. */
  readonly from: string
  readonly to: string
  /** TCP is 6, UDP 17. Undefined: any. */
  readonly protocol?: number | undefined
  readonly port?: number | undefined
}

export type Code =
  | 'ENI_SG_RULES_MISMATCH'
  | 'SUBNET_ACL_RESTRICTION'
  | 'NO_ROUTE_TO_DESTINATION'
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
    | 'nat-gateway'
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

export interface Verdict {
  readonly isReachable: boolean
  /** The packets that arrive and whose answers return, as they leave their source. */
  readonly packets: Packets
  readonly forward: readonly Hop[]
  readonly back: readonly Hop[]
  /** Why not, if not. */
  readonly blocked: readonly Block[]
}

/** A network with its parts by ID, and blocks parsed. Made once, used for many queries. */
export interface Snapshot {
  readonly network: Network
  readonly interfaces: ReadonlyMap<string, Interface>
  readonly subnets: ReadonlyMap<string, Subnet>
  readonly groups: ReadonlyMap<string, SecurityGroup>
  readonly acls: ReadonlyMap<string, NetworkAcl>
  readonly tables: ReadonlyMap<string, RouteTable>
  /** The addresses of a group's members. */
  readonly members: ReadonlyMap<string, readonly string[]>
  readonly lists: ReadonlyMap<string, readonly string[]>
  /** By VPC. */
  readonly gateways: ReadonlyMap<string, { readonly id: string }>
  /** What was parsed on the way, by the name of the part. */
  readonly parsed: ParsedParts
}

interface ParsedParts {
  readonly rules: Map<string, readonly ParsedRule[]>
  readonly entries: Map<string, readonly ParsedEntry[]>
  readonly routes: Map<string, readonly ParsedRoute[]>
}

/** What a rule of a group lets through. */
interface ParsedRule {
  readonly id: string
  readonly boxes: readonly Box[]
}

interface ParsedEntry {
  readonly number: string
  readonly allow: boolean
  readonly matching: Box
}

interface ParsedRoute extends Route {
  readonly matching: Box
  readonly range: Range
}

function parsedOnce<V>(known: Map<string, V>, name: string, parse: () => V): V {
  const found = known.get(name)
  if (found !== undefined) return found
  const value = parse()
  known.set(name, value)
  return value
}

const byId = <T extends { readonly id: string }>(all: readonly T[]): ReadonlyMap<string, T> =>
  new Map(all.map((each) => [each.id, each]))

export function compile(network: Network): Snapshot {
  const members = new Map<string, string[]>()
  for (const { address, groups } of network.interfaces) {
    for (const group of groups) {
      const known = members.get(group)
      if (known) known.push(address)
      else members.set(group, [address])
    }
  }
  return {
    network,
    interfaces: byId(network.interfaces),
    subnets: byId(network.subnets),
    groups: byId(network.groups),
    acls: byId(network.acls),
    tables: byId(network.routeTables),
    members,
    lists: new Map(network.prefixLists.map(({ id, cidrs }) => [id, cidrs])),
    gateways: new Map(network.internetGateways.map((gateway) => [gateway.vpc, gateway])),
    parsed: { rules: new Map(), entries: new Map(), routes: new Map() },
  }
}

/** Undefined for blocks of IPv6, which are not analyzed. */
export function rangeOf(text: string): Range | undefined {
  const block = parseBlock(text.includes('/') ? text : `${text}/32`)
  return block?.family === 4 ? [Number(block.first), Number(block.last)] : undefined
}

const pointOf = (address: string): Range => {
  const value = Number(parseAddress(address)?.value ?? 0n)
  return [value, value]
}

const hasPorts = (protocol: number): boolean => protocol === 6 || protocol === 17
const ICMP = 1

function matched({ protocol, from, to }: Match): Partial<Box> {
  if (protocol === -1) return {}
  const said: Partial<Box> = { protocol: [protocol, protocol] }
  if (hasPorts(protocol)) return { ...said, destinationPort: [Math.max(from, 0), to < 0 ? 65_535 : to] }
  if (protocol === ICMP && from >= 0)
    return { ...said, destinationPort: to < 0 ? [from * 256, from * 256 + 255] : [from * 256 + to, from * 256 + to] }
  return said
}

// ---- Filters: what of the packets passes, by which rule, or what stops them

interface Passed {
  readonly packets: Packets
  readonly hops: readonly Hop[]
}
type Outcome = Passed | { readonly blocked: Omit<Block, 'direction'> }

function peersOf(snapshot: Snapshot, rule: GroupRule): readonly Range[] {
  if (rule.cidr !== undefined) return [rangeOf(rule.cidr)].filter((range) => range !== undefined)
  if (rule.prefixList !== undefined)
    return (snapshot.lists.get(rule.prefixList) ?? [])
      .flatMap((cidr) => [rangeOf(cidr) ?? []])
      .filter((range): range is Range => range.length === 2)
  return (snapshot.members.get(rule.group ?? '') ?? []).map(pointOf)
}

const rulesOf = (snapshot: Snapshot, group: string, egress: boolean): readonly ParsedRule[] =>
  parsedOnce(snapshot.parsed.rules, `${group} ${egress}`, () => {
    const end = egress ? 'destination' : 'source'
    return (snapshot.groups.get(group)?.rules ?? [])
      .filter((rule) => rule.egress === egress)
      .map((rule) => ({
        id: rule.id,
        boxes: peersOf(snapshot, rule).map((peer) => box({ ...matched(rule), [end]: peer })),
      }))
  })

/** Allowing only: whatever one rule of one group lets through. */
function throughGroups(snapshot: Snapshot, eni: Interface, packets: Packets, egress: boolean): Outcome {
  if (eni.isUnfiltered) return { packets, hops: [] }
  const allowed: Box[] = []
  const hops: Hop[] = []
  for (const id of eni.groups) {
    const by: string[] = []
    for (const rule of rulesOf(snapshot, id, egress)) {
      const boxes = rule.boxes.filter((each) => meets(packets, each))
      if (boxes.length === 0) continue
      allowed.push(...boxes)
      by.push(rule.id)
    }
    if (by.length > 0) hops.push({ component: id, kind: 'security-group', by })
  }
  const left = withinAny(packets, allowed)
  return left.length > 0
    ? { packets: left, hops }
    : { blocked: { code: 'ENI_SG_RULES_MISMATCH', component: eni.groups.join(' ') || eni.id } }
}

/** In order. */
const entriesOf = (snapshot: Snapshot, acl: string, egress: boolean): readonly ParsedEntry[] =>
  parsedOnce(snapshot.parsed.entries, `${acl} ${egress}`, () => {
    const end = egress ? 'destination' : 'source'
    return (snapshot.acls.get(acl)?.entries ?? [])
      .filter((entry) => entry.egress === egress)
      .sort((a, b) => a.number - b.number)
      .flatMap((entry) => {
        const range = rangeOf(entry.cidr)
        if (!range) return []
        const matching = box({ ...matched(entry), [end]: range })
        return [{ number: String(entry.number), allow: entry.allow, matching }]
      })
  })

/** The first entry that matches decides. */
function throughAcl(snapshot: Snapshot, subnet: Subnet, packets: Packets, egress: boolean): Outcome {
  const allowed: Box[] = []
  const by: string[] = []
  let denied: string | undefined
  let rest = packets
  for (const { number, allow, matching } of entriesOf(snapshot, subnet.acl, egress)) {
    if (rest.length === 0) break
    const these = within(rest, matching)
    if (these.length === 0) continue
    rest = without(rest, matching)
    if (allow) {
      allowed.push(...these)
      by.push(number)
    } else denied ??= number
  }
  if (allowed.length === 0) return { blocked: { code: 'SUBNET_ACL_RESTRICTION', component: subnet.acl, by: denied } }
  return { packets: allowed, hops: [{ component: subnet.acl, kind: 'network-acl', by }] }
}

/** Longest prefix first. */
const routesOf = (snapshot: Snapshot, table: string): readonly ParsedRoute[] =>
  parsedOnce(snapshot.parsed.routes, table, () =>
    (snapshot.tables.get(table)?.routes ?? [])
      .flatMap((route) => {
        const { destination } = route
        const cidrs = destination.startsWith('pl-') ? (snapshot.lists.get(destination) ?? []) : [destination]
        return cidrs.flatMap((cidr) => {
          const range = rangeOf(cidr)
          return range ? [{ ...route, range, matching: box({ destination: range }) }] : []
        })
      })
      .sort((a, b) => a.range[1] - a.range[0] - (b.range[1] - b.range[0])),
  )

/** Of each prefix what longer ones have left. */
function* routed(
  snapshot: Snapshot,
  table: string,
  packets: Packets,
): Generator<{
  readonly packets: Packets
  readonly target: string
  readonly destination: string
  readonly isBlackhole: boolean
}> {
  let rest = packets
  for (const { target, destination, isBlackhole, matching } of routesOf(snapshot, table)) {
    const these = within(rest, matching)
    if (these.length === 0) continue
    rest = without(rest, matching)
    yield { packets: these, target, destination, isBlackhole }
  }
}

// ---- The way between two ends

class Blocked extends Error {
  readonly block: Omit<Block, 'direction'>
  constructor(block: Omit<Block, 'direction'>) {
    super(block.code)
    this.block = block
  }
}

function pass(outcome: Outcome, hops: Hop[]): Packets {
  if ('blocked' in outcome) throw new Blocked(outcome.blocked)
  hops.push(...outcome.hops)
  return outcome.packets
}

const block = (code: Code, component: string, by?: string) =>
  new Blocked({ code, component, ...(by !== undefined && { by }) })

/** Whether security groups apply: answers pass them, because they are stateful. */
type Leg = 'request' | 'answer'

/** Where the packets of a subnet's interface go, to one end. */
function route(
  snapshot: Snapshot,
  subnet: Subnet,
  packets: Packets,
  accepts: (target: string) => boolean,
  hops: Hop[],
): Packets {
  const left: Box[] = []
  const by: string[] = []
  let wrong: Blocked | undefined
  for (const each of routed(snapshot, subnet.routeTable, packets)) {
    if (each.isBlackhole) wrong ??= block('BAD_STATE_ROUTE', subnet.routeTable, each.destination)
    else if (accepts(each.target)) {
      left.push(...each.packets)
      by.push(each.destination)
    } else wrong ??= block('NO_ROUTE_TO_DESTINATION', subnet.routeTable, each.destination)
  }
  if (left.length === 0) throw wrong ?? block('NO_ROUTE_TO_DESTINATION', subnet.routeTable)
  hops.push({ component: subnet.routeTable, kind: 'route-table', by })
  return left
}

/** From an interface to another one. */
function between(snapshot: Snapshot, from: Interface, to: Interface, packets: Packets, leg: Leg, hops: Hop[]): Packets {
  const [own, other] = [snapshot.subnets.get(from.subnet)!, snapshot.subnets.get(to.subnet)!]
  hops.push({ component: from.id, kind: 'interface' })
  let left = leg === 'request' ? pass(throughGroups(snapshot, from, packets, true), hops) : packets
  if (own.id !== other.id) {
    left = pass(throughAcl(snapshot, own, left, true), hops)
    if (own.vpc === other.vpc) left = route(snapshot, own, left, (target) => target === 'local', hops)
    else {
      const links = snapshot.network.peerings.filter(({ vpcs }) => vpcs.includes(own.vpc) && vpcs.includes(other.vpc))
      left = route(snapshot, own, left, (target) => links.some(({ id }) => id === target), hops)
      const used = links.find(({ id }) =>
        (snapshot.tables.get(own.routeTable)?.routes ?? []).some(({ target }) => target === id),
      )
      if (!used?.isActive) throw block('BAD_STATE_PCX', used?.id ?? own.routeTable)
      hops.push({ component: used.id, kind: 'vpc-peering-connection' })
    }
    left = pass(throughAcl(snapshot, other, left, false), hops)
  }
  if (leg === 'request') left = pass(throughGroups(snapshot, to, left, false), hops)
  hops.push({ component: to.id, kind: 'interface' })
  return left
}

const gatewayOf = (snapshot: Snapshot, vpc: string) => snapshot.gateways.get(vpc)

/** Out of an interface with a public address, or through a NAT gateway. */
function outwards(snapshot: Snapshot, from: Interface, packets: Packets, leg: Leg, hops: Hop[]): Packets {
  const own = snapshot.subnets.get(from.subnet)!
  hops.push({ component: from.id, kind: 'interface' })
  let left = leg === 'request' ? pass(throughGroups(snapshot, from, packets, true), hops) : packets
  left = pass(throughAcl(snapshot, own, left, true), hops)
  const gateway = gatewayOf(snapshot, own.vpc)
  const nats = leg === 'request' ? snapshot.network.natGateways.filter(({ isAvailable }) => isAvailable) : []
  const table = snapshot.tables.get(own.routeTable)
  const nat = nats.find(({ id }) => table?.routes.some(({ target, isBlackhole }) => target === id && !isBlackhole))
  if (nat && !table?.routes.some(({ target }) => target === gateway?.id)) {
    left = route(snapshot, own, left, (target) => target === nat.id, hops)
    hops.push({ component: nat.id, kind: 'nat-gateway' })
    const inner = snapshot.interfaces.get(nat.interface)
    if (!inner) throw block('UNSUPPORTED_COMPONENT', nat.id)
    const place = snapshot.subnets.get(inner.subnet)!
    if (place.id !== own.id) left = pass(throughAcl(snapshot, place, left, false), hops)
    // Its own address leaves, and the answers return to it.
    const translated = left.map((each) => ({ ...each, source: pointOf(inner.address), sourcePort: CLIENT_PORTS }))
    const outside = outwards(snapshot, inner, translated, 'answer', hops)
    inwards(snapshot, inner, answers(outside), 'answer', [])
    if (place.id !== own.id) pass(throughAcl(snapshot, place, answers(left), true), [])
    return within(left, box({ destination: hull(outside.map(({ destination }) => destination)) }))
  }
  left = route(snapshot, own, left, (target) => target === gateway?.id, hops)
  if (!gateway) throw block('IGW_NOT_ATTACHED_TO_VPC', own.vpc)
  if (from.publicAddress === undefined) throw block('IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS', gateway.id)
  if (own.blocks === 'all' || (own.blocks === 'ingress' && leg === 'answer' && !from.isUnfiltered))
    throw block('IGW_SUBNET_BLOCKED_BY_VPC_BPA', own.id)
  hops.push({ component: gateway.id, kind: 'internet-gateway' }, { component: INTERNET, kind: 'internet' })
  return left
}

const hull = (ranges: readonly Range[]): Range =>
  ranges.length === 0
    ? ADDRESSES
    : [Math.min(...ranges.map(([first]) => first)), Math.max(...ranges.map(([, last]) => last))]

function inwards(snapshot: Snapshot, to: Interface, packets: Packets, leg: Leg, hops: Hop[]): Packets {
  const own = snapshot.subnets.get(to.subnet)!
  const gateway = gatewayOf(snapshot, own.vpc)
  hops.push({ component: INTERNET, kind: 'internet' })
  if (!gateway) throw block('IGW_NOT_ATTACHED_TO_VPC', own.vpc)
  if (to.publicAddress === undefined) throw block('IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS', gateway.id)
  if (own.blocks !== undefined && leg === 'request') throw block('IGW_SUBNET_BLOCKED_BY_VPC_BPA', own.id)
  hops.push({ component: gateway.id, kind: 'internet-gateway' })
  let left = pass(throughAcl(snapshot, own, packets, false), hops)
  if (leg === 'request') left = pass(throughGroups(snapshot, to, left, false), hops)
  hops.push({ component: to.id, kind: 'interface' })
  return left
}

/** No packet of the internet has an address of the VPC itself as its source. */
function outside(snapshot: Snapshot, { subnet }: Interface, packets: Packets): Packets {
  const own = routesOf(snapshot, snapshot.subnets.get(subnet)?.routeTable ?? '')
  return own
    .filter(({ target }) => target === 'local')
    .reduce<Packets>((left, { range }) => without(left, box({ source: range })), packets)
}

const boxOf = ({ protocol, port }: Question): Partial<Box> => ({
  ...(protocol !== undefined && { protocol: [protocol, protocol] as const }),
  ...(port !== undefined && { destinationPort: [port, port] as const }),
  sourcePort: protocol === undefined || hasPorts(protocol) ? CLIENT_PORTS : PORTS,
})

/** Throws for interfaces that the network does not have. */
export function reach(snapshot: Snapshot, question: Question): Verdict {
  const end = (id: string): Interface | undefined => {
    const found = snapshot.interfaces.get(id)
    if (!found && id !== INTERNET) throw new RangeError(`The network has no interface ${id}.`)
    return found
  }
  const [from, to] = [end(question.from), end(question.to)]
  const forward: Hop[] = []
  const back: Hop[] = []
  const none = (error: unknown, direction: Block['direction']): Verdict => {
    if (!(error instanceof Blocked)) throw error
    return { isReachable: false, packets: [], forward, back, blocked: [{ ...error.block, direction }] }
  }
  const start = box({
    ...boxOf(question),
    ...(from && { source: pointOf(from.address) }),
    ...(to && { destination: pointOf(to.address) }),
  })
  let arrived: Packets
  try {
    // A NAT gateway forwards, and drops what is addressed to itself.
    const nat = snapshot.network.natGateways.find(({ interface: eni }) => eni === to?.id)
    if (nat) throw block('UNSUPPORTED_COMPONENT', nat.id)
    if (from && to) arrived = from.id === to.id ? [start] : between(snapshot, from, to, [start], 'request', forward)
    else if (to) arrived = inwards(snapshot, to, outside(snapshot, to, [start]), 'request', forward)
    else if (from) arrived = outwards(snapshot, from, [start], 'request', forward)
    else arrived = [start]
  } catch (error) {
    return none(error, 'forward')
  }
  const translated = forward.some(({ kind }) => kind === 'nat-gateway')
  try {
    let returned = answers(arrived)
    if (from && to) returned = from.id === to.id ? returned : between(snapshot, to, from, returned, 'answer', back)
    else if (to) returned = outwards(snapshot, to, returned, 'answer', back)
    else if (from && !translated) returned = inwards(snapshot, from, returned, 'answer', back)
    else if (from) returned = pass(throughAcl(snapshot, snapshot.subnets.get(from.subnet)!, returned, false), back)
    return { isReachable: true, packets: answers(returned), forward, back, blocked: [] }
  } catch (error) {
    return none(error, 'return')
  }
}

/** Everything that reaches an interface: the internet, and other interfaces, each with its verdict. */
export function* whoReaches(
  snapshot: Snapshot,
  to: string,
  what: Pick<Question, 'protocol' | 'port'> = {},
): Generator<{ readonly from: string; readonly verdict: Verdict }> {
  for (const from of [INTERNET, ...snapshot.interfaces.keys()]) {
    if (from === to) continue
    const verdict = reach(snapshot, { ...what, from, to })
    if (verdict.isReachable) yield { from, verdict }
  }
}
