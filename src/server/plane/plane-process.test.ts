/** The resolver in a process of its own: enrolled over HTTP, fed by Route 53, queried by a real resolver. */
import { Resolver } from 'node:dns/promises'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ACCOUNT, cloud } from '../../../test/cloud.ts'
import { createCode, enrolledPlanes, fingerprintOf, revokePlane } from '../../kernel/planes/enrollment.ts'
import { ephemeralVault } from '../../vault/ephemeral.ts'
import { createLogger } from '../compose/log.ts'
import { listen } from '../listen/listener.ts'
import { type PlaneProcessOptions, runPlane } from './plane-process.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const WAIT = { timeout: 20_000 }

/** Closes it once, at the latest at the end of the test. */
function closing(listener: { close(): Promise<unknown> }) {
  let closed: Promise<unknown> | undefined
  const stop = () => (closed ??= listener.close())
  closers.push(stop)
  return stop
}

async function controlPlane() {
  const it = await cloud()
  const listener = await listen((request) => it.handle(request), { host: '127.0.0.1', port: 0 })
  const stop = closing(listener)
  /** Another address of the same server. */
  const another = async () => {
    const second = await listen((request) => it.handle(request), { host: '127.0.0.1', port: 0 })
    return { url: second.url, stop: closing(second) }
  }
  const code = () => it.store.run((unit) => createCode(unit, it.vault, 'resolver', it.clock.now()))
  const route53 = it.client(Route53Client)
  const { HostedZone } = await route53.send(new CreateHostedZoneCommand({ Name: 'corp.test', CallerReference: '1' }))
  const www = (Value: string) =>
    route53.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: HostedZone!.Id,
        ChangeBatch: {
          Changes: [
            {
              Action: 'UPSERT',
              ResourceRecordSet: { Name: 'www.corp.test', Type: 'A', TTL: 60, ResourceRecords: [{ Value }] },
            },
          ],
        },
      }),
    )
  await www('192.0.2.7')
  const events = async () =>
    (await it.store.log({ account: ACCOUNT, limit: 1000 })).map(
      ({ body }) => JSON.parse(body) as Record<string, unknown>,
    )
  return { ...it, url: listener.url, stop, another, code, www, events }
}

async function running(options: Partial<PlaneProcessOptions> & Pick<PlaneProcessOptions, 'state'>) {
  const plane = await runPlane({
    plane: 'resolver',
    node: 'edge-1',
    host: '127.0.0.1',
    ports: { dns: 0 },
    logger: createLogger('error'),
    recordsEveryMs: 100,
    waitMs: 200,
    ...options,
  })
  let isRunning = true
  const stop = async () => {
    if (isRunning) await plane.close()
    isRunning = false
  }
  closers.push(stop)
  const client = new Resolver({ timeout: 2_000, tries: 3 })
  client.setServers([`127.0.0.1:${plane.listeners[0]!.port}`])
  return { plane, stop, resolve: () => client.resolve4('www.corp.test') }
}

const state = () => mkdtemp(join(tmpdir(), 'plane-'))

describe('A plane in its own process', () => {
  test('goes on to the next address when a node is away, also to enroll', async () => {
    const server = await controlPlane()
    const other = await server.another()
    const { resolve } = await running({
      state: await state(),
      server: `${server.url},${other.url}`,
      code: await server.code(),
    })
    await vi.waitFor(async () => expect(await resolve()).toEqual(['192.0.2.7']), WAIT)

    await server.stop()
    await server.www('192.0.2.8')
    await vi.waitFor(async () => expect(await resolve()).toEqual(['192.0.2.8']), WAIT)

    const third = await server.another()
    await other.stop()
    const { resolve: again } = await running({
      state: await state(),
      node: 'edge-2',
      server: `${other.url}, ${third.url}`,
      code: await server.code(),
    })
    await vi.waitFor(async () => expect(await again()).toEqual(['192.0.2.8']), WAIT)
  })

  test('tries every address once, and refuses one that would show its token', async () => {
    const server = await controlPlane()
    const [folder, code] = [await state(), await server.code()]
    await expect(running({ state: folder, server: `${server.url},http://192.0.2.1:80`, code })).rejects.toThrow(
      'http://192.0.2.1:80 is not an https address',
    )
    await server.stop()
    await expect(running({ state: folder, server: `${server.url},${server.url}`, code })).rejects.toThrow(
      'ECONNREFUSED',
    )
  })

  test('enrolls, answers what is committed, and goes on when its server is gone, over a restart', async () => {
    const it = await controlPlane()
    const place = await state()
    const code = await it.code()
    const first = await running({ state: place, server: it.url, code })
    await vi.waitFor(async () => expect(await first.resolve()).toEqual(['192.0.2.7']), WAIT)
    await it.www('192.0.2.8')
    await vi.waitFor(async () => expect(await first.resolve()).toEqual(['192.0.2.8']), WAIT)

    await it.stop()
    expect(await first.resolve()).toEqual(['192.0.2.8'])
    await first.stop()
    const again = await running({ state: place })
    expect(again.plane.health()).toBe('open')
    expect(await again.resolve()).toEqual(['192.0.2.8'])
  })

  test('is recorded as a service, without its secrets, and reports its health once', async () => {
    const it = await controlPlane()
    const place = await state()
    const code = await it.code()
    const { resolve } = await running({ state: place, server: it.url, code })
    await vi.waitFor(async () => expect(await resolve()).toEqual(['192.0.2.7']), WAIT)
    await vi.waitFor(
      async () => expect(await enrolledPlanes(it.store.reader)).toMatchObject([{ status: { health: 'open' } }]),
      WAIT,
    )

    const events = (await it.events()).filter(({ eventSource }) => String(eventSource).includes('merlon'))
    expect(events.map(({ eventName }) => eventName).sort()).toEqual(['EnrollPlane', 'GetSnapshot'])
    expect(events.find(({ eventName }) => eventName === 'GetSnapshot')).toMatchObject({
      userIdentity: { type: 'AWSService', invokedBy: 'resolver.planes.merlon.internal' },
      requestParameters: { plane: 'resolver' },
    })
    const { token } = JSON.parse(await readFile(join(place, 'plane.json'), 'utf8')) as { token: string }
    const recorded = JSON.stringify(events)
    expect(recorded).not.toContain(token)
    expect(recorded).not.toContain(code.split('.')[2])
  })

  test('gets nothing newer once it is revoked, and keeps what it has', async () => {
    const it = await controlPlane()
    const place = await state()
    const { resolve } = await running({ state: place, server: it.url, code: await it.code() })
    await vi.waitFor(async () => expect(await resolve()).toEqual(['192.0.2.7']), WAIT)
    const { token } = JSON.parse(await readFile(join(place, 'plane.json'), 'utf8')) as { token: string }
    const snapshot = (plane: string) =>
      fetch(`${it.url}/_merlon/planes/${plane}/snapshot?after=-1`, { headers: { authorization: `Bearer ${token}` } })
    expect((await snapshot('resolver')).status).toBe(200)
    expect((await snapshot('gateway')).status).toBe(403)

    await it.store.run((unit) => revokePlane(unit, 'resolver', 'edge-1'))
    await it.www('192.0.2.9')

    expect((await snapshot('resolver')).status).toBe(401)
    expect(await resolve()).toEqual(['192.0.2.7'])
  })

  test('spends a code once, within an hour, and only at the server that the code is of', async () => {
    const it = await controlPlane()
    const code = await it.code()
    const enrolling = async (used: string, server = it.url) => running({ state: await state(), server, code: used })
    await enrolling(code)
    await expect(enrolling(code)).rejects.toThrow('unknown, spent or expired')
    const late = await it.code()
    it.clock.advance(60 * 60_000 + 1)
    await expect(enrolling(late)).rejects.toThrow('unknown, spent or expired')

    const [version, plane, secret] = (await it.code()).split('.')
    const other = fingerprintOf((await ephemeralVault()).installationPublicKey())
    await expect(enrolling([version, plane, secret, other].join('.'))).rejects.toThrow('another key')
    await expect(enrolling(await it.code(), 'http://198.51.100.7:4566')).rejects.toThrow('not an https address')
    await expect(running({ state: await state() })).rejects.toThrow('merlon plane enroll resolver')
  })
})
