/** A network with its parts by ID, and rules, entries and routes as boxes. Made once for a family of addresses, used for many queries. */
import { type AddressSpace, type Family, IPV4, ipv6Space } from './address-space.ts'
import { type Box, box, type Range } from './boxes.ts'
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

export interface Snapshot {
  readonly network: Network
  readonly space: AddressSpace
  /** Those that have an address of the family: `address` and `publicAddress` are of it. */
  readonly interfaces: ReadonlyMap<string, Interface>
  /** The other ones. */
  readonly withoutAddress: ReadonlySet<string>
  readonly subnets: ReadonlyMap<string, Subnet>
  readonly groups: ReadonlyMap<string, SecurityGroup>
  readonly acls: ReadonlyMap<string, NetworkAcl>
  readonly tables: ReadonlyMap<string, RouteTable>
  /** The addresses of a group's members. */
  readonly members: ReadonlyMap<string, readonly string[]>
  readonly lists: ReadonlyMap<string, readonly string[]>
  /** By VPC. */
  readonly gateways: ReadonlyMap<string, { readonly id: string }>
  readonly egressOnlyGateways: ReadonlyMap<string, { readonly id: string }>
  readonly gatewayEndpoints: ReadonlyMap<string, { readonly id: string; readonly vpc: string }>
  /** Those that work, by ID. NAT is of IPv4. */
  readonly natGateways: ReadonlyMap<string, { readonly id: string; readonly interface: string }>
  readonly natInterfaces: ReadonlyMap<string, string>
  /** What was parsed on the way, by the name of the part. */
  readonly parsed: ParsedParts
}

interface ParsedParts {
  readonly rules: Map<string, readonly ParsedRule[]>
  readonly entries: Map<string, readonly ParsedEntry[]>
  readonly routes: Map<string, readonly ParsedRoute[]>
}

/** What a rule of a group lets through. */
export interface ParsedRule {
  readonly id: string
  readonly boxes: readonly Box[]
}

export interface ParsedEntry {
  readonly number: string
  readonly allow: boolean
  readonly matching: Box
}

export interface ParsedRoute extends Route {
  readonly matching: Box
  readonly range: Range
}

const byId = <T extends { readonly id: string }>(all: readonly T[]): ReadonlyMap<string, T> =>
  new Map(all.map((each) => [each.id, each]))

const byVpc = <T extends { readonly vpc: string }>(all: readonly T[]): ReadonlyMap<string, T> =>
  new Map(all.map((each) => [each.vpc, each]))

/** Every address of IPv6 is a public one. */
const inIpv6 = (eni: Interface): Interface => ({
  ...eni,
  address: eni.address6 ?? '',
  publicAddress: eni.address6,
})

export function compile(network: Network, family: Family = 4): Snapshot {
  const every = family === 4 ? network.interfaces : network.interfaces.map(inIpv6)
  const interfaces = every.filter(({ address }) => address !== '')
  const natGateways = family === 4 ? network.natGateways : []
  const members = new Map<string, string[]>()
  for (const { address, groups } of interfaces) {
    for (const group of groups) {
      const known = members.get(group)
      if (known) known.push(address)
      else members.set(group, [address])
    }
  }
  return {
    network,
    space: family === 4 ? IPV4 : ipv6Space(network),
    interfaces: byId(interfaces),
    withoutAddress: new Set(every.filter(({ address }) => address === '').map(({ id }) => id)),
    subnets: byId(network.subnets),
    groups: byId(network.groups),
    acls: byId(network.acls),
    tables: byId(network.routeTables),
    members,
    lists: new Map(network.prefixLists.map(({ id, cidrs }) => [id, cidrs])),
    gateways: byVpc(network.internetGateways),
    egressOnlyGateways: byVpc(family === 6 ? network.egressOnlyGateways : []),
    gatewayEndpoints: byId(network.gatewayEndpoints),
    natGateways: byId(natGateways.filter(({ isAvailable }) => isAvailable)),
    natInterfaces: new Map(natGateways.map(({ id, interface: eni }) => [eni, id])),
    parsed: { rules: new Map(), entries: new Map(), routes: new Map() },
  }
}

function parsedOnce<V>(known: Map<string, V>, name: string, parse: () => V): V {
  const found = known.get(name)
  if (found !== undefined) return found
  const value = parse()
  known.set(name, value)
  return value
}

/** Of an address that the snapshot has. */
export const pointOf = ({ space }: Pick<Snapshot, 'space'>, address: string): Range => space.rangeOf(address) ?? [0, 0]

export const hasPorts = (protocol: number): boolean => protocol === 6 || protocol === 17
const ICMP: ReadonlySet<number> = new Set([1, 58])

function matched({ protocol, from, to }: Match): Partial<Box> {
  if (protocol === -1) return {}
  const said: Partial<Box> = { protocol: [protocol, protocol] }
  if (hasPorts(protocol)) return { ...said, destinationPort: [Math.max(from, 0), to < 0 ? 65_535 : to] }
  if (ICMP.has(protocol) && from >= 0)
    return { ...said, destinationPort: to < 0 ? [from * 256, from * 256 + 255] : [from * 256 + to, from * 256 + to] }
  return said
}

const rangesOf = ({ space }: Snapshot, texts: readonly string[]): readonly Range[] =>
  texts.map((text) => space.rangeOf(text)).filter((range) => range !== undefined)

function peersOf(snapshot: Snapshot, rule: GroupRule): readonly Range[] {
  if (rule.cidr !== undefined) return rangesOf(snapshot, [rule.cidr])
  if (rule.prefixList !== undefined) return joined(rangesOf(snapshot, snapshot.lists.get(rule.prefixList) ?? []))
  return joined(rangesOf(snapshot, snapshot.members.get(rule.group ?? '') ?? []))
}

/** Ranges that touch become one: members of a group often have addresses in a row. */
function joined(ranges: readonly Range[]): readonly Range[] {
  const found: (readonly [number, number])[] = []
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = found.at(-1)
    if (before && first <= before[1] + 1) found[found.length - 1] = [before[0], Math.max(before[1], last)]
    else found.push([first, last])
  }
  return found
}

export const rulesOf = (snapshot: Snapshot, group: string, egress: boolean): readonly ParsedRule[] =>
  parsedOnce(snapshot.parsed.rules, `${group} ${egress}`, () => {
    const end = egress ? 'destination' : 'source'
    return (snapshot.groups.get(group)?.rules ?? [])
      .filter((rule) => rule.egress === egress)
      .map((rule) => ({
        id: rule.id,
        boxes: peersOf(snapshot, rule).map((peer) => box({ ...matched(rule), [end]: peer })),
      }))
  })

/** In order. */
export const entriesOf = (snapshot: Snapshot, acl: string, egress: boolean): readonly ParsedEntry[] =>
  parsedOnce(snapshot.parsed.entries, `${acl} ${egress}`, () => {
    const end = egress ? 'destination' : 'source'
    return (snapshot.acls.get(acl)?.entries ?? [])
      .filter((entry) => entry.egress === egress)
      .sort((a, b) => a.number - b.number)
      .flatMap((entry) => {
        const range = snapshot.space.rangeOf(entry.cidr)
        if (!range) return []
        const matching = box({ ...matched(entry), [end]: range })
        return [{ number: String(entry.number), allow: entry.allow, matching }]
      })
  })

const isList = ({ destination }: Route): boolean => destination.startsWith('pl-')

/** Longest prefix first; of equal ones, a route of its own before one of a prefix list. */
export const routesOf = (snapshot: Snapshot, table: string): readonly ParsedRoute[] =>
  parsedOnce(snapshot.parsed.routes, table, () =>
    (snapshot.tables.get(table)?.routes ?? [])
      .flatMap((route) => {
        const { destination } = route
        const cidrs = isList(route) ? (snapshot.lists.get(destination) ?? []) : [destination]
        return rangesOf(snapshot, cidrs).map((range) => ({ ...route, range, matching: box({ destination: range }) }))
      })
      .sort((a, b) => a.range[1] - a.range[0] - (b.range[1] - b.range[0]) || Number(isList(a)) - Number(isList(b))),
  )
