/** What an account finds and sets for a whole Region: zones, attributes, encryption, consoles, public access of VPCs. */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Call } from '../../kernel/gate/call.ts'
import { key } from '../../store/store.ts'
import { regionNames } from '../../wire/regions.ts'
import { nothing, op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { fault, invalid, missing } from './faults.ts'
import { parseFilters } from './filters.ts'
import { createInterface, removeInterface } from './interface-rows.ts'
import { instanceConnectEndpoint } from './machine-resources.ts'
import { networkInterface, publicAccessExclusion, securityGroup, subnet, vpc } from './resources.ts'
import { zonesOf } from './zones.ts'

// ---- Regions and zones

const REGION_FILTERS = parseFilters('endpoint=Endpoint opt-in-status region-name=RegionName')
const OPT_IN_NOT_REQUIRED = new Set([
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ap-south-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'eu-north-1',
  'sa-east-1',
])

export const describeRegions = op('DescribeRegions', nothing, (_call, input) => {
  const { keeps } = REGION_FILTERS(input.Filters ?? [])
  const wanted = input.RegionNames ?? []
  const unknown = wanted.filter((name) => !regionNames.includes(name))
  if (unknown.length > 0) throw invalid(`Invalid region provided: [${unknown.join(', ')}]`)
  const regions = regionNames.map((RegionName) => ({
    RegionName,
    Endpoint: `ec2.${RegionName}.amazonaws.com`,
    OptInStatus: OPT_IN_NOT_REQUIRED.has(RegionName) ? 'opt-in-not-required' : 'opted-in',
  }))
  return {
    Regions: regions.filter((region) => (wanted.length === 0 || wanted.includes(region.RegionName)) && keeps(region)),
  }
})

const ZONE_FILTERS = parseFilters(
  'group-name message opt-in-status parent-zone-id parent-zone-name region-name state zone-id zone-name zone-type group-long-name',
)

export const describeAvailabilityZones = op('DescribeAvailabilityZones', nothing, (call, input) => {
  const { keeps } = ZONE_FILTERS(input.Filters ?? [])
  const zones = zonesOf(call.region).map(({ name, id }) => ({
    ZoneName: name,
    ZoneId: id,
    RegionName: call.region,
    State: 'available' as const,
    OptInStatus: 'opt-in-not-required' as const,
    ZoneType: 'availability-zone',
    GroupName: `${call.region}-zg-1`,
    NetworkBorderGroup: call.region,
    Messages: [],
  }))
  const { ZoneNames = [], ZoneIds = [] } = input
  for (const name of ZoneNames)
    if (!zones.some(({ ZoneName }) => ZoneName === name)) throw invalid(`Invalid availability zone: [${name}]`)
  const isNamed = ({ ZoneName, ZoneId }: { readonly ZoneName: string; readonly ZoneId: string }) =>
    (ZoneNames.length === 0 || ZoneNames.includes(ZoneName)) && (ZoneIds.length === 0 || ZoneIds.includes(ZoneId))
  return { AvailabilityZones: zones.filter((zone) => isNamed(zone) && keeps(zone)) }
})

export const describeAccountAttributes = op('DescribeAccountAttributes', nothing, async (call, input) => {
  const home = (await vpc.all(call)).find(({ data }) => data.IsDefault)
  const attributes: Readonly<Record<string, string>> = {
    'supported-platforms': 'VPC',
    'default-vpc': home?.id ?? 'none',
    'max-instances': '20',
    'vpc-max-security-groups-per-interface': String(call.quotas['ec2/GroupsPerInterface'] ?? 5),
    'max-elastic-ips': String(call.quotas['ec2/ElasticIpsPerRegion'] ?? 5),
    'vpc-max-elastic-ips': String(call.quotas['ec2/ElasticIpsPerRegion'] ?? 5),
  }
  const wanted = input.AttributeNames ?? []
  return {
    AccountAttributes: Object.entries(attributes)
      .filter(([name]) => wanted.length === 0 || wanted.includes(name as EC2.AccountAttributeName))
      .map(([AttributeName, AttributeValue]) => ({ AttributeName, AttributeValues: [{ AttributeValue }] })),
  }
})

// ---- Switches of an account in a Region

const switchKey = (call: Call, name: string) => key('ec2', 'switch', call.account, call.region, name)
const isOn = async (call: Call, name: string) =>
  (await call.unit.get<{ readonly on: boolean }>(switchKey(call, name)))?.on ?? false
const turn = (call: Call, name: string, on: boolean): boolean => {
  call.unit.put(switchKey(call, name), { on })
  return on
}

const SERIAL = 'serial-console'
export const getSerialConsoleAccessStatus = op('GetSerialConsoleAccessStatus', nothing, async (call) => ({
  SerialConsoleAccessEnabled: await isOn(call, SERIAL),
}))
export const enableSerialConsoleAccess = op('EnableSerialConsoleAccess', nothing, (call) => ({
  SerialConsoleAccessEnabled: turn(call, SERIAL, true),
}))
export const disableSerialConsoleAccess = op('DisableSerialConsoleAccess', nothing, (call) => ({
  SerialConsoleAccessEnabled: turn(call, SERIAL, false),
}))

const ENCRYPTION = 'ebs-encryption'
export const getEbsEncryptionByDefault = op('GetEbsEncryptionByDefault', nothing, async (call) => ({
  EbsEncryptionByDefault: await isOn(call, ENCRYPTION),
}))
export const enableEbsEncryptionByDefault = op('EnableEbsEncryptionByDefault', nothing, (call) => ({
  EbsEncryptionByDefault: turn(call, ENCRYPTION, true),
}))
export const disableEbsEncryptionByDefault = op('DisableEbsEncryptionByDefault', nothing, (call) => ({
  EbsEncryptionByDefault: turn(call, ENCRYPTION, false),
}))

// ---- VPC Block Public Access

export interface PublicAccessRow {
  readonly mode: EC2.InternetGatewayBlockMode
  readonly at: number
}

const blockKey = (call: Pick<Call, 'account' | 'region'>) =>
  key('ec2', 'block-public-access', call.account, call.region)
export const publicAccess = (call: Call): Promise<PublicAccessRow | undefined> =>
  call.unit.get<PublicAccessRow>(blockKey(call))

const shownBlock = (call: Call, row: PublicAccessRow | undefined): EC2.VpcBlockPublicAccessOptions => ({
  AwsAccountId: call.account,
  AwsRegion: call.region,
  State: row ? 'update-complete' : 'default-state',
  InternetGatewayBlockMode: row?.mode ?? 'off',
  ManagedBy: 'account',
  ExclusionsAllowed: 'allowed',
  ...(row && { LastUpdateTimestamp: new Date(row.at) }),
})

export const describeVpcBlockPublicAccessOptions = op('DescribeVpcBlockPublicAccessOptions', nothing, async (call) => ({
  VpcBlockPublicAccessOptions: shownBlock(call, await publicAccess(call)),
}))

export const modifyVpcBlockPublicAccessOptions = op('ModifyVpcBlockPublicAccessOptions', nothing, (call, input) => {
  const row: PublicAccessRow = { mode: input.InternetGatewayBlockMode, at: call.now }
  call.unit.put(blockKey(call), row)
  return { VpcBlockPublicAccessOptions: { ...shownBlock(call, row), State: 'update-in-progress' } }
})

export const createVpcBlockPublicAccessExclusion = op(
  'CreateVpcBlockPublicAccessExclusion',
  [publicAccessExclusion.created(), vpc.maybe('VpcId'), subnet.maybe('SubnetId')],
  async (call, input, [{ id, create }, home, place]) => {
    const found = home ?? place
    if (!found || (home && place)) throw missing('exactly one of vpcId and subnetId')
    if ((await publicAccessExclusion.all(call)).some(({ data }) => data.ResourceArn === found.arn)) {
      throw fault('VpcBlockPublicAccessExclusionAlreadyExists', `${found.id} has an exclusion already.`)
    }
    const row = create({
      ExclusionId: id,
      InternetGatewayExclusionMode: input.InternetGatewayExclusionMode,
      ResourceArn: found.arn,
      State: 'create-complete',
    })
    return {
      VpcBlockPublicAccessExclusion: { ...publicAccessExclusion.show(row, call.now), State: 'create-in-progress' },
    }
  },
)

export const modifyVpcBlockPublicAccessExclusion = op(
  'ModifyVpcBlockPublicAccessExclusion',
  [publicAccessExclusion.at('ExclusionId')],
  (call, input, [{ set }]) => {
    const row = set({ InternetGatewayExclusionMode: input.InternetGatewayExclusionMode, State: 'update-complete' })
    return { VpcBlockPublicAccessExclusion: publicAccessExclusion.show(row, call.now) }
  },
)

export const deleteVpcBlockPublicAccessExclusion = op(
  'DeleteVpcBlockPublicAccessExclusion',
  [publicAccessExclusion.at('ExclusionId')],
  (call, _input, [{ row, remove }]) => {
    remove()
    return {
      VpcBlockPublicAccessExclusion: {
        ...publicAccessExclusion.show(row, call.now),
        State: 'delete-in-progress',
        DeletionTimestamp: new Date(call.now),
      },
    }
  },
)

export const describeVpcBlockPublicAccessExclusions = describe(
  'DescribeVpcBlockPublicAccessExclusions',
  publicAccessExclusion,
  {
    ids: 'ExclusionIds',
    result: 'VpcBlockPublicAccessExclusions',
    filters: 'resource-arn internet-gateway-exclusion-mode state',
  },
)

// ---- Instance Connect Endpoints

export const createInstanceConnectEndpoint = op(
  'CreateInstanceConnectEndpoint',
  [instanceConnectEndpoint.created(), subnet.at('SubnetId'), securityGroup.each('SecurityGroupIds')],
  async (call, input, [{ id, arn, create }, place, groups]) => {
    const taken = (await instanceConnectEndpoint.all(call)).some(({ data }) => data.VpcId === place.data.VpcId)
    if (taken)
      throw fault('ResourceLimitExceeded', `The VPC ${place.data.VpcId} has an Instance Connect Endpoint already.`)
    const eni = await createInterface(call, {
      subnet: place.row,
      groups: groups.length > 0 ? groups.map((group) => group.id) : undefined,
      description: `EC2 Instance Connect Endpoint ${id}`,
      type: 'ec2_instance_connect_endpoint' as never,
      requester: call.account,
    })
    const row = create({
      InstanceConnectEndpointId: id,
      InstanceConnectEndpointArn: arn,
      OwnerId: call.account,
      SubnetId: place.id,
      VpcId: place.data.VpcId,
      AvailabilityZone: place.data.AvailabilityZone,
      AvailabilityZoneId: place.data.AvailabilityZoneId,
      PreserveClientIp: input.PreserveClientIp ?? false,
      IpAddressType: input.IpAddressType ?? 'ipv4',
      NetworkInterfaceIds: [eni.id],
      SecurityGroupIds: (eni.data.Groups ?? []).map(({ GroupId }) => GroupId!),
      DnsName: `${id}.${call.account.slice(0, 8)}.ec2-instance-connect-endpoint.${call.region}.amazonaws.com`,
    })
    return {
      InstanceConnectEndpoint: instanceConnectEndpoint.show(row, call.now),
      ...(input.ClientToken !== undefined && { ClientToken: input.ClientToken }),
    }
  },
)

export const deleteInstanceConnectEndpoint = op(
  'DeleteInstanceConnectEndpoint',
  [instanceConnectEndpoint.at('InstanceConnectEndpointId')],
  async (call, _input, [{ row, data, remove }]) => {
    for (const id of data.NetworkInterfaceIds ?? []) {
      const eni = await networkInterface.get(call, id)
      if (eni) await removeInterface(call, eni)
    }
    remove()
    return { InstanceConnectEndpoint: { ...instanceConnectEndpoint.show(row, call.now), State: 'delete-in-progress' } }
  },
)

export const modifyInstanceConnectEndpoint = op(
  'ModifyInstanceConnectEndpoint',
  [instanceConnectEndpoint.at('InstanceConnectEndpointId'), securityGroup.each('SecurityGroupIds')],
  (_call, input, [{ set }]) => {
    set({
      ...(input.PreserveClientIp !== undefined && { PreserveClientIp: input.PreserveClientIp }),
      ...(input.SecurityGroupIds && { SecurityGroupIds: [...input.SecurityGroupIds] }),
    })
    return { Return: true }
  },
)

export const describeInstanceConnectEndpoints = describe('DescribeInstanceConnectEndpoints', instanceConnectEndpoint, {
  ids: 'InstanceConnectEndpointIds',
  result: 'InstanceConnectEndpoints',
  filters: 'instance-connect-endpoint-id state subnet-id vpc-id',
})
