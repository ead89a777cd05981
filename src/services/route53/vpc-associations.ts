/**
 * The VPCs whose resolvers answer a private zone. The account of a VPC associates it; with a zone of another account only where that
 * account has authorized it. To all others the zone of another account does not exist.
 */
import type { VPC, VPCRegion } from '@aws-sdk/client-route-53'
import type { Call } from '../../kernel/gate/call.ts'
import { network } from '../../kernel/ports/network.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { anything } from '../../kernel/resource/target.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { Fault } from '../../wire/fault.ts'
import { submitted } from './changes.ts'
import { printedName } from './names.ts'
import { type AssociatedVpc, type HostedZoneRow, hostedZone, route53 } from './resources.ts'

const PAGE_MAX = 100
const AUTHORIZATIONS_PAGE_MAX = 50

/** A private zone by a VPC that it is associated with. */
export interface VpcZoneRow {
  readonly id: string
  readonly account: string
  readonly name: string
}
export const allVpcZones: Key = under('route53', 'vpc-zone')
export const zonesOfVpc = ({ account, region, id }: AssociatedVpc): Key =>
  under('route53', 'vpc-zone', account, region, id)
const vpcZoneKey = ({ account, region, id }: AssociatedVpc, zoneId: string): Key =>
  key('route53', 'vpc-zone', account, region, id, zoneId)

interface AuthorizationRow {
  readonly region: string
  readonly id: string
  /** Of the zone. */
  readonly account: string
}
const authorizationsOf = (zoneId: string): Key => under('route53', 'vpc-authorization', zoneId)
const authorizationKey = (zoneId: string, { region, id }: Pick<AssociatedVpc, 'region' | 'id'>): Key =>
  key('route53', 'vpc-authorization', zoneId, region, id)

const readVpc = ({ VPCId = '', VPCRegion = '' }: Partial<Record<keyof VPC, string | undefined>>) => {
  if (VPCId === '' || VPCRegion === '') throw route53.fail('InvalidVPCId', 'The VPC needs its ID and its Region.')
  return { id: VPCId, region: VPCRegion }
}

/** A VPC of the caller's account, which the caller may see. */
export async function ownVpc(call: Call, input: VPC): Promise<AssociatedVpc> {
  const { id, region } = readVpc(input)
  await call.authorize('ec2:DescribeVpcs', '*')
  if (!(await call.use(network).vpc(call.unit, { account: call.account, region }, id)))
    throw route53.fail('InvalidVPCId', `The VPC ${id} in ${region} does not exist in this account.`)
  return { id, region, account: call.account }
}

export const printedVpc = ({ region, id }: Pick<AssociatedVpc, 'region' | 'id'>): VPC => ({
  VPCRegion: region as VPCRegion,
  VPCId: id,
})

/** A VPC has one private zone of a name: two could not be told apart. */
export async function associate(call: Call, vpc: AssociatedVpc, { id, account, name }: VpcZoneRow): Promise<void> {
  const others = await call.unit.range<VpcZoneRow>(zonesOfVpc(vpc))
  if (others.some(({ document }) => document.name === name))
    throw route53.fail(
      'ConflictingDomainExists',
      `The VPC ${vpc.id} is already associated with a hosted zone with the name ${printedName(name)}`,
    )
  call.unit.put(vpcZoneKey(vpc, id), { id, account, name } satisfies VpcZoneRow)
}

/** With the zone itself: what it leaves behind at VPCs and authorizations. */
export async function forgetAssociations({ unit }: Call, { id, vpcs = [] }: HostedZoneRow): Promise<void> {
  for (const vpc of vpcs) unit.delete(vpcZoneKey(vpc, id))
  for (const { key: at } of await unit.range(authorizationsOf(id))) unit.delete(at)
}

interface Reached {
  readonly row: HostedZoneRow
  readonly save: (row: HostedZoneRow) => unknown
}
interface Named {
  readonly HostedZoneId: string
  readonly VPC: VPC
}

/** The caller's zone, or one of the account that `ownerOf` returns. */
const zoneOfAny = (
  ownerOf: (call: Call, zoneId: string, input: Named) => Promise<string | undefined>,
  missing?: () => Fault,
): Target<Named, Reached> => ({
  about: { type: hostedZone, how: 'named', member: 'HostedZoneId' },
  find: async (call, input) => {
    const own = await hostedZone.find(call, input.HostedZoneId)
    if (own.row) return own
    const Id = input.HostedZoneId.replace(/^\/hostedzone\//, '')
    const account = await ownerOf(call, Id, input)
    const row = account === undefined ? undefined : await hostedZone.get(call.unit, { ...call, account }, { Id })
    if (!row || account === undefined) return missing ? { ...own, missing } : own
    const save = (after: HostedZoneRow) => hostedZone.put(call.unit, { ...call, account }, after)
    return { acted: own.acted, row: { row, save } }
  },
})

export const associateVpcWithHostedZone = route53
  .operation('AssociateVPCWithHostedZone')
  .on(
    zoneOfAny(
      async (call, id, { VPC }) => (await call.unit.get<AuthorizationRow>(authorizationKey(id, readVpc(VPC))))?.account,
      () => route53.fail('NotAuthorizedException', 'The VPC is not authorized to be associated with the hosted zone.'),
    ),
  )
  .run(async (call, input, { row, save }) => {
    const vpcs = privateVpcs(row)
    const vpc = await ownVpc(call, input.VPC)
    const quota = call.quotas['route53/VPCsPerHostedZone']!
    if (vpcs.length >= quota) throw route53.fail('LimitsExceeded', `A hosted zone has at most ${quota} VPCs.`)
    await associate(call, vpc, row)
    save({ ...row, vpcs: [...vpcs, vpc] })
    return { ChangeInfo: submitted(call, input.Comment) }
  })

function privateVpcs({ vpcs }: HostedZoneRow): readonly AssociatedVpc[] {
  if (!vpcs) throw route53.fail('PublicZoneVPCAssociation', 'A VPC cannot be associated with a public hosted zone.')
  return vpcs
}

export const disassociateVpcFromHostedZone = route53
  .operation('DisassociateVPCFromHostedZone')
  .on(
    zoneOfAny(async (call, zoneId, { VPC }) => {
      const vpc = { ...readVpc(VPC), account: call.account }
      return (await call.unit.get<VpcZoneRow>(vpcZoneKey(vpc, zoneId)))?.account
    }),
  )
  .run(async (call, input, { row, save }) => {
    const vpcs = row.vpcs ?? []
    const { id, region } = readVpc(input.VPC)
    // The account of the zone may end it, too.
    const vpc = vpcs.find((each) => each.id === id && each.region === region)
    if (!vpc)
      throw route53.fail('VPCAssociationNotFound', `The VPC ${id} is not associated with the hosted zone ${row.id}.`)
    if (vpcs.length === 1)
      throw route53.fail('LastVPCAssociation', `The VPC ${id} is the last one of the hosted zone ${row.id}.`)
    call.unit.delete(vpcZoneKey(vpc, row.id))
    save({ ...row, vpcs: vpcs.filter((each) => each !== vpc) })
    return { ChangeInfo: submitted(call, input.Comment) }
  })

export const listHostedZonesByVpc = route53
  .operation('ListHostedZonesByVPC')
  .on(anything)
  .run(async (call, input) => {
    const vpc = await ownVpc(call, input)
    const size = Math.max(1, Math.min(Math.floor(Number(input.MaxItems)) || PAGE_MAX, PAGE_MAX))
    const all = (await call.unit.range<VpcZoneRow>(zonesOfVpc(vpc))).map(({ document }) => document)
    const from = all.filter(({ id }) => input.NextToken === undefined || id >= input.NextToken)
    const next = from[size]
    return {
      HostedZoneSummaries: from.slice(0, size).map(({ id, name, account }) => ({
        HostedZoneId: id,
        Name: printedName(name),
        Owner: { OwningAccount: account },
      })),
      MaxItems: size,
      ...(next && { NextToken: next.id }),
    }
  })

export const createVpcAssociationAuthorization = route53
  .operation('CreateVPCAssociationAuthorization')
  .on(hostedZone.named('HostedZoneId'))
  .run(async (call, input, { row }) => {
    privateVpcs(row)
    const vpc = readVpc(input.VPC)
    const quota = call.quotas['route53/AuthorizationsPerHostedZone']!
    if ((await call.unit.range(authorizationsOf(row.id), { limit: quota })).length >= quota)
      throw route53.fail('TooManyVPCAssociationAuthorizations', `A hosted zone has at most ${quota} authorizations.`)
    call.unit.put(authorizationKey(row.id, vpc), { ...vpc, account: row.account } satisfies AuthorizationRow)
    return { HostedZoneId: row.id, VPC: printedVpc(vpc) }
  })

export const deleteVpcAssociationAuthorization = route53
  .operation('DeleteVPCAssociationAuthorization')
  .on(hostedZone.named('HostedZoneId'))
  .run(async (call, input, { row }) => {
    const vpc = readVpc(input.VPC)
    const at = authorizationKey(row.id, vpc)
    if (!(await call.unit.get(at)))
      throw route53.fail('VPCAssociationAuthorizationNotFound', `The VPC ${vpc.id} is not authorized.`)
    call.unit.delete(at)
    return {}
  })

export const listVpcAssociationAuthorizations = route53
  .operation('ListVPCAssociationAuthorizations')
  .on(hostedZone.named('HostedZoneId'))
  .run(async (call, input, { row }) => {
    const size = Math.max(
      1,
      Math.min(Math.floor(Number(input.MaxResults)) || AUTHORIZATIONS_PAGE_MAX, AUTHORIZATIONS_PAGE_MAX),
    )
    const nameOf = ({ region, id }: AuthorizationRow) => `${region} ${id}`
    const all = (await call.unit.range<AuthorizationRow>(authorizationsOf(row.id))).map(({ document }) => document)
    const from = all.filter((each) => input.NextToken === undefined || nameOf(each) >= input.NextToken)
    const next = from[size]
    return {
      HostedZoneId: row.id,
      VPCs: from.slice(0, size).map(printedVpc),
      ...(next && { NextToken: nameOf(next) }),
    }
  })
