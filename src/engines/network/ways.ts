/** The ways between two ends of a network, there and back: each returns what is left of the packets, or throws {@link Blocked}. */
import { answers, type Box, box, type Packets, type Range, withinAny, without } from './boxes.ts'
import { Blocked, type Hop, type Routed, routed, throughAcl, throughGroups } from './filters.ts'
import type { Interface, Subnet } from './network.ts'
import { pointOf, routesOf, type Snapshot } from './snapshot.ts'

export const INTERNET = 'internet'

/** Ports that clients choose for themselves. Source: RFC 6056, and the ephemeral ports of the network ACL guide. */
export const CLIENT_PORTS: Range = [1024, 65_535]

/** A way there, and the way of the answers to what has arrived. */
export interface Way {
  there(hops: Hop[]): Packets
  back(arrived: Packets, hops: Hop[]): Packets
}

/** Whether security groups apply: answers pass them, because they are stateful. */
type Leg = 'request' | 'answer'

const subnetOf = (snapshot: Snapshot, eni: Interface): Subnet => snapshot.subnets.get(eni.subnet)!

/** Out of an interface, to where the groups and, out of the subnet, the network ACL let packets. */
function leaving(snapshot: Snapshot, from: Interface, packets: Packets, leg: Leg, hops: Hop[]): Packets {
  hops.push({ component: from.id, kind: 'interface' })
  return leg === 'request' ? throughGroups(snapshot, from, packets, true, hops) : packets
}

function arriving(snapshot: Snapshot, to: Interface, packets: Packets, leg: Leg, hops: Hop[]): Packets {
  const left = leg === 'request' ? throughGroups(snapshot, to, packets, false, hops) : packets
  hops.push({ component: to.id, kind: 'interface' })
  return left
}

const tableHop = ({ routeTable }: Subnet, ways: readonly Routed[]): Hop => ({
  component: routeTable,
  kind: 'route-table',
  by: ways.flatMap(({ by }) => by),
})

/** From an interface to another one. */
export function between(
  snapshot: Snapshot,
  from: Interface,
  to: Interface,
  packets: Packets,
  leg: Leg,
  hops: Hop[],
): Packets {
  const [own, other] = [subnetOf(snapshot, from), subnetOf(snapshot, to)]
  let left = leaving(snapshot, from, packets, leg, hops)
  if (own.id !== other.id) {
    left = throughAcl(snapshot, own, left, true, hops)
    left = own.vpc === other.vpc ? local(snapshot, own, left, hops) : peered(snapshot, own, other, left, hops)
    left = throughAcl(snapshot, other, left, false, hops)
  }
  return arriving(snapshot, to, left, leg, hops)
}

function local(snapshot: Snapshot, own: Subnet, packets: Packets, hops: Hop[]): Packets {
  const ways = routed(snapshot, own, packets, (target) => target === 'local')
  hops.push(tableHop(own, ways))
  return ways[0]!.packets
}

function peered(snapshot: Snapshot, own: Subnet, other: Subnet, packets: Packets, hops: Hop[]): Packets {
  const links = snapshot.network.peerings.filter(({ vpcs }) => vpcs.includes(own.vpc) && vpcs.includes(other.vpc))
  const ways = routed(snapshot, own, packets, (target) => links.some(({ id }) => id === target))
  hops.push(tableHop(own, ways))
  const active = ways.filter(({ target }) => links.some(({ id, isActive }) => id === target && isActive))
  if (active.length === 0) throw new Blocked('BAD_STATE_PCX', ways[0]!.target)
  for (const { target } of active) hops.push({ component: target, kind: 'vpc-peering-connection' })
  return active.flatMap((way) => way.packets)
}

/** To the service behind a gateway endpoint, whose blocks the routes to it name. */
export function toEndpoint(
  snapshot: Snapshot,
  from: Interface,
  endpoint: { readonly id: string },
  packets: Packets,
): Way {
  const own = subnetOf(snapshot, from)
  const hop: Hop = { component: endpoint.id, kind: 'vpc-endpoint' }
  return {
    there(hops) {
      const left = throughAcl(snapshot, own, leaving(snapshot, from, packets, 'request', hops), true, hops)
      const ways = routed(snapshot, own, left, (target) => target === endpoint.id)
      hops.push(tableHop(own, ways), hop)
      return ways.flatMap((way) => way.packets)
    },
    back(arrived, hops) {
      hops.push(hop)
      return arriving(snapshot, from, throughAcl(snapshot, own, arrived, false, hops), 'answer', hops)
    },
  }
}

// ---- The internet

/** From the internet, through the gateway of the VPC. */
export function inwards(snapshot: Snapshot, to: Interface, packets: Packets, leg: Leg, hops: Hop[]): Packets {
  const own = subnetOf(snapshot, to)
  const gateway = snapshot.gateways.get(own.vpc)
  hops.push({ component: INTERNET, kind: 'internet' })
  if (!gateway) throw new Blocked('IGW_NOT_ATTACHED_TO_VPC', own.vpc)
  if (to.publicAddress === undefined) throw new Blocked('IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS', gateway.id)
  if (own.blocks !== undefined && leg === 'request') throw new Blocked('IGW_SUBNET_BLOCKED_BY_VPC_BPA', own.id)
  hops.push({ component: gateway.id, kind: 'internet-gateway' })
  return arriving(snapshot, to, throughAcl(snapshot, own, packets, false, hops), leg, hops)
}

/** Out of an interface with a public address, through the gateway of the VPC. */
function throughGateway(snapshot: Snapshot, from: Interface, packets: Packets, hops: Hop[]): Packets {
  const own = subnetOf(snapshot, from)
  const gateway = snapshot.gateways.get(own.vpc)
  if (!gateway) throw new Blocked('IGW_NOT_ATTACHED_TO_VPC', own.vpc)
  if (from.publicAddress === undefined) throw new Blocked('IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS', gateway.id)
  if (own.blocks === 'all') throw new Blocked('IGW_SUBNET_BLOCKED_BY_VPC_BPA', own.id)
  hops.push({ component: gateway.id, kind: 'internet-gateway' }, { component: INTERNET, kind: 'internet' })
  return packets
}

/** Answers to the internet leave by the gateway that the requests entered by. */
export function answerOutwards(snapshot: Snapshot, from: Interface, packets: Packets, hops: Hop[]): Packets {
  const own = subnetOf(snapshot, from)
  const left = throughAcl(snapshot, own, leaving(snapshot, from, packets, 'answer', hops), true, hops)
  const gateway = snapshot.gateways.get(own.vpc)
  const ways = routed(snapshot, own, left, (target) => target === gateway?.id)
  hops.push(tableHop(own, ways))
  return throughGateway(snapshot, from, ways[0]!.packets, hops)
}

/** Where packets to the internet leave a VPC, and what of them has left. */
interface Exit {
  readonly kind: 'gateway' | 'egress-only' | 'nat'
  readonly id: string
  /** As they come from the interface. */
  readonly packets: Packets
  /** As a NAT gateway sends them. */
  readonly translated: Packets
  readonly hops: readonly Hop[]
}

/** To the internet: by each prefix of the route table through another gateway. */
export class OutwardWay implements Way {
  readonly #snapshot: Snapshot
  readonly #from: Interface
  readonly #own: Subnet
  readonly #packets: Packets
  #exits: readonly Exit[] = []

  constructor(snapshot: Snapshot, from: Interface, packets: Packets) {
    this.#snapshot = snapshot
    this.#from = from
    this.#own = subnetOf(snapshot, from)
    this.#packets = packets
  }

  there(hops: Hop[]): Packets {
    const left = leaving(this.#snapshot, this.#from, this.#packets, 'request', hops)
    const out = throughAcl(this.#snapshot, this.#own, left, true, hops)
    const ways = routed(this.#snapshot, this.#own, out, (target) => this.#kindOf(target) !== undefined)
    hops.push(tableHop(this.#own, ways))
    const [exits, wrong] = survivors(ways, (way) => this.#exit(way))
    if (wrong) throw wrong
    this.#exits = exits
    hops.push(...exits[0]!.hops)
    return exits.flatMap(({ packets }) => packets)
  }

  back(_arrived: Packets, hops: Hop[]): Packets {
    const [returned, wrong] = survivors(this.#exits, (exit) => this.#return(exit))
    if (wrong) throw wrong
    hops.push(...returned[0]!.hops)
    return returned.flatMap(({ packets }) => packets)
  }

  #kindOf(target: string): Exit['kind'] | undefined {
    const { gateways, egressOnlyGateways, natGateways } = this.#snapshot
    if (gateways.get(this.#own.vpc)?.id === target) return 'gateway'
    if (egressOnlyGateways.get(this.#own.vpc)?.id === target) return 'egress-only'
    return natGateways.has(target) ? 'nat' : undefined
  }

  #exit({ target, packets }: Routed): Exit {
    const kind = this.#kindOf(target)!
    const hops: Hop[] = []
    const exit = { kind, id: target, packets, translated: packets, hops }
    if (kind === 'nat') return { ...exit, translated: this.#throughNat(target, packets, hops) }
    if (kind === 'gateway') throughGateway(this.#snapshot, this.#from, packets, hops)
    else if (this.#own.blocks === 'all') throw new Blocked('IGW_SUBNET_BLOCKED_BY_VPC_BPA', this.#own.id)
    else
      hops.push({ component: target, kind: 'egress-only-internet-gateway' }, { component: INTERNET, kind: 'internet' })
    return exit
  }

  /** Returns the packets that leave the VPC: their source is the gateway. */
  #throughNat(id: string, packets: Packets, hops: Hop[]): Packets {
    const inner = this.#natInterface(id)
    const place = subnetOf(this.#snapshot, inner)
    hops.push({ component: id, kind: 'nat-gateway' })
    const left = place.id === this.#own.id ? packets : throughAcl(this.#snapshot, place, packets, false, hops)
    const source = pointOf(this.#snapshot, inner.address)
    const translated = left.map((each) => ({ ...each, source, sourcePort: CLIENT_PORTS }))
    return answerOutwards(this.#snapshot, inner, translated, hops)
  }

  #natInterface(id: string): Interface {
    const inner = this.#snapshot.interfaces.get(this.#snapshot.natGateways.get(id)!.interface)
    if (!inner) throw new Blocked('UNSUPPORTED_COMPONENT', id)
    return inner
  }

  #return({ kind, id, packets, translated }: Exit): Returned {
    const hops: Hop[] = []
    if (kind === 'gateway')
      return { packets: inwards(this.#snapshot, this.#from, answers(packets), 'answer', hops), hops }
    if (kind === 'nat') return { packets: this.#fromNat(id, packets, translated, hops), hops }
    hops.push({ component: INTERNET, kind: 'internet' }, { component: id, kind: 'egress-only-internet-gateway' })
    return { packets: this.#home(answers(packets), hops), hops }
  }

  /** What comes back to the gateway is, by its other end, what goes back to the interface. */
  #fromNat(id: string, packets: Packets, translated: Packets, hops: Hop[]): Packets {
    const inner = this.#natInterface(id)
    const place = subnetOf(this.#snapshot, inner)
    const returned = inwards(this.#snapshot, inner, answers(translated), 'answer', hops)
    hops.push({ component: id, kind: 'nat-gateway' })
    const left = withinAny(answers(packets), returned.map(byOtherEnd))
    if (place.id === this.#own.id) return arriving(this.#snapshot, this.#from, left, 'answer', hops)
    const out = throughAcl(this.#snapshot, place, left, true, hops)
    return this.#home(local(this.#snapshot, place, out, hops), hops)
  }

  #home(packets: Packets, hops: Hop[]): Packets {
    return arriving(
      this.#snapshot,
      this.#from,
      throughAcl(this.#snapshot, this.#own, packets, false, hops),
      'answer',
      hops,
    )
  }
}

const byOtherEnd = ({ source, sourcePort, protocol }: Box): Box => box({ source, sourcePort, protocol })

interface Returned {
  readonly packets: Packets
  readonly hops: readonly Hop[]
}

/** Those that pass, or the first reason where none does. */
function survivors<T, R>(all: readonly T[], pass: (each: T) => R): readonly [readonly R[], Blocked | undefined] {
  const found: R[] = []
  let wrong: Blocked | undefined
  for (const each of all) {
    try {
      found.push(pass(each))
    } catch (error) {
      if (!(error instanceof Blocked)) throw error
      wrong ??= error
    }
  }
  return [found, found.length > 0 ? undefined : wrong]
}

/** No packet of the internet has an address of the VPC itself as its source. */
export function outside(snapshot: Snapshot, to: Interface, packets: Packets): Packets {
  return routesOf(snapshot, subnetOf(snapshot, to).routeTable)
    .filter(({ target }) => target === 'local')
    .reduce<Packets>((left, { range }) => without(left, box({ source: range })), packets)
}
