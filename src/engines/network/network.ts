/** A network as reachability is computed on: plain values, whatever they were read from. */

/** A rule of a security group, or an entry of a network ACL, for one protocol and range of ports. */
export interface Match {
  /** -1 is every protocol. */
  readonly protocol: number
  /** Of TCP and UDP. ICMP of both families: type and code, -1 for any. */
  readonly from: number
  readonly to: number
}

export interface GroupRule extends Match {
  readonly id: string
  readonly egress: boolean
  /** The other end: a block, a prefix list or a group. */
  readonly cidr?: string | undefined
  readonly prefixList?: string | undefined
  readonly group?: string | undefined
}

export interface SecurityGroup {
  readonly id: string
  readonly rules: readonly GroupRule[]
}

export interface AclEntry extends Match {
  readonly number: number
  readonly egress: boolean
  readonly allow: boolean
  readonly cidr: string
}

export interface NetworkAcl {
  readonly id: string
  readonly entries: readonly AclEntry[]
}

export interface Route {
  /** A block, or the ID of a prefix list. */
  readonly destination: string
  /** `local`, or the ID of a gateway, NAT gateway, peering connection, interface or gateway endpoint. */
  readonly target: string
  readonly isBlackhole: boolean
}

export interface RouteTable {
  readonly id: string
  readonly routes: readonly Route[]
}

export interface Subnet {
  readonly id: string
  readonly vpc: string
  readonly cidr: string
  readonly cidr6?: string | undefined
  readonly routeTable: string
  readonly acl: string
  /** Set where VPC Block Public Access stops traffic of the internet gateway. */
  readonly blocks?: 'ingress' | 'all' | undefined
}

export interface Interface {
  readonly id: string
  readonly subnet: string
  readonly vpc: string
  /** Its primary private one; empty where it has no IPv4 address. */
  readonly address: string
  readonly publicAddress?: string | undefined
  /** Its first one of IPv6, which the internet reaches without another. */
  readonly address6?: string | undefined
  readonly groups: readonly string[]
  /** Gateways that AWS manages have no groups: everything passes. */
  readonly isUnfiltered?: boolean | undefined
  readonly instance?: string | undefined
}

export interface Network {
  readonly subnets: readonly Subnet[]
  readonly interfaces: readonly Interface[]
  readonly groups: readonly SecurityGroup[]
  readonly acls: readonly NetworkAcl[]
  readonly routeTables: readonly RouteTable[]
  readonly internetGateways: readonly { readonly id: string; readonly vpc: string }[]
  /** Let IPv6 out, and its answers in. */
  readonly egressOnlyGateways: readonly { readonly id: string; readonly vpc: string }[]
  /** Lead from a VPC to the blocks of a service; routes of prefix lists name them. */
  readonly gatewayEndpoints: readonly { readonly id: string; readonly vpc: string }[]
  readonly natGateways: readonly { readonly id: string; readonly interface: string; readonly isAvailable: boolean }[]
  readonly peerings: readonly {
    readonly id: string
    readonly vpcs: readonly [string, string]
    readonly isActive: boolean
  }[]
  readonly prefixLists: readonly { readonly id: string; readonly cidrs: readonly string[] }[]
}
