/** Random small networks, and a model of a page that follows one packet at a time: what the analysis is compared with. */
import { parseAddress, parseBlock } from './addresses.ts'
import type { Interface, Match, Network, Subnet } from './network.ts'
import { INTERNET } from './reachability.ts'

export interface Packet {
  readonly source: number
  readonly destination: number
  readonly protocol: number
  readonly sourcePort: number
  readonly destinationPort: number
}

export const numberOf = (address: string): number => Number(parseAddress(address)!.value)
const isIn = (cidr: string, address: number): boolean => {
  const block = parseBlock(cidr)!
  return Number(block.first) <= address && address <= Number(block.last)
}
const fits = ({ protocol, from, to }: Match, packet: Packet): boolean =>
  protocol === -1 ||
  (protocol === packet.protocol && (protocol === 1 || (from <= packet.destinationPort && packet.destinationPort <= to)))

const reversed = (packet: Packet): Packet => ({
  source: packet.destination,
  destination: packet.source,
  protocol: packet.protocol,
  sourcePort: packet.destinationPort,
  destinationPort: packet.sourcePort,
})

/** Whether the packet arrives, and its answer. */
export function passes(network: Network, from: string, to: string, packet: Packet): boolean {
  const eni = (id: string) => network.interfaces.find((each) => each.id === id)
  const [source, target] = [eni(from), eni(to)]
  const subnetOf = ({ subnet }: Interface): Subnet => network.subnets.find(({ id }) => id === subnet)!
  const groups = ({ groups: ids }: Interface, egress: boolean, at: Packet): boolean =>
    network.groups
      .filter(({ id }) => ids.includes(id))
      .some(({ rules }) =>
        rules.some((rule) => {
          if (rule.egress !== egress || !fits(rule, at)) return false
          const other = egress ? at.destination : at.source
          if (rule.cidr !== undefined) return isIn(rule.cidr, other)
          return network.interfaces.some(
            (each) => each.groups.includes(rule.group!) && numberOf(each.address) === other,
          )
        }),
      )
  const acl = ({ acl: id }: Subnet, egress: boolean, at: Packet): boolean => {
    const { entries } = network.acls.find((each) => each.id === id)!
    const ordered = entries.filter((entry) => entry.egress === egress).sort((a, b) => a.number - b.number)
    return (
      ordered.find((entry) => fits(entry, at) && isIn(entry.cidr, egress ? at.destination : at.source))?.allow ?? false
    )
  }
  const routes = ({ routeTable }: Subnet, destination: number): string | undefined => {
    const { routes: all } = network.routeTables.find(({ id }) => id === routeTable)!
    const found = all
      .filter((route) => isIn(route.destination, destination))
      .sort((a, b) => parseBlock(b.destination)!.bits - parseBlock(a.destination)!.bits)[0]
    return found && !found.isBlackhole ? found.target : undefined
  }
  const gateway = ({ vpc }: Subnet) => network.internetGateways.find((each) => each.vpc === vpc)?.id
  const leaves = (own: Interface, at: Packet): boolean => {
    const subnet = subnetOf(own)
    const way = gateway(subnet)
    return (
      acl(subnet, true, at) &&
      way !== undefined &&
      routes(subnet, at.destination) === way &&
      own.publicAddress !== undefined
    )
  }
  const enters = (own: Interface, at: Packet): boolean => {
    const subnet = subnetOf(own)
    return gateway(subnet) !== undefined && own.publicAddress !== undefined && acl(subnet, false, at)
  }
  const crosses = (one: Interface, other: Interface, at: Packet): boolean => {
    const [own, next] = [subnetOf(one), subnetOf(other)]
    if (own.id === next.id) return true
    return acl(own, true, at) && routes(own, at.destination) === 'local' && acl(next, false, at)
  }
  const back = reversed(packet)
  if (source && target) {
    return (
      groups(source, true, packet) &&
      crosses(source, target, packet) &&
      groups(target, false, packet) &&
      crosses(target, source, back)
    )
  }
  if (target) return enters(target, packet) && groups(target, false, packet) && leaves(target, back)
  if (source) return groups(source, true, packet) && leaves(source, packet) && enters(source, back)
  return from === INTERNET
}

/** A pseudo-random number below `n`; the same sequence for the same seed. */
export function randomFrom(seed: number): (n: number) => number {
  let state = seed >>> 0
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

const CIDRS = [
  '0.0.0.0/0',
  '10.0.0.0/16',
  '10.0.1.0/24',
  '10.0.2.0/24',
  '10.0.1.16/28',
  '198.51.100.0/24',
  '128.0.0.0/1',
]
const PORTS = [
  [22, 22],
  [80, 443],
  [0, 65_535],
  [1024, 65_535],
  [32_768, 60_999],
] as const

/** One VPC, three subnets, up to six interfaces. */
export function randomNetwork(random: (n: number) => number): Network {
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!
  const match = (): Match => {
    const protocol = pick([-1, 6, 6, 6, 17, 1])
    const [from, to] = protocol === 6 || protocol === 17 ? pick(PORTS) : [-1, -1]
    return { protocol, from, to }
  }
  const groups = ['sg-1', 'sg-2', 'sg-3'].map((id) => ({
    id,
    rules: Array.from({ length: 1 + random(4) }, (_, index) => ({
      id: `sgr-${id}-${index}`,
      egress: random(2) === 0,
      ...match(),
      ...(random(3) === 0 ? { group: pick(['sg-1', 'sg-2', 'sg-3']) } : { cidr: pick(CIDRS) }),
    })),
  }))
  const acls = ['acl-1', 'acl-2'].map((id) => ({
    id,
    entries: Array.from({ length: 2 + random(5) }, (_, index) => ({
      number: (index + 1) * 10,
      egress: random(2) === 0,
      allow: random(4) > 0,
      ...(random(2) === 0 ? { protocol: -1, from: -1, to: -1 } : match()),
      cidr: pick(CIDRS),
    })),
  }))
  const routeTables = ['rtb-1', 'rtb-2'].map((id) => ({
    id,
    routes: [
      { destination: '10.0.0.0/16', target: 'local', isBlackhole: false },
      ...(random(3) > 0
        ? [
            {
              destination: pick(['0.0.0.0/0', '198.51.100.0/24', '128.0.0.0/1']),
              target: 'igw-1',
              isBlackhole: random(5) === 0,
            },
          ]
        : []),
    ],
  }))
  const subnets = [1, 2, 3].map((number) => ({
    id: `subnet-${number}`,
    vpc: 'vpc-1',
    cidr: `10.0.${number}.0/24`,
    routeTable: pick(['rtb-1', 'rtb-2']),
    acl: pick(['acl-1', 'acl-2']),
  }))
  const interfaces = Array.from({ length: 2 + random(5) }, (_, index) => {
    const number = 1 + random(3)
    return {
      id: `eni-${index}`,
      subnet: `subnet-${number}`,
      vpc: 'vpc-1',
      address: `10.0.${number}.${10 + index}`,
      groups: [...new Set([pick(['sg-1', 'sg-2', 'sg-3']), pick(['sg-1', 'sg-2', 'sg-3'])])],
      ...(random(2) === 0 && { publicAddress: `198.18.0.${index + 1}` }),
    }
  })
  return {
    subnets,
    interfaces,
    groups,
    acls,
    routeTables,
    internetGateways: random(5) > 0 ? [{ id: 'igw-1', vpc: 'vpc-1' }] : [],
    natGateways: [],
    peerings: [],
    prefixLists: [],
  }
}
