/** Groups, network ACLs and public addresses of a VPC as chains of nftables, for the router of a lab. */
import { flowSetsOf, recorded } from './lab-flows.ts'
import type { AclEntry, GroupRule, Interface, Match, Network, Subnet } from './network.ts'

interface FilterInput {
  readonly network: Network
  /** The device that leads to an interface. */
  readonly deviceOf: ReadonlyMap<string, string>
}

/** The name of a chain or set: IDs may have characters that nftables does not take. */
const chain = (kind: string, id: string): string => `${kind}_${id.replaceAll(/[^A-Za-z0-9]/g, '_')}`

function matchText({ protocol, from, to }: Match): string {
  if (protocol === -1) return ''
  if (protocol === 6 || protocol === 17) {
    const [first, last] = [Math.max(from, 0), to < 0 ? 65_535 : to]
    const name = protocol === 6 ? 'tcp' : 'udp'
    return first === 0 && last === 65_535 ? `meta l4proto ${name} ` : `${name} dport ${first}-${last} `
  }
  if (protocol === 1 && from >= 0) return `icmp type ${from} ${to < 0 ? '' : `icmp code ${to} `}`
  return `meta l4proto ${protocol} `
}

/** Texts that match the other end of a packet; none where nothing can match. */
function peerTexts(
  network: Network,
  { cidr, prefixList, group }: Partial<GroupRule>,
  field: string,
): readonly string[] {
  if (group !== undefined) {
    const members = network.interfaces.filter(({ groups }) => groups.includes(group)).map(({ address }) => address)
    return members.length === 0 ? [] : [`ip ${field} { ${[...new Set(members)].join(', ')} } `]
  }
  const cidrs = cidr !== undefined ? [cidr] : (network.prefixLists.find(({ id }) => id === prefixList)?.cidrs ?? [])
  return cidrs.map((each) => `ip ${field} ${each} `)
}

function groupsChain(network: Network, { groups }: Interface, name: string, egress: boolean): string {
  const rules = groups.flatMap((id) => network.groups.find((group) => group.id === id)?.rules ?? [])
  const lines = rules
    .filter((rule) => rule.egress === egress)
    .flatMap((rule) =>
      peerTexts(network, rule, egress ? 'daddr' : 'saddr').map((peer) => `${peer}${matchText(rule)}return`),
    )
  return chainText(name, [...new Set(lines), egress ? 'goto rejected_out' : 'goto rejected_in'])
}

const entryLine = (entry: AclEntry): string =>
  `ip ${entry.egress ? 'daddr' : 'saddr'} ${entry.cidr} ${matchText(entry)}${
    entry.allow ? 'return' : entry.egress ? 'goto rejected_out' : 'goto rejected_in'
  }`

function aclChain(network: Network, id: string, egress: boolean): string {
  const entries = network.acls.find((acl) => acl.id === id)?.entries ?? []
  const lines = entries
    .filter((entry) => entry.egress === egress)
    .sort((a, b) => a.number - b.number)
    .map(entryLine)
  return chainText(chain(egress ? 'out' : 'in', id), [...lines, egress ? 'goto rejected_out' : 'goto rejected_in'])
}

export const chainText = (name: string, lines: readonly string[]): string =>
  `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }\n`

const mapText = (field: string, entries: readonly (readonly [string, string])[]): readonly string[] =>
  entries.length === 0 ? [] : [`${field} vmap { ${entries.map(([key, to]) => `"${key}" : jump ${to}`).join(', ')} }`]

/**
 * In the order of the way: the groups of the sender, which do not look at answers; the network ACL that it leaves through; the one
 * that it enters through; the groups of the receiver.
 */
export function filtersOf(
  { network, deviceOf }: FilterInput,
  own: readonly Interface[],
  subnets: readonly Subnet[],
): string {
  const device = ({ id }: Interface): string => deviceOf.get(id)!
  const devices = own.map(device)
  const inSubnet = (id: string): readonly string[] => own.filter(({ subnet }) => subnet === id).map(device)
  const used = subnets.filter(({ id }) => inSubnet(id).length > 0)
  const acls = [...new Set(used.map(({ acl }) => acl))]
  const filtered = own.filter(({ isUnfiltered }) => !isUnfiltered)
  const aclOf = ({ subnet }: Interface): string => subnets.find(({ id }) => id === subnet)!.acl
  const names = (some: readonly string[]): string => `{ ${some.map((each) => `"${each}"`).join(', ')} }`
  const within = used.map(({ id }) => `iifname ${names(inSubnet(id))} oifname ${names(inSubnet(id))} return`)
  const blocked = used.flatMap(({ id, blocks }) => {
    if (blocks === undefined) return []
    const from = `iifname "igw" oifname ${names(inSubnet(id))} ${blocks === 'all' ? '' : 'ct state new '}drop`
    return blocks === 'all' ? [from, `iifname ${names(inSubnet(id))} oifname "igw" drop`] : [from]
  })
  const published = own.filter(({ publicAddress }) => publicAddress !== undefined)
  const publicMap = (entries: readonly string[]): string => `map { ${entries.join(', ')} }`
  const unpublished =
    published.length === 0
      ? 'oifname "igw" drop'
      : `oifname "igw" ip saddr != { ${published.map(({ address }) => address).join(', ')} } drop`
  return [
    `table ip vpc {\n${flowSetsOf(devices)}`,
    ...filtered.flatMap((eni) => [
      groupsChain(network, eni, `egress_${device(eni)}`, true),
      groupsChain(network, eni, `ingress_${device(eni)}`, false),
    ]),
    ...acls.flatMap((id) => [aclChain(network, id, true), aclChain(network, id, false)]),
    chainText('rejected_out', [...recorded('iifname', 'rejected', devices), 'drop']),
    chainText('rejected_in', [...recorded('oifname', 'rejected', devices), 'drop']),
    chainText('acl_out', [
      ...within,
      ...mapText(
        'iifname',
        own.map((eni) => [device(eni), chain('out', aclOf(eni))]),
      ),
    ]),
    chainText('acl_in', [
      ...within,
      ...mapText(
        'oifname',
        own.map((eni) => [device(eni), chain('in', aclOf(eni))]),
      ),
    ]),
    chainText('groups_out', [
      'ct state established,related return',
      ...mapText(
        'iifname',
        filtered.map((eni) => [device(eni), `egress_${device(eni)}`]),
      ),
    ]),
    chainText('groups_in', [
      'ct state established,related return',
      ...mapText(
        'oifname',
        filtered.map((eni) => [device(eni), `ingress_${device(eni)}`]),
      ),
    ]),
    chainText('forwarded', [
      'type filter hook forward priority 0; policy drop;',
      'iifname "igw" ct status & (dnat | snat) == 0 drop',
      unpublished,
      ...blocked,
      'jump groups_out',
      'jump acl_out',
      ...recorded('iifname', 'accepted', devices),
      'jump acl_in',
      'jump groups_in',
      ...recorded('oifname', 'accepted', devices),
      'accept',
    ]),
    ...(published.length === 0
      ? []
      : [
          chainText('to_private', [
            'type nat hook prerouting priority -100;',
            `iifname "igw" dnat to ip daddr ${publicMap(published.map((eni) => `${eni.publicAddress} : ${eni.address}`))}`,
          ]),
          chainText('to_public', [
            'type nat hook postrouting priority 100;',
            `oifname "igw" snat to ip saddr ${publicMap(published.map((eni) => `${eni.address} : ${eni.publicAddress}`))}`,
          ]),
        ]),
    '}\n',
  ].join('')
}
