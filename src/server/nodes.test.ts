/** Nodes on one store: one keyring for all of them, followed at once, and a rollback of each detected on its own. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../kernel/state/clock.ts'
import { openStore, type SqliteStore } from '../store/sqlite.ts'
import { type Store, UnavailableError } from '../store/store.ts'
import { createKeyFile } from '../vault/file-sealer.ts'
import type { SealContext } from '../vault/sealed-value.ts'
import { openRootKey } from '../vault/sealer.ts'
import { newPassphraseSettings, passphraseSeed } from '../vault/sealers/passphrase.ts'
import { createAdminApi } from './admin/admin-api.ts'
import { openCloud } from './compose/cloud.ts'
import { firstAccount } from './compose/first-account.ts'
import { headOf, rootKeyOf } from './compose/installation.ts'
import { KEYRING, type KeyringRow, keyringInStore, readRow } from './trust/keyring-in-store.ts'
import { SealManager, type SealManagerOptions } from './trust/seal-manager.ts'

const ACCOUNT = '111122223333'
const place: SealContext = { table: 't', key: 'k', column: 'c', account: ACCOUNT }
const secret = Buffer.from('wJalrXUtnFEMI')
const PASSPHRASE = 'correct horse battery staple'

let folder: string
let store: SqliteStore
let keyFile: string
const taken: SealManager[] = []
const errors: string[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'merlon-nodes-'))
  keyFile = join(folder, 'mounted.key')
  store = await openStore({ file: ':memory:' })
})
afterEach(async () => {
  for (const custody of taken.splice(0)) await custody.close()
  errors.splice(0)
  cutOff.clear()
  await store.close()
  rmSync(folder, { recursive: true })
})

/** Nodes that cannot reach the database. */
const cutOff = new Set<string>()

/** The store as one node has it, until it closes it. */
function asNode(node: string): Store {
  const subscriptions: (() => void)[] = []
  return new Proxy<Store>(store, {
    get: (target, name) => {
      if (name === 'node') return node
      if (name === 'shared') return true
      if (cutOff.has(node) && (name === 'run' || name === 'sync'))
        return () => Promise.reject(new UnavailableError('no route to the database'))
      if (name === 'close') return async () => subscriptions.forEach((end) => void end())
      if (name === 'subscribe')
        return (listener: Parameters<Store['subscribe']>[0]) => {
          const end = target.subscribe(listener)
          subscriptions.push(end)
          return end
        }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function take(node: string, options: Partial<SealManagerOptions> = {}): Promise<SealManager> {
  const custody = await SealManager.open({
    data: join(folder, node),
    storage: { shared: true, open: async () => asNode(node) },
    clock: systemClock,
    logger: { log: (level, message) => void (level === 'error' && errors.push(message)) },
    environment: { MERLON_KEY_FILE: keyFile },
    openCloud: ({ store, keyring }) => openCloud({ store, unsealed: { tree: keyring }, clock: systemClock }),
    idle: true,
    ...options,
  })
  taken.push(custody)
  return custody
}

async function start(node: string, options: Partial<SealManagerOptions> = {}): Promise<SealManager> {
  const custody = await take(node, options)
  expect(await custody.unsealAutomatically()).toBeUndefined()
  return custody
}

async function stop(custody: SealManager): Promise<void> {
  await custody.close()
  taken.splice(taken.indexOf(custody), 1)
}

const keyringOf = (custody: SealManager) => custody.unsealed().keyring
const vaultOf = (custody: SealManager) => custody.unsealed().cloud.vault
const lying = async () => readRow((await store.reader.get<KeyringRow>(KEYRING))!).body

describe('an account', () => {
  test('that was made on one node is used on another at once', async () => {
    const [a, b] = [await start('a'), await start('b')]
    await keyringOf(a).prepare(ACCOUNT)
    await b.unsealed().store.sync()

    expect(vaultOf(b).open(place, vaultOf(a).seal(place, secret))).toEqual(secret)
  })

  test('that was erased on one node is unreadable on another at once', async () => {
    const [a, b] = [await start('a'), await start('b')]
    await a.unsealed().cloud.addAccount({ id: '000000000001', name: 'first' })
    await a.unsealed().cloud.addAccount({ id: ACCOUNT, name: 'other' })
    const sealed = vaultOf(a).seal(place, secret)
    expect(vaultOf(b).open(place, sealed)).toEqual(secret)
    const lent = keyringOf(b).account(ACCOUNT)
    const forgotten = vi.spyOn(vaultOf(b).materials, 'forget')

    const told = await createAdminApi(a, () => ({}))({ route: 'POST /accounts/erase', input: { account: ACCOUNT } })
    expect(told.status).toBe(200)
    await b.unsealed().store.sync()

    expect(() => vaultOf(b).open(place, sealed)).toThrow('MERLON_ACCOUNT_ERASED')
    expect([...lent]).toEqual(Array(32).fill(0))
    expect(forgotten).toHaveBeenCalledWith(ACCOUNT)
  })

  test('is made on both nodes at the same time, many times, and none is lost', async () => {
    const [a, b] = [await start('a'), await start('b')]
    const names = Array.from({ length: 40 }, (_, n) => String(100_000_000_000 + n))

    await Promise.all(names.flatMap((name) => [keyringOf(a).prepare(name), keyringOf(b).prepare(name)]))

    expect(Object.keys((await lying()).accounts)).toEqual(expect.arrayContaining(names))
    for (const name of names) {
      const at = { ...place, account: name }
      expect(vaultOf(b).open(at, vaultOf(a).seal(at, secret))).toEqual(secret)
    }
  })

  test('that the installation begins with is one, when two nodes begin together', async () => {
    const [a, b] = [await start('a'), await start('b')]

    const made = await Promise.all([a, b].map((custody) => firstAccount(custody.unsealed().cloud, undefined)))

    const accounts = await a.unsealed().cloud.accounts()
    expect(accounts).toHaveLength(1)
    expect(made.flat().map(({ accountId }) => accountId)).toEqual([accounts[0]!.id])
    expect(Object.keys(keyringOf(b).body.accounts)).toEqual([accounts[0]!.id])
  })
})

describe('a new root key', () => {
  test('is opened by the other node’s own sealer, while it works on', async () => {
    const [a, b] = [await start('a'), await start('b')]
    await keyringOf(a).prepare(ACCOUNT)
    await keyringOf(a).prepare('444455556666')
    const sealed = vaultOf(a).seal(place, secret)
    const never = { ...place, account: '444455556666' }
    const untouched = vaultOf(a).seal(never, secret)

    const rotated = keyringOf(a).rotateRoot()
    let reads = 0
    for (let done = false; !done; reads++) {
      expect(vaultOf(b).open(place, sealed)).toEqual(secret)
      done = await Promise.race([rotated.then(() => true), new Promise<false>((next) => setImmediate(next, false))])
    }
    // Not yet used on that node, and wrapped under what it still has.
    expect(vaultOf(b).open(never, untouched)).toEqual(secret)
    await keyringOf(b).prepare('777788889999')

    expect(reads).toBeGreaterThan(1)
    expect((await lying()).rootVersion).toBe(2)
    const at = { ...place, account: '777788889999' }
    expect(vaultOf(a).open(at, vaultOf(b).seal(at, secret))).toEqual(secret)
    await stop(b)
    expect(vaultOf(await start('b')).open(place, sealed)).toEqual(secret)
  })

  test('seals a node that none of its sealers opens it for, and says why', async () => {
    const a = await start('a')
    const settings = newPassphraseSettings()
    const now = systemClock.now()
    await keyringOf(a).addSealer({ id: 'people', settings, seed: await passphraseSeed(settings, PASSPHRASE) }, now)
    await keyringOf(a).removeSealer(keyringOf(a).body.sealers[0]!.id, now)
    const b = await take('b', { environment: {} })
    const people = b.body().sealers.find(({ id }) => id === 'people')!
    await b.unsealWith(people, await passphraseSeed(settings, PASSPHRASE))
    await keyringOf(a).prepare(ACCOUNT)
    const lent = keyringOf(b).account(ACCOUNT)

    await keyringOf(a).rotateRoot()

    await vi.waitFor(() => expect(b.sealed).toBe(true), 10_000)
    expect(errors).toContain('sealed: this node cannot follow the keyring. Run: merlon unseal')
    expect([...lent]).toEqual(Array(32).fill(0))
    expect(a.sealed).toBe(false)
    // People bring it back.
    await b.unsealWith(people, await passphraseSeed(settings, PASSPHRASE))
    expect(b.sealed).toBe(false)
  })

  test('made on both nodes at once is made twice', async () => {
    const [a, b] = [await start('a'), await start('b')]
    await keyringOf(a).prepare(ACCOUNT)
    const sealed = vaultOf(b).seal(place, secret)

    const versions = await Promise.all([keyringOf(a).rotateRoot(), keyringOf(b).rotateRoot()])

    expect([...versions].sort()).toEqual([2, 3])
    for (const each of [a, b]) {
      await keyringOf(each).prepare('444455556666')
      expect(vaultOf(each).open(place, sealed)).toEqual(secret)
    }
  })
})

describe('the keyring in the store', () => {
  test('opens a second node by a sealer that was added on the first', async () => {
    const a = await start('a')
    const other = join(folder, 'other.key')
    const { rootKey: seed } = createKeyFile(other)
    await keyringOf(a).addSealer({ id: 'other', settings: { kind: 'file', path: other }, seed }, systemClock.now())
    await keyringOf(a).removeSealer(keyringOf(a).body.sealers[0]!.id, systemClock.now())

    const b = await start('b', { environment: {} })

    expect(keyringOf(b).body.sealers.map(({ id }) => id)).toEqual(['other'])
  })

  test.each([0, 1])('of several file sealers opens by the key that a node has, that of sealer %i', async (which) => {
    const a = await start('a')
    const other = join(folder, 'other.key')
    const { rootKey: seed } = createKeyFile(other)
    const settings = { kind: 'file', path: '/elsewhere/other.key' } as const
    await keyringOf(a).addSealer({ id: 'other', settings, seed }, systemClock.now())
    const before = keyringOf(a).body.sealers[which]!
    const own = join(folder, 'own.key')
    renameSync([keyFile, other][which]!, own)
    rmSync([other, keyFile][which]!)

    const b = await start('b', { environment: { MERLON_KEY_FILE: own } })

    expect(b.sealed).toBe(false)
    expect(keyringOf(b).body.sealers[which]!.testedAt).toBeGreaterThan(before.testedAt!)
  })

  test('of several file sealers names each that did not open, and why', async () => {
    const a = await start('a')
    const { rootKey: seed } = createKeyFile(join(folder, 'other.key'))
    const settings = { kind: 'file', path: '/elsewhere/other.key' } as const
    await keyringOf(a).addSealer({ id: 'other', settings, seed }, systemClock.now())
    const foreign = join(folder, 'foreign.key')
    createKeyFile(foreign)
    rmSync(keyFile)

    const reasons = await (await take('b', { environment: { MERLON_KEY_FILE: foreign } })).unsealAutomatically()

    expect(reasons).toEqual([
      expect.stringMatching(/foreign\.key is not the key of this sealer; .*mounted\.key is missing/),
      expect.stringMatching(/foreign\.key is not the key of this sealer; \/elsewhere\/other\.key is missing/),
    ])
  })

  test('a node whose key file is stored with its data listens on loopback only, whatever the sealer calls the file', async () => {
    const a = await start('a')
    const { rootKey: seed } = createKeyFile(join(folder, 'other.key'))
    await keyringOf(a).addSealer({ id: 'other', settings: { kind: 'file', path: '/x.key' }, seed }, systemClock.now())
    const beside = join(folder, 'b', 'mine.key')
    mkdirSync(join(folder, 'b'))
    renameSync(join(folder, 'other.key'), beside)

    const b = await start('b', { environment: { MERLON_KEY_FILE: beside } })

    expect([a.keyBesideData, b.keyBesideData]).toEqual([false, true])
  })

  test('changed by something else is not believed: nodes keep what they have, and say so', async () => {
    const [a, b] = [await start('a'), await start('b')]
    await keyringOf(a).prepare(ACCOUNT)
    const sealed = vaultOf(a).seal(place, secret)
    const { text } = (await store.reader.get<KeyringRow>(KEYRING))!

    await store.run((unit) => unit.put(KEYRING, { text: text.replace(/"generation":\d+/, '"generation":999') }))

    expect(errors.filter((error) => error === 'the keyring in the store cannot be believed')).toHaveLength(2)
    expect(vaultOf(b).open(place, sealed)).toEqual(secret)
    await expect(keyringOf(b).prepare('444455556666')).rejects.toThrow('MERLON_KEYRING_DAMAGED')
  })

  test('put back from earlier brings no erased account back to a node that runs', async () => {
    const [a, b] = [await start('a'), await start('b')]
    await keyringOf(a).prepare(ACCOUNT)
    const earlier = (await store.reader.get<KeyringRow>(KEYRING))!
    await keyringOf(a).erase(ACCOUNT)

    await store.run((unit) => unit.put(KEYRING, earlier))

    for (const each of [a, b]) expect(keyringOf(each).isErased(ACCOUNT)).toBe(true)
    await expect(keyringOf(b).prepare('444455556666')).rejects.toThrow('MERLON_ROLLBACK_DETECTED')
  })

  test('is not replaced by a node that has not seen the last change', async () => {
    const a = await start('a')
    const { text } = (await store.reader.get<KeyringRow>(KEYRING))!
    const at = keyringInStore(asNode('b'))
    await keyringOf(a).prepare(ACCOUNT)

    const generation = readRow({ text }).body.generation
    await expect(at.replace(text, { expected: generation, shred: false })).rejects.toThrow('changed by another node')
    await expect(at.replace(text, { expected: undefined, shred: false })).rejects.toThrow('changed by another node')

    expect((await lying()).accounts).toHaveProperty(ACCOUNT)
  })

  test('holds no key that opens without a sealer', async () => {
    const a = await start('a')
    await keyringOf(a).prepare(ACCOUNT)
    const { text } = (await store.reader.get<KeyringRow>(KEYRING))!

    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(text).not.toContain(Buffer.from(keyringOf(a).account(ACCOUNT)).toString(encoding))
    expect(() => openRootKey(readRow({ text }).body, readRow({ text }).body.sealers[0]!, Buffer.alloc(32))).toThrow(
      'MERLON_SEALER_UNAVAILABLE',
    )
  })
})

describe('an installation that two nodes make at once', () => {
  test('is one, and both open it by the key file they share', async () => {
    createKeyFile(keyFile)

    const [a, b] = await Promise.all([start('a'), start('b')])

    expect(keyringOf(a).installId).toBe(keyringOf(b).installId)
    expect(keyringOf(b).body.sealers).toHaveLength(1)
  })

  test('keeps the key file when the node that created it is second with the keyring', async () => {
    let second: SealManager | undefined
    const node = asNode('a')
    // Node a has found no keyring and created the key file; before it writes its keyring, node b starts with that file.
    const run: Store['run'] = async (work) => {
      if (existsSync(keyFile) && !second) second = await start('b')
      return node.run(work)
    }
    const overtaken = new Proxy(node, { get: (_, name) => (name === 'run' ? run : Reflect.get(node, name)) })
    const storage = { shared: true, open: async () => overtaken } as SealManagerOptions['storage']

    const first = await start('a', { storage })

    expect(second?.sealed).toBe(false)
    expect(first.sealed).toBe(false)
    expect(existsSync(keyFile)).toBe(true)
  })

  test('waits sealed, and says why, on the node that was second and has no key', async () => {
    const custodies = await Promise.all([take('a', { environment: {} }), take('b', { environment: {} })])
    const reasons = await Promise.all(custodies.map((custody) => custody.unsealAutomatically()))

    const second = custodies.findIndex((custody) => custody.sealed)
    expect(custodies.map(({ sealed }) => sealed).sort()).toEqual([false, true])
    expect(reasons[second]![0]).toMatch(/root\.key is missing/)
    expect(existsSync(rootKeyOf(custodies[second]!.data))).toBe(false)
    // Only who has the key file has to keep to its own machine.
    expect(custodies.map(({ keyBesideData }) => keyBesideData)).toEqual(custodies.map(({ sealed }) => !sealed))
  })

  test('hands no shares out that open nothing without saying so', async () => {
    await start('a')
    const first = async () => ({
      id: 'x',
      settings: { kind: 'file', path: keyFile } as const,
      seed: Buffer.alloc(32, 1),
    })

    await expect(take('b', { first, only: 'new' })).rejects.toThrow('There is an installation already')
  })
})

describe('a rollback', () => {
  test('of one node’s folder is seen by that node, and the other opens as ever', async () => {
    const [a, b] = [await start('a'), await start('b')]
    const earlier = readFileSync(headOf(b.data))
    for (const each of [a, b]) await stop(each)
    for (let n = 0; n < 2; n++) await stop(await start('b'))

    writeFileSync(headOf(b.data), earlier)

    await expect(start('b')).rejects.toThrow('MERLON_ROLLBACK_DETECTED')
    expect((await start('a')).sealed).toBe(false)
  })

  test('is seen when a node that was there before comes without its head', async () => {
    await stop(await start('b'))
    rmSync(headOf(join(folder, 'b')))

    const again = await take('b')

    await expect(again.unsealAutomatically()).rejects.toThrow(
      "a new data directory under an old name: the database knows a node 'b'",
    )
    expect(await again.unsealAutomatically({ acceptRollback: true })).toBeUndefined()
  })

  test('of the database is seen by every node', async () => {
    const at = join(folder, 'db')
    await store.close()
    store = await openStore({ file: at })
    for (const node of ['a', 'b']) await stop(await start(node))
    await store.backup(`${at}.old`, async () => undefined)
    for (const node of ['a', 'b']) await stop(await start(node))
    await store.close()

    store = await openStore({ file: `${at}.old` })

    for (const node of ['a', 'b']) await expect(start(node)).rejects.toThrow('MERLON_ROLLBACK_DETECTED')
  })

  test('is not what two nodes that open again and again at the same time see', async () => {
    for (let n = 0; n < 3; n++) {
      const both = await Promise.all([start('a'), start('b')])
      for (const each of both) await stop(each)
    }
  })
})

test('sealing is one node’s own, and an account made meanwhile is there when it is unsealed', async () => {
  const [a, b] = [await start('a'), await start('b')]
  await b.seal()
  expect(a.sealed).toBe(false)
  await keyringOf(a).prepare(ACCOUNT)
  expect(b.body().accounts).toHaveProperty(ACCOUNT)

  expect(await b.unsealAutomatically()).toBeUndefined()

  expect(vaultOf(b).open(place, vaultOf(a).seal(place, secret))).toEqual(secret)
})

test('a node that cannot reach the database is sealed within a second, and unsealed when it can', async () => {
  const b = await start('b')
  await keyringOf(b).prepare(ACCOUNT)
  const lent = keyringOf(b).account(ACCOUNT)
  cutOff.add('b')

  const sealing = b.seal()
  await vi.waitFor(() => expect([...lent]).toEqual(Array(32).fill(0)), 1_000)
  await sealing
  expect(b.sealed).toBe(true)
  await expect(b.unsealAutomatically()).rejects.toThrow('no route to the database')

  cutOff.clear()
  expect(await b.unsealAutomatically()).toBeUndefined()
})
