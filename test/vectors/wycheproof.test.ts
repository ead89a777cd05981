/**
 * Wycheproof against KMS: through the API where its keys can be imported, and below it, at the same functions, where the
 * vectors hold public keys only.
 */
import { createCipheriv, createHash, createPublicKey, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto'
import {
  CreateKeyCommand,
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  type KeySpec,
  type KeyUsageType,
  KMSClient,
  type MacAlgorithmSpec,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms'
import { beforeAll, expect, test } from 'vitest'
import { encodeSeed } from '../../src/vault/material/der.ts'
import type { Opened } from '../../src/vault/material/keys.ts'
import { inlinePool } from '../../src/vault/material/pool.ts'
import { verify } from '../../src/vault/material/sign.ts'
import { type Hash, type SigningAlgorithm, type Spec, specs } from '../../src/vault/material/specs.ts'
import { cloud } from '../cloud.ts'
import { filesLike, type Group, groupsOf, hex, type Vector } from './files.ts'

let kms: KMSClient

beforeAll(async () => {
  kms = (await cloud()).client(KMSClient)
})

/** A key of the API with this material: PKCS #8, or the bare bytes of a secret. */
async function imported(KeySpec: KeySpec, KeyUsage: KeyUsageType, material: Buffer): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage, Origin: 'EXTERNAL' }))
  const KeyId = KeyMetadata!.KeyId!
  const { ImportToken, key } = await offered(KeyId)
  const aes = randomBytes(32)
  const cipher = createCipheriv('id-aes256-wrap-pad', aes, Buffer.from('a65959a6', 'hex'))
  const EncryptedKeyMaterial = Buffer.concat([
    publicEncrypt({ key, oaepHash: 'sha256' }, aes),
    cipher.update(material),
    cipher.final(),
  ])
  const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE'
  await kms.send(new ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel }))
  return KeyId
}

async function offered(KeyId: string) {
  const { ImportToken, PublicKey } = await kms.send(
    new GetParametersForImportCommand({
      KeyId,
      WrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    }),
  )
  return { ImportToken, key: createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' }) }
}

/** Every vector's own outcome beside the one we had: a failure names the vectors. */
async function hold(groups: readonly Group[], judge: (vector: Vector, group: Group) => Promise<boolean | 'skipped'>) {
  const wrong: string[] = []
  let judged = 0
  for (const group of groups) {
    for (const vector of group.tests) {
      const accepted = await judge(vector, group)
      if (accepted === 'skipped') continue
      judged++
      if (vector.result === 'acceptable') continue
      if (accepted !== (vector.result === 'valid')) wrong.push(`tcId ${vector.tcId} is ${vector.result}`)
    }
  }
  expect(wrong).toEqual([])
  return judged
}

/** Whether it was accepted; any error but the one expected is a failure of the test. */
async function accepts(asked: Promise<unknown>, ...refusals: readonly string[]): Promise<boolean> {
  try {
    await asked
    return true
  } catch (error) {
    if (error instanceof Error && refusals.includes(error.name)) return false
    throw error
  }
}

const MACS: readonly (readonly [file: string, KeySpec, MacAlgorithmSpec, bits: number])[] = [
  ['hmac_sha224', 'HMAC_224', 'HMAC_SHA_224', 224],
  ['hmac_sha256', 'HMAC_256', 'HMAC_SHA_256', 256],
  ['hmac_sha384', 'HMAC_384', 'HMAC_SHA_384', 384],
  ['hmac_sha512', 'HMAC_512', 'HMAC_SHA_512', 512],
]
test.each(MACS)(
  '%s through the API: keys as long as the digest, whole tags',
  async (file, spec, MacAlgorithm, bits) => {
    const keys = new Map<string, string>()
    const judged = await hold(groupsOf(file), async ({ key, msg, tag }, { keySize, tagSize }) => {
      // AWS imports HMAC keys of one length, and takes no empty message.
      if (keySize !== bits || tagSize !== bits || msg === '') return 'skipped'
      const KeyId = keys.get(key!) ?? (await imported(spec, 'GENERATE_VERIFY_MAC', hex(key)))
      keys.set(key!, KeyId)
      return accepts(
        kms.send(new VerifyMacCommand({ KeyId, MacAlgorithm, Message: hex(msg), Mac: hex(tag) })),
        'KMSInvalidMacException',
      )
    })
    expect(judged).toBeGreaterThan(20)
  },
)

test('aes_kwp through the API: what unwraps may still not fit, what does not unwrap is refused', async () => {
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', Origin: 'EXTERNAL' }),
  )
  const KeyId = KeyMetadata!.KeyId!
  const { ImportToken, key: wrapping } = await offered(KeyId)
  const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE'
  await hold(groupsOf('aes_kwp'), async ({ key, ct }) => {
    const EncryptedKeyMaterial = Buffer.concat([
      publicEncrypt({ key: wrapping, oaepHash: 'sha256' }, hex(key)),
      hex(ct),
    ])
    const outcome = await kms
      .send(new ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel }))
      .then(() => 'imported')
      .catch((error: Error) => error.name)
    expect(['imported', 'IncorrectKeyMaterialException', 'InvalidCiphertextException']).toContain(outcome)
    return outcome !== 'InvalidCiphertextException'
  })
})

test.each(filesLike(/^rsa_oaep/))('%s through the API: without labels, which it has not', async (file) => {
  const EncryptionAlgorithm = file.includes('sha1_') ? 'RSAES_OAEP_SHA_1' : 'RSAES_OAEP_SHA_256'
  for (const group of groupsOf(file)) {
    const spec = `RSA_${group.keySize}` as KeySpec
    const KeyId = await imported(spec, 'ENCRYPT_DECRYPT', hex(group.privateKeyPkcs8))
    await hold([group], async ({ ct, msg, label }) => {
      // An empty plaintext is none that KMS could have encrypted: its API has no room for it.
      if (label || msg === '' || ct === '') return 'skipped'
      const asked = kms.send(new DecryptCommand({ KeyId, EncryptionAlgorithm, CiphertextBlob: hex(ct) }))
      if (!(await accepts(asked, 'InvalidCiphertextException'))) return false
      return hex(msg).equals(Buffer.from((await asked).Plaintext!))
    })
  }
})

const CURVES: Readonly<Record<string, KeySpec>> = {
  secp256r1: 'ECC_NIST_P256',
  secp384r1: 'ECC_NIST_P384',
  secp521r1: 'ECC_NIST_P521',
}
/** Each needs a key of its own, so every eighth will do: the sample is the same each time. */
const ECDH_STEP = 8
test.each(filesLike(/^ecdh_/))('%s through the API, a sample', async (file) => {
  const keys = new Map<string, string>()
  for (const group of groupsOf(file)) {
    const spec = CURVES[group.curve!]!
    await hold([group], async (vector) => {
      const scalar = BigInt(`0x${vector.private}`).toString(16)
      const known = keys.has(scalar)
      if (!known && vector.result === 'valid' && vector.tcId % ECDH_STEP !== 0) return 'skipped'
      const KeyId = keys.get(scalar) ?? (await imported(spec, 'KEY_AGREEMENT', ecPkcs8(spec, scalar)))
      keys.set(scalar, KeyId)
      const asked = kms.send(
        new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: hex(vector.public) }),
      )
      if (!(await accepts(asked, 'ValidationException'))) return false
      // Whatever was acceptable of the encoding: the secret must be the right one.
      expect(Buffer.from((await asked).SharedSecret!).toString('hex')).toBe(vector.shared)
      return true
    })
  }
})

/** RFC 5208 around RFC 5915, with nothing but the scalar. */
function ecPkcs8(spec: KeySpec, scalar: string): Buffer {
  const { oid, bytes } = {
    ECC_NIST_P256: { oid: '06082a8648ce3d030107', bytes: 32 },
    ECC_NIST_P384: { oid: '06052b81040022', bytes: 48 },
    ECC_NIST_P521: { oid: '06052b81040023', bytes: 66 },
  }[spec as 'ECC_NIST_P256']
  const der = (tag: number, ...parts: readonly Uint8Array[]) => {
    const body = Buffer.concat(parts)
    return Buffer.concat([Buffer.of(tag, body.length), body])
  }
  const secret = Buffer.from(scalar.padStart(bytes * 2, '0'), 'hex')
  const algorithm = der(0x30, hex('06072a8648ce3d0201'), hex(oid))
  const key = der(0x30, hex('020101'), der(0x04, secret))
  return der(0x30, hex('020100'), algorithm, der(0x04, key))
}

test.each(filesLike(/^mldsa_.*_sign_seed/))(
  '%s through the API: the seed makes the key, and the key signs',
  async (file) => {
    const level = file.split('_')[1]!
    const KeySpec = `ML_DSA_${level}` as KeySpec
    const SigningAlgorithm = 'ML_DSA_SHAKE_256'
    const keys = new Map<string, string>()
    const { oid } = specs[KeySpec as 'ML_DSA_44']
    for (const group of groupsOf(file)) {
      if (!group.privateKeyPkcs8) continue
      const seed = hex(group.privateKeyPkcs8).subarray(-32)
      const sound = encodeSeed(oid, seed).toString('hex') === group.privateKeyPkcs8
      if (!sound) {
        await expect(imported(KeySpec, 'SIGN_VERIFY', hex(group.privateKeyPkcs8))).rejects.toMatchObject({
          name: 'IncorrectKeyMaterialException',
        })
        continue
      }
      await hold([group], async ({ msg, mu, ctx }) => {
        if (ctx !== undefined || (msg === undefined && mu === undefined)) return 'skipped'
        const asked = msg ? { Message: hex(msg) } : { Message: hex(mu), MessageType: 'EXTERNAL_MU' as const }
        if (asked.Message.length === 0 || asked.Message.length > 4096) return 'skipped'
        const name = group.privateKeyPkcs8!
        const KeyId = keys.get(name) ?? (await imported(KeySpec, 'SIGN_VERIFY', hex(name)))
        keys.set(name, KeyId)
        const { Signature } = await kms.send(new SignCommand({ KeyId, SigningAlgorithm, ...asked }))
        return accepts(
          kms.send(new VerifyCommand({ KeyId, SigningAlgorithm, ...asked, Signature })),
          'KMSInvalidSignatureException',
        )
      })
    }
    expect(keys.size).toBeGreaterThan(0)
  },
)

const KEM_OIDS = { 512: specs.ML_KEM_512.oid, 768: specs.ML_KEM_768.oid, 1024: specs.ML_KEM_1024.oid } as const
test.each(filesLike(/^mlkem_/))('%s through the API: the seed makes the key, and the key opens', async (file) => {
  const level = Number(file.split('_')[1]) as keyof typeof KEM_OIDS
  const KeySpec = `ML_KEM_${level}` as KeySpec
  const EncapsulationAlgorithm = 'ML_KEM'
  const judged = await hold(groupsOf(file), async ({ seed, c, K, ekSha256 }) => {
    const pkcs8 = encodeSeed(KEM_OIDS[level], hex(seed))
    if (hex(seed).length !== 64) {
      return accepts(imported(KeySpec, 'ENCAPSULATE_DECAPSULATE', pkcs8), 'IncorrectKeyMaterialException')
    }
    const KeyId = await imported(KeySpec, 'ENCAPSULATE_DECAPSULATE', pkcs8)
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }))
    const bare = PublicKey!.subarray(-{ 512: 800, 768: 1184, 1024: 1568 }[level])
    if (ekSha256 !== undefined) expect(createHash('sha256').update(bare).digest('hex')).toBe(ekSha256)
    const asked = kms.send(
      new DecapsulateCommand({ KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob: hex(c) }),
    )
    if (!(await accepts(asked, 'InvalidCiphertextException', 'ValidationException'))) return false
    expect(Buffer.from((await asked).SharedSecret!).toString('hex')).toBe(K)
    return true
  })
  expect(judged).toBeGreaterThan(100)
})

/** As `Verify` has it, for keys of which we know only the public half. */
async function verified(spec: Spec, opened: Opened, algorithm: SigningAlgorithm, { msg, sig }: Vector, hash?: Hash) {
  const message = hex(msg)
  const signature = hex(sig)
  const raw = await verify(spec, opened, { algorithm, type: 'RAW', message }, signature, inlinePool)
  if (hash === undefined) return raw
  // Over a digest the code is another, and the answer must be the same.
  const digest = createHash(hash).update(message).digest()
  const overDigest = await verify(spec, opened, { algorithm, type: 'DIGEST', message: digest }, signature, inlinePool)
  expect(overDigest, `over the digest of ${msg} by ${sig}`).toBe(raw)
  return raw
}

function publicOnly(der: string | undefined): Opened {
  const key: KeyObject = createPublicKey({ key: hex(der), format: 'der', type: 'spki' })
  return { kind: 'pair', publicKey: key, privateKey: key }
}

const EC_SPECS: Readonly<Record<string, Spec>> = { ...(CURVES as Record<string, Spec>), secp256k1: 'ECC_SECG_P256K1' }
const HASHES = {
  'SHA-256': ['SHA_256', 'sha256'],
  'SHA-384': ['SHA_384', 'sha384'],
  'SHA-512': ['SHA_512', 'sha512'],
} as const

test.each(filesLike(/^ecdsa_/))('%s below the API, over messages and over digests', async (file) => {
  const spec = EC_SPECS[file.split('_')[1]!]!
  await hold(groupsOf(file), (vector, group) => {
    const [name, hash] = HASHES[group.sha as keyof typeof HASHES]
    return verified(spec, publicOnly(group.publicKeyDer), `ECDSA_${name}`, vector, hash)
  })
})

test.each(filesLike(/^rsa_(pss|signature)_/))('%s below the API, over messages and over digests', async (file) => {
  const pss = file.startsWith('rsa_pss')
  await hold(groupsOf(file), async (vector, group) => {
    const [name, hash] = HASHES[group.sha as keyof typeof HASHES]
    const spec = `RSA_${group.keySize}` as Spec
    const algorithm = `RSASSA_${pss ? 'PSS' : 'PKCS1_V1_5'}_${name}` as const
    const accepted = await verified(spec, publicOnly(group.publicKeyDer), algorithm, vector, hash)
    // A salt of another length is not what AWS makes or takes.
    if (pss && group.sLen! * 8 !== Number(group.sha!.slice(4))) {
      expect(accepted).toBe(false)
      return 'skipped'
    }
    return accepted
  })
})

test('ed25519 below the API', async () => {
  await hold(groupsOf('ed25519'), (vector, group) =>
    verified('ECC_NIST_EDWARDS25519', publicOnly(group.publicKeyDer), 'ED25519_SHA_512', vector),
  )
})

test.each(filesLike(/^mldsa_.*_verify/))('%s below the API', async (file) => {
  const spec = `ML_DSA_${file.split('_')[1]}` as Spec
  await hold(groupsOf(file), async (vector, group) => {
    // KMS has no contexts.
    if (vector.ctx !== undefined) return 'skipped'
    const publicKey = hex(group.publicKeyDer).subarray(22)
    return verified(spec, { kind: 'seed', seed: Buffer.alloc(0), publicKey }, 'ML_DSA_SHAKE_256', vector)
  })
})
