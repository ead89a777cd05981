/** Machines, as records: instances, images, key pairs, volumes and snapshots. */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Sealed } from '../../vault/sealed-value.ts'
import { arn, arnIn, PENDING_MS, SHOWN_AFTER_DELETION_MS } from './resources.ts'
import { define, type Item } from './words.ts'

export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated'

export interface InstanceRow extends Item<EC2.Instance> {
  readonly reservation: string
  /** Where it is going, and since when. */
  readonly goal: 'running' | 'stopped' | 'terminated'
  readonly since: number
  readonly interfaces: readonly string[]
  readonly userData?: Sealed
  readonly termination: { readonly disabled: boolean; readonly behavior: 'stop' | 'terminate' }
  readonly reason?: string
}

const VIA = { running: 'pending', stopped: 'stopping', terminated: 'shutting-down' } as const
export const instanceState = ({ goal, since }: InstanceRow, now: number): InstanceState =>
  now - since < PENDING_MS ? VIA[goal] : goal

export const STATE_CODES: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
}

export const instance = define<EC2.Instance, InstanceRow>({
  kind: 'instance',
  type: 'AWS::EC2::Instance',
  arn: arn('instance', 'InstanceId'),
  prefix: 'i',
  code: 'InvalidInstanceID',
  absent: (id) => `The instance ID '${id}' does not exist`,
  keys: (row, _call, input) => {
    const tokens = row?.data.MetadataOptions?.HttpTokens ?? input.MetadataOptions?.HttpTokens ?? 'required'
    const endpoint = row?.data.MetadataOptions?.HttpEndpoint ?? input.MetadataOptions?.HttpEndpoint ?? 'enabled'
    const hops =
      row?.data.MetadataOptions?.HttpPutResponseHopLimit ?? input.MetadataOptions?.HttpPutResponseHopLimit ?? 2
    const profile = row?.data.IamInstanceProfile?.Arn ?? input.IamInstanceProfile?.Arn
    return {
      'ec2:InstanceID': row?.id,
      'ec2:InstanceType': row?.data.InstanceType ?? input.InstanceType ?? 'm1.small',
      'ec2:AvailabilityZone': row?.data.Placement?.AvailabilityZone ?? input.Placement?.AvailabilityZone,
      'ec2:AvailabilityZoneId': row?.data.Placement?.AvailabilityZoneId,
      'ec2:Tenancy': row?.data.Placement?.Tenancy ?? input.Placement?.Tenancy ?? 'default',
      'ec2:EbsOptimized': String(row?.data.EbsOptimized ?? input.EbsOptimized ?? false),
      'ec2:RootDeviceType': 'ebs',
      'ec2:InstanceMarketType': 'on-demand',
      'ec2:InstanceProfile': profile,
      'ec2:MetadataHttpTokens': tokens,
      'ec2:MetadataHttpEndpoint': endpoint,
      'ec2:MetadataHttpPutResponseHopLimit': String(hops),
    }
  },
  isGone: (row, now) => row.goal === 'terminated' && now - row.since >= SHOWN_AFTER_DELETION_MS,
})

export const image = define<EC2.Image>({
  kind: 'image',
  type: 'AWS::EC2::Image',
  arn: arn('image', 'ImageId', ''),
  prefix: 'ami',
  code: 'InvalidAMIID',
  absent: (id) => `The image id '[${id}]' does not exist`,
  keys: (row) => ({
    'ec2:ImageID': row?.id,
    'ec2:ImageType': 'machine',
    'ec2:Owner': row?.data.ImageOwnerAlias ?? row?.data.OwnerId,
    'ec2:Public': row?.data.Public === undefined ? undefined : String(row.data.Public),
    'ec2:RootDeviceType': 'ebs',
  }),
})

export interface KeyPairRow extends Item<EC2.KeyPairInfo> {
  readonly publicKey: string
}

/** Named by its name; its ID is shown. */
export const keyPair = define<EC2.KeyPairInfo, KeyPairRow>({
  kind: 'key-pair',
  type: 'AWS::EC2::KeyPair',
  arn: arn('key-pair', 'KeyPairName'),
  prefix: 'key',
  pattern: '[^/:\\x00-\\x1f\\x7f]{1,255}',
  code: 'InvalidKeyPair',
  absent: (id) => `The key pair '${id}' does not exist`,
  keys: (row, _call, input) => ({
    'ec2:KeyPairName': row?.id ?? input.KeyName,
    'ec2:KeyPairType': row?.data.KeyType ?? input.KeyType ?? 'rsa',
  }),
  show: (row) => ({ ...row.data, CreateTime: new Date(row.createdAt) }),
})

export const volume = define<EC2.Volume>({
  kind: 'volume',
  type: 'AWS::EC2::Volume',
  arn: arn('volume', 'VolumeId'),
  prefix: 'vol',
  code: 'InvalidVolume',
  absent: (id) => `The volume '${id}' does not exist.`,
  keys: (row, call, input) => ({
    'ec2:VolumeID': row?.id,
    'ec2:AvailabilityZone': row?.data.AvailabilityZone ?? input.AvailabilityZone,
    'ec2:AvailabilityZoneId': row?.data.AvailabilityZoneId ?? input.AvailabilityZoneId,
    'ec2:Encrypted': String(row?.data.Encrypted ?? input.Encrypted ?? false),
    'ec2:KmsKeyId': row?.data.KmsKeyId ?? input.KmsKeyId,
    'ec2:VolumeType': row?.data.VolumeType ?? input.VolumeType ?? 'gp2',
    'ec2:VolumeSize': numeric(row?.data.Size ?? input.Size),
    'ec2:VolumeIops': numeric(row?.data.Iops ?? input.Iops),
    'ec2:VolumeThroughput': numeric(row?.data.Throughput ?? input.Throughput),
    'ec2:ParentSnapshot': arnIn(call, 'snapshot', row?.data.SnapshotId ?? input.SnapshotId, ''),
  }),
  show: (row) => ({ ...row.data, CreateTime: new Date(row.createdAt) }),
})

const timeOf = (ms: number): string | undefined => (Number.isFinite(ms) ? new Date(ms).toISOString() : undefined)

const numeric = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value))

export const snapshot = define<EC2.Snapshot>({
  kind: 'snapshot',
  type: 'AWS::EC2::Snapshot',
  arn: arn('snapshot', 'SnapshotId', ''),
  prefix: 'snap',
  code: 'InvalidSnapshot',
  absent: (id) => `The snapshot '${id}' does not exist.`,
  keys: (row, call, input) => ({
    'ec2:SnapshotID': row?.id,
    'ec2:Owner': row?.account,
    'ec2:ParentVolume': arnIn(call, 'volume', row?.data.VolumeId ?? input.VolumeId),
    'ec2:Encrypted': row?.data.Encrypted === undefined ? undefined : String(row.data.Encrypted),
    'ec2:VolumeSize': numeric(row?.data.VolumeSize),
    'ec2:SnapshotTime': row && timeOf(row.createdAt),
  }),
  show: (row) => ({ ...row.data, StartTime: new Date(row.createdAt) }),
})

export const instanceConnectEndpoint = define<EC2.Ec2InstanceConnectEndpoint>({
  kind: 'instance-connect-endpoint',
  type: 'AWS::EC2::InstanceConnectEndpoint',
  arn: arn('instance-connect-endpoint', 'InstanceConnectEndpointId'),
  prefix: 'eice',
  code: 'InvalidInstanceConnectEndpointId',
  absent: (id) => `The instance connect endpoint ID '${id}' does not exist`,
  keys: (row, call, input) => ({
    'ec2:SubnetID': row?.data.SubnetId ?? input.SubnetId ?? arnIn(call, 'subnet', undefined),
  }),
  show: (row, now) => ({
    ...row.data,
    CreatedAt: new Date(row.createdAt),
    State: now - row.createdAt < PENDING_MS ? 'create-in-progress' : 'create-complete',
  }),
})
