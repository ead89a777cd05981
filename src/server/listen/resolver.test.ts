/** The resolver plane on its real sockets, queried by a real resolver. */
import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { decode, encode } from 'dns-packet'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { RecordSet } from '../../engines/dns/records.ts'
import type { Zone } from '../../engines/dns/zones.ts'
import { RESOLVER_VERSION, type ResolverContent } from '../../kernel/planes/resolver-content.ts'
import { type SnapshotFeed, SnapshotPublisher } from '../../kernel/planes/snapshot.ts'
import { resolver } from '../../planes/resolver/index.ts'
import { openStore } from '../../store/sqlite.ts'
import { key, under } from '../../store/store.ts'
import { ephemeralVault } from '../../vault/ephemeral.ts'
import { openListeners } from './plane-listeners.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const SOA: RecordSet = {
  name: 'corp.test.',
  type: 'SOA',
  ttl: 900,
  values: ['ns1.corp.test. admin.corp.test. 1 7200 900 1209600 300'],
}
const away: SnapshotFeed = { next: () => Promise.reject(new Error('away')) }

async function controlPlane() {
  const store = await openStore({ file: ':memory:' })
  const vault = await ephemeralVault()
  const publisher = new SnapshotPublisher<ResolverContent>(store, vault, {
    plane: 'resolver',
    version: RESOLVER_VERSION,
    from: [under('zone')],
    compute: async (reader) => ({
      zones: (await reader.range<Zone>(under('zone'))).map(({ document }) => document),
    }),
  })
  closers.push(
    () => store.close(),
    () => publisher.close(),
  )
  const put = (...records: RecordSet[]) =>
    store.run((unit) => unit.put(key('zone', 'corp.test'), { name: 'corp.test.', records: [SOA, ...records] }))
  return { publisher, vault, put }
}

async function serving(feed: SnapshotFeed, publicKey: Uint8Array) {
  const plane = resolver({ feed, publicKey, file: undefined, waitMs: 50 })
  await plane.start()
  const listeners = await openListeners(plane, '127.0.0.1', { dns: 0 })
  closers.push(() => plane.close(), ...listeners.map(({ close }) => close))
  const { port } = listeners[0]!
  const client = new Resolver({ timeout: 2_000, tries: 2 })
  client.setServers([`127.0.0.1:${port}`])
  return { plane, client, port }
}

const www = (...values: string[]): RecordSet => ({ name: 'www.corp.test.', type: 'A', ttl: 60, values })

describe('The resolver', () => {
  test('answers what was committed', async () => {
    const { publisher, vault, put } = await controlPlane()
    await put(www('192.0.2.7'))
    const { plane, client } = await serving(publisher, vault.installationPublicKey())
    await vi.waitFor(() => expect(plane.health()).toBe('open'))

    expect(await client.resolve4('www.corp.test')).toEqual(['192.0.2.7'])
    await expect(client.resolve4('none.corp.test')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(client.resolve4('example.com')).rejects.toMatchObject({ code: 'EREFUSED' })
    expect(await client.resolveSoa('corp.test')).toMatchObject({ nsname: 'ns1.corp.test' })

    await put(www('192.0.2.8'))
    await vi.waitFor(async () => expect(await client.resolve4('www.corp.test')).toEqual(['192.0.2.8']))
  })

  test('fails instead of denying names while it has no snapshot', async () => {
    const { vault } = await controlPlane()
    const { plane, client } = await serving(away, vault.installationPublicKey())

    expect(plane.health()).toBe('closed')
    await expect(client.resolve4('www.corp.test')).rejects.toMatchObject({ code: 'ESERVFAIL' })
  })

  test('sends over TCP what does not fit into a datagram', async () => {
    const { publisher, vault, put } = await controlPlane()
    const addresses = Array.from({ length: 100 }, (_, n) => `192.0.2.${n}`)
    await put(www(...addresses))
    const { plane, client } = await serving(publisher, vault.installationPublicKey())
    await vi.waitFor(() => expect(plane.health()).toBe('open'))

    expect([...(await client.resolve4('www.corp.test'))].sort()).toEqual([...addresses].sort())
  })

  test('answers several messages of one connection, in order, and cuts off what is no message', async () => {
    const { publisher, vault, put } = await controlPlane()
    await put(www('192.0.2.7'))
    const { plane, port } = await serving(publisher, vault.installationPublicKey())
    await vi.waitFor(() => expect(plane.health()).toBe('open'))
    const framed = (id: number) => {
      const message = encode({ type: 'query', id, questions: [{ type: 'A', name: 'www.corp.test' }] })
      const length = Buffer.alloc(2)
      length.writeUInt16BE(message.length)
      return Buffer.concat([length, message])
    }
    const exchange = (sent: Buffer) =>
      new Promise<Buffer>((resolve, reject) => {
        const received: Buffer[] = []
        const socket = connect(port, '127.0.0.1', () => socket.end(sent))
        socket.on('data', (chunk) => received.push(chunk)).on('error', reject)
        socket.on('close', () => resolve(Buffer.concat(received)))
      })

    let rest = await exchange(Buffer.concat([framed(1), framed(2), framed(3)]))
    const ids: number[] = []
    while (rest.length > 0) {
      const length = rest.readUInt16BE(0)
      ids.push(decode(rest.subarray(2, 2 + length)).id!)
      rest = rest.subarray(2 + length)
    }
    expect(ids).toEqual([1, 2, 3])
    expect(await exchange(Buffer.from('ffff0000', 'hex'))).toHaveLength(0)
  })

  test('sends a network over its rate empty responses over UDP, and full ones over TCP', async () => {
    const { publisher, vault, put } = await controlPlane()
    await put(www('192.0.2.7'))
    const plane = resolver({ feed: publisher, publicKey: vault.installationPublicKey(), file: undefined, waitMs: 50 })
    await plane.start()
    closers.push(() => plane.close())
    await vi.waitFor(() => expect(plane.health()).toBe('open'))
    const message = encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'www.corp.test' }] })
    const asking = async (kind: 'datagram' | 'framed', address: string) => {
      const listener = plane.listeners.find((each) => each.kind === kind)!
      if (listener.kind === 'stream') throw new Error('not a responder')
      return decode((await listener.respond(message, { address, port: 53 }))!)
    }

    // The clock is stopped, so that nothing refills however slow the machine is.
    vi.spyOn(performance, 'now').mockReturnValue(performance.now())
    closers.push(() => vi.restoreAllMocks())
    let full = 0
    for (let n = 0; n < 1_200; n++) if ((await asking('datagram', '198.51.100.1')).answers!.length > 0) full++
    expect(full).toBe(1_000)
    expect(await asking('datagram', '198.51.100.99')).toMatchObject({ flag_tc: true, answers: [] })
    expect((await asking('datagram', '203.0.113.1')).answers).toHaveLength(1)
    expect((await asking('framed', '198.51.100.1')).answers).toHaveLength(1)
  })
})
