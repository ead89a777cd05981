/**
 * A network out of files: outputs of `aws ec2 describe-…` as the AWS CLI writes them, in any number and order, or one file that
 * `merlon net import` has made of them.
 */
import {
  type Described,
  type DescribedInterface,
  type DescribedPermission,
  networkFrom,
  protocolNumber,
  rulesOf,
  tableOf,
} from '../../engines/network/described.ts'
import { compileBoth, type Snapshots } from '../../engines/network/families.ts'
import type { GroupRule, Network } from '../../engines/network/network.ts'
import type { Placement } from '../../engines/network/placement.ts'
import { INTERNET, type Snapshot } from '../../engines/network/reachability.ts'
import { InputError, readJson } from '../policy/files.ts'

/** The lists of the answers, with the commands that return them. */
const REQUIRED = {
  Subnets: 'describe-subnets',
  NetworkInterfaces: 'describe-network-interfaces',
  SecurityGroups: 'describe-security-groups',
  NetworkAcls: 'describe-network-acls',
  RouteTables: 'describe-route-tables',
} as const

const OPTIONAL = {
  InternetGateways: 'describe-internet-gateways',
  EgressOnlyInternetGateways: 'describe-egress-only-internet-gateways',
  VpcEndpoints: 'describe-vpc-endpoints',
  NatGateways: 'describe-nat-gateways',
  VpcPeeringConnections: 'describe-vpc-peering-connections',
  SecurityGroupRules: 'describe-security-group-rules',
  PrefixLists: 'describe-prefix-lists',
  Reservations: 'describe-instances',
  VpcBlockPublicAccessExclusions: 'describe-vpc-block-public-access-exclusions',
} as const

const LISTS = { ...REQUIRED, ...OPTIONAL }
type ListName = keyof typeof LISTS
// biome-ignore lint/suspicious/noExplicitAny: members of descriptions are read where they are used, and may be absent.
type Item = any

/** What was read: each list, and the one object that is no list. */
export interface Descriptions extends Readonly<Record<ListName, readonly Item[]>> {
  readonly VpcBlockPublicAccessOptions?: { readonly InternetGatewayBlockMode?: string }
}

/** Throws an `InputError` for files that are none, and without the lists that every network has. */
export function readDescriptions(files: readonly string[]): Descriptions {
  const found = Object.fromEntries(Object.keys(LISTS).map((name) => [name, []])) as unknown as Record<ListName, Item[]>
  const seen = new Set<string>()
  let options: Descriptions['VpcBlockPublicAccessOptions']
  for (const file of files) {
    const document = readJson(file) as Readonly<Record<string, unknown>> | null
    const names = Object.keys(document ?? {})
    const known = names.filter((name) => name in LISTS && Array.isArray(document![name]))
    for (const name of known) {
      seen.add(name)
      for (const item of document![name] as readonly Item[]) {
        if (typeof item !== 'object' || item === null)
          throw new InputError(`${file}: ${name} has an entry that is no object.`)
        found[name as ListName].push(item)
      }
    }
    if (document && typeof document['VpcBlockPublicAccessOptions'] === 'object')
      options = document['VpcBlockPublicAccessOptions'] as Descriptions['VpcBlockPublicAccessOptions']
    else if (known.length === 0)
      throw new InputError(
        `${file}: is no output of aws ec2 describe-… that is used here: ${Object.values(LISTS).join(', ')}.`,
      )
  }
  const absent = Object.entries(REQUIRED).filter(([name]) => !seen.has(name))
  if (absent.length > 0)
    throw new InputError(`Missing descriptions: ${absent.map(([, command]) => `aws ec2 ${command}`).join(', ')}.`)
  return { ...found, ...(options && { VpcBlockPublicAccessOptions: options }) }
}

/** Rules with their IDs, where `describe-security-group-rules` is among the files; else as the groups describe them. */
function groupsOf(from: Descriptions): Network['groups'] {
  return from.SecurityGroups.map((group) => {
    const rules = from.SecurityGroupRules.filter(({ GroupId }) => GroupId === group.GroupId)
    return {
      id: group.GroupId ?? '',
      rules:
        rules.length > 0
          ? rules.map(ruleOf)
          : [
              ...rulesOf((group.IpPermissions ?? []) as readonly DescribedPermission[], false),
              ...rulesOf((group.IpPermissionsEgress ?? []) as readonly DescribedPermission[], true),
            ],
    }
  })
}

const ruleOf = (rule: Item): GroupRule => ({
  id: rule.SecurityGroupRuleId ?? '',
  egress: rule.IsEgress === true,
  protocol: protocolNumber(rule.IpProtocol),
  from: rule.FromPort ?? -1,
  to: rule.ToPort ?? -1,
  cidr: rule.CidrIpv4 ?? rule.CidrIpv6,
  prefixList: rule.PrefixListId,
  group: rule.ReferencedGroupInfo?.GroupId,
})

export interface NetworkFile {
  readonly snapshots: Snapshots
  /** Of IPv4. */
  readonly snapshot: Snapshot
  /** What the verdicts leave out. */
  readonly warnings: readonly string[]
  /** The ID of the interface that a word names. Throws an `InputError`. */
  endOf(word: string): string
  /** `eni-… (i-…, 10.0.0.5)` */
  label(id: string): string
  placementOf(id: string): Placement
  /** The owner of an interface, where the files say it. */
  accountOf(id: string): string | undefined
  /** The owner and the Region of an interface, where the files say both. */
  placeOf(id: string): { readonly account: string; readonly region: string } | undefined
  /** `ip-10-0-1-5.ec2.internal` */
  privateNameOf(id: string): string | undefined
}

export function openNetwork(files: readonly string[]): NetworkFile {
  const from = readDescriptions(files)
  const described: Described = {
    subnets: from.Subnets,
    interfaces: from.NetworkInterfaces,
    groups: groupsOf(from),
    acls: from.NetworkAcls,
    routeTables: from.RouteTables,
    internetGateways: from.InternetGateways,
    egressOnlyGateways: from.EgressOnlyInternetGateways,
    endpoints: from.VpcEndpoints,
    natGateways: from.NatGateways,
    peerings: from.VpcPeeringConnections,
    prefixLists: from.PrefixLists.map(({ PrefixListId = '', Cidrs = [] }) => ({ id: PrefixListId, cidrs: Cidrs })),
    publicAccess: from.VpcBlockPublicAccessOptions && {
      mode: from.VpcBlockPublicAccessOptions.InternetGatewayBlockMode ?? 'off',
      exclusions: from.VpcBlockPublicAccessExclusions,
    },
  }
  const network = networkFrom(described)
  const snapshots = compileBoth(network)
  const snapshot = snapshots.ipv4
  for (const { id, subnet } of network.interfaces)
    if (!snapshot.subnets.has(subnet)) throw new InputError(`${id}: its subnet ${subnet} is not among the subnets.`)
  const byId = new Map<string, Item>(from.NetworkInterfaces.map((eni) => [eni.NetworkInterfaceId, eni]))
  const labels = new Map(network.interfaces.map((eni) => [eni.id, eni]))
  return {
    snapshots,
    snapshot,
    warnings: warningsOf(from, described),
    endOf: endFinder(from),
    label: (id) => {
      const eni = labels.get(id)
      const names = eni && [eni.instance, eni.address, eni.publicAddress, eni.address6].filter(Boolean)
      return names ? `${id} (${names.join(', ')})` : id
    },
    accountOf: (id) => byId.get(id)?.OwnerId,
    placeOf: (id) => {
      const { OwnerId: account, AvailabilityZone: zone } = byId.get(id) ?? {}
      const region = typeof zone === 'string' ? /^([a-z]{2}(?:-[a-z]+)+-\d)[a-z]$/.exec(zone)?.[1] : undefined
      return typeof account === 'string' && region !== undefined ? { account, region } : undefined
    },
    privateNameOf: (id) => byId.get(id)?.PrivateDnsName,
    placementOf: (id) => placementOf(described, snapshot, id),
  }
}

/** Interfaces by every word that names them: their ID, instance, addresses and Name tags. */
function endFinder(from: Descriptions): (word: string) => string {
  const byWord = new Map<string, Set<string>>()
  const name = (word: string | undefined, id: string) => {
    if (!word) return
    const known = byWord.get(word)
    if (known) known.add(id)
    else byWord.set(word, new Set([id]))
  }
  const nameTag = (tags: Item): string | undefined => (tags ?? []).find(({ Key }: Item) => Key === 'Name')?.Value
  const instances = new Map<string, string | undefined>(
    from.Reservations.flatMap(({ Instances = [] }) =>
      Instances.map(({ InstanceId, Tags }: Item) => [InstanceId, nameTag(Tags)]),
    ),
  )
  for (const eni of from.NetworkInterfaces as readonly (DescribedInterface & Item)[]) {
    const id = eni.NetworkInterfaceId ?? ''
    const instance = eni.Attachment?.InstanceId
    // An instance is where its first interface is.
    const isFirst = (eni.Attachment?.DeviceIndex ?? 0) === 0
    const addresses = [eni.PrivateIpAddress, eni.Association?.PublicIp, eni.Ipv6Addresses?.[0]?.Ipv6Address]
    for (const word of [id, ...addresses, nameTag(eni.TagSet)]) name(word, id)
    if (isFirst) for (const word of [instance, instances.get(instance ?? '')]) name(word, id)
  }
  for (const { VpcEndpointId, VpcEndpointType, NetworkInterfaceIds = [] } of from.VpcEndpoints)
    if (VpcEndpointType === 'Gateway') name(VpcEndpointId, VpcEndpointId)
    else if (NetworkInterfaceIds.length > 0) name(VpcEndpointId, NetworkInterfaceIds[0])
  return (word) => {
    if (word === INTERNET) return INTERNET
    const ids = [...(byWord.get(word) ?? [])]
    if (ids.length === 1) return ids[0]!
    if (ids.length > 1) throw new InputError(`'${word}' names several interfaces: ${ids.join(', ')}.`)
    throw new InputError(
      `'${word}' names no interface of the network: use internet, or the ID, instance, address or Name tag of an interface.`,
    )
  }
}

function placementOf({ subnets, routeTables }: Described, { network, tables }: Snapshot, id: string): Placement {
  const eni = network.interfaces.find((each) => each.id === id)
  if (!eni) throw new InputError(`${id} is an endpoint of a gateway: name an interface.`)
  const subnet = subnets.find(({ SubnetId }) => SubnetId === eni.subnet) ?? {}
  const routeTable = tableOf(routeTables, subnet)
  return {
    interface: id,
    publicAddress: eni.publicAddress,
    subnet: {
      id: eni.subnet,
      isDefault: subnet.DefaultForAz === true,
      givesPublicAddresses: subnet.MapPublicIpOnLaunch === true,
    },
    routeTable,
    gatewayRoutes: (tables.get(routeTable)?.routes ?? [])
      .filter(({ target, isBlackhole }) => target.startsWith('igw-') && !isBlackhole)
      .map(({ destination, target: gateway }) => ({ destination, gateway })),
  }
}

/** What is in the files and not analyzed. */
function warningsOf(from: Descriptions, { groups, prefixLists }: Described): readonly string[] {
  const lists = new Set(prefixLists.map(({ id }) => id))
  const named = [
    ...groups.flatMap(({ rules }) => rules.flatMap(({ prefixList }) => prefixList ?? [])),
    ...from.RouteTables.flatMap(({ Routes = [] }) =>
      Routes.flatMap(({ DestinationPrefixListId }: Item) => DestinationPrefixListId ?? []),
    ),
  ]
  const unknown = [...new Set<string>(named)].filter((id) => !lists.has(id))
  const transit = from.RouteTables.flatMap(({ RouteTableId, Routes = [] }) =>
    Routes.some(({ TransitGatewayId }: Item) => TransitGatewayId) ? [RouteTableId] : [],
  )
  return [
    ...unknown.map((id) => `${id}: the prefix list is unknown and matches nothing. Add aws ec2 describe-prefix-lists.`),
    ...transit.map((id) => `${id}: routes to transit gateways are not analyzed and end a path.`),
  ]
}
