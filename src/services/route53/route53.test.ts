/** Route 53: zones and record sets through the official client, and what the resolver receives of them. */
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  ChangeTagsForResourceCommand,
  CreateHostedZoneCommand,
  DeleteHostedZoneCommand,
  GetChangeCommand,
  GetDNSSECCommand,
  GetHostedZoneCommand,
  ListHostedZonesByNameCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  ListTagsForResourceCommand,
  Route53Client,
  type RRType,
  TestDNSAnswerCommand,
  UpdateHostedZoneCommentCommand,
} from '@aws-sdk/client-route-53'
import { beforeEach, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'
import { lookupPublished } from './published-zones.ts'
import { hostedZone } from './resources.ts'
import { zonesSnapshot } from './zones-snapshot.ts'

type Cloud = Awaited<ReturnType<typeof cloud>>
let it: Cloud
let root: Route53Client
beforeEach(async () => {
  it = await cloud()
  root = it.client(Route53Client)
})

async function zone(Name: string, client = root) {
  const made = await client.send(new CreateHostedZoneCommand({ Name, CallerReference: `${Name} ${Math.random()}` }))
  return made.HostedZone!.Id!
}

const set = (Action: Change['Action'], Name: string, Type: RRType, ...values: readonly string[]): Change => ({
  Action,
  ResourceRecordSet: { Name, Type, TTL: 60, ResourceRecords: values.map((Value) => ({ Value })) },
})
const change = (HostedZoneId: string, Changes: Change[], client = root) =>
  client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }))
const listed = async (HostedZoneId: string) =>
  (await root.send(new ListResourceRecordSetsCommand({ HostedZoneId }))).ResourceRecordSets!.map(
    ({ Name, Type }) => `${Name} ${Type}`,
  )
const answers = async (name: string, type: string) =>
  (await lookupPublished(it.store.reader, name, type))?.answers.map(({ data }) => data)

describe('A hosted zone', () => {
  test('has its name servers and start of authority, is found by ID and name, and is deleted when it is empty', async () => {
    const Id = await zone('Corp.Test')

    expect(Id).toMatch(/^\/hostedzone\/Z[A-Z0-9]{20}$/)
    const shown = await root.send(new GetHostedZoneCommand({ Id }))
    expect(shown.HostedZone).toMatchObject({ Name: 'corp.test.', ResourceRecordSetCount: 2 })
    expect(shown.DelegationSet!.NameServers).toEqual(['ns-1.merlon.internal', 'ns-2.merlon.internal'])
    expect(await listed(Id)).toEqual(['corp.test. NS', 'corp.test. SOA'])
    expect((await root.send(new GetDNSSECCommand({ HostedZoneId: Id }))).Status!.ServeSignature).toBe('NOT_SIGNING')
    const named = await root.send(new UpdateHostedZoneCommentCommand({ Id, Comment: 'ours' }))
    expect(named.HostedZone!.Config).toEqual({ PrivateZone: false, Comment: 'ours' })

    await change(Id, [set('CREATE', 'www.corp.test', 'A', '192.0.2.1')])
    await expect(root.send(new DeleteHostedZoneCommand({ Id }))).rejects.toMatchObject({ name: 'HostedZoneNotEmpty' })
    await change(Id, [set('DELETE', 'www.corp.test', 'A', '192.0.2.1')])
    await root.send(new DeleteHostedZoneCommand({ Id }))
    await expect(root.send(new GetHostedZoneCommand({ Id }))).rejects.toMatchObject({ name: 'NoSuchHostedZone' })
    expect(await answers('corp.test.', 'NS')).toBeUndefined()
  })

  test('is created once for a caller reference, and never with a name that is none', async () => {
    const CallerReference = 'once'
    await root.send(new CreateHostedZoneCommand({ Name: 'a.test', CallerReference }))

    await expect(root.send(new CreateHostedZoneCommand({ Name: 'b.test', CallerReference }))).rejects.toMatchObject({
      name: 'HostedZoneAlreadyExists',
    })
    for (const Name of ['*.a.test', 'a..test', '-.test-', 'ä.test', '.'])
      await expect(zone(Name)).rejects.toMatchObject({ name: 'InvalidDomainName' })
  })

  test('is listed in pages, by ID and by name', async () => {
    for (const name of ['b.test', 'a.test', 'z.a.test']) await zone(name)

    const first = await root.send(new ListHostedZonesCommand({ MaxItems: 2 }))
    const second = await root.send(new ListHostedZonesCommand({ MaxItems: 2, Marker: first.NextMarker }))
    expect([first.IsTruncated, second.IsTruncated]).toEqual([true, false])
    expect(new Set([...first.HostedZones!, ...second.HostedZones!].map(({ Id }) => Id)).size).toBe(3)
    const byName = await root.send(new ListHostedZonesByNameCommand({ DNSName: 'a.test' }))
    expect(byName.HostedZones!.map(({ Name }) => Name)).toEqual(['a.test.', 'z.a.test.', 'b.test.'])
  })

  test('has tags, by which permissions are decided', async () => {
    const Id = await zone('corp.test')
    const ResourceId = Id.replace('/hostedzone/', '')
    const ResourceType = 'hostedzone'
    await root.send(
      new ChangeTagsForResourceCommand({ ResourceId, ResourceType, AddTags: [{ Key: 'team', Value: 'a' }] }),
    )
    const statement = (team: string) =>
      allowing({
        Action: 'route53:*',
        Resource: `arn:aws:route53:::hostedzone/${ResourceId}`,
        Condition: { StringEquals: { 'aws:ResourceTag/team': team } },
      })
    const ann = it.client(Route53Client, await it.user('ann', statement('a')))
    const ben = it.client(Route53Client, await it.user('ben', statement('b')))

    const { ResourceTagSet } = await ann.send(new ListTagsForResourceCommand({ ResourceId, ResourceType }))
    expect(ResourceTagSet!.Tags).toEqual([{ Key: 'team', Value: 'a' }])
    await expect(ben.send(new GetHostedZoneCommand({ Id }))).rejects.toThrow(/not authorized/)
  })
})

describe('A batch of changes', () => {
  test('is made as a whole or not at all', async () => {
    const Id = await zone('corp.test')

    const made = await change(Id, [
      set('CREATE', '*.corp.test', 'CNAME', 'www.corp.test'),
      set('UPSERT', 'www.corp.test', 'A', '192.0.2.1', '192.0.2.2'),
      {
        Action: 'CREATE',
        ResourceRecordSet: {
          Name: 'corp.test',
          Type: 'A',
          AliasTarget: {
            HostedZoneId: Id.replace('/hostedzone/', ''),
            DNSName: 'www.corp.test',
            EvaluateTargetHealth: false,
          },
        },
      },
    ])
    expect(made.ChangeInfo).toMatchObject({ Status: 'PENDING' })
    const asked = await root.send(new GetChangeCommand({ Id: made.ChangeInfo!.Id! }))
    expect(asked.ChangeInfo).toMatchObject({ Id: made.ChangeInfo!.Id!, Status: 'INSYNC' })
    const other = it.client(Route53Client, await it.account())
    await expect(other.send(new GetChangeCommand({ Id: made.ChangeInfo!.Id! }))).rejects.toMatchObject({
      name: 'NoSuchChange',
    })

    const refused = change(Id, [
      set('CREATE', 'new.corp.test', 'A', '192.0.2.9'),
      set('CREATE', 'www.corp.test', 'A', '192.0.2.1'),
      set('DELETE', 'old.corp.test', 'A', '192.0.2.1'),
    ])
    await expect(refused).rejects.toMatchObject({
      name: 'InvalidChangeBatch',
      messages: [
        "Tried to create resource record set [name='www.corp.test.', type='A'] but it already exists",
        "Tried to delete resource record set [name='old.corp.test.', type='A'] but it was not found",
      ],
    })
    expect(await listed(Id)).toEqual([
      'corp.test. A',
      'corp.test. NS',
      'corp.test. SOA',
      '\\052.corp.test. CNAME',
      'www.corp.test. A',
    ])
    expect(await answers('corp.test.', 'A')).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(await answers('any.corp.test.', 'CNAME')).toEqual(['www.corp.test'])
    const answer = await root.send(
      new TestDNSAnswerCommand({ HostedZoneId: Id, RecordName: 'www.corp.test', RecordType: 'A' }),
    )
    expect(answer).toMatchObject({ ResponseCode: 'NOERROR', RecordData: ['192.0.2.1', '192.0.2.2'] })
  })

  test.each([
    ['a name outside of the zone', [set('CREATE', 'www.other.test', 'A', '192.0.2.1')], /not permitted in zone/],
    ['a CNAME at the apex', [set('CREATE', 'corp.test', 'CNAME', 'a.test')], /not permitted at apex/],
    [
      'a CNAME beside another record',
      [set('CREATE', 'a.corp.test', 'A', '192.0.2.1'), set('CREATE', 'a.corp.test', 'CNAME', 'b.test')],
      /conflicts with other records/,
    ],
    ['a value of another type', [set('CREATE', 'a.corp.test', 'A', '::1')], /Invalid Resource Record/],
    ['other values than there are', [set('DELETE', 'corp.test', 'NS', 'x.test')], /do not match the current/],
    [
      'the name servers of the zone',
      [set('DELETE', 'corp.test', 'NS', 'ns-1.merlon.internal.', 'ns-2.merlon.internal.')],
      /do not match the current values|at least one NS/,
    ],
  ])('is refused with %s', async (_what, changes, message) => {
    const Id = await zone('corp.test')

    await expect(change(Id, changes)).rejects.toThrow(message)
    expect(await listed(Id)).toHaveLength(2)
  })

  test('is decided by the types and names of its records', async () => {
    const Id = await zone('corp.test')
    const policy = allowing({
      Action: 'route53:ChangeResourceRecordSets',
      Resource: '*',
      Condition: {
        'ForAllValues:StringEquals': { 'route53:ChangeResourceRecordSetsRecordTypes': 'CNAME' },
        'ForAllValues:StringLike': { 'route53:ChangeResourceRecordSetsNormalizedRecordNames': '_*' },
      },
    })
    const ann = it.client(Route53Client, await it.user('ann', policy))

    await change(Id, [set('CREATE', '_a.corp.test', 'CNAME', 'b.test')], ann)
    await expect(change(Id, [set('CREATE', 'a.corp.test', 'CNAME', 'b.test')], ann)).rejects.toThrow(/not authorized/)
    await expect(change(Id, [set('CREATE', '_b.corp.test', 'A', '192.0.2.1')], ann)).rejects.toThrow(/not authorized/)
  })
})

describe('A name', () => {
  test('is answered by the zone that was there first, unless that one delegates', async () => {
    const corp = await zone('corp.test')
    const stranger = it.client(Route53Client, await it.account())
    it.clock.advance(1)
    const same = await zone('corp.test', stranger)
    const below = await zone('dev.corp.test', stranger)
    await change(same, [set('CREATE', 'www.corp.test', 'A', '198.51.100.66')], stranger)
    await change(below, [set('CREATE', 'www.dev.corp.test', 'A', '198.51.100.66')], stranger)

    expect(await answers('www.corp.test.', 'A')).toEqual([])
    expect(await answers('www.dev.corp.test.', 'A')).toEqual([])
    await change(corp, [set('CREATE', 'dev.corp.test', 'NS', 'ns-1.merlon.internal.')])
    expect(await answers('www.dev.corp.test.', 'A')).toEqual(['198.51.100.66'])
    const { zones } = await it.store.run((unit) => zonesSnapshot.compute(unit, it.use))
    expect(zones.map(({ name }) => name).sort()).toEqual(['corp.test.', 'dev.corp.test.'])
  })
})

test('The key of a zone is the one that is on customers’ disks', () => {
  expect(hostedZone.key({ account: ACCOUNT, region: 'us-east-1' }, { Id: 'Z1' })).toBe(
    `route53/hosted-zone/${ACCOUNT}/Z1`,
  )
})
