/** Instances: records of machines. Their state and network are real here; a machine behind one is the customer's own. */
import type * as EC2 from '@aws-sdk/client-ec2'
import type * as IAM from '@aws-sdk/client-iam'
import type { Call } from '../../kernel/gate/call.ts'
import { listTags } from '../../kernel/resource/tags.ts'
import type { LooseInput } from '../../kernel/service/service.ts'
import { nothing, op } from './define-operation.ts'
import { pageRows } from './describe-operation.ts'
import { fault, invalid, missing, need } from './faults.ts'
import { parseFilters } from './filters.ts'
import { userDataPlace } from './instance-attributes.ts'
import { metadataOptions } from './instance-metadata.ts'
import { createInterface } from './interface-rows.ts'
import { shownInterface } from './interfaces.ts'
import { type InstanceRow, image, instance, instanceState, keyPair, STATE_CODES, volume } from './machine-resources.ts'
import { INSTANCE_TYPES } from './machines.ts'
import { networkInterface, securityGroup, subnet } from './resources.ts'
import { type Item, newId } from './words.ts'

const iam = { id: 'iam' } as { readonly id: string; readonly types?: typeof IAM }

/** Of one request. AWS's quotas are in virtual processors; this one bounds the work of a request. */
const INSTANCES_MAX = 100
const USER_DATA_MAX = 16 * 1024
// ---- Run

const firstInterface = (input: LooseInput) =>
  (input.NetworkInterfaces ?? []).find(({ DeviceIndex }: LooseInput) => (DeviceIndex ?? 0) === 0)

/** The subnet that the request names, or a default one. */
async function subnetIn(input: LooseInput, call: Call): Promise<readonly (string | undefined)[]> {
  const named = firstInterface(input)
  if (named?.NetworkInterfaceId !== undefined) {
    return [(await networkInterface.get(call, named.NetworkInterfaceId))?.data.SubnetId]
  }
  const wanted = named?.SubnetId ?? input.SubnetId
  if (wanted !== undefined) return [wanted]
  const zone = input.Placement?.AvailabilityZone
  const defaults = (await subnet.all(call))
    .filter(({ data }) => data.DefaultForAz && (zone === undefined || data.AvailabilityZone === zone))
    .sort((a, b) => (a.data.AvailabilityZone! < b.data.AvailabilityZone! ? -1 : 1))
  return [defaults[0]?.id]
}

export const runInstances = op(
  'RunInstances',
  [
    instance.many(),
    image.by(({ ImageId }) => [ImageId]),
    subnet.by(subnetIn),
    securityGroup.by((input) => [...(input.SecurityGroupIds ?? []), ...(firstInterface(input)?.Groups ?? [])]),
    networkInterface.many(),
    volume.many(),
    keyPair.maybe('KeyName'),
    networkInterface.by((input) => [firstInterface(input)?.NetworkInterfaceId]),
  ],
  async (call, input, [make, [from], [place], groups, makeInterface, makeVolume, pair, [given]]) => {
    if (!from) throw missing('imageId')
    if (!place) throw fault('MissingInput', 'No subnets found for the default VPC. Please specify a subnet.')
    const count = input.MaxCount
    if (input.MinCount < 1 || count < input.MinCount)
      throw invalid(`Invalid value '${input.MinCount}' for min and max count.`)
    if (count > INSTANCES_MAX)
      throw fault('InstanceLimitExceeded', `A request runs at most ${INSTANCES_MAX} instances.`)
    if (input.LaunchTemplate) throw fault('NotImplemented', 'Merlon does not implement launch templates.')
    if ((input.NetworkInterfaces ?? []).length > 1)
      throw fault(
        'NotImplemented',
        'Merlon runs instances with one interface. Attach others with AttachNetworkInterface.',
      )
    if (given && count > 1)
      throw fault('InvalidParameterCombination', 'An interface that exists cannot be attached to several instances.')
    const type = input.InstanceType ?? 't3.micro'
    const known = INSTANCE_TYPES.get(type)
    if (!known) throw invalid(`Invalid value '${type}' for InstanceType.`)
    const userData = input.UserData === undefined ? undefined : Buffer.from(input.UserData, 'base64')
    if (userData && userData.length > USER_DATA_MAX) throw invalid(`User data is limited to ${USER_DATA_MAX} bytes.`)
    const profile = input.IamInstanceProfile && (await passedProfile(call, input.IamInstanceProfile))
    const nic = firstInterface(input)
    const reservation = newId('r')
    const rows: InstanceRow[] = []
    for (let index = 0; index < count; index++) {
      const made = make()
      const attachment = {
        AttachmentId: newId('eni-attach'),
        DeviceIndex: 0,
        InstanceId: made.id,
        InstanceOwnerId: call.account,
        DeleteOnTermination: given ? false : (nic?.DeleteOnTermination ?? true),
        Status: 'attached' as const,
        attachedAt: call.now,
      }
      if (given?.data.Attachment)
        throw fault('InvalidNetworkInterface.InUse', `Network interface '${given.id}' is currently in use.`)
      const eniMade = makeInterface()
      const eni = given
        ? given.set({ Attachment: attachment, Status: 'in-use' })
        : await createInterface(call, {
            id: eniMade.id,
            subnet: place.row,
            groups: groups.length > 0 ? groups.map(({ id }) => id) : undefined,
            address: nic?.PrivateIpAddress ?? input.PrivateIpAddress,
            secondaryCount: nic?.SecondaryPrivateIpAddressCount,
            ipv6Count: nic?.Ipv6AddressCount ?? input.Ipv6AddressCount,
            ipv6: (nic?.Ipv6Addresses ?? input.Ipv6Addresses)?.map(({ Ipv6Address }: LooseInput) => Ipv6Address),
            description: nic?.Description ?? '',
            publicAddress: nic?.AssociatePublicIpAddress ?? place.data.MapPublicIpOnLaunch ?? false,
            attachment,
            tags: eniMade.tags,
          })
      const disk = makeVolume()
      const [mapping] = input.BlockDeviceMappings ?? []
      const device = from.data.RootDeviceName ?? '/dev/xvda'
      const root = mapping?.DeviceName === device ? mapping.Ebs : undefined
      const deleted = root?.DeleteOnTermination ?? true
      disk.create({
        VolumeId: disk.id,
        AvailabilityZone: place.data.AvailabilityZone,
        Size: root?.VolumeSize ?? 8,
        VolumeType: root?.VolumeType ?? 'gp3',
        Iops: root?.Iops ?? 3000,
        Encrypted: root?.Encrypted ?? false,
        SnapshotId: '',
        State: 'in-use',
        MultiAttachEnabled: false,
        Attachments: [
          { VolumeId: disk.id, InstanceId: made.id, Device: device, State: 'attached', DeleteOnTermination: deleted },
        ],
      })
      const row = made.create(
        {
          InstanceId: made.id,
          ImageId: from.id,
          InstanceType: type as EC2._InstanceType,
          AmiLaunchIndex: index,
          ...(pair && { KeyName: pair.id }),
          Architecture: from.data.Architecture,
          Monitoring: { State: input.Monitoring?.Enabled ? 'enabled' : 'disabled' },
          Placement: {
            AvailabilityZone: place.data.AvailabilityZone,
            AvailabilityZoneId: place.data.AvailabilityZoneId,
            GroupName: '',
            Tenancy: input.Placement?.Tenancy ?? 'default',
          },
          SubnetId: place.id,
          VpcId: place.data.VpcId,
          RootDeviceName: device,
          RootDeviceType: 'ebs',
          VirtualizationType: 'hvm',
          Hypervisor: 'xen',
          EnaSupport: true,
          EbsOptimized: input.EbsOptimized ?? false,
          SourceDestCheck: true,
          ProductCodes: [],
          BlockDeviceMappings: [
            { DeviceName: device, Ebs: { VolumeId: disk.id, Status: 'attached', DeleteOnTermination: deleted } },
          ],
          CpuOptions: {
            CoreCount: known.VCpuInfo?.DefaultCores,
            ThreadsPerCore: known.VCpuInfo?.DefaultThreadsPerCore,
          },
          CapacityReservationSpecification: { CapacityReservationPreference: 'open' },
          HibernationOptions: { Configured: false },
          EnclaveOptions: { Enabled: false },
          MaintenanceOptions: { AutoRecovery: 'default' },
          PrivateDnsNameOptions: place.data.PrivateDnsNameOptionsOnLaunch,
          MetadataOptions: await metadataOptions(call, input.MetadataOptions),
          ...(input.ClientToken !== undefined && { ClientToken: input.ClientToken }),
          ...(profile && { IamInstanceProfile: profile }),
        },
        {
          reservation,
          goal: 'running',
          since: call.now,
          interfaces: [eni.id],
          termination: {
            disabled: input.DisableApiTermination ?? false,
            behavior: input.InstanceInitiatedShutdownBehavior ?? 'stop',
          },
          ...(userData && { userData: call.vault.seal(userDataPlace(call.account, made.id), userData) }),
        },
      )
      rows.push(row)
    }
    const related = await load(call)
    return {
      ReservationId: reservation,
      OwnerId: call.account,
      Groups: [],
      Instances: rows.map((row) => shown(row, call, related)),
    }
  },
)

/** The caller who attaches a role to an instance needs the permission to pass it. */
async function passedProfile(call: Call, { Arn, Name }: LooseInput): Promise<EC2.IamInstanceProfile> {
  const InstanceProfileName = Name ?? Arn?.slice(Arn.lastIndexOf('/') + 1)
  const { InstanceProfile } = await call.forward(iam, 'GetInstanceProfile', {
    InstanceProfileName: need(InstanceProfileName, 'iamInstanceProfile.name'),
  })
  if (!InstanceProfile || (Arn !== undefined && InstanceProfile.Arn !== Arn)) {
    throw invalid(`Value (${Name ?? Arn}) for parameter iamInstanceProfile is invalid. Invalid IAM Instance Profile`)
  }
  const [role] = InstanceProfile.Roles ?? []
  if (!role?.Arn) throw invalid(`IAM Instance Profile "${InstanceProfile.Arn}" has no associated IAM Roles`)
  await call.authorize('iam:PassRole', role.Arn, { 'iam:PassedToService': 'ec2.amazonaws.com' })
  return { Arn: InstanceProfile.Arn, Id: InstanceProfile.InstanceProfileId }
}

// ---- Describe

type Related = ReadonlyMap<string, Item<EC2.NetworkInterface>>
const load = async (call: Call): Promise<Related> =>
  new Map((await networkInterface.all(call)).map((row) => [row.id, row]))

function shown(row: InstanceRow, call: Call, related: Related): EC2.Instance {
  const state = instanceState(row, call.now)
  const interfaces = row.interfaces.flatMap((id) => related.get(id) ?? [])
  const [first] = interfaces
  const isOver = state === 'terminated'
  const association = first?.data.Association
  return {
    ...row.data,
    LaunchTime: new Date(row.createdAt),
    State: { Name: state, Code: STATE_CODES[state] },
    StateTransitionReason: row.reason ?? '',
    ...(row.reason !== undefined &&
      row.goal !== 'running' && {
        StateReason: {
          Code: 'Client.UserInitiatedShutdown',
          Message: 'Client.UserInitiatedShutdown: User initiated shutdown',
        },
      }),
    PrivateDnsName: first?.data.PrivateDnsName ?? '',
    PublicDnsName: association?.PublicDnsName ?? '',
    ...(!isOver && first && { PrivateIpAddress: first.data.PrivateIpAddress }),
    ...(!isOver && association?.PublicIp !== undefined && { PublicIpAddress: association.PublicIp }),
    SecurityGroups: isOver ? [] : first?.data.Groups,
    NetworkInterfaces: isOver ? [] : interfaces.map(asOfInstance),
    Tags: listTags(row.tags),
  }
}

function asOfInstance(row: Item<EC2.NetworkInterface>): EC2.InstanceNetworkInterface {
  const { data } = row
  const { Attachment } = shownInterface(row)
  return {
    NetworkInterfaceId: row.id,
    OwnerId: data.OwnerId,
    SubnetId: data.SubnetId,
    VpcId: data.VpcId,
    Description: data.Description,
    Groups: data.Groups,
    MacAddress: data.MacAddress,
    PrivateIpAddress: data.PrivateIpAddress,
    PrivateDnsName: data.PrivateDnsName,
    PrivateIpAddresses: data.PrivateIpAddresses,
    Ipv6Addresses: data.Ipv6Addresses,
    SourceDestCheck: data.SourceDestCheck,
    Status: data.Status,
    InterfaceType: data.InterfaceType,
    ...(data.Association && { Association: data.Association }),
    ...(Attachment && {
      Attachment: {
        AttachmentId: Attachment.AttachmentId,
        AttachTime: Attachment.AttachTime,
        DeleteOnTermination: Attachment.DeleteOnTermination,
        DeviceIndex: Attachment.DeviceIndex,
        Status: Attachment.Status,
        NetworkCardIndex: 0,
      },
    }),
  }
}

const FILTERS = parseFilters(`
  architecture availability-zone=Placement.AvailabilityZone availability-zone-id=Placement.AvailabilityZoneId
  block-device-mapping.device-name=BlockDeviceMappings.DeviceName block-device-mapping.volume-id=BlockDeviceMappings.Ebs.VolumeId
  client-token dns-name=PublicDnsName group-id=SecurityGroups.GroupId group-name=SecurityGroups.GroupName
  iam-instance-profile.arn=IamInstanceProfile.Arn iam-instance-profile.id=IamInstanceProfile.Id image-id instance-id
  instance-state-code=State.Code instance-state-name=State.Name instance-type instance.group-id=SecurityGroups.GroupId
  instance.group-name=SecurityGroups.GroupName ip-address=PublicIpAddress key-name launch-index=AmiLaunchIndex launch-time
  metadata-options.http-tokens=MetadataOptions.HttpTokens metadata-options.http-endpoint=MetadataOptions.HttpEndpoint
  metadata-options.http-put-response-hop-limit=MetadataOptions.HttpPutResponseHopLimit
  monitoring-state=Monitoring.State network-interface.network-interface-id=NetworkInterfaces.NetworkInterfaceId
  network-interface.subnet-id=NetworkInterfaces.SubnetId network-interface.vpc-id=NetworkInterfaces.VpcId
  network-interface.group-id=NetworkInterfaces.Groups.GroupId
  network-interface.addresses.private-ip-address=NetworkInterfaces.PrivateIpAddresses.PrivateIpAddress
  network-interface.addresses.association.public-ip=NetworkInterfaces.PrivateIpAddresses.Association.PublicIp
  owner-id=OwnerId private-dns-name private-ip-address reservation-id=ReservationId root-device-name root-device-type
  source-dest-check subnet-id tenancy=Placement.Tenancy virtualization-type vpc-id hypervisor`)

export const describeInstances = op('DescribeInstances', nothing, async (call, input) => {
  const { keeps } = FILTERS(input.Filters ?? [])
  const related = await load(call)
  const view = (row: InstanceRow) => ({
    ...shown(row, call, related),
    ReservationId: row.reservation,
    OwnerId: row.account,
  })
  const ids = input.InstanceIds ?? []
  if (ids.length > 0 && input.MaxResults !== undefined) {
    throw fault(
      'InvalidParameterCombination',
      'The parameter instancesSet cannot be used with the parameter maxResults',
    )
  }
  const named: InstanceRow[] = []
  for (const id of ids) named.push(await instance.require(call, id))
  const { items, next } =
    ids.length > 0
      ? { items: named.filter((row) => keeps(view(row))), next: undefined }
      : await pageRows(call, instance, input as LooseInput, (row) => keeps(view(row)))
  const reservations = new Map<string, EC2.Instance[]>()
  for (const row of items)
    reservations.set(row.reservation, [...(reservations.get(row.reservation) ?? []), shown(row, call, related)])
  return {
    Reservations: [...reservations].map(([ReservationId, Instances]) => ({
      ReservationId,
      OwnerId: call.account,
      Groups: [],
      Instances,
    })),
    ...(next !== undefined && { NextToken: next }),
  }
})

const STATUS_FILTERS = parseFilters(
  'availability-zone instance-state-code=InstanceState.Code instance-state-name=InstanceState.Name instance-status.status=InstanceStatus.Status system-status.status=SystemStatus.Status',
)

export const describeInstanceStatus = op('DescribeInstanceStatus', nothing, async (call, input) => {
  const { keeps } = STATUS_FILTERS(input.Filters ?? [])
  for (const id of input.InstanceIds ?? []) await instance.require(call, id)
  const ok = { Status: 'ok' as const, Details: [{ Name: 'reachability' as const, Status: 'passed' as const }] }
  const rows = (await instance.all(call)).filter(
    ({ id }) => !input.InstanceIds?.length || input.InstanceIds.includes(id),
  )
  const statuses = rows
    .map((row) => {
      const Name = instanceState(row, call.now)
      return {
        InstanceId: row.id,
        AvailabilityZone: row.data.Placement?.AvailabilityZone,
        InstanceState: { Name, Code: STATE_CODES[Name] },
        InstanceStatus: Name === 'running' ? ok : { Status: 'not-applicable' as const },
        SystemStatus: Name === 'running' ? ok : { Status: 'not-applicable' as const },
      }
    })
    .filter((status) => (input.IncludeAllInstances || status.InstanceState.Name === 'running') && keeps(status))
  return { InstanceStatuses: statuses }
})

export const getConsoleOutput = op('GetConsoleOutput', [instance.at('InstanceId')], (call, _input, [{ id }]) => ({
  InstanceId: id,
  Timestamp: new Date(call.now),
  Output: Buffer.from(
    `Merlon keeps a record of instance ${id}: no machine runs behind it, so there is no console.\n`,
  ).toString('base64'),
}))
export const describeIamInstanceProfileAssociations = op(
  'DescribeIamInstanceProfileAssociations',
  nothing,
  async (call, input) => {
    const { keeps } = parseFilters('instance-id state')(input.Filters ?? [])
    const all = (await instance.all(call))
      .filter(({ data, goal }) => data.IamInstanceProfile && goal !== 'terminated')
      .map(({ id, data }) => ({
        AssociationId: id.replace(/^i-/, 'iip-assoc-'),
        InstanceId: id,
        IamInstanceProfile: data.IamInstanceProfile,
        State: 'associated' as const,
      }))
    const wanted = input.AssociationIds ?? []
    return {
      IamInstanceProfileAssociations: all.filter(
        (each) => (wanted.length === 0 || wanted.includes(each.AssociationId)) && keeps(each),
      ),
    }
  },
)
