/** Addresses that are somebody's neighbourhood: what strangers must not make a server reach. */
import { BlockList, isIPv6 } from 'node:net'

type Subnet = readonly [net: string, prefix: number]

/** Source: the special-purpose address registries of RFC 6890. */
const INSIDE: readonly Subnet[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
]

/** Where clouds hand out the credentials of machines: link-local, AWS over IPv6, Alibaba, Oracle. */
const METADATA: readonly Subnet[] = [
  ['169.254.0.0', 16],
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
]

const inside = listOf(INSIDE)
const metadata = listOf(METADATA)

/** Private, loopback, link-local, multicast: nothing of the public internet. */
export const isInside = (address: string): boolean => inside.check(address, familyOf(address))

/** Never to be reached on anybody's behalf, whatever a list says. */
export const isMetadata = (address: string): boolean => metadata.check(address, familyOf(address))

function familyOf(address: string) {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}

function listOf(subnets: readonly Subnet[]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, familyOf(net))
  return list
}
