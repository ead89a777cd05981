/** Signatures of every kind, checked by OpenSSL and by libraries of their own; and secrets shared with others. */
import {
  constants,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  verify as verifyByOpenSsl,
} from 'node:crypto'
import {
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GetPublicKeyCommand,
  type KeySpec,
  type MessageType,
  ReEncryptCommand,
  SignCommand,
  type SigningAlgorithmSpec,
  VerifyCommand,
} from '@aws-sdk/client-kms'
import { ed25519ph } from '@noble/curves/ed25519.js'
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { beforeAll, describe, expect, test } from 'vitest'
import { desk } from './desk.fixture.ts'

const Message = Buffer.from('a message to sign')

type Desk = Awaited<ReturnType<typeof desk>>
let world: Desk
const keys = new Map<KeySpec, string>()

beforeAll(async () => {
  world = await desk()
})

/** One key a spec is enough: making them is the slow part. */
async function keyOf(KeySpec: KeySpec): Promise<string> {
  const known = keys.get(KeySpec)
  if (known) return known
  const { KeyId } = await world.make({ KeySpec, KeyUsage: 'SIGN_VERIFY' })
  keys.set(KeySpec, KeyId!)
  return KeyId!
}

const spkiOf = async (KeyId: string) =>
  Buffer.from((await world.kms.send(new GetPublicKeyCommand({ KeyId }))).PublicKey!)

const HASH = { SHA_256: 'sha256', SHA_384: 'sha384', SHA_512: 'sha512' } as const
const hashOf = (algorithm: string) => HASH[algorithm.slice(-7) as keyof typeof HASH]

const CLASSIC: readonly (readonly [KeySpec, readonly SigningAlgorithmSpec[]])[] = [
  ...(['RSA_2048', 'RSA_3072', 'RSA_4096'] as const).map(
    (spec) =>
      [
        spec,
        [
          'RSASSA_PKCS1_V1_5_SHA_256',
          'RSASSA_PKCS1_V1_5_SHA_384',
          'RSASSA_PKCS1_V1_5_SHA_512',
          'RSASSA_PSS_SHA_256',
          'RSASSA_PSS_SHA_384',
          'RSASSA_PSS_SHA_512',
        ],
      ] as const,
  ),
  ['ECC_NIST_P256', ['ECDSA_SHA_256']],
  ['ECC_NIST_P384', ['ECDSA_SHA_384']],
  ['ECC_NIST_P521', ['ECDSA_SHA_512']],
  ['ECC_SECG_P256K1', ['ECDSA_SHA_256']],
]

describe('RSA and ECDSA', () => {
  const cases = CLASSIC.flatMap(([spec, algorithms]) =>
    algorithms.flatMap((algorithm) => (['RAW', 'DIGEST'] as const).map((type) => [spec, algorithm, type] as const)),
  )
  test.each(cases)('%s by %s over %s is what OpenSSL verifies', async (spec, SigningAlgorithm, MessageType) => {
    const { kms } = world
    const KeyId = await keyOf(spec)
    const hash = hashOf(SigningAlgorithm)
    const given = MessageType === 'RAW' ? Message : createHash(hash).update(Message).digest()
    const { Signature } = await kms.send(new SignCommand({ KeyId, SigningAlgorithm, MessageType, Message: given }))

    const key = createPublicKey({ key: await spkiOf(KeyId), format: 'der', type: 'spki' })
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    expect(verifyByOpenSsl(hash, Message, { key, ...(SigningAlgorithm.includes('PSS') && pss) }, Signature!)).toBe(true)

    // Whichever way it was made, it verifies both ways, and for nothing else.
    const digest = createHash(hash).update(Message).digest()
    const ask = (MessageType: MessageType, Message: Uint8Array, signature = Signature!) =>
      kms.send(new VerifyCommand({ KeyId, SigningAlgorithm, MessageType, Message, Signature: signature }))
    expect((await ask('RAW', Message)).SignatureValid).toBe(true)
    expect((await ask('DIGEST', digest)).SignatureValid).toBe(true)
    const wrong = { name: 'KMSInvalidSignatureException' }
    await expect(ask('RAW', Buffer.from('another'))).rejects.toMatchObject(wrong)
    await expect(ask('DIGEST', createHash(hash).update('another').digest())).rejects.toMatchObject(wrong)
    const broken = Buffer.from(Signature!)
    broken[broken.length >> 1]! ^= 1
    await expect(ask('RAW', Message, broken)).rejects.toMatchObject(wrong)
    await expect(ask('DIGEST', digest, broken)).rejects.toMatchObject(wrong)
    await expect(ask('DIGEST', digest.subarray(1))).rejects.toMatchObject({ name: 'ValidationException' })
  })
})

describe('Ed25519', () => {
  test('signs messages as they are, and digests by Ed25519ph, which hashes again', async () => {
    const { kms } = world
    const KeyId = await keyOf('ECC_NIST_EDWARDS25519')
    const key = createPublicKey({ key: await spkiOf(KeyId), format: 'der', type: 'spki' })
    const plain = { KeyId, SigningAlgorithm: 'ED25519_SHA_512', Message } as const
    const { Signature } = await kms.send(new SignCommand(plain))

    expect(verifyByOpenSsl(null, Message, key, Signature!)).toBe(true)
    expect((await kms.send(new VerifyCommand({ ...plain, Signature }))).SignatureValid).toBe(true)

    const digest = createHash('sha512').update(Message).digest()
    const hashed = { KeyId, SigningAlgorithm: 'ED25519_PH_SHA_512', MessageType: 'DIGEST', Message: digest } as const
    const prehashed = await kms.send(new SignCommand(hashed))
    const point = Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url')
    expect(ed25519ph.verify(prehashed.Signature!, digest, point)).toBe(true)
    expect((await kms.send(new VerifyCommand({ ...hashed, Signature: prehashed.Signature }))).SignatureValid).toBe(true)
    await expect(kms.send(new VerifyCommand({ ...plain, Signature: prehashed.Signature }))).rejects.toMatchObject({
      name: 'KMSInvalidSignatureException',
    })
  })
  test.each([
    ['ED25519_SHA_512', 'DIGEST'],
    ['ED25519_PH_SHA_512', 'RAW'],
    ['ED25519_SHA_512', 'EXTERNAL_MU'],
  ] as const)('%s takes no message of type %s', async (SigningAlgorithm, MessageType) => {
    const KeyId = await keyOf('ECC_NIST_EDWARDS25519')

    await expect(
      world.kms.send(new SignCommand({ KeyId, SigningAlgorithm, MessageType, Message: Buffer.alloc(64) })),
    ).rejects.toMatchObject({ name: 'ValidationException' })
  })
})

describe('ML-DSA', () => {
  const LIBRARY = { ML_DSA_44: ml_dsa44, ML_DSA_65: ml_dsa65, ML_DSA_87: ml_dsa87 } as const
  const SigningAlgorithm = 'ML_DSA_SHAKE_256'
  test.each(['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'] as const)('%s signs messages, and μ made outside', async (spec) => {
    const { kms } = world
    const KeyId = await keyOf(spec)
    const { publicKey: length } = LIBRARY[spec].lengths
    const publicKey = (await spkiOf(KeyId)).subarray(-length!)
    const { Signature } = await kms.send(new SignCommand({ KeyId, SigningAlgorithm, Message }))

    expect(LIBRARY[spec].verify(Signature!, Message, publicKey)).toBe(true)
    // FIPS 204 §6.2: μ = H(tr ‖ M'), with tr = H(pk) and M' = 0 ‖ 0 ‖ M for an empty context.
    const shake = (...parts: readonly Uint8Array[]) =>
      parts.reduce((hash, part) => hash.update(part), createHash('shake256', { outputLength: 64 })).digest()
    const mu = shake(shake(publicKey), Buffer.of(0, 0), Message)
    const outside = { KeyId, SigningAlgorithm, MessageType: 'EXTERNAL_MU', Message: mu } as const
    expect((await kms.send(new VerifyCommand({ ...outside, Signature }))).SignatureValid).toBe(true)
    const made = await kms.send(new SignCommand(outside))
    expect(LIBRARY[spec].verify(made.Signature!, Message, publicKey)).toBe(true)
    await expect(
      kms.send(new VerifyCommand({ KeyId, SigningAlgorithm, Message: Buffer.from('other'), Signature })),
    ).rejects.toMatchObject({ name: 'KMSInvalidSignatureException' })
    for (const [MessageType, Message] of [
      ['EXTERNAL_MU', mu.subarray(1)],
      ['DIGEST', mu],
    ] as const) {
      await expect(kms.send(new SignCommand({ KeyId, SigningAlgorithm, MessageType, Message }))).rejects.toMatchObject({
        name: 'ValidationException',
      })
    }
  })
})

test('a key signs by its own algorithms only, and encrypts nothing', async () => {
  const { kms } = world
  const KeyId = await keyOf('ECC_NIST_P256')

  await expect(kms.send(new SignCommand({ KeyId, SigningAlgorithm: 'ECDSA_SHA_384', Message }))).rejects.toMatchObject({
    name: 'InvalidKeyUsageException',
  })
  await expect(kms.send(new EncryptCommand({ KeyId, Plaintext: Message }))).rejects.toMatchObject({
    name: 'InvalidKeyUsageException',
  })
  await expect(
    kms.send(new SignCommand({ KeyId, SigningAlgorithm: 'ECDSA_SHA_256', Message: Buffer.alloc(4097) })),
  ).rejects.toMatchObject({ name: 'ValidationException' })
})

describe('RSA encryption', () => {
  test('opens what anyone encrypted with the public key, up to its length', async () => {
    const { kms, make } = world
    const { KeyId } = await make({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
    const key = createPublicKey({ key: await spkiOf(KeyId!), format: 'der', type: 'spki' })

    for (const [EncryptionAlgorithm, oaepHash, max] of [
      ['RSAES_OAEP_SHA_1', 'sha1', 214],
      ['RSAES_OAEP_SHA_256', 'sha256', 190],
    ] as const) {
      const CiphertextBlob = publicEncrypt({ key, oaepHash }, Message)
      const { Plaintext } = await kms.send(new DecryptCommand({ KeyId, EncryptionAlgorithm, CiphertextBlob }))
      expect(Buffer.from(Plaintext!)).toEqual(Message)

      const whole = await kms.send(new EncryptCommand({ KeyId, EncryptionAlgorithm, Plaintext: Buffer.alloc(max) }))
      expect(whole.CiphertextBlob).toHaveLength(256)
      await expect(
        kms.send(new EncryptCommand({ KeyId, EncryptionAlgorithm, Plaintext: Buffer.alloc(max + 1) })),
      ).rejects.toMatchObject({ name: 'ValidationException' })
      const changed = Buffer.from(CiphertextBlob)
      changed[9]! ^= 1
      await expect(
        kms.send(new DecryptCommand({ KeyId, EncryptionAlgorithm, CiphertextBlob: changed })),
      ).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
    }
  })
  test('needs a named key, takes no context, and moves to a symmetric key', async () => {
    const { kms, make } = world
    const { KeyId } = await make({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
    const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, EncryptionAlgorithm, Plaintext: Message }))

    await expect(kms.send(new DecryptCommand({ EncryptionAlgorithm, CiphertextBlob }))).rejects.toMatchObject({
      name: 'ValidationException',
    })
    await expect(
      kms.send(new EncryptCommand({ KeyId, EncryptionAlgorithm, Plaintext: Message, EncryptionContext: { a: 'b' } })),
    ).rejects.toMatchObject({ name: 'ValidationException' })
    const aes = await make()
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceKeyId: KeyId,
        SourceEncryptionAlgorithm: EncryptionAlgorithm,
        DestinationKeyId: aes.KeyId,
      }),
    )
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }))
    expect(Buffer.from(opened.Plaintext!)).toEqual(Message)
  })
})

describe('pairs of data keys', () => {
  test.each(['RSA_2048', 'ECC_NIST_P384', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519', 'ML_KEM_512'] as const)(
    '%s: the sealed private half opens to the clear one',
    async (KeyPairSpec) => {
      const { kms, make } = world
      const { KeyId } = await make()
      const pair = await kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec }))

      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: pair.PrivateKeyCiphertextBlob }))
      expect(Plaintext).toEqual(pair.PrivateKeyPlaintext)
      expect(pair).toMatchObject({ KeyPairSpec })
      const sealed = await kms.send(new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, KeyPairSpec }))
      expect(sealed).not.toHaveProperty('PrivateKeyPlaintext')
    },
  )
  test('come of symmetric keys only', async () => {
    const { kms, make } = world
    const { KeyId } = await make({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })

    await expect(
      kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' })),
    ).rejects.toMatchObject({ name: 'InvalidKeyUsageException' })
  })
})

describe('a shared secret', () => {
  test.each([
    ['ECC_NIST_P256', 'prime256v1'],
    ['ECC_NIST_P384', 'secp384r1'],
    ['ECC_NIST_P521', 'secp521r1'],
  ] as const)('of %s is the one the other side derives', async (KeySpec, namedCurve) => {
    const { kms, make } = world
    const { KeyId } = await make({ KeySpec, KeyUsage: 'KEY_AGREEMENT' })
    const theirs = generateKeyPairSync('ec', { namedCurve })
    const PublicKey = theirs.publicKey.export({ format: 'der', type: 'spki' })
    const { SharedSecret } = await kms.send(
      new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }),
    )

    const publicKey = createPublicKey({ key: await spkiOf(KeyId!), format: 'der', type: 'spki' })
    expect(Buffer.from(SharedSecret!)).toEqual(diffieHellman({ privateKey: theirs.privateKey, publicKey }))
  })
  test('is refused to a public key of another curve, or off it', async () => {
    const { kms, make } = world
    const { KeyId } = await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
    const other = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey.export({
      format: 'der',
      type: 'spki',
    })
    const off = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({
      format: 'der',
      type: 'spki',
    })
    off[off.length - 1]! ^= 1

    for (const PublicKey of [other, off, Buffer.from('none')]) {
      await expect(
        kms.send(new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey })),
      ).rejects.toMatchObject({ name: 'ValidationException' })
    }
  })
  test('of ML-KEM comes out of what anyone encapsulated to the public key', async () => {
    const { kms, make } = world
    const EncapsulationAlgorithm = 'ML_KEM'
    const { KeyId } = await make({ KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' })
    const outside = ml_kem768.encapsulate((await spkiOf(KeyId!)).subarray(-1184))
    const decapsulate = async (SharedSecretCiphertextBlob: Uint8Array) =>
      kms.send(new DecapsulateCommand({ KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob }))

    const { SharedSecret } = await decapsulate(outside.cipherText)
    expect(Buffer.from(SharedSecret!)).toEqual(Buffer.from(outside.sharedSecret))
    const inside = await kms.send(new EncapsulateCommand({ KeyId, EncapsulationAlgorithm }))
    expect((await decapsulate(inside.SharedSecretCiphertextBlob!)).SharedSecret).toEqual(inside.SharedSecret)
    await expect(decapsulate(Buffer.alloc(5))).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
  })
})

test('symmetric keys have no public half', async () => {
  const { kms, make } = world
  const { KeyId } = await make()

  await expect(kms.send(new GetPublicKeyCommand({ KeyId }))).rejects.toMatchObject({
    name: 'UnsupportedOperationException',
  })
})
