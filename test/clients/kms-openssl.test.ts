/** KMS §6.5: what KMS signs, openssl verifies, over messages and over digests; what openssl encrypts, KMS opens. */
import { execFile } from 'node:child_process'
import { createHash, createPublicKey, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  CreateKeyCommand,
  DecryptCommand,
  type EncryptionAlgorithmSpec,
  GetPublicKeyCommand,
  type KeySpec,
  KMSClient,
  SignCommand,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installation, type Running, startMerlon, temporaryFolder } from '../process.ts'

const openssl = (...words: readonly string[]) => promisify(execFile)('openssl', words)

let server: Running
let kms: KMSClient
const folder = temporaryFolder()
beforeAll(async () => {
  server = await startMerlon(installation())
  kms = new KMSClient({ endpoint: server.url, region: 'us-east-1', credentials: server.accounts[0]! })
})
afterAll(() => server?.stop())

const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, `${randomBytes(6).toString('hex')}-${name}`)
  writeFileSync(path, bytes)
  return path
}

async function made(KeySpec: KeySpec, KeyUsage: 'SIGN_VERIFY' | 'ENCRYPT_DECRYPT') {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage }))
  const KeyId = KeyMetadata!.KeyId!
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }))
  const pem = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' })
  return { KeyId, publicKey: file('public.pem', pem.export({ format: 'pem', type: 'spki' })) }
}

const BITS = ['256', '384', '512'] as const
const PKCS1 = BITS.map((bits) => [`RSASSA_PKCS1_V1_5_SHA_${bits}`, `sha${bits}`, []] as const)
const PSS = BITS.map(
  (bits) =>
    [
      `RSASSA_PSS_SHA_${bits}`,
      `sha${bits}`,
      ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'],
    ] as const,
)
const SPECS: Readonly<Partial<Record<KeySpec, readonly (readonly [string, string, readonly string[]])[]>>> = {
  RSA_2048: [...PKCS1, ...PSS],
  RSA_3072: [...PKCS1, ...PSS],
  RSA_4096: [...PKCS1, ...PSS],
  ECC_NIST_P256: [['ECDSA_SHA_256', 'sha256', []]],
  ECC_NIST_P384: [['ECDSA_SHA_384', 'sha384', []]],
  ECC_NIST_P521: [['ECDSA_SHA_512', 'sha512', []]],
  ECC_SECG_P256K1: [['ECDSA_SHA_256', 'sha256', []]],
}

describe.each(Object.keys(SPECS) as KeySpec[])('KMS 5: %s', (spec) => {
  test.each(SPECS[spec]!)('%s', async (SigningAlgorithm, digest, options) => {
    const { KeyId, publicKey } = await made(spec, 'SIGN_VERIFY')
    const message = randomBytes(1_000)
    const messageFile = file('message', message)
    for (const MessageType of ['RAW', 'DIGEST'] as const) {
      const Message = MessageType === 'RAW' ? message : createHash(digest).update(message).digest()
      const algorithm = SigningAlgorithm as SigningAlgorithmSpec
      const { Signature } = await kms.send(
        new SignCommand({ KeyId, Message, MessageType, SigningAlgorithm: algorithm }),
      )
      const verify = (signature: Uint8Array) =>
        openssl(
          ...['dgst', `-${digest}`, '-verify', publicKey, '-signature', file('signature', signature)],
          ...options,
          messageFile,
        )
      expect((await verify(Signature!)).stdout).toContain('Verified OK')
      const changed = Buffer.from(Signature!)
      changed[changed.length - 1]! ^= 1
      await expect(verify(changed)).rejects.toThrow()

      // The same by the digest alone, which is what programs that sign digests have.
      const hashed = createHash(digest).update(message).digest()
      const byDigest = (signature: Uint8Array) =>
        openssl(
          ...['pkeyutl', '-verify', '-pubin', '-inkey', publicKey, '-in', file('digest', hashed)],
          ...['-sigfile', file('signature', signature), ...pkeyutlOptions(SigningAlgorithm, digest)],
        )
      expect((await byDigest(Signature!)).stdout).toContain('Signature Verified Successfully')
      await expect(byDigest(changed)).rejects.toThrow()
    }
  })
})

function pkeyutlOptions(algorithm: string, digest: string): readonly string[] {
  if (!algorithm.startsWith('RSASSA')) return []
  const pss = ['-pkeyopt', 'rsa_padding_mode:pss', '-pkeyopt', 'rsa_pss_saltlen:digest']
  return [...(algorithm.includes('PSS') ? pss : []), '-pkeyopt', `digest:${digest}`]
}

test('KMS 5: ED25519_SHA_512', async () => {
  const { KeyId, publicKey } = await made('ECC_NIST_EDWARDS25519', 'SIGN_VERIFY')
  const Message = randomBytes(1_000)
  const { Signature } = await kms.send(new SignCommand({ KeyId, Message, SigningAlgorithm: 'ED25519_SHA_512' }))
  const verify = (message: Uint8Array) =>
    openssl(
      ...['pkeyutl', '-verify', '-pubin', '-inkey', publicKey, '-rawin'],
      ...['-in', file('message', message), '-sigfile', file('signature', Signature!)],
    )
  expect((await verify(Message)).stdout).toContain('Verified Successfully')
  await expect(verify(randomBytes(1_000))).rejects.toThrow()
})

test.each<[KeySpec, EncryptionAlgorithmSpec, string]>([
  ['RSA_2048', 'RSAES_OAEP_SHA_1', 'sha1'],
  ['RSA_2048', 'RSAES_OAEP_SHA_256', 'sha256'],
  ['RSA_3072', 'RSAES_OAEP_SHA_256', 'sha256'],
  ['RSA_4096', 'RSAES_OAEP_SHA_256', 'sha256'],
])('KMS 5: %s opens by %s what openssl encrypted', async (spec, EncryptionAlgorithm, digest) => {
  const { KeyId, publicKey } = await made(spec, 'ENCRYPT_DECRYPT')
  const plaintext = randomBytes(100)
  const out = file('ciphertext', '')
  await openssl(
    ...['pkeyutl', '-encrypt', '-pubin', '-inkey', publicKey, '-in', file('plaintext', plaintext), '-out', out],
    ...['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', `rsa_oaep_md:${digest}`, '-pkeyopt', `rsa_mgf1_md:${digest}`],
  )
  const opened = await kms.send(new DecryptCommand({ KeyId, CiphertextBlob: readFileSync(out), EncryptionAlgorithm }))
  expect(Buffer.from(opened.Plaintext!).equals(plaintext)).toBe(true)
})
