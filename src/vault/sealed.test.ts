/** A sealed value opens where it was sealed and nowhere else; a token is redeemed as issued or not at all. */
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ephemeralVault, keysInMemory } from './ephemeral.ts'
import { openVault } from './sealed.ts'
import type { SealContext, Sealed } from './sealed-value.ts'
import { VaultError } from './vault.ts'

const place: SealContext = { table: 'iam-keys', key: 'AKIA1', column: 'secret', account: '111122223333', version: '1' }
const secret = Buffer.from('wJalrXUtnFEMI')

/** An installation whose parts can be taken along to another vault. */
async function installation({
  root = Buffer.alloc(32, 7),
  installId = 'install-1',
  keys = new Map<string, string>(),
} = {}) {
  const vault = openVault({ rootKey: Buffer.from(root), installId, accountKeys: keysInMemory(keys) })
  for (const account of [place.account, '444455556666']) await vault.prepare(account)
  return { root, installId, keys, vault }
}

/** Every text that differs from this base64url text, behind its prefix, in one bit of one byte it encodes. */
function* flipped(text: string, prefix = ''): Generator<string> {
  const bytes = Buffer.from(text.slice(prefix.length), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    yield prefix + changed.toString('base64url')
  }
}

describe('a sealed value', () => {
  test('opens in its place, whatever its bytes', async () => {
    const { vault } = await installation()

    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
        expect(vault.open(place, vault.seal(place, bytes))).toEqual(Buffer.from(bytes))
      }),
    )
  })

  test('opens after a restart, with the root key and the wrapped account keys', async () => {
    const before = await installation()
    const sealed = before.vault.seal(place, secret)

    const { vault } = await installation({ keys: before.keys })

    expect(vault.open(place, sealed)).toEqual(secret)
  })

  test.each<[string, Partial<SealContext>]>([
    ['table', { table: 'iam-passwords' }],
    ['row', { key: 'AKIA2' }],
    ['column', { column: 'previous-secret' }],
    ['account', { account: '444455556666' }],
    ['version', { version: '2' }],
    ['split between two names', { table: 'iam-key', key: 'sAKIA1' }],
  ])('does not open in another %s', async (_, other) => {
    const { vault } = await installation()
    const sealed = vault.seal(place, secret)

    expect(() => vault.open({ ...place, ...other }, sealed)).toThrow(VaultError)
  })

  test('without a version does not open as one with an older version of the same row', async () => {
    const { vault } = await installation()
    const { version: _, ...unversioned } = place

    expect(() => vault.open(unversioned, vault.seal(place, secret))).toThrow(VaultError)
  })

  test('does not open when any one bit has changed', async () => {
    const { vault } = await installation()

    for (const changed of flipped(vault.seal(place, secret), 'mv1.')) {
      expect(() => vault.open(place, changed as Sealed)).toThrow(VaultError)
    }
  })

  test('does not open when cut, lengthened, spelt otherwise or never sealed', async () => {
    const { vault } = await installation()
    const sealed = vault.seal(place, secret)

    const others = [
      ...Array.from({ length: sealed.length }, (_, end) => sealed.slice(0, end)),
      `${sealed}A`,
      `${sealed}=`,
      `${sealed}\n`,
      ` ${sealed}`,
      sealed.replace('mv1.', 'mv2.'),
      secret.toString(),
    ]
    for (const other of others) expect(() => vault.open(place, other as Sealed)).toThrow(VaultError)
  })

  test('does not open in another installation: neither another root key, nor another id over the same root key', async () => {
    const { vault, keys } = await installation()
    const sealed = vault.seal(place, secret)

    for (const other of [{ root: Buffer.alloc(32, 8) }, { installId: 'install-2' }]) {
      const elsewhere = await installation({ ...other, keys })
      expect(() => elsewhere.vault.open(place, sealed)).toThrow(VaultError)
      const alone = await installation(other)
      expect(() => alone.vault.open(place, sealed)).toThrow(VaultError)
    }
  })

  test('cannot be reached by giving one account the key of another', async () => {
    const { vault, keys } = await installation()
    const sealed = vault.seal(place, secret)

    const swapped = await installation({ keys: new Map([['444455556666', keys.get(place.account)!]]) })

    expect(() => swapped.vault.open({ ...place, account: '444455556666' }, sealed)).toThrow(VaultError)
  })

  test('is lost with the key of its account, and the others are not', async () => {
    const { vault, keys } = await installation()
    const other: SealContext = { ...place, account: '444455556666' }
    const [lost, kept] = [vault.seal(place, secret), vault.seal(other, secret)]

    keys.delete(place.account)

    const restarted = (await installation({ keys })).vault
    expect(() => restarted.open(place, lost)).toThrow(VaultError)
    expect(restarted.open(other, kept)).toEqual(secret)
  })

  test('does not open when the wrapped key of its account has changed in any bit', async () => {
    const { vault, keys } = await installation()
    const sealed = vault.seal(place, secret)

    for (const changed of flipped(keys.get(place.account)!)) {
      const damaged = await installation({ keys: new Map([[place.account, changed]]) })
      expect(() => damaged.vault.open(place, sealed)).toThrow(VaultError)
    }
  })

  test('never looks the same twice, though the value is', async () => {
    const { vault } = await installation()

    expect(new Set(Array.from({ length: 100 }, () => vault.seal(place, secret))).size).toBe(100)
  })
})

describe('a token', () => {
  test('is redeemed for its purpose and binding, whatever it carries', async () => {
    const vault = await ephemeralVault()

    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (bytes, binding) => {
        const token = vault.issue('paging-token', binding, bytes)
        expect(token).toMatch(/^[\w-]+$/)
        expect(vault.redeem('paging-token', binding, token)).toEqual(Buffer.from(bytes))
      }),
    )
  })

  test('is nothing for another purpose, another binding or another installation', async () => {
    const { vault } = await installation()
    const token = vault.issue('session-token', 'alice', secret)

    expect(vault.redeem('paging-token', 'alice', token)).toBeUndefined()
    expect(vault.redeem('session-token', 'bob', token)).toBeUndefined()
    expect(
      (await installation({ installId: 'install-2' })).vault.redeem('session-token', 'alice', token),
    ).toBeUndefined()
    expect((await ephemeralVault()).redeem('session-token', 'alice', token)).toBeUndefined()
    expect((await installation()).vault.redeem('session-token', 'alice', token)).toEqual(secret)
  })

  test('is nothing when any one bit has changed', async () => {
    const { vault } = await installation()

    for (const changed of flipped(vault.issue('session-token', 'alice', secret))) {
      expect(vault.redeem('session-token', 'alice', changed)).toBeUndefined()
    }
  })

  test('is nothing when spelt otherwise, though the bytes are the same', async () => {
    const { vault } = await installation()
    const token = vault.issue('session-token', 'alice', Buffer.alloc(1))
    const bytes = Buffer.from(token, 'base64url')

    const spellings = [`${token}=`, `${token}\n`, ` ${token}`, bytes.toString('base64'), `${token}!`]
    for (const spelling of spellings.filter((other) => other !== token)) {
      expect(vault.redeem('session-token', 'alice', spelling)).toBeUndefined()
    }
  })

  test('made up by anyone is nothing, and never an error', async () => {
    const vault = await ephemeralVault()
    const garbage = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from([1, ...bytes]).toString('base64url')),
    )

    fc.assert(
      fc.property(garbage, (token) => {
        expect(vault.redeem('session-token', '', token)).toBeUndefined()
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a keyed digest', () => {
  test('is the same for the same data and purpose, here and after a restart', async () => {
    expect((await installation()).vault.mac('audit', 'x')).toEqual(
      (await installation()).vault.mac('audit', Buffer.from('x')),
    )
  })

  test('differs by data, purpose and installation', async () => {
    const digests = [
      (await installation()).vault.mac('audit', 'x'),
      (await installation()).vault.mac('audit', 'y'),
      (await installation()).vault.mac('session-token', 'x'),
      (await installation({ installId: 'install-2' })).vault.mac('audit', 'x'),
      (await installation({ root: Buffer.alloc(32, 8) })).vault.mac('audit', 'x'),
    ]

    expect(new Set(digests.map((digest) => digest.toString('hex'))).size).toBe(digests.length)
  })
})

describe('the root key', () => {
  test('is wiped from the buffer it came in', async () => {
    const rootKey = Buffer.alloc(32, 7)

    openVault({ rootKey, installId: 'i', accountKeys: keysInMemory(new Map()) })

    expect(rootKey).toEqual(Buffer.alloc(32))
  })

  test('of another length is refused, without being shown', async () => {
    const rootKey = Buffer.alloc(31, 'k')
    const open = () => openVault({ rootKey, installId: 'i', accountKeys: keysInMemory(new Map()) })

    expect(open).toThrow(VaultError)
    expect(open).not.toThrow(/kk/)
  })

  test('is in nothing that the vault prints, stores or throws', async () => {
    const root = Buffer.from('0123456789abcdefghijklmnopqrstuv')
    const { vault, keys } = await installation({ root })
    const sealed = vault.seal(place, secret)
    let refusal: unknown
    try {
      vault.open({ ...place, key: 'other' }, sealed)
    } catch (error) {
      refusal = error
    }

    const shown = [
      inspect(vault, { depth: 10, showHidden: true, getters: true }),
      JSON.stringify(vault),
      inspect(refusal, { depth: 10, showHidden: true }),
      ...keys.values(),
    ].join('\n')

    expect(refusal).toBeInstanceOf(VaultError)
    for (const spelling of ['latin1', 'hex', 'base64', 'base64url'] as const) {
      expect(shown.toLowerCase()).not.toContain(root.toString(spelling).toLowerCase())
      expect(shown).not.toContain(secret.toString(spelling))
    }
    expect(shown).not.toContain('30 31 32 33')
  })
})
