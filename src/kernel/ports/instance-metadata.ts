/**
 * The instance metadata port: what the metadata service shows a machine, and the credentials of its role; provided by EC2.
 *
 * @example
 * const shown = await cloud.use(instanceMetadata).shown({ account, region }, 'i-0123456789abcdef0')
 */
import type { Scope } from '../gate/call.ts'
import { port } from './port.ts'

type Place = Pick<Scope, 'account' | 'region'>

export interface ShownMetadata {
  /** What `ModifyInstanceMetadataOptions` sets. */
  readonly isEnabled: boolean
  /** Whether requests need a token: version 2 alone. */
  readonly isTokenRequired: boolean
  /** Of the packets that carry a token: 1 to 64. */
  readonly hopLimit: number
  /** By their path below `/latest/`, without those of credentials. */
  readonly entries: Readonly<Record<string, string>>
  /** Base64. */
  readonly userData: string | undefined
  /** The role of the instance profile, by its name. */
  readonly role: string | undefined
}

export interface InstanceCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Epoch milliseconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

export interface InstanceMetadataPort {
  /** Undefined for machines that do not exist, or do not run. */
  shown(place: Place, instanceId: string): Promise<ShownMetadata | undefined>
  /**
   * A session of the role, which its trust policy lets `ec2.amazonaws.com` assume; `version` of the metadata service is its
   * `ec2:RoleDelivery`. Undefined without a role. Throws the denial.
   */
  credentials(place: Place, instanceId: string, version: 1 | 2): Promise<InstanceCredentials | undefined>
}

export const instanceMetadata = port<InstanceMetadataPort>('instance-metadata')
