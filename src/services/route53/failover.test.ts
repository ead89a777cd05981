/** Record sets that are chosen by routing and health: from real endpoints to what a resolver answers. */
import { Resolver } from 'node:dns/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  CreateHostedZoneCommand,
  DeleteHealthCheckCommand,
  type HealthCheckConfig,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
  TestDNSAnswerCommand,
} from '@aws-sdk/client-route-53'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { cloud } from '../../../test/cloud.ts'
import { type SnapshotFeed, snapshots } from '../../kernel/planes/snapshot.ts'
import { endpointProbes } from '../../kernel/ports/endpoint-probes.ts'
import { provide } from '../../kernel/ports/port.ts'
import { resolver } from '../../planes/resolver/index.ts'
import { endpointProbesPort } from '../../server/endpoint-probes.ts'
import { openListeners } from '../../server/listen/plane-listeners.ts'
import { lookupPublished } from './published-zones.ts'

async function opened() {
  const it = await cloud({
    provides: [provide(endpointProbes, endpointProbesPort({ networks: '127.0.0.0/8' }))],
  })
  const root = it.client(Route53Client)
  const { HostedZone } = await root.send(new CreateHostedZoneCommand({ Name: 'corp.test', CallerReference: 'a' }))
  const HostedZoneId = HostedZone!.Id!
  const change = (...sets: readonly ResourceRecordSet[]) => changeBy('CREATE', ...sets)
  const changeBy = (Action: Change['Action'], ...sets: readonly ResourceRecordSet[]) =>
    root.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId,
        ChangeBatch: { Changes: sets.map((ResourceRecordSet) => ({ Action, ResourceRecordSet })) },
      }),
    )
  const check = async (Port: number) => {
    const HealthCheckConfig: HealthCheckConfig = {
      ...{ Type: 'HTTP', IPAddress: '127.0.0.1', Port, RequestInterval: 10, FailureThreshold: 1 },
    }
    const send = new CreateHealthCheckCommand({ CallerReference: String(Port), HealthCheckConfig })
    return (await root.send(send)).HealthCheck!.Id!
  }
  const answers = async (name: string, type = 'A') =>
    (await lookupPublished(it.store.reader, name, type))!.answers.map(({ data }) => data)
  return { ...it, root, HostedZoneId, change, changeBy, check, answers }
}

/** On a port of its own, which stays the same when it is started again. */
async function endpoint() {
  let server = createServer((_request, response) => response.end())
  const start = (port: number) =>
    new Promise<void>((resolve) => {
      server = createServer((_request, response) => response.end())
      server.listen(port, '127.0.0.1', resolve)
    })
  await start(0)
  const { port } = server.address() as AddressInfo
  const stop = () => new Promise((resolve) => server.close(resolve))
  onTestFinished(async () => void (await stop()))
  return { port, stop, start: () => start(port) }
}

const set = (Name: string, Value: string, more: Partial<ResourceRecordSet> = {}): ResourceRecordSet => ({
  ...{ Name, Type: 'A', TTL: 60, ResourceRecords: [{ Value }] },
  ...more,
})
const failover = (Failover: 'PRIMARY' | 'SECONDARY', HealthCheckId?: string) => ({
  ...{ SetIdentifier: Failover.toLowerCase(), Failover },
  ...(HealthCheckId !== undefined && { HealthCheckId }),
})

describe('Failover', () => {
  test('moves a name to the secondary when the primary dies, and back; a resolver keeps the last health while its server is away', async () => {
    const it = await opened()
    const [first, second] = [await endpoint(), await endpoint()]
    const [one, two] = [await it.check(first.port), await it.check(second.port)]
    const primary = set('www.corp.test', '192.0.2.1', failover('PRIMARY', one))
    await it.change(primary, set('www.corp.test', '192.0.2.2', failover('SECONDARY', two)))
    const state = { isAway: false }
    const source = it.use(snapshots).feedOf('resolver')
    const feed: SnapshotFeed = {
      next: async (after, waitMs) => {
        const snapshot = await source.next(after, waitMs)
        if (state.isAway) throw new Error('away')
        return snapshot
      },
    }
    const plane = resolver({ feed, publicKey: it.vault.installationPublicKey(), file: undefined, waitMs: 50 })
    await plane.start()
    const listeners = await openListeners(plane, '127.0.0.1', { dns: 0 })
    onTestFinished(async () => {
      for (const { close } of listeners) await close()
      await plane.close()
    })
    const client = new Resolver({ timeout: 2_000, tries: 2 })
    client.setServers([`127.0.0.1:${listeners[0]!.port}`])
    const isAnswered = (address: string) =>
      vi.waitFor(async () => expect(await client.resolve4('www.corp.test')).toEqual([address]), { timeout: 10_000 })

    await it.pass(0)
    await isAnswered('192.0.2.1')
    await first.stop()
    await it.pass(10_000)
    await isAnswered('192.0.2.2')
    await first.start()
    await it.pass(10_000)
    await isAnswered('192.0.2.1')

    await first.stop()
    await it.pass(10_000)
    await isAnswered('192.0.2.2')
    state.isAway = true
    await first.start()
    await it.pass(10_000)
    expect(await it.answers('www.corp.test.')).toEqual(['192.0.2.1'])
    expect(await client.resolve4('www.corp.test')).toEqual(['192.0.2.2'])
    state.isAway = false
    await isAnswered('192.0.2.1')
    const { RecordData } = await it.root.send(
      new TestDNSAnswerCommand({ HostedZoneId: it.HostedZoneId, RecordName: 'www.corp.test', RecordType: 'A' }),
    )
    expect(RecordData).toEqual(['192.0.2.1'])
  })

  test('answers the primary when both are dead, and follows an alias that evaluates health', async () => {
    const it = await opened()
    const dead = await endpoint()
    await dead.stop()
    const id = await it.check(dead.port)
    const alias = (Name: string, DNSName: string, EvaluateTargetHealth: boolean, more = {}): ResourceRecordSet => ({
      ...{ Name, Type: 'A', AliasTarget: { HostedZoneId: it.HostedZoneId, DNSName, EvaluateTargetHealth } },
      ...more,
    })
    await it.change(
      set('both.corp.test', '192.0.2.1', failover('PRIMARY', id)),
      set('both.corp.test', '192.0.2.2', failover('SECONDARY', id)),
      alias('www.corp.test', 'both.corp.test', true, failover('PRIMARY')),
      set('www.corp.test', '192.0.2.3', failover('SECONDARY')),
      alias('corp.test', 'www.corp.test', false),
      alias('plain.corp.test', 'both.corp.test', false),
    )
    expect(await it.answers('corp.test.')).toEqual(['192.0.2.1'])
    await it.pass(0)

    expect(await it.answers('both.corp.test.')).toEqual(['192.0.2.1'])
    expect(await it.answers('www.corp.test.')).toEqual(['192.0.2.3'])
    expect(await it.answers('corp.test.')).toEqual(['192.0.2.3'])
    expect(await it.answers('plain.corp.test.')).toEqual(['192.0.2.1'])
    // As AWS says, nothing prevents this; the record sets then count as healthy.
    await it.root.send(new DeleteHealthCheckCommand({ HealthCheckId: id }))
    expect(await it.answers('www.corp.test.')).toEqual(['192.0.2.1'])
  })
})

describe('Record sets of one name and type', () => {
  test('are listed with what tells them apart, in pages, and are deleted one by one', async () => {
    const it = await opened()
    const heavy = set('www.corp.test', '192.0.2.1', { SetIdentifier: 'a/b', Weight: 10 })
    const light = set('www.corp.test', '192.0.2.2', { SetIdentifier: 'z', Weight: 0 })
    await it.change(heavy, light, set('any.corp.test', '192.0.2.3', { SetIdentifier: 'm', MultiValueAnswer: true }))
    const list = (more: object) =>
      it.root.send(new ListResourceRecordSetsCommand({ HostedZoneId: it.HostedZoneId, ...more }))

    const all = (await list({})).ResourceRecordSets!
    expect(all.slice(-2)).toEqual([
      { ...heavy, Name: 'www.corp.test.' },
      { ...light, Name: 'www.corp.test.' },
    ])
    const page = await list({ MaxItems: 3 })
    const at = { StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType }
    expect(page).toMatchObject({ NextRecordName: 'www.corp.test.', NextRecordIdentifier: 'a/b' })
    expect((await list({ ...at, StartRecordIdentifier: 'z' })).ResourceRecordSets).toHaveLength(1)
    expect(await it.answers('www.corp.test.')).toEqual(['192.0.2.1'])
    await it.changeBy('DELETE', heavy)
    expect(await it.answers('www.corp.test.')).toEqual(['192.0.2.2'])
    await expect(it.changeBy('DELETE', heavy)).rejects.toThrow(/set-identifier='a\/b'\] but it was not found/)
  })

  test.each<[string, readonly ResourceRecordSet[], RegExp]>([
    [
      'of other routing',
      [set('a.corp.test', '192.0.2.1'), set('a.corp.test', '192.0.2.2', { SetIdentifier: 'b', Weight: 1 })],
      /other routing/,
    ],
    [
      'with two primaries',
      ['a', 'b'].map((SetIdentifier) =>
        set('a.corp.test', '192.0.2.1', { SetIdentifier, Failover: 'PRIMARY', HealthCheckId: 'ID' }),
      ),
      /more than one primary/,
    ],
    ['with a primary without health', [set('a.corp.test', '192.0.2.1', failover('PRIMARY'))], /lacks a health check/],
    ['without identifier', [set('a.corp.test', '192.0.2.1', { Weight: 1 })], /lacks a SetIdentifier/],
    [
      'of two kinds',
      [set('a.corp.test', '192.0.2.1', { SetIdentifier: 'a', Weight: 1, Failover: 'SECONDARY' })],
      /more than one kind/,
    ],
    ['with an identifier alone', [set('a.corp.test', '192.0.2.1', { SetIdentifier: 'a' })], /no routing/],
    [
      'by Region',
      [set('a.corp.test', '192.0.2.1', { SetIdentifier: 'a', Region: 'us-east-1' })],
      /does not implement record sets with Region/,
    ],
    [
      'of more than 400 values',
      [
        set('a.corp.test', '192.0.2.1', {
          ResourceRecords: Array.from({ length: 401 }, (_, n) => ({ Value: `10.0.${n >> 8}.${n & 255}` })),
        }),
      ],
      /limit of 400/,
    ],
    [
      'of a check that does not exist',
      [set('a.corp.test', '192.0.2.1', { HealthCheckId: '0' })],
      /No health check exists/,
    ],
  ])('%s are refused', async (_what, sets, message) => {
    const it = await opened()
    const id = await it.check(1)
    const named = sets.map((each) => (each.HealthCheckId === 'ID' ? { ...each, HealthCheckId: id } : each))
    await expect(it.change(...named)).rejects.toThrow(message)
  })
})
