/** The network port: subnets, security groups and machines of an account, for services that place resources in a VPC; provided by EC2. */

import { type Key, under } from '../../store/store.ts'
import type { Call, Scope } from '../gate/call.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface NetworkSubnet {
  readonly id: string
  readonly vpcId: string
  /** `us-east-1a` */
  readonly zone: string
  readonly cidr: string
}

export interface NetworkMachine {
  readonly vpcId: string
  /** Its private IPv4 address. */
  readonly address: string
  readonly zone: string
  readonly isRunning: boolean
}

/** Interfaces of another service's resource: one in each subnet. */
export interface ManagedInterfaces {
  /** Names the resource among those of the service, as AWS does: `ELB app/web/0123456789abcdef`. */
  readonly description: string
  /** `amazon-elb` */
  readonly requester: string
  /** None: all interfaces of the resource are removed. */
  readonly subnets: readonly string[]
  readonly groups: readonly string[]
  /** Each gets a public address of its own. */
  readonly isPublic: boolean
}

type Rows = Pick<Reader, 'get' | 'range'>
type Place = Pick<Scope, 'account' | 'region'>

/** Every answer is undefined for what does not exist in this account and Region. */
export interface NetworkPort {
  vpc(reader: Rows, place: Place, id: string): Promise<{ readonly cidrs: readonly string[] } | undefined>
  subnet(reader: Rows, place: Place, id: string): Promise<NetworkSubnet | undefined>
  securityGroup(reader: Rows, place: Place, id: string): Promise<{ readonly vpcId: string } | undefined>
  /** The ID of the group that each VPC begins with. */
  defaultSecurityGroup(reader: Rows, place: Place, vpcId: string): Promise<string | undefined>
  machine(reader: Rows, place: Place, id: string): Promise<NetworkMachine | undefined>
  /** All interfaces, with their private, public and IPv6 addresses; `instanceId` is empty without a machine. */
  interfaces(
    reader: Rows,
    place: Place,
  ): Promise<readonly { readonly vpcId: string; readonly instanceId: string; readonly addresses: readonly string[] }[]>
  /** Makes the interfaces of a resource those that are wanted, in the transaction of the call. */
  placeInterfaces(call: Call, wanted: ManagedInterfaces): Promise<void>
  /** All machines that are not terminated, with their private and public addresses. */
  machines(
    reader: Rows,
    place: Place,
  ): Promise<
    readonly {
      readonly instanceId: string
      readonly account: string
      readonly addresses: readonly string[]
      readonly interfaceIds: readonly string[]
    }[]
  >
}

/** Prefix of the documents that `machine` reads. */
export const MACHINE_DOCUMENTS: Key = under('ec2', 'instance')

export const network = port<NetworkPort>('network')
