/** Private zones: associated with VPCs, answered by the resolvers of those alone, and proof of nothing. */
import { Resolver } from 'node:dns/promises'
import { CreateVpcCommand, EC2Client } from '@aws-sdk/client-ec2'
import {
  AssociateVPCWithHostedZoneCommand,
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  CreateVPCAssociationAuthorizationCommand,
  DeleteHostedZoneCommand,
  DeleteVPCAssociationAuthorizationCommand,
  DisassociateVPCFromHostedZoneCommand,
  GetHostedZoneCommand,
  ListHostedZonesByVPCCommand,
  ListHostedZonesCommand,
  ListVPCAssociationAuthorizationsCommand,
  Route53Client,
  type RRType,
  type VPC,
} from '@aws-sdk/client-route-53'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ACCOUNT, allowing, cloud, type Keys, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import type { PlaneScope } from '../../kernel/planes/plane-scope.ts'
import { snapshots } from '../../kernel/planes/snapshot.ts'
import { resolver } from '../../planes/resolver/index.ts'
import { openListeners } from '../../server/listen/plane-listeners.ts'
import { certificatesCloud } from '../acm/acm.fixture.ts'

type It = Pick<Awaited<ReturnType<typeof cloud>>, 'client' | 'root' | 'use' | 'vault'>

async function vpcOf(it: It, keys: Keys = it.root): Promise<VPC> {
  const { Vpc } = await it.client(EC2Client, keys).send(new CreateVpcCommand({ CidrBlock: '10.20.0.0/16' }))
  return { VPCId: Vpc!.VpcId!, VPCRegion: 'us-east-1' }
}

let made = 0
async function zone(client: Route53Client, Name: string, VPC?: VPC) {
  const send = new CreateHostedZoneCommand({ Name, CallerReference: `zone ${made++}`, ...(VPC && { VPC }) })
  return (await client.send(send)).HostedZone!.Id!.replace('/hostedzone/', '')
}

const put = (client: Route53Client, HostedZoneId: string, Name: string, Value: string, Type: RRType = 'A') =>
  client.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId,
      ChangeBatch: {
        Changes: [{ Action: 'CREATE', ResourceRecordSet: { Name, Type, TTL: 60, ResourceRecords: [{ Value }] } }],
      },
    }),
  )

/** A resolver with that scope, and what it answers. */
async function resolving(it: It, scope?: PlaneScope) {
  const feed = it.use(snapshots).feedOf('resolver', scope)
  const plane = resolver({ feed, publicKey: it.vault.installationPublicKey(), file: undefined, waitMs: 50 })
  await plane.start()
  const listeners = await openListeners(plane, '127.0.0.1', { dns: 0 })
  onTestFinished(async () => {
    for (const { close } of listeners) await close()
    await plane.close()
  })
  await vi.waitFor(() => expect(plane.health()).toBe('open'))
  const client = new Resolver({ timeout: 2_000, tries: 2 })
  client.setServers([`127.0.0.1:${listeners[0]!.port}`])
  return (name: string) => client.resolve4(name).catch(({ code }) => code as string)
}
const arnOf = ({ VPCId }: VPC, account = ACCOUNT) => `arn:aws:ec2:us-east-1:${account}:vpc/${VPCId}`

describe('A private zone', () => {
  test('is answered by the resolver of its VPC alone; the public zone of the same name stays as it is', async () => {
    const it = await cloud()
    const route53 = it.client(Route53Client)
    const [vpc, other] = [await vpcOf(it), await vpcOf(it)]
    const open = await zone(route53, 'corp.test')
    const hidden = await zone(route53, 'corp.test', vpc)
    await put(route53, open, 'www.corp.test', '192.0.2.1')
    await put(route53, open, 'public.corp.test', '192.0.2.3')
    await put(route53, hidden, 'www.corp.test', '10.20.0.1')
    await put(route53, await zone(route53, 'open.test'), 'www.open.test', '192.0.2.2')

    const inside = await resolving(it, [arnOf(vpc)])
    expect(await inside('www.corp.test')).toEqual(['10.20.0.1'])
    // The private zone decides alone.
    expect(await inside('public.corp.test')).toBe('ENOTFOUND')
    expect(await inside('www.open.test')).toEqual(['192.0.2.2'])
    const outside = [undefined, [arnOf(other)], [ACCOUNT], [arnOf(vpc), arnOf(other)], [arnOf(vpc, OTHER_ACCOUNT)]]
    for (const scope of outside) {
      const answered = await resolving(it, scope)
      expect(await answered('www.corp.test')).toEqual(['192.0.2.1'])
      expect(await answered('public.corp.test')).toEqual(['192.0.2.3'])
    }
  })

  test('shows its VPCs, is listed by them, and keeps the last one', async () => {
    const it = await cloud()
    const route53 = it.client(Route53Client)
    const [vpc, second] = [await vpcOf(it), await vpcOf(it)]
    const Id = await zone(route53, 'corp.test', vpc)
    const open = await zone(route53, 'open.test')
    const by = async (of: VPC) =>
      (await route53.send(new ListHostedZonesByVPCCommand(of as Required<VPC>))).HostedZoneSummaries

    await route53.send(new AssociateVPCWithHostedZoneCommand({ HostedZoneId: Id, VPC: second }))
    const shown = await route53.send(new GetHostedZoneCommand({ Id }))
    expect(shown.HostedZone!.Config!.PrivateZone).toBe(true)
    expect(shown.VPCs).toEqual([vpc, second])
    expect(await by(second)).toEqual([{ HostedZoneId: Id, Name: 'corp.test.', Owner: { OwningAccount: ACCOUNT } }])
    const listed = await route53.send(new ListHostedZonesCommand({ HostedZoneType: 'PrivateHostedZone' }))
    expect(listed.HostedZones!.map((each) => each.Id)).toEqual([`/hostedzone/${Id}`])
    await route53.send(new DisassociateVPCFromHostedZoneCommand({ HostedZoneId: Id, VPC: vpc }))
    expect(await by(vpc)).toEqual([])

    const refused: readonly [() => Promise<unknown>, string][] = [
      [
        () => route53.send(new DisassociateVPCFromHostedZoneCommand({ HostedZoneId: Id, VPC: second })),
        'LastVPCAssociation',
      ],
      [
        () => route53.send(new DisassociateVPCFromHostedZoneCommand({ HostedZoneId: Id, VPC: vpc })),
        'VPCAssociationNotFound',
      ],
      [
        () => route53.send(new AssociateVPCWithHostedZoneCommand({ HostedZoneId: open, VPC: vpc })),
        'PublicZoneVPCAssociation',
      ],
      [() => zone(route53, 'corp.test', second), 'ConflictingDomainExists'],
      [() => zone(route53, 'a.test', { ...vpc, VPCId: 'vpc-0123456789abcdef0' }), 'InvalidVPCId'],
      [() => zone(route53, 'a.test', { ...vpc, VPCRegion: 'eu-west-1' }), 'InvalidVPCId'],
      [
        () =>
          route53.send(
            new CreateHostedZoneCommand({
              Name: 'a.test',
              CallerReference: 'p',
              HostedZoneConfig: { PrivateZone: true },
            }),
          ),
        'InvalidInput',
      ],
    ]
    for (const [call, name] of refused) await expect(call()).rejects.toMatchObject({ name })
    await route53.send(new DeleteHostedZoneCommand({ Id }))
    expect(await by(second)).toEqual([])
    await zone(route53, 'corp.test', second)
  })

  test('of another account is associated where that account authorized it, and does not exist otherwise', async () => {
    const it = await cloud()
    const route53 = it.client(Route53Client)
    const keys = await it.account()
    const stranger = it.client(Route53Client, keys)
    const theirs = await vpcOf(it, keys)
    const HostedZoneId = await zone(route53, 'corp.test', await vpcOf(it))
    await put(route53, HostedZoneId, 'www.corp.test', '10.20.0.1')
    const associate = (client: Route53Client, VPC = theirs) =>
      client.send(new AssociateVPCWithHostedZoneCommand({ HostedZoneId, VPC }))
    const authorized = async () =>
      (await route53.send(new ListVPCAssociationAuthorizationsCommand({ HostedZoneId }))).VPCs

    await expect(associate(stranger)).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    await expect(associate(route53)).rejects.toMatchObject({ name: 'InvalidVPCId' })
    await route53.send(new CreateVPCAssociationAuthorizationCommand({ HostedZoneId, VPC: theirs }))
    expect(await authorized()).toEqual([theirs])
    await expect(associate(stranger, await vpcOf(it, keys))).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    await associate(stranger)
    await route53.send(new DeleteVPCAssociationAuthorizationCommand({ HostedZoneId, VPC: theirs }))
    expect(await authorized()).toEqual([])
    await expect(
      route53.send(new DeleteVPCAssociationAuthorizationCommand({ HostedZoneId, VPC: theirs })),
    ).rejects.toMatchObject({ name: 'VPCAssociationAuthorizationNotFound' })

    const summaries = await stranger.send(new ListHostedZonesByVPCCommand(theirs as Required<VPC>))
    expect(summaries.HostedZoneSummaries).toMatchObject([{ HostedZoneId, Owner: { OwningAccount: ACCOUNT } }])
    expect(await (await resolving(it, [arnOf(theirs, OTHER_ACCOUNT)]))('www.corp.test')).toEqual(['10.20.0.1'])
    for (const send of [
      new GetHostedZoneCommand({ Id: HostedZoneId }),
      new DeleteHostedZoneCommand({ Id: HostedZoneId }),
      new ListVPCAssociationAuthorizationsCommand({ HostedZoneId }),
    ])
      await expect(stranger.send(send as GetHostedZoneCommand)).rejects.toMatchObject({ name: 'NoSuchHostedZone' })
    await stranger.send(new DisassociateVPCFromHostedZoneCommand({ HostedZoneId, VPC: theirs }))
    expect((await route53.send(new GetHostedZoneCommand({ Id: HostedZoneId }))).VPCs).toHaveLength(1)
    await expect(
      stranger.send(new DisassociateVPCFromHostedZoneCommand({ HostedZoneId, VPC: theirs })),
    ).rejects.toMatchObject({ name: 'NoSuchHostedZone' })
  })

  test('is decided by its VPCs, and needs the permission to see them', async () => {
    const it = await cloud()
    const [vpc, other] = [await vpcOf(it), await vpcOf(it)]
    const Condition = { 'ForAllValues:StringEquals': { 'route53:VPCs': `VPCId=${vpc.VPCId},VPCRegion=us-east-1` } }
    const client = async (name: string, ...actions: string[]) =>
      it.client(
        Route53Client,
        await it.user(
          name,
          allowing({ Action: 'route53:*', Resource: '*', Condition }, { Action: actions, Resource: '*' }),
        ),
      )
    const ann = await client('ann', 'ec2:DescribeVpcs')
    const ben = await client('ben', 'ec2:DescribeSubnets')

    await zone(ann, 'a.test', vpc)
    await expect(zone(ann, 'b.test', other)).rejects.toThrow(/not authorized to perform: route53:CreateHostedZone/)
    await expect(zone(ben, 'b.test', vpc)).rejects.toThrow(/not authorized to perform: ec2:DescribeVpcs/)
  })

  test('proves no domain to ACM', async () => {
    const it = await certificatesCloud()
    const route53 = it.client(Route53Client)
    const hidden = await zone(route53, 'corp.test', await vpcOf(it))
    const arn = await it.request('www.corp.test')
    const { Name, Value } = (await it.describe(arn)).DomainValidationOptions![0]!.ResourceRecord!
    await put(route53, hidden, Name!, Value!, 'CNAME')
    for (let minute = 0; minute < 10; minute++) await it.pass(60_000)
    expect((await it.describe(arn)).Status).toBe('PENDING_VALIDATION')
    const later = it.client(Route53Client)
    await put(later, await zone(later, 'corp.test'), Name!, Value!, 'CNAME')
    await it.pass(60_000)
    expect((await it.describe(arn)).Status).toBe('ISSUED')
  })
})
