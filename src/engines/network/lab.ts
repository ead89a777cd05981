/**
 * A network as Linux can run it: a namespace for each interface, a router for each VPC, and one for the internet, joined by veth
 * pairs; route tables are tables of the kernel, groups and network ACLs are chains of nftables. Pure: commands are made here, and run
 * elsewhere. Written apart from the analysis (reachability.ts), so that one can be compared with the other. IPv4 alone.
 */
import { contains, parseAddress, parseBlock, printAddress, printBlock } from './addresses.ts'
import { chainText, filtersOf } from './lab-filters.ts'
import { API_ADDRESS, API_PORTS, METADATA_ADDRESS, METADATA_PORT, resolversOf, serviceRules } from './lab-services.ts'
import type { Interface, Match, Network, Route } from './network.ts'
import { INTERNET } from './reachability.ts'

export interface LabNamespace {
  readonly name: string
  /** The interface that it is, or `internet`; undefined for routers. */
  readonly end?: string
  /** For `ip -batch`, in the namespace. */
  readonly commands: readonly string[]
  /** For `nft -f`, in the namespace. */
  readonly rules: string
  /** The instance whose metadata service is here. */
  readonly instance?: string
  /** Addresses at which DNS queries are taken. */
  readonly resolvers?: readonly string[]
  /** Whether the API is here. */
  readonly hasApi?: boolean
}

/** A veth pair: the namespace and the name of the device, of both ends. */
export interface LabLink {
  readonly ends: readonly [readonly [namespace: string, device: string], readonly [namespace: string, device: string]]
}

export interface LabPlan {
  readonly namespaces: readonly LabNamespace[]
  readonly links: readonly LabLink[]
  /** The interface that a device of a router leads to. */
  readonly devices: ReadonlyMap<string, { readonly router: string; readonly interface: string }>
}

/** Beyond it a machine would have more namespaces than are useful. */
export const LAB_INTERFACES_MAX = 500
/** Every port of an end is answered at this one. */
export const LAB_PORT = 9_000

/** The router's address on every device, as seen by interfaces and by the internet. */
const ROUTER = '169.254.1.1'
const INTERNET_SIDE = '169.254.1.2'
/** Of the two routers of a peering connection, by its requester and its accepter. */
const PEERS = ['169.254.3.1', '169.254.3.2'] as const
/** RFC 1918. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']
const PUBLISHED_TABLE = 100
const FROM_INTERNET_TABLE = 101
const TABLE_FIRST = 1_000

export class LabError extends Error {
  override readonly name = 'LabError'
}

/**
 * Throws a {@link LabError} for networks that are too large, or have values that are none. `isServed`: with the services of a server
 * (lab-services.ts).
 */
export function labOf(given: Network, { isServed = false }: { readonly isServed?: boolean } = {}): LabPlan {
  const network = checked(given)
  if (network.interfaces.length > LAB_INTERFACES_MAX)
    throw new LabError(
      `A lab has at most ${LAB_INTERFACES_MAX} interfaces; the network has ${network.interfaces.length}.`,
    )
  const owners = new Map<string, string>()
  for (const { id, vpc, address } of network.interfaces) {
    const other = owners.get(`${vpc} ${address}`)
    if (other !== undefined) throw new LabError(`${other} and ${id} have the same address, ${address}.`)
    owners.set(`${vpc} ${address}`, id)
  }
  const vpcs = [...new Set(network.subnets.map(({ vpc }) => vpc))]
  const nat = new Map(
    network.natGateways.filter(({ isAvailable }) => isAvailable).map(({ id, interface: eni }) => [eni, id]),
  )
  const deviceOf = new Map(network.interfaces.map(({ id }, index) => [id, `v${index}`]))
  const routers = vpcs.map((vpc, index) => routerOf({ network, vpc, vpcs, name: `r${index}`, deviceOf }))
  const ends = network.interfaces.map((eni, index) => {
    const end = endOf(eni, `e${index}`, nat.has(eni.id))
    return isServed && !nat.has(eni.id) ? servedEnd(network, eni, end) : end
  })
  const routerOfVpc = new Map(vpcs.map((vpc, index) => [vpc, `r${index}`]))
  const links: LabLink[] = network.interfaces.map(({ vpc }, index) => ({
    ends: [
      [`e${index}`, 'eth0'],
      [routerOfVpc.get(vpc)!, `v${index}`],
    ],
  }))
  const gated = vpcs.filter((vpc) => network.internetGateways.some((gateway) => gateway.vpc === vpc))
  for (const vpc of gated) {
    const router = routerOfVpc.get(vpc)!
    links.push({
      ends: [
        [router, 'igw'],
        ['inet', router],
      ],
    })
  }
  for (const [index, { vpcs: sides, isActive }] of network.peerings.entries()) {
    const [one, other] = sides.map((vpc) => routerOfVpc.get(vpc))
    if (!isActive || !one || !other || one === other) continue
    links.push({
      ends: [
        [one, `p${index}`],
        [other, `p${index}`],
      ],
    })
  }
  return {
    namespaces: [
      ...routers,
      ...ends,
      internetOf(
        network,
        gated.map((vpc) => [vpc, routerOfVpc.get(vpc)!] as const),
        isServed,
      ),
    ],
    links,
    devices: new Map(
      network.interfaces.map(({ id, vpc }) => [
        `${routerOfVpc.get(vpc)} ${deviceOf.get(id)}`,
        { router: routerOfVpc.get(vpc)!, interface: id },
      ]),
    ),
  }
}

function blocksOf(text: string): readonly string[] {
  const block = parseBlock(text)
  if (!block) throw new LabError(`'${text}' is no block of addresses.`)
  return block.family === 4 ? [printBlock(block)] : []
}

/** Everything that becomes part of a command is printed here: descriptions are files of anyone. Blocks of IPv6 are left out. */
function checked(network: Network): Network {
  const address = (text: string): string => {
    const parsed = parseAddress(text)
    if (parsed?.family !== 4) throw new LabError(`'${text}' is no IPv4 address.`)
    return printAddress(4, parsed.value)
  }
  const isNumber = ({ protocol, from, to }: Match): boolean =>
    Number.isInteger(protocol) &&
    protocol >= -1 &&
    protocol <= 255 &&
    [from, to].every((each) => Number.isInteger(each))
  const match = <M extends Match>(rule: M): M => {
    if (!isNumber(rule)) throw new LabError(`Protocol ${rule.protocol}, ${rule.from} to ${rule.to}, is no rule.`)
    return rule
  }
  return {
    ...network,
    interfaces: network.interfaces
      .filter((eni) => eni.address !== '')
      .map((eni) => ({
        ...eni,
        address: address(eni.address),
        ...(eni.publicAddress !== undefined && { publicAddress: address(eni.publicAddress) }),
      })),
    groups: network.groups.map((group) => ({
      ...group,
      rules: group.rules.flatMap((rule) => {
        if (rule.cidr === undefined) return [match(rule)]
        return blocksOf(rule.cidr).map((cidr) => ({ ...match(rule), cidr }))
      }),
    })),
    acls: network.acls.map((acl) => ({
      ...acl,
      entries: acl.entries.flatMap((entry) => blocksOf(entry.cidr).map((cidr) => ({ ...match(entry), cidr }))),
    })),
    routeTables: network.routeTables.map((table) => ({
      ...table,
      routes: table.routes.flatMap((route) =>
        route.destination.startsWith('pl-')
          ? [route]
          : blocksOf(route.destination).map((destination) => ({ ...route, destination })),
      ),
    })),
    prefixLists: network.prefixLists.map((list) => ({ ...list, cidrs: list.cidrs.flatMap(blocksOf) })),
  }
}

// ---- Ends: they answer every port

const answering = (before: readonly string[] = []): string =>
  chainText('incoming', [
    'type nat hook prerouting priority -100;',
    ...before,
    `fib daddr type local meta l4proto tcp redirect to :${LAB_PORT}`,
  ])

function endOf({ id, address }: Interface, name: string, isNat: boolean): LabNamespace {
  const translating = `  chain outgoing {
    type nat hook postrouting priority 100;
    fib saddr type != local snat to ${address}
  }
`
  return {
    name,
    end: id,
    commands: [
      'link set lo up',
      `addr add ${address}/32 dev eth0`,
      'link set eth0 up',
      `route add ${ROUTER}/32 dev eth0 src ${address}`,
      `route add default via ${ROUTER} dev eth0 src ${address}`,
    ],
    // A NAT gateway answers no connection that is made to it.
    rules: isNat ? `table ip translates {\n${translating}}\n` : `table ip answers {\n${answering()}}\n`,
  }
}

function servedEnd(network: Network, eni: Interface, end: LabNamespace): LabNamespace {
  const resolvers = resolversOf(network, eni)
  const addresses = [...resolvers, ...(eni.instance === undefined ? [] : [METADATA_ADDRESS])]
  const metadata = `ip daddr ${METADATA_ADDRESS} tcp dport ${METADATA_PORT} accept`
  return {
    ...end,
    ...(eni.instance !== undefined && { instance: eni.instance }),
    resolvers,
    commands: [...end.commands, ...addresses.map((address) => `addr add ${address}/32 dev lo`)],
    rules: `table ip answers {\n${answering([metadata])}}\n${serviceRules(addresses)}`,
  }
}

/** It has every address that no interface has. */
function internetOf(
  network: Network,
  gated: readonly (readonly [vpc: string, router: string])[],
  isServed: boolean,
): LabNamespace {
  const commands = ['link set lo up']
  for (const [vpc, router] of gated) {
    commands.push(
      `addr add ${INTERNET_SIDE}/32 dev ${router}`,
      `link set ${router} up`,
      ...network.interfaces
        .filter((eni) => eni.vpc === vpc && eni.publicAddress !== undefined)
        .map(
          ({ publicAddress }) =>
            `route add ${publicAddress}/32 via ${ROUTER} dev ${router} onlink table ${PUBLISHED_TABLE}`,
        ),
    )
  }
  // The local table is looked at last: Linux sends from no address that this very table does not have.
  commands.push(
    `rule add pref 10 lookup ${PUBLISHED_TABLE}`,
    'rule add pref 20 lookup local',
    'rule del pref 0',
    'route add local default dev lo table local',
  )
  // What is private, or a VPC's, is nowhere on the internet.
  const subnets = network.subnets.flatMap(({ cidr }) => blocksOf(cidr))
  const absent = [...new Set([...PRIVATE, ...subnets])].map((block) => `ip daddr ${block} drop`)
  const api = isServed ? [`ip daddr ${API_ADDRESS} tcp dport { ${API_PORTS.join(', ')} } accept`] : []
  const rules = `table ip answers {\n${answering([...api, ...absent])}}\n`
  return { name: 'inet', end: INTERNET, commands, rules, hasApi: isServed }
}

// ---- Routers

interface RouterInput {
  readonly network: Network
  readonly vpc: string
  readonly vpcs: readonly string[]
  readonly name: string
  readonly deviceOf: ReadonlyMap<string, string>
}

function routerOf(input: RouterInput): LabNamespace {
  const { network, vpc, name, deviceOf } = input
  const own = network.interfaces.filter((eni) => eni.vpc === vpc)
  const hasGateway = network.internetGateways.some((gateway) => gateway.vpc === vpc)
  const devices = [...own.map(({ id }) => deviceOf.get(id)!), ...(hasGateway ? ['igw'] : []), ...peersOf(input)]
  const commands = ['link set lo up']
  for (const device of devices) {
    const peering = device.startsWith('p') ? network.peerings[Number(device.slice(1))] : undefined
    const address = peering ? PEERS[peering.vpcs[0] === vpc ? 0 : 1] : ROUTER
    commands.push(`addr add ${address}/32 dev ${device}`, `link set ${device} up`)
  }
  const subnets = network.subnets.filter((subnet) => subnet.vpc === vpc)
  const tables = [...new Set(subnets.map(({ routeTable }) => routeTable))]
  for (const [index, id] of tables.entries()) {
    const routes = network.routeTables.find((table) => table.id === id)?.routes ?? []
    commands.push(...routesOf(input, routes, own, TABLE_FIRST + index))
  }
  for (const { id, subnet } of own) {
    const table = tables.indexOf(subnets.find((each) => each.id === subnet)!.routeTable)
    commands.push(`rule add pref 100 iif ${deviceOf.get(id)} lookup ${TABLE_FIRST + table}`)
  }
  // What comes from outside the VPC goes to its interfaces.
  for (const device of devices.filter((each) => !each.startsWith('v')))
    commands.push(`rule add pref 100 iif ${device} lookup ${FROM_INTERNET_TABLE}`)
  for (const { id, address } of own)
    commands.push(`route add ${address}/32 dev ${deviceOf.get(id)} table ${FROM_INTERNET_TABLE}`)
  commands.push(`route add blackhole default table ${FROM_INTERNET_TABLE}`)
  return { name, commands, rules: filtersOf(input, own, subnets) }
}

/** Devices of active peering connections. */
const peersOf = ({ network, vpc, vpcs }: RouterInput): readonly string[] =>
  network.peerings.flatMap(({ vpcs: sides, isActive }, index) =>
    isActive && sides.includes(vpc) && sides.every((side) => vpcs.includes(side)) && sides[0] !== sides[1]
      ? [`p${index}`]
      : [],
  )

const prefixesOf = (network: Network, { destination }: Route): readonly string[] =>
  destination.startsWith('pl-')
    ? (network.prefixLists.find(({ id }) => id === destination)?.cidrs ?? [])
    : [destination]

/** One table of the kernel. `local` is a route to each interface that no longer prefix leads elsewhere. */
function routesOf(input: RouterInput, routes: readonly Route[], own: readonly Interface[], table: number): string[] {
  const { network, deviceOf } = input
  const all = routes.flatMap((route) => prefixesOf(network, route).map((cidr) => ({ cidr, route })))
  const commands: string[] = []
  const longestFor = (address: string): Route | undefined => {
    const value = parseAddress(address)!.value
    const point = { family: 4 as const, first: value, last: value }
    return all
      .filter(({ cidr }) => contains(parseBlock(cidr)!, point))
      .sort((a, b) => parseBlock(b.cidr)!.bits - parseBlock(a.cidr)!.bits)[0]?.route
  }
  // Interfaces of one subnet reach each other without a route.
  for (const eni of own)
    if (longestFor(eni.address)?.target === 'local')
      commands.push(`route add ${eni.address}/32 dev ${deviceOf.get(eni.id)} table ${table}`)
  const seen = new Set<string>()
  for (const { cidr, route } of all) {
    if (seen.has(cidr)) continue
    seen.add(cidr)
    const way = route.isBlackhole ? undefined : wayOf(input, route.target)
    commands.push(`route add ${way ? '' : 'blackhole '}${cidr}${way ? ` ${way}` : ''} table ${table}`)
  }
  if (!seen.has('0.0.0.0/0')) commands.push(`route add blackhole default table ${table}`)
  return commands
}

/** Undefined where it leads nowhere that the lab has. */
function wayOf({ network, vpc, deviceOf, ...input }: RouterInput, target: string): string | undefined {
  if (network.internetGateways.some(({ id, vpc: at }) => id === target && at === vpc))
    return `via ${INTERNET_SIDE} dev igw onlink`
  const nat = network.natGateways.find(({ id, isAvailable }) => id === target && isAvailable)
  const eni = network.interfaces.find(({ id }) => id === (nat?.interface ?? target))
  if (eni?.vpc === vpc) return `via ${eni.address} dev ${deviceOf.get(eni.id)} onlink`
  const index = network.peerings.findIndex(({ id }) => id === target)
  const device = `p${index}`
  if (!peersOf({ network, vpc, deviceOf, ...input }).includes(device)) return undefined
  return `via ${PEERS[network.peerings[index]!.vpcs[0] === vpc ? 1 : 0]} dev ${device} onlink`
}
