/** Key material alone: what is bound to what, and that nothing opens elsewhere. */
import { createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ephemeralVault } from '../ephemeral.ts'
import { VaultError } from '../vault.ts'
import { BLOB_OVERHEAD_BYTES, materialIdOf } from './blob.ts'
import { decodeSeed, encodeSeed, encodeSpki } from './der.ts'
import type { MaterialContext, StoredMaterial } from './materials.ts'
import type { Spec } from './specs.ts'

const { materials } = await ephemeralVault('111122223333')
const home: MaterialContext = {
  table: 'kms/key',
  key: 'us-east-1/k',
  column: 'material',
  account: '111122223333',
  name: 'k',
}
const elsewhere: MaterialContext = { ...home, key: 'eu-west-1/k' }

async function make(spec: Spec = 'SYMMETRIC_DEFAULT', at = home): Promise<StoredMaterial> {
  const { id, sealed } = await materials.generate(at, spec)
  return { home: at, spec, id, sealed }
}

const plaintext = Buffer.from('attack at dawn')

describe('a ciphertext blob', () => {
  test('opens with its context, in whatever order, and with no other', async () => {
    const key = await make()
    const blob = await materials.use(key, { do: 'encrypt', plaintext, context: { a: 'bc', z: '1' } })

    const open = (context: Record<string, string>) => materials.use(key, { do: 'decrypt', blob, context })
    expect(await open({ z: '1', a: 'bc' })).toEqual(plaintext)
    for (const context of [{}, { a: 'bc' }, { ab: 'c', z: '1' }, { A: 'bc', z: '1' }, { a: 'bc', z: '1', y: '' }]) {
      expect(await open(context as Record<string, string>)).toBeUndefined()
    }
  })
  test('names its material, costs 70 bytes, and survives no changed bit', async () => {
    const key = await make()
    const blob = await materials.use(key, { do: 'encrypt', plaintext, context: {} })

    expect(materialIdOf(blob)).toBe(key.id)
    expect(blob.length).toBe(plaintext.length + BLOB_OVERHEAD_BYTES)
    expect(BLOB_OVERHEAD_BYTES).toBe(70)
    for (let at = 0; at < blob.length; at++) {
      const changed = Buffer.from(blob)
      changed[at]! ^= 1
      expect(await materials.use(key, { do: 'decrypt', blob: changed, context: {} })).toBeUndefined()
    }
  })
  test('is never the same twice', async () => {
    const key = await make()
    const seal = () => materials.use(key, { do: 'encrypt', plaintext, context: {} })

    expect((await seal()).equals(await seal())).toBe(false)
  })
})

describe('sealed material', () => {
  test.each<[string, (held: StoredMaterial) => StoredMaterial]>([
    ['another row', (held) => ({ ...held, home: { ...held.home, key: 'us-east-1/other' } })],
    ['another account', (held) => ({ ...held, home: { ...held.home, account: '444455556666' } })],
    ['another kind of key', (held) => ({ ...held, spec: 'HMAC_256' })],
    ['another id', (held) => ({ ...held, id: '0'.repeat(64) })],
  ])('does not serve %s', async (_what, move) => {
    const key = await make()
    const encrypt = { do: 'encrypt', plaintext, context: {} } as const
    await materials.use(key, encrypt)

    await expect(materials.use(move(key), encrypt)).rejects.toThrow(VaultError)
  })
  test('may be copied to a replica, which opens what the first has sealed', async () => {
    const key = await make()
    const replica: StoredMaterial = { ...key, home: elsewhere, sealed: materials.copy(key, elsewhere) }
    const blob = await materials.use(key, { do: 'encrypt', plaintext, context: {} })

    expect(replica.sealed).not.toBe(key.sealed)
    expect(await materials.use(replica, { do: 'decrypt', blob, context: {} })).toEqual(plaintext)
    expect(() => materials.copy(key, { ...elsewhere, name: 'another key' })).toThrow(VaultError)
  })
  test('does what its kind can do and nothing else', async () => {
    const [aes, hmac] = [await make(), await make('HMAC_256')]

    await expect(materials.use(aes, { do: 'mac', message: plaintext })).rejects.toThrow(VaultError)
    await expect(
      materials.use(hmac, { do: 'sign', algorithm: 'ECDSA_SHA_256', type: 'RAW', message: plaintext }),
    ).rejects.toThrow(VaultError)
  })
})

describe('an import', () => {
  const wrapping = { scheme: 'aes-kwp', hash: 'sha256', bits: 2048 } as const
  const wrap = (publicKey: Buffer, bytes: Buffer) => {
    const aes = randomBytes(32)
    const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
    const cipher = createCipheriv('id-aes256-wrap-pad', aes, Buffer.from('a65959a6', 'hex'))
    return Buffer.concat([publicEncrypt({ key, oaepHash: 'sha256' }, aes), cipher.update(bytes), cipher.final()])
  }

  test('is refused by its token, its time, its wrapping and its form, in this order', async () => {
    const { token, publicKey } = await materials.offerImport(home, wrapping, 1000)
    const good = wrap(publicKey, randomBytes(32))
    const bring = (at: MaterialContext, wrapped: Buffer, now: number, spec: Spec = 'SYMMETRIC_DEFAULT') =>
      materials.import(at, spec, token, wrapped, now)

    expect(await bring(elsewhere, good, 999)).toBe('bad-token')
    expect(await materials.import(home, 'SYMMETRIC_DEFAULT', Buffer.from('x'), good, 999)).toBe('bad-token')
    expect(await bring(home, good, 1000)).toBe('expired-token')
    expect(await bring(home, randomBytes(300), 999)).toBe('undecryptable')
    expect(await bring(home, wrap(publicKey, randomBytes(31)), 999)).toBe('wrong-material')
    expect(await bring(home, good, 999, 'RSA_2048')).toBe('wrong-material')
    expect(await bring(home, good, 999)).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })
  test('of the same bytes has the same id under the same name, and another elsewhere', async () => {
    const bytes = randomBytes(32)
    const bring = async (at: MaterialContext) => {
      const { token, publicKey } = await materials.offerImport(at, wrapping, 1000)
      return (await materials.import(at, 'SYMMETRIC_DEFAULT', token, wrap(publicKey, bytes), 0)) as { id: string }
    }

    const [first, again, other] = [await bring(home), await bring(home), await bring({ ...home, name: 'other' })]
    expect(again.id).toBe(first.id)
    expect(other.id).not.toBe(first.id)
  })
})

test('seeds and public keys of post-quantum algorithms are DER as RFC 9881 writes it', () => {
  const seed = Buffer.from(Array.from({ length: 32 }, (_, at) => at))
  const oid = '2.16.840.1.101.3.4.3.17'
  // RFC 9881, appendix C.1.1.1, the seed-only private key of ML-DSA-44.
  const published = 'MDQCAQAwCwYJYIZIAWUDBAMRBCKAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'

  expect(encodeSeed(oid, seed).toString('base64')).toBe(published)
  expect(decodeSeed(oid, 32, Buffer.from(published, 'base64'))).toEqual(seed)
  expect(decodeSeed('2.16.840.1.101.3.4.3.18', 32, Buffer.from(published, 'base64'))).toBeUndefined()
  expect(encodeSpki(oid, new Uint8Array(1312)).subarray(0, 22).toString('hex')).toBe(
    '30820532300b0609608648016503040311038205210000'.slice(0, 44),
  )
})
