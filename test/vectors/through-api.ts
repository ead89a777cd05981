/** Vectors whose keys can be imported: each goes through the KMS API, by the SDK's own client. */
import { createCipheriv, createHash, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
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
  type KMSClient,
  type MacAlgorithmSpec,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms'
import { expect } from 'vitest'
import { encodeSeed } from '../../src/vault/material/der.ts'
import { specs } from '../../src/vault/material/specs.ts'
import { groupsOf, hex, type Through } from './files.ts'
import { refusedByRule, type Tally } from './tally.ts'

type Runner = (kms: KMSClient, file: string, tally: Tally) => Promise<void>

const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE'

/** A key of the API with this material: PKCS #8, or the bare bytes of a secret. */
async function imported(
  kms: KMSClient,
  KeySpec: KeySpec,
  KeyUsage: KeyUsageType,
  material: Uint8Array,
): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage, Origin: 'EXTERNAL' }))
  const KeyId = KeyMetadata!.KeyId!
  const { ImportToken, key } = await offered(kms, KeyId)
  const aes = randomBytes(32)
  const cipher = createCipheriv('id-aes256-wrap-pad', aes, Buffer.from('a65959a6', 'hex'))
  const EncryptedKeyMaterial = Buffer.concat([
    publicEncrypt({ key, oaepHash: 'sha256' }, aes),
    cipher.update(material),
    cipher.final(),
  ])
  await kms.send(new ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel }))
  return KeyId
}

async function offered(kms: KMSClient, KeyId: string) {
  const { ImportToken, PublicKey } = await kms.send(
    new GetParametersForImportCommand({
      KeyId,
      WrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    }),
  )
  return { ImportToken, key: createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' }) }
}

/** One import for each key, however many vectors have it. */
class Keys {
  readonly #ids = new Map<string, Promise<string>>()

  once(name: string, make: () => Promise<string>): Promise<string> {
    let id = this.#ids.get(name)
    if (!id) this.#ids.set(name, (id = make()))
    return id
  }
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

const MACS: Readonly<Record<string, readonly [KeySpec, MacAlgorithmSpec]>> = {
  sha224: ['HMAC_224', 'HMAC_SHA_224'],
  sha256: ['HMAC_256', 'HMAC_SHA_256'],
  sha384: ['HMAC_384', 'HMAC_SHA_384'],
  sha512: ['HMAC_512', 'HMAC_SHA_512'],
}

const hmac: Runner = (kms, file, tally) => {
  const hash = file.split('_')[1]!
  const bits = Number(hash.slice(3))
  const [spec, MacAlgorithm] = MACS[hash]!
  const keys = new Keys()
  const make = (key: string) => keys.once(key, () => imported(kms, spec, 'GENERATE_VERIFY_MAC', hex(key)))
  return tally.over(groupsOf(file), async ({ key, msg, tag }, { keySize, tagSize }) => {
    if (keySize !== bits) {
      const accepted = await accepts(make(key!), 'IncorrectKeyMaterialException')
      return refusedByRule(accepted, 'a key of another length than the digest is not imported')
    }
    const KeyId = await make(key!)
    const verified = kms.send(new VerifyMacCommand({ KeyId, MacAlgorithm, Message: hex(msg), Mac: hex(tag) }))
    const accepted = await accepts(verified, 'KMSInvalidMacException', 'ValidationException')
    if (msg === '') return refusedByRule(accepted, 'KMS takes no empty message')
    if (tagSize !== bits) return refusedByRule(accepted, 'KMS has whole tags only')
    return accepted
  })
}

/** What unwraps may still not fit; what does not unwrap is refused. */
const keyWrap: Runner = async (kms, file, tally) => {
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', Origin: 'EXTERNAL' }),
  )
  const KeyId = KeyMetadata!.KeyId!
  const { ImportToken, key: wrapping } = await offered(kms, KeyId)
  await tally.over(groupsOf(file), async ({ key, ct }) => {
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
}

const oaep: Runner = async (kms, file, tally) => {
  const EncryptionAlgorithm = file.includes('_sha1_') ? 'RSAES_OAEP_SHA_1' : 'RSAES_OAEP_SHA_256'
  const mixed = file.includes('sha256_mgf1sha1')
  for (const group of groupsOf(file)) {
    const spec = `RSA_${group.keySize}` as KeySpec
    const KeyId = await imported(kms, spec, 'ENCRYPT_DECRYPT', hex(group.privateKeyPkcs8))
    await tally.over([group], async ({ ct, msg, label, result }) => {
      const asked = kms.send(new DecryptCommand({ KeyId, EncryptionAlgorithm, CiphertextBlob: hex(ct) }))
      const accepted = await accepts(asked, 'InvalidCiphertextException', 'ValidationException')
      if (mixed) return refusedByRule(accepted, 'KMS has one hash for OAEP and its mask')
      if (label && result === 'valid') return refusedByRule(accepted, 'KMS has no labels')
      return accepted && hex(msg).equals(Buffer.from((await asked).Plaintext ?? []))
    })
  }
}

const CURVES: Readonly<Record<string, KeySpec>> = {
  secp256r1: 'ECC_NIST_P256',
  secp384r1: 'ECC_NIST_P384',
  secp521r1: 'ECC_NIST_P521',
}

const ecdh: Runner = (kms, file, tally) => {
  const keys = new Keys()
  return tally.over(groupsOf(file), async (vector, group) => {
    const spec = CURVES[group.curve!]!
    const scalar = BigInt(`0x${vector.private}`).toString(16)
    const KeyId = await keys.once(scalar, () => imported(kms, spec, 'KEY_AGREEMENT', ecPkcs8(spec, scalar)))
    const asked = kms.send(
      new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: hex(vector.public) }),
    )
    if (!(await accepts(asked, 'ValidationException'))) return false
    // Whatever was acceptable of the encoding: the secret must be the right one.
    expect(Buffer.from((await asked).SharedSecret!).toString('hex')).toBe(vector.shared)
    return true
  })
}

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

/** The seed makes the key; the published signature is verified, and so is one of our own. */
const mlDsaSign: Runner = (kms, file, tally) => {
  const KeySpec = `ML_DSA_${file.split('_')[1]}` as 'ML_DSA_44'
  const SigningAlgorithm = 'ML_DSA_SHAKE_256'
  const { oid } = specs[KeySpec]
  const keys = new Keys()
  return tally.over(groupsOf(file), async ({ msg, mu, ctx, sig }, { privateKeyPkcs8 }) => {
    if (privateKeyPkcs8 === undefined) return { skipped: 'the vector has a seed that PKCS #8 cannot hold' }
    const sound = encodeSeed(oid, hex(privateKeyPkcs8).subarray(-32)).toString('hex') === privateKeyPkcs8
    const make = () => imported(kms, KeySpec, 'SIGN_VERIFY', hex(privateKeyPkcs8))
    if (!sound) return accepts(keys.once(privateKeyPkcs8, make), 'IncorrectKeyMaterialException')

    const plain = (ctx ?? '') === '' && msg !== undefined && msg !== '' && msg.length <= 2 * 4096
    const asked = plain
      ? { Message: hex(msg), MessageType: 'RAW' as const }
      : { Message: hex(mu), MessageType: 'EXTERNAL_MU' as const }
    if (asked.Message.length === 0) {
      if ((ctx ?? '').length > 2 * 255) return { skipped: 'a context longer than ML-DSA has; KMS has none at all' }
      return { skipped: 'KMS takes no empty message, and the vector gives no μ' }
    }
    const KeyId = await keys.once(privateKeyPkcs8, make)
    const verify = (Signature: Uint8Array | undefined) =>
      accepts(
        kms.send(new VerifyCommand({ KeyId, SigningAlgorithm, ...asked, Signature })),
        'KMSInvalidSignatureException',
      )
    const { Signature } = await kms.send(new SignCommand({ KeyId, SigningAlgorithm, ...asked }))
    expect(await verify(Signature)).toBe(true)
    return verify(hex(sig))
  })
}

const EK_BYTES = { 512: 800, 768: 1184, 1024: 1568 } as const

/** The seed makes the key, and the key opens. */
const mlKem: Runner = (kms, file, tally) => {
  const level = Number(file.split('_')[1]) as keyof typeof EK_BYTES
  const KeySpec = `ML_KEM_${level}` as const
  const EncapsulationAlgorithm = 'ML_KEM'
  const keys = new Keys()
  return tally.over(groupsOf(file), async ({ seed, c, K, ekSha256 }) => {
    const pkcs8 = encodeSeed(specs[KeySpec].oid, hex(seed))
    const make = () => imported(kms, KeySpec, 'ENCAPSULATE_DECAPSULATE', pkcs8)
    if (hex(seed).length !== 64) return accepts(make(), 'IncorrectKeyMaterialException')

    const KeyId = await keys.once(seed!, make)
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }))
    const bare = PublicKey!.subarray(-EK_BYTES[level])
    if (ekSha256 !== undefined) expect(createHash('sha256').update(bare).digest('hex')).toBe(ekSha256)
    const asked = kms.send(
      new DecapsulateCommand({ KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob: hex(c) }),
    )
    if (!(await accepts(asked, 'InvalidCiphertextException', 'ValidationException'))) return false
    expect(Buffer.from((await asked).SharedSecret!).toString('hex')).toBe(K)
    return true
  })
}

export const throughApi: Readonly<Record<Through, Runner>> = { hmac, keyWrap, oaep, ecdh, mlDsaSign, mlKem }
