/**
 * What the instance metadata service shows a machine, as paths, and the credentials of its role.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
 */
import type * as EC2 from '@aws-sdk/client-ec2'
import type * as STS from '@aws-sdk/client-sts'
import { issueSession, roleSubjectOf } from '../../kernel/gate/session.ts'
import type { InstanceMetadataPort } from '../../kernel/ports/instance-metadata.ts'
import { instanceProfiles } from '../../kernel/ports/instance-profiles.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { ServiceContext } from '../../kernel/service/open-services.ts'
import { userDataPlace } from './instance-attributes.ts'
import { type InstanceRow, instance, instanceState } from './machine-resources.ts'
import { networkInterface, subnet, vpc } from './resources.ts'
import type { Item } from './words.ts'

const sts: Api<typeof STS> = { id: 'sts' }
const EC2_SERVICE = 'ec2.amazonaws.com'
const SECOND_MS = 1_000
/** AWS: "We make new credentials available at least five minutes before the expiration of the old credentials"; they live six hours. */
const SESSION_MS = 6 * 3_600_000

type Place = { readonly account: string; readonly region: string }

export function metadataService({
  store,
  vault,
  clock,
  use,
  actAs,
}: Pick<ServiceContext, 'store' | 'vault' | 'clock' | 'use' | 'actAs'>): InstanceMetadataPort {
  async function running(place: Place, InstanceId: string): Promise<InstanceRow | undefined> {
    const row = await instance.type.get(store.reader, place, { InstanceId })
    return row && ['pending', 'running'].includes(instanceState(row, clock.now())) ? row : undefined
  }

  const roleOf = async ({ account }: Place, { data }: InstanceRow) => {
    const name = data.IamInstanceProfile?.Arn?.split('/').at(-1)
    return name === undefined ? undefined : use(instanceProfiles).roleOf(store.reader, { account }, name)
  }

  return {
    shown: async (place, instanceId) => {
      const row = await running(place, instanceId)
      if (!row) return undefined
      const options = row.data.MetadataOptions
      const profile = await roleOf(place, row)
      return {
        isEnabled: options?.HttpEndpoint !== 'disabled',
        isTokenRequired: options?.HttpTokens !== 'optional',
        hopLimit: options?.HttpPutResponseHopLimit ?? 2,
        entries: await entriesOf(place, row, profile?.arn),
        userData: row.userData && vault.open(userDataPlace(row.account, row.id), row.userData).toString('base64'),
        role: profile?.roleArn?.split('/').at(-1),
      }
    },
    credentials: async (place, instanceId, version) => {
      const row = await running(place, instanceId)
      const roleArn = row && (await roleOf(place, row))?.roleArn
      if (!row || roleArn === undefined) return undefined
      const source = instance.type.arn({ ...place, partition: 'aws' }, { InstanceId: instanceId })
      const acting = { service: EC2_SERVICE, ...place, source }
      const { AssumedRoleUser } = await actAs(acting, sts, 'AssumeRole', {
        RoleArn: roleArn,
        RoleSessionName: instanceId,
      })
      const issuedAt = Math.floor(clock.now() / SECOND_MS) * SECOND_MS
      const expiresAt = issuedAt + SESSION_MS
      const [eni] = await interfacesOf(place, row)
      const issued = issueSession(vault, {
        account: place.account,
        subject: roleSubjectOf(AssumedRoleUser as never),
        issuedAt,
        expiresAt,
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-ec2-instance-source-vpc
        federation: {
          'ec2:RoleDelivery': `${version}.0`,
          'ec2:SourceInstanceArn': source,
          'aws:Ec2InstanceSourceVpc': row.data.VpcId ?? '',
          'aws:Ec2InstanceSourcePrivateIPv4': eni?.data.PrivateIpAddress ?? '',
        },
      })
      return { ...issued, issuedAt, expiresAt }
    },
  }

  async function interfacesOf(place: Place, row: InstanceRow): Promise<readonly Item<EC2.NetworkInterface>[]> {
    const found = []
    for (const NetworkInterfaceId of row.interfaces)
      found.push(await networkInterface.type.get(store.reader, place, { NetworkInterfaceId }))
    return found.filter((each) => each !== undefined)
  }

  async function entriesOf(place: Place, row: InstanceRow, profileArn: string | undefined) {
    const { data } = row
    const interfaces = await interfacesOf(place, row)
    const [first] = interfaces
    const zone = data.Placement?.AvailabilityZone
    const document = {
      accountId: place.account,
      architecture: data.Architecture,
      availabilityZone: zone,
      billingProducts: null,
      devpayProductCodes: null,
      marketplaceProductCodes: null,
      imageId: data.ImageId,
      instanceId: row.id,
      instanceType: data.InstanceType,
      kernelId: null,
      pendingTime: isoSeconds(row.createdAt),
      privateIp: first?.data.PrivateIpAddress,
      ramdiskId: null,
      region: place.region,
      version: '2017-09-30',
    }
    const entries: Record<string, string | undefined> = {
      'dynamic/instance-identity/document': JSON.stringify(document, undefined, 2),
      'meta-data/ami-id': data.ImageId,
      'meta-data/ami-launch-index': String(data.AmiLaunchIndex ?? 0),
      'meta-data/hostname': first?.data.PrivateDnsName,
      'meta-data/instance-id': row.id,
      'meta-data/instance-life-cycle': 'on-demand',
      'meta-data/instance-type': data.InstanceType,
      'meta-data/local-hostname': first?.data.PrivateDnsName,
      'meta-data/local-ipv4': first?.data.PrivateIpAddress,
      'meta-data/mac': first?.data.MacAddress,
      'meta-data/placement/availability-zone': zone,
      'meta-data/placement/availability-zone-id': data.Placement?.AvailabilityZoneId,
      'meta-data/placement/region': place.region,
      'meta-data/public-hostname': first?.data.Association?.PublicDnsName,
      'meta-data/public-ipv4': first?.data.Association?.PublicIp,
      'meta-data/reservation-id': row.reservation,
      'meta-data/security-groups': (first?.data.Groups ?? []).map(({ GroupName }) => GroupName).join('\n'),
      'meta-data/services/domain': 'amazonaws.com',
      'meta-data/services/partition': 'aws',
      ...(profileArn !== undefined && {
        'meta-data/iam/info': JSON.stringify(
          {
            Code: 'Success',
            LastUpdated: isoSeconds(row.createdAt),
            InstanceProfileArn: profileArn,
            InstanceProfileId: data.IamInstanceProfile?.Id,
          },
          undefined,
          2,
        ),
      }),
    }
    for (const [index, eni] of interfaces.entries()) Object.assign(entries, await interfaceEntries(place, eni, index))
    if (data.MetadataOptions?.InstanceMetadataTags === 'enabled')
      for (const [name, value] of Object.entries(row.tags ?? {})) entries[`meta-data/tags/instance/${name}`] = value
    return Object.fromEntries(
      Object.entries(entries).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
    )
  }

  async function interfaceEntries(place: Place, { data, id }: Item<EC2.NetworkInterface>, index: number) {
    const at = `meta-data/network/interfaces/macs/${data.MacAddress}`
    const inSubnet = await subnet.type.get(store.reader, place, { SubnetId: data.SubnetId ?? '' })
    const inVpc = await vpc.type.get(store.reader, place, { VpcId: data.VpcId ?? '' })
    const groups = data.Groups ?? []
    return {
      [`${at}/device-number`]: String(data.Attachment?.DeviceIndex ?? index),
      [`${at}/interface-id`]: id,
      [`${at}/ipv6s`]: (data.Ipv6Addresses ?? []).map(({ Ipv6Address }) => Ipv6Address).join('\n'),
      [`${at}/local-hostname`]: data.PrivateDnsName,
      [`${at}/local-ipv4s`]: (data.PrivateIpAddresses ?? []).map((each) => each.PrivateIpAddress).join('\n'),
      [`${at}/mac`]: data.MacAddress,
      [`${at}/owner-id`]: place.account,
      [`${at}/public-ipv4s`]: data.Association?.PublicIp,
      [`${at}/security-group-ids`]: groups.map(({ GroupId }) => GroupId).join('\n'),
      [`${at}/security-groups`]: groups.map(({ GroupName }) => GroupName).join('\n'),
      [`${at}/subnet-id`]: data.SubnetId,
      [`${at}/subnet-ipv4-cidr-block`]: inSubnet?.data.CidrBlock,
      [`${at}/vpc-id`]: data.VpcId,
      [`${at}/vpc-ipv4-cidr-block`]: inVpc?.data.CidrBlock,
    }
  }
}

const isoSeconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
