/** Hosted zones: created with their name servers, shown, listed, commented and deleted. */
import { randomInt } from 'node:crypto'
import type { HostedZone } from '@aws-sdk/client-route-53'
import { normalizeName } from '../../engines/dns/records.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { submitted } from './changes.ts'
import { printedName, reversedName } from './names.ts'
import {
  callerReferenceKey,
  type HostedZoneRow,
  hostedZone,
  notImplemented,
  type RecordSetRow,
  recordSetKey,
  recordSetsOf,
  route53,
  zoneNameKey,
} from './resources.ts'
import { associate, forgetAssociations, ownVpc, printedVpc } from './vpc-associations.ts'

const PAGE_MAX = 100
const NS_TTL = 172_800
const SOA_TTL = 900
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

const newZoneId = (_input: unknown, call: Pick<Call, 'newId'>) => ({
  Id: call.newId(() => `Z${Array.from({ length: 20 }, () => LETTERS[randomInt(LETTERS.length)]).join('')}`),
})

/** The host names of the resolvers, which a parent zone delegates to. */
const nameServers = (): readonly string[] =>
  (process.env['MERLON_NAME_SERVERS'] ?? 'ns-1.merlon.internal,ns-2.merlon.internal')
    .split(',')
    .map((host) => host.trim())

export const createHostedZone = route53
  .operation('CreateHostedZone')
  .on(hostedZone.created(newZoneId, { generated: true, authorizedOn: '*' }))
  .run(async (call, input, { id, create }) => {
    if (input.DelegationSetId !== undefined) throw notImplemented('reusable delegation sets')
    const name = normalizeName(input.Name)
    if (name === undefined || name === '.' || name.startsWith('*'))
      throw route53.fail('InvalidDomainName', `${input.Name} is not a valid domain name.`)
    const reference = callerReferenceKey(call.account, input.CallerReference)
    if (await call.unit.get(reference))
      throw route53.fail(
        'HostedZoneAlreadyExists',
        `A hosted zone has already been created with the specified caller reference.`,
      )
    if (input.HostedZoneConfig?.PrivateZone && !input.VPC)
      throw route53.fail('InvalidInput', 'Invalid request: a private hosted zone needs a VPC.')
    const vpc = input.VPC && (await ownVpc(call, input.VPC))
    const quota = call.quotas['route53/HostedZonesPerAccount']!
    if ((await hostedZone.list(call.unit, call, { limit: quota })).length >= quota)
      throw route53.fail('TooManyHostedZones', `The account has ${quota} hosted zones, the most it may have.`)
    const servers = nameServers()
    const row: HostedZoneRow = {
      id: id.Id,
      account: call.account,
      name,
      callerReference: input.CallerReference,
      ...(input.HostedZoneConfig?.Comment && { comment: input.HostedZoneConfig.Comment }),
      createdAt: call.now,
      nameServers: servers,
      recordSetCount: 2,
      ...(vpc && { vpcs: [vpc] }),
    }
    create(row)
    call.unit.put(reference, { id: row.id })
    const { account, createdAt } = row
    if (vpc) await associate(call, vpc, row)
    // What resolvers of everyone answer, and what proves domains.
    else call.unit.put(zoneNameKey(row), { id: row.id, account, name, createdAt, nameServers: servers })
    for (const set of ownRecordSets(row)) call.unit.put(recordSetKey(row.id, set), set)
    return {
      HostedZone: described(row),
      ChangeInfo: submitted(call),
      DelegationSet: { NameServers: [...servers] },
      ...(vpc && { VPC: printedVpc(vpc) }),
      Location: `${call.origin}/2013-04-01/hostedzone/${row.id}`,
    }
  })

/** What a zone has from the beginning and keeps: its name servers, and the start of authority. */
const ownRecordSets = ({ name, nameServers: servers }: HostedZoneRow): readonly RecordSetRow[] => [
  { name, type: 'NS', ttl: NS_TTL, values: servers.map((host) => `${host}.`) },
  {
    name,
    type: 'SOA',
    ttl: SOA_TTL,
    values: [`${servers[0]}. hostmaster.${name} 1 7200 900 1209600 86400`],
  },
]

export const getHostedZone = route53
  .operation('GetHostedZone')
  .on(hostedZone.named('Id'))
  .run((_call, _input, { row }) => ({
    HostedZone: described(row),
    ...(row.vpcs ? { VPCs: row.vpcs.map(printedVpc) } : { DelegationSet: { NameServers: [...row.nameServers] } }),
  }))

export const listHostedZones = route53
  .operation('ListHostedZones')
  .on(hostedZone.collection())
  .run(async (_call, input, zones) => {
    if (input.DelegationSetId !== undefined) throw notImplemented('reusable delegation sets')
    const size = sizeOf(input.MaxItems)
    const all = (await zones.all()).filter(({ vpcs }) => input.HostedZoneType !== 'PrivateHostedZone' || vpcs)
    const from = all.filter(({ id }) => input.Marker === undefined || id >= input.Marker)
    const next = from[size]
    return {
      HostedZones: from.slice(0, size).map(described),
      Marker: input.Marker ?? '',
      IsTruncated: next !== undefined,
      ...(next && { NextMarker: next.id }),
      MaxItems: size,
    }
  })

export const listHostedZonesByName = route53
  .operation('ListHostedZonesByName')
  .on(hostedZone.collection())
  .run(async (_call, input, zones) => {
    const size = sizeOf(input.MaxItems)
    const start = input.DNSName === undefined ? undefined : normalizeName(input.DNSName)
    if (input.DNSName !== undefined && start === undefined)
      throw route53.fail('InvalidDomainName', `${input.DNSName} is not a valid domain name.`)
    const placeOf = (name: string, id: string) => `${reversedName(name)} ${id}`
    const from = (await zones.all())
      .map((row) => ({ row, place: placeOf(row.name, row.id) }))
      .sort((a, b) => (a.place < b.place ? -1 : 1))
      .filter(({ place }) => start === undefined || place >= placeOf(start, input.HostedZoneId ?? ''))
      .map(({ row }) => row)
    const next = from[size]
    return {
      HostedZones: from.slice(0, size).map(described),
      ...(input.DNSName !== undefined && { DNSName: input.DNSName }),
      ...(input.HostedZoneId !== undefined && { HostedZoneId: input.HostedZoneId }),
      IsTruncated: next !== undefined,
      ...(next && { NextDNSName: printedName(next.name), NextHostedZoneId: next.id }),
      MaxItems: size,
    }
  })

export const getHostedZoneCount = route53
  .operation('GetHostedZoneCount')
  .on(hostedZone.collection())
  .run(async (_call, _input, zones) => ({ HostedZoneCount: (await zones.all()).length }))

export const updateHostedZoneComment = route53
  .operation('UpdateHostedZoneComment')
  .on(hostedZone.named('Id'))
  .run((_call, input, { row, save }) => {
    const { comment: _, ...rest } = row
    return { HostedZone: described(save({ ...rest, ...(input.Comment && { comment: input.Comment }) })) }
  })

export const deleteHostedZone = route53
  .operation('DeleteHostedZone')
  .on(hostedZone.named('Id'))
  .run(async (call, _input, { row, remove }) => {
    if (row.recordSetCount > 2)
      throw route53.fail(
        'HostedZoneNotEmpty',
        'The specified hosted zone contains non-required resource record sets and so cannot be deleted.',
      )
    for (const { key } of await call.unit.range(recordSetsOf(row.id))) call.unit.delete(key)
    call.unit.delete(callerReferenceKey(row.account, row.callerReference))
    call.unit.delete(zoneNameKey(row))
    await forgetAssociations(call, row)
    remove()
    return { ChangeInfo: submitted(call) }
  })

/** Zones are not signed. Clients call this before they delete a zone. */
export const getDnssec = route53
  .operation('GetDNSSEC')
  .on(hostedZone.named('HostedZoneId'))
  .run(() => ({ Status: { ServeSignature: 'NOT_SIGNING' }, KeySigningKeys: [] }))

const sizeOf = (size = PAGE_MAX): number => Math.max(1, Math.min(Math.floor(Number(size)) || PAGE_MAX, PAGE_MAX))

const described = (row: HostedZoneRow): HostedZone => ({
  Id: `/hostedzone/${row.id}`,
  Name: printedName(row.name),
  CallerReference: row.callerReference,
  Config: { PrivateZone: row.vpcs !== undefined, ...(row.comment !== undefined && { Comment: row.comment }) },
  ResourceRecordSetCount: row.recordSetCount,
})
