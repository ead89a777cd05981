/** Snapshots under concurrent commits, and what a mirror accepts. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openStore } from '../../store/sqlite.ts'
import { key, under } from '../../store/store.ts'
import { ephemeralVault } from '../../vault/ephemeral.ts'
import { Mirror, type MirrorOptions } from './mirror.ts'
import {
  isGenuine,
  type SignedSnapshot,
  type SnapshotFeed,
  SnapshotPublisher,
  SnapshotTooLargeError,
} from './snapshot.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type Content = readonly (readonly [string, number])[]

async function publishing() {
  const store = await openStore({ file: ':memory:' })
  const vault = await ephemeralVault()
  const publisher = new SnapshotPublisher<Content>(store, vault, {
    plane: 'test',
    version: 1,
    from: [under('t')],
    compute: async (reader) =>
      (await reader.range<{ n: number }>(under('t'))).map(({ key: at, document }) => [at, document.n] as const),
  })
  closers.push(
    () => store.close(),
    () => publisher.close(),
  )
  const put = (name: string, n: number) => store.run((unit) => unit.put(key('t', name), { n }))
  return { store, vault, publisher, put }
}

describe('A publisher', () => {
  test.each([1, 8])('gives each number one content, with %i writers at the same time', async (writers) => {
    const { store, vault, publisher } = await publishing()
    const contentAt = new Map<number, string>()
    const now = new Map<string, number>()
    store.subscribe(({ revision, changes }) => {
      for (const { key: at, document } of changes) if (at.startsWith('t/')) now.set(at, (document as { n: number }).n)
      contentAt.set(revision, JSON.stringify([...now].sort(([a], [b]) => (a < b ? -1 : 1))))
    })
    let isDone = false
    const writing = Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        for (let n = 0; n < 200 / writers; n++) {
          await store.run((unit) => unit.put(key('t', String(writer)), { n }))
          await store.run((unit) => unit.put(key('other', String(writer)), { n }))
        }
      }),
    ).then(() => {
      isDone = true
    })

    let last = -1
    let seen = 0
    while (!isDone) {
      const snapshot = await publisher.next(last, 20)
      if (!snapshot) continue
      expect(snapshot.number).toBeGreaterThan(last)
      expect(isGenuine(snapshot, vault.installationPublicKey())).toBe(true)
      if (contentAt.has(snapshot.number)) expect(snapshot.body).toBe(contentAt.get(snapshot.number))
      last = snapshot.number
      seen++
    }
    await writing
    expect(seen).toBeGreaterThan(1)
  })

  test('has nothing new when other documents change', async () => {
    const { store, publisher, put } = await publishing()
    await put('a', 1)
    const first = (await publisher.next(-1, 10))!
    await store.run((unit) => unit.put(key('other', 'x'), { n: 1 }))

    expect(await publisher.next(first.number, 10)).toBeUndefined()
  })

  test('publishes nothing beyond the limit', async () => {
    const { store, vault } = await publishing()
    const publisher = new SnapshotPublisher(store, vault, {
      plane: 'test',
      version: 1,
      from: [under('t')],
      compute: async () => 'x'.repeat(17 * 1024 * 1024),
    })
    closers.push(() => publisher.close())

    await expect(publisher.next(-1, 10)).rejects.toThrow(SnapshotTooLargeError)
  })
})

describe('A mirror', () => {
  const folder = () => mkdtemp(join(tmpdir(), 'mirror-'))
  const away: SnapshotFeed = { next: () => Promise.reject(new Error('away')) }
  const queueOf = (...snapshots: SignedSnapshot[]): SnapshotFeed => ({
    next: async () => snapshots.shift() ?? new Promise((resolve) => setTimeout(() => resolve(undefined), 20)),
  })

  async function following(feed: SnapshotFeed, publicKey: Uint8Array, options: Partial<MirrorOptions<Content>> = {}) {
    const refused: string[] = []
    const mirror = new Mirror<Content>({
      feed,
      plane: 'test',
      version: 1,
      publicKey,
      file: undefined,
      read: (content) => content as Content,
      onRefused: (reason) => void refused.push(reason),
      waitMs: 20,
      ...options,
    })
    closers.push(() => mirror.stop())
    await mirror.start()
    return { mirror, refused }
  }

  test('follows its feed', async () => {
    const { publisher, vault, put } = await publishing()
    const { mirror } = await following(publisher, vault.installationPublicKey())
    await put('a', 1)
    await vi.waitFor(() => expect(mirror.content).toEqual([['t/a', 1]]))
    await put('a', 2)
    await vi.waitFor(() => expect(mirror.content).toEqual([['t/a', 2]]))
    expect(mirror.silentMs).toBeLessThan(60_000)
  })

  test('keeps its last snapshot over a restart, with the control plane away', async () => {
    const { publisher, vault, put } = await publishing()
    await put('a', 1)
    const file = join(await folder(), 'last')
    const first = await following(publisher, vault.installationPublicKey(), { file })
    await vi.waitFor(() => expect(first.mirror.content).toBeDefined())
    await first.mirror.stop()

    const { mirror } = await following(away, vault.installationPublicKey(), { file })
    expect(mirror.content).toEqual([['t/a', 1]])
    expect(mirror.silentMs).toBe(Number.POSITIVE_INFINITY)
  })

  test('refuses what is older, changed, for another plane, or of another installation', async () => {
    const { publisher, vault, put } = await publishing()
    await put('a', 1)
    const old = (await publisher.next(-1, 10))!
    await put('a', 2)
    const fresh = (await publisher.next(old.number, 10))!
    const forged = { ...fresh, number: fresh.number + 1, body: fresh.body.replace('2', '3') }
    const foreign = { ...fresh, number: fresh.number + 1, plane: 'gateway' }
    const { mirror, refused } = await following(queueOf(fresh, old, forged, foreign), vault.installationPublicKey())

    await vi.waitFor(() => expect(refused).toHaveLength(3), { timeout: 10_000 })
    expect(refused).toEqual([
      `number ${old.number} is not newer than ${fresh.number}`,
      'its signature is invalid',
      'it is for gateway version 1, not for test version 1',
    ])
    expect(mirror.content).toEqual([['t/a', 2]])

    const other = await following(queueOf(fresh), (await ephemeralVault()).installationPublicKey())
    await vi.waitFor(() => expect(other.refused).toEqual(['its signature is invalid']))
    expect(other.mirror.content).toBeUndefined()
  })

  test('keeps what it has when new content cannot be used', async () => {
    const { publisher, vault, put } = await publishing()
    await put('a', 1)
    const { mirror, refused } = await following(publisher, vault.installationPublicKey(), {
      read: (content) => {
        if (JSON.stringify(content).includes('13')) throw new Error('13 is not allowed')
        return content as Content
      },
    })
    await vi.waitFor(() => expect(mirror.content).toEqual([['t/a', 1]]))
    await put('a', 13)
    await vi.waitFor(() => expect(refused).toContain('its content cannot be used: 13 is not allowed'))
    expect(mirror.content).toEqual([['t/a', 1]])
  })

  test.each(['', 'not JSON', '{"plane":"test"}', '[]', 'null'])(
    'starts without a snapshot from the file %j',
    async (text) => {
      const { vault } = await publishing()
      const file = join(await folder(), 'last')
      await writeFile(file, text)
      const { mirror, refused } = await following(away, vault.installationPublicKey(), { file })

      expect(mirror.content).toBeUndefined()
      expect(refused).toHaveLength(1)
      expect(await readFile(file, 'utf8')).toBe(text)
    },
  )
})
