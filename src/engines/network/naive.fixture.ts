/** A model of a page that follows one packet at a time: what the analysis is compared with. */
import type { Family } from './address-space.ts'
import { holds, parseAddress, parseBlock, printAddress } from './addresses.ts'
import type { Interface, Match, Network, Subnet } from './network.ts'
import { INTERNET } from './reachability.ts'

export interface Packet {
  readonly source: bigint
  readonly destination: bigint
  readonly protocol: number
  readonly sourcePort: number
  readonly destinationPort: number
}

export const addressValue = (address: string): bigint => parseAddress(address)!.value

/** One of each range that no rule of the random networks divides. */
const NAT_PORTS = [2_000, 40_000, 65_000]

const fits = ({ protocol, from, to }: Match, packet: Packet): boolean =>
  protocol === -1 ||
  (protocol === packet.protocol &&
    ((protocol !== 6 && protocol !== 17) || (from <= packet.destinationPort && packet.destinationPort <= to)))

const reversed = (packet: Packet): Packet => ({
  source: packet.destination,
  destination: packet.source,
  protocol: packet.protocol,
  sourcePort: packet.destinationPort,
  destinationPort: packet.sourcePort,
})

export const addressOf = ({ address, address6 }: Interface, family: Family): string | undefined =>
  family === 4 ? address || undefined : address6

/** Whether the packet arrives, and its answer. */
export function passes(network: Network, family: Family, from: string, to: string, packet: Packet): boolean {
  const eni = (id: string) => network.interfaces.find((each) => each.id === id)
  const [source, target] = [eni(from), eni(to)]
  if ([source, target].some((end) => end && addressOf(end, family) === undefined)) return false
  if (target && network.natGateways.some((nat) => nat.interface === target.id && family === 4)) return false
  const isIn = (cidr: string, value: bigint) =>
    holds(cidr.includes(':') === (family === 6) ? parseBlock(cidr)! : NOTHING, printAddress(family, value))
  const listed = (id: string) => network.prefixLists.find((list) => list.id === id)?.cidrs ?? []
  const subnetOf = ({ subnet }: Interface): Subnet => network.subnets.find(({ id }) => id === subnet)!
  const isPublic = (own: Interface) => (family === 4 ? own.publicAddress : own.address6) !== undefined
  const isMember = (group: string, value: bigint) =>
    network.interfaces.some((each) => {
      const address = addressOf(each, family)
      return each.groups.includes(group) && address !== undefined && addressValue(address) === value
    })
  const groups = (own: Interface, egress: boolean, at: Packet): boolean =>
    own.isUnfiltered === true ||
    network.groups
      .filter(({ id }) => own.groups.includes(id))
      .some(({ rules }) =>
        rules.some((rule) => {
          if (rule.egress !== egress || !fits(rule, at)) return false
          const other = egress ? at.destination : at.source
          if (rule.cidr !== undefined) return isIn(rule.cidr, other)
          if (rule.prefixList !== undefined) return listed(rule.prefixList).some((cidr) => isIn(cidr, other))
          return isMember(rule.group!, other)
        }),
      )
  const acl = ({ acl: id }: Subnet, egress: boolean, at: Packet): boolean => {
    const { entries } = network.acls.find((each) => each.id === id)!
    const ordered = entries.filter((entry) => entry.egress === egress).sort((a, b) => a.number - b.number)
    return (
      ordered.find((entry) => fits(entry, at) && isIn(entry.cidr, egress ? at.destination : at.source))?.allow ?? false
    )
  }
  const routes = ({ routeTable }: Subnet, destination: bigint): string | undefined => {
    const all = network.routeTables
      .find(({ id }) => id === routeTable)!
      .routes.flatMap((route) =>
        (route.destination.startsWith('pl-') ? listed(route.destination) : [route.destination]).map((cidr) => ({
          route,
          cidr,
        })),
      )
    const found = all
      .filter(({ cidr }) => isIn(cidr, destination))
      .sort((a, b) => parseBlock(b.cidr)!.bits - parseBlock(a.cidr)!.bits)[0]?.route
    return found && !found.isBlackhole ? found.target : undefined
  }
  const gateway = ({ vpc }: Subnet) => network.internetGateways.find((each) => each.vpc === vpc)?.id
  const leaves = (own: Interface, at: Packet): boolean => {
    const subnet = subnetOf(own)
    const way = gateway(subnet)
    if (subnet.blocks === 'all' || way === undefined || !isPublic(own)) return false
    return acl(subnet, true, at) && routes(subnet, at.destination) === way
  }
  const enters = (own: Interface, at: Packet): boolean => {
    const subnet = subnetOf(own)
    return gateway(subnet) !== undefined && isPublic(own) && acl(subnet, false, at)
  }
  const crosses = (one: Interface, other: Interface, at: Packet): boolean => {
    const [own, next] = [subnetOf(one), subnetOf(other)]
    if (own.id === next.id) return true
    const way = routes(own, at.destination)
    const link = network.peerings.find(({ id }) => id === way)
    const isPeered = link?.isActive === true && link.vpcs.includes(own.vpc) && link.vpcs.includes(next.vpc)
    return acl(own, true, at) && (own.vpc === next.vpc ? way === 'local' : isPeered) && acl(next, false, at)
  }
  const translated = (own: Interface, at: Packet): boolean => {
    const subnet = subnetOf(own)
    const way = family === 4 && routes(subnet, at.destination)
    const nat = network.natGateways.find(({ id, isAvailable }) => id === way && isAvailable)
    const inner = nat && eni(nat.interface)
    if (!inner || !acl(subnet, true, at)) return false
    const place = subnetOf(inner)
    const isNear = place.id === subnet.id
    if (!isNear && !acl(place, false, at)) return false
    const isThrough = NAT_PORTS.some((sourcePort) => {
      const sent = { ...at, source: addressValue(inner.address), sourcePort }
      return leaves(inner, sent) && enters(inner, reversed(sent))
    })
    const answer = reversed(at)
    const isBack =
      isNear ||
      (acl(place, true, answer) && routes(place, answer.destination) === 'local' && acl(subnet, false, answer))
    return isThrough && isBack
  }
  const leavesOnly = (own: Interface, at: Packet): boolean => {
    const subnet = subnetOf(own)
    const way = network.egressOnlyGateways.find(({ vpc }) => vpc === subnet.vpc)?.id
    if (family === 4 || way === undefined || subnet.blocks === 'all') return false
    return acl(subnet, true, at) && routes(subnet, at.destination) === way && acl(subnet, false, reversed(at))
  }
  const back = reversed(packet)
  const endpoint = network.gatewayEndpoints.find(({ id }) => id === to)
  if (source && endpoint) {
    const own = subnetOf(source)
    const isLeaving = groups(source, true, packet) && acl(own, true, packet)
    return isLeaving && routes(own, packet.destination) === endpoint.id && acl(own, false, back)
  }
  if (source && target) {
    return (
      groups(source, true, packet) &&
      crosses(source, target, packet) &&
      groups(target, false, packet) &&
      crosses(target, source, back)
    )
  }
  if (target) {
    if (subnetOf(target).blocks !== undefined) return false
    return enters(target, packet) && groups(target, false, packet) && leaves(target, back)
  }
  if (source)
    return (
      groups(source, true, packet) &&
      ((leaves(source, packet) && enters(source, back)) || translated(source, packet) || leavesOnly(source, packet))
    )
  return from === INTERNET && endpoint === undefined
}

const NOTHING = { family: 4 as const, first: 1n, last: 0n, bits: 32 }
