/** The keyring opens by any of its sealers and by nothing else; what is destroyed in it is gone for good. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { randomKey } from './aead.ts'
import { keysInMemory } from './ephemeral.ts'
import { Keyring } from './keyring.ts'
import { keyringFile, readKeyring } from './keyring-file.ts'
import { openVault } from './sealed.ts'
import type { SealContext, Sealed } from './sealed-value.ts'
import { openRootKey } from './sealer.ts'
import { VaultError } from './vault.ts'

const HOUR = 3_600_000
const place: SealContext = { table: 'iam-keys', key: 'AKIA1', column: 'secret', account: '111122223333' }
const secret = Buffer.from('wJalrXUtnFEMI')

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'merlon-keyring-'))
  file = join(folder, 'merlon.keyring')
})
afterEach(() => rmSync(folder, { recursive: true }))

const seedOf = (letter: string) => Buffer.alloc(32, letter)
const sealerOf = (id: string, letter = id) => ({
  id,
  settings: { kind: 'file', path: `/keys/${id}` } as const,
  seed: seedOf(letter),
})
const create = (...ids: readonly string[]) =>
  Keyring.create({
    place: keyringFile(file),
    installId: 'install-1',
    sealers: ids.map((id) => sealerOf(id)),
    now: 0,
  })

/** As after a restart. */
function reopen(id: string, seed = seedOf(id)): Keyring {
  const read = readKeyring(file)!
  const record = read.body.sealers.find((sealer) => sealer.id === id)!
  return Keyring.unseal(keyringFile(file), read, openRootKey(read.body, record, seed))
}

describe('a keyring', () => {
  test('opens by each of its sealers alone, to the same keys', async () => {
    const keyring = await create('a', 'b')
    await keyring.prepare(place.account)
    const sealed = openVault({ tree: keyring }).seal(place, secret)

    for (const id of ['a', 'b']) expect(openVault({ tree: reopen(id) }).open(place, sealed)).toEqual(secret)
  })

  test('does not open by the seed of another sealer', async () => {
    await create('a', 'b')

    expect(() => reopen('a', seedOf('b'))).toThrow('MERLON_SEALER_UNAVAILABLE')
  })

  test("is its owner's alone", () => {
    create('a')

    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('wipes the seeds it received', async () => {
    const sealer = sealerOf('a')

    await Keyring.create({ place: keyringFile(file), installId: 'i', sealers: [sealer], now: 0 })

    expect(sealer.seed).toEqual(Buffer.alloc(32))
  })

  test('changed in any byte does not open', async () => {
    await (await create('a')).prepare('111122223333')
    const whole = readFileSync(file)

    for (let at = 0; at < whole.length - 1; at++) {
      const changed = Buffer.from(whole)
      changed[at]! ^= 1
      writeFileSync(file, changed)
      expect(() => reopen('a')).toThrow()
    }
  })

  test('does not take over the sealer, or the erased account, of an earlier copy of itself', async () => {
    const keyring = await create('a', 'b')
    await keyring.prepare('111122223333')
    const earlier = readKeyring(file)!
    await keyring.erase('111122223333')
    const later = readKeyring(file)!

    const spliced = JSON.stringify({ ...later.body, accounts: earlier.body.accounts })
    writeFileSync(file, `${spliced}\n${later.mac}\n`)

    expect(() => reopen('a')).toThrow('MERLON_KEYRING_DAMAGED')
  })

  test('is refused when others could have written it', async () => {
    await create('a')
    chmodSync(file, 0o620)

    expect(() => readKeyring(file)).toThrow(`Run: chmod 600 ${file}`)
  })

  test('keeps tokens good over a restart', async () => {
    const token = openVault({ tree: await create('a') }).issue('session-token', 'x', secret)

    expect(openVault({ tree: reopen('a') }).redeem('session-token', 'x', token)).toEqual(secret)
  })
})

describe('sealing', () => {
  test('leaves no key: every use says that Merlon is sealed', async () => {
    const keyring = await create('a')
    const vault = openVault({ tree: keyring })
    await vault.prepare(place.account)
    const sealed = vault.seal(place, secret)
    const lent = keyring.account(place.account)

    keyring.wipe()

    expect([...lent]).toEqual(Array(32).fill(0))
    for (const use of [
      () => vault.open(place, sealed),
      () => vault.seal(place, secret),
      () => vault.issue('session-token', '', secret),
      () => vault.mac('audit', ''),
      () => vault.prepare('444455556666'),
      () => keyring.erase(place.account),
      () => keyring.addSealer(sealerOf('z'), 0),
    ]) {
      await expect(async () => use()).rejects.toThrow('MERLON_SEALED')
    }
  })
})

describe('an account that is erased', () => {
  test('is unreadable from then on, after a restart and with an old copy of the data, and others are not', async () => {
    const keyring = await create('a')
    const vault = openVault({ tree: keyring })
    const other = { ...place, account: '444455556666' }
    for (const { account } of [place, other]) await vault.prepare(account)
    const [lost, kept] = [vault.seal(place, secret), vault.seal(other, secret)]

    await keyring.erase(place.account)

    for (const tree of [keyring, reopen('a')]) {
      expect(() => openVault({ tree }).open(place, lost)).toThrow('MERLON_ACCOUNT_ERASED')
      expect(openVault({ tree }).open(other, kept)).toEqual(secret)
    }
  })

  test('never gets another key', async () => {
    const keyring = await create('a')
    await keyring.prepare(place.account)
    await keyring.erase(place.account)

    expect(() => openVault({ tree: keyring }).seal(place, secret)).toThrow('MERLON_ACCOUNT_ERASED')
    await expect(keyring.prepare(place.account)).rejects.toThrow('MERLON_ACCOUNT_ERASED')
  })

  test('named like a member of every object is an account like any other', async () => {
    const keyring = await create('a')

    expect(keyring.has('constructor')).toBe(false)
    await expect(keyring.erase('toString')).rejects.toThrow(VaultError)
  })
})

describe('sealers', () => {
  test('come while the keyring is open, and open it', async () => {
    const keyring = await create('a')

    await keyring.addSealer(sealerOf('b'), HOUR)

    expect(reopen('b').body.sealers.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  test('the last cannot go', async () => {
    await expect((await create('a')).removeSealer('a', 0)).rejects.toThrow('is the last one')
  })

  test.each([
    [24 * HOUR, true],
    [24 * HOUR + 1, false],
  ])('one may go when another was tested %i ms ago: %s', async (age, allowed) => {
    const keyring = await create('a', 'b')
    const remove = () => keyring.removeSealer('a', age)

    if (allowed) await remove()
    else await expect(remove()).rejects.toThrow('no other sealer was tested in the last 24 hours')

    expect(readKeyring(file)!.body.sealers.map(({ id }) => id)).toEqual(allowed ? ['b'] : ['a', 'b'])
  })

  test('one that was never tested does not count', async () => {
    const keyring = await create('a')
    await keyring.addSealer(sealerOf('b'), HOUR, { tested: false })

    await expect(keyring.removeSealer('a', HOUR)).rejects.toThrow('merlon sealer test b')
  })

  test('one that replaces another does so when it is tested, not before', async () => {
    const keyring = await create('a')
    await keyring.addSealer(sealerOf('b'), HOUR, { tested: false, replaces: 'a' })
    expect(reopen('a').body.sealers).toHaveLength(2)

    await keyring.tested('b', HOUR)

    expect(readKeyring(file)!.body.sealers.map(({ id, replaces }) => [id, replaces])).toEqual([['b', undefined]])
  })
})

describe('rotating the root key', () => {
  test('leaves every value, token and sealer as it was, under another root key', async () => {
    const keyring = await create('a', 'b')
    const vault = openVault({ tree: keyring })
    await vault.prepare(place.account)
    const sealed = vault.seal(place, secret)
    const token = vault.issue('session-token', '', secret)

    await keyring.rotateRoot()

    for (const tree of [keyring, reopen('a'), reopen('b')]) {
      expect(openVault({ tree }).open(place, sealed)).toEqual(secret)
      expect(openVault({ tree }).redeem('session-token', '', token)).toEqual(secret)
    }
    expect(readKeyring(file)!.body.rootVersion).toBe(2)
  })

  test('makes the old root key worthless, and what knew it learns nothing of the new one', async () => {
    const keyring = await create('a')
    await keyring.prepare('111122223333')
    const before = readKeyring(file)!
    const old = openRootKey(before.body, before.body.sealers[0]!, seedOf('a'))

    await keyring.rotateRoot()

    expect(() => Keyring.unseal(keyringFile(file), readKeyring(file)!, old)).toThrow('MERLON_KEYRING_DAMAGED')
    expect(readFileSync(file, 'utf8')).not.toContain(before.body.accounts['111122223333']!)
  })

  test('keeps accounts that are made or erased while it runs', async () => {
    const keyring = await create('a')
    await keyring.prepare('111111111111')
    await keyring.prepare('222222222222')

    const rotated = keyring.rotateRoot()
    await keyring.prepare('333333333333')
    const sealed = openVault({ tree: keyring }).seal({ ...place, account: '333333333333' }, secret)
    await keyring.erase('222222222222')
    await rotated

    const after = reopen('a')
    expect(openVault({ tree: after }).open({ ...place, account: '333333333333' }, sealed)).toEqual(secret)
    expect([after.has('111111111111'), after.isErased('222222222222')]).toEqual([true, true])
  })
})

test('values of an installation from before keyrings open in the keyring that takes it over', async () => {
  const rootKey = randomKey()
  const wrapped = new Map<string, string>()
  const accountKeys = keysInMemory(wrapped)
  const before = openVault({ rootKey: Buffer.from(rootKey), installId: 'install-1', accountKeys })
  await before.prepare(place.account)
  const earlier: Sealed = before.seal(place, secret)

  const accounts = Object.fromEntries(wrapped)
  const sealers = [sealerOf('a')]
  const keyring = await Keyring.create({
    place: keyringFile(file),
    installId: 'install-1',
    sealers,
    now: 0,
    rootKey,
    accounts,
  })

  expect(openVault({ tree: keyring }).open(place, earlier)).toEqual(secret)
  expect(openVault({ tree: reopen('a') }).open(place, earlier)).toEqual(secret)
})
