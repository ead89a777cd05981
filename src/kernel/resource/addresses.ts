/** Addresses that no caller may make a server connect to: whatever is not the public internet. */
import { BlockList, isIPv6 } from 'node:net'

type Subnet = readonly [net: string, prefix: number]

/** Source: the special-purpose address registries of RFC 6890, as of 2026: https://www.iana.org/assignments/iana-ipv4-special-registry */
const SPECIAL: readonly Subnet[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  // Documentation: RFC 5737.
  ['192.0.2.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // The anycast of 6to4 relays.
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  // Multicast and reserved.
  ['224.0.0.0', 3],
  // Global unicast of IPv6 is 2000::/3 alone: RFC 4291. The rest is loopback, mapped, translated, private, link-local, multicast.
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  // Protocol assignments (Teredo, ORCHID, benchmarks), documentation, 6to4.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

/** Where clouds issue the credentials of machines: link-local, AWS over IPv6, Alibaba, Oracle. */
const METADATA: readonly Subnet[] = [
  ['169.254.0.0', 16],
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
]

const special = listsOf(SPECIAL)
const metadata = listsOf(METADATA)

/** Private, loopback, link-local, multicast, documentation: nothing of the public internet. */
export const isPrivateAddress = (address: string): boolean => holds(special, address)

/** Never to be reached, whatever a list says; as IPv6 writes IPv4 addresses, too. */
export const isMetadata = (address: string): boolean =>
  holds(metadata, address) || (isPrivateAddress(address) && embedded(address).some((each) => holds(metadata, each)))

/**
 * The IPv4 addresses that an IPv6 address may represent, for any gateway that translates it: RFC 4291, 6052, 3056,
 * 4380.
 */
function embedded(address: string): readonly string[] {
  const groups = groupsOf(address)
  if (!groups) return []
  const at = (high: number, low: number) => [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  const half = (from: number) => ((groups[from]! & 0xff) << 8) | (groups[from + 1]! >> 8)
  return [
    // ::a.b.c.d, ::ffff:a.b.c.d, 64:ff9b::a.b.c.d and any prefix of 96 bits.
    at(groups[6]!, groups[7]!),
    // 64:ff9b:1::/48 and other prefixes of 48, 32 and 64 bits: bits 64 to 71 are zero between the halves.
    at(groups[3]!, half(4)),
    at(groups[2]!, groups[3]!),
    at(half(4), half(5)),
    // 2002:a.b.c.d::
    at(groups[1]!, groups[2]!),
    // Teredo writes the client's address inverted.
    at(groups[6]! ^ 0xffff, groups[7]! ^ 0xffff),
  ]
}

/** The eight groups; undefined for IPv4. */
function groupsOf(address: string): readonly number[] | undefined {
  if (!isIPv6(address)) return undefined
  const plain = address.replace(/%.*$/, '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, a, b, c, d) => {
    const hex = (high: string, low: string) => ((Number(high) << 8) | Number(low)).toString(16)
    return `${hex(a, b)}:${hex(c, d)}`
  })
  const [head = '', tail] = plain.split('::')
  const numbers = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [numbers(head), numbers(tail ?? '')]
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

interface Lists {
  readonly ipv4: BlockList
  readonly ipv6: BlockList
}

function familyOf(address: string): keyof Lists {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}

/** By family: a list for both would take an IPv4 address for its mapped form. */
function listsOf(subnets: readonly Subnet[]): Lists {
  const lists: Lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const [net, prefix] of subnets) lists[familyOf(net)].addSubnet(net, prefix, familyOf(net))
  return lists
}

function holds(lists: Lists, address: string): boolean {
  return lists[familyOf(address)].check(address.replace(/%.*$/, ''), familyOf(address))
}
