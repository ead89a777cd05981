/**
 * The Encryption SDK beside the official one for JavaScript: each reads what the other writes, for every algorithm suite.
 * `MERLON_ESDK_VECTORS=DIR` adds published messages: `aws_encryption_sdk_resources` of the repository
 * awslabs/aws-encryption-sdk-test-vectors at 58b2833, of which 900 are for raw keys.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import official from '@aws-crypto/client-node'
import { KMS } from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  inspect,
  type Keyring,
  KeyStore,
  KmsHierarchicalKeyring,
  KmsKeyring,
  MultiKeyring,
  memoryStorage,
  RawAesKeyring,
  RawRsaKeyring,
  RequiredEncryptionContextMaterialsManager,
  type SuiteId,
  type SuiteName,
} from '../../src/encryption-sdk/index.ts'
import { cloud } from '../cloud.ts'

const { RawAesKeyringNode, RawAesWrappingSuiteIdentifier, RawRsaKeyringNode, MultiKeyringNode } = official
/** What the official key store wants of its storage; the class is not exported. */
const { EncryptedHierarchicalKey } = createRequire(import.meta.url)(
  '@aws-crypto/branch-keystore-node/build/main/src/types.js',
)
const suites = Object.entries(AlgorithmSuiteIdentifier) as [SuiteName, SuiteId][]
const commits = (name: SuiteName) => name.includes('COMMIT')

const WRAPPING = {
  16: RawAesWrappingSuiteIdentifier.AES128_GCM_IV12_TAG16_NO_PADDING,
  24: RawAesWrappingSuiteIdentifier.AES192_GCM_IV12_TAG16_NO_PADDING,
  32: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
} as const

/** One AES key, for both. */
function aes(bytes: 16 | 24 | 32 = 32, keyName = 'aes') {
  const key = randomBytes(bytes)
  const names = { keyNamespace: 'interop', keyName }
  // The official keyring wants memory of its own.
  const unencryptedMasterKey = Uint8Array.from(key)
  return {
    ours: new RawAesKeyring({ ...names, key }),
    theirs: new RawAesKeyringNode({ ...names, unencryptedMasterKey, wrappingSuite: WRAPPING[bytes] }),
  }
}

const pems = { type: 'pkcs1', format: 'pem' } as const
const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: pems,
  privateKeyEncoding: pems,
})

function rsa(oaepHash: 'sha1' | 'sha256' | 'sha384' | 'sha512') {
  const names = { keyNamespace: 'interop', keyName: oaepHash }
  return {
    ours: new RawRsaKeyring({ ...names, ...pair, oaepHash }),
    theirs: new RawRsaKeyringNode({ ...names, rsaKey: pair, oaepHash }),
  }
}

function clients(name: SuiteName) {
  const policy = commits(name) ? 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' : 'FORBID_ENCRYPT_ALLOW_DECRYPT'
  return { ours: buildClient(policy), theirs: official.buildClient(official.CommitmentPolicy[policy]) }
}

const context = { purpose: 'interop', tenant: 'grün', 'with space': '' }
const SIZES = [0, 1, 4095, 4096, 4097, 3 * 4096]

describe.each(suites)('%s', (name, suiteId) => {
  const key = aes()
  const { ours, theirs } = clients(name)

  test('is read by the official SDK, and read from it, for every size around a frame', async () => {
    for (const size of SIZES) {
      const plaintext = randomBytes(size)
      const written = await ours.encrypt(key.ours, plaintext, { suiteId, encryptionContext: context })
      const read = await theirs.decrypt(key.theirs, written.result)
      expect(read.plaintext.equals(plaintext), `ours of ${size}`).toBe(true)
      expect(read.messageHeader.encryptionContext).toMatchObject(context)

      const their = await theirs.encrypt(key.theirs, plaintext, {
        suiteId: suiteId as number,
        encryptionContext: context,
      })
      const back = await ours.decrypt(key.ours, their.result, { encryptionContext: context })
      expect(back.plaintext.equals(plaintext), `theirs of ${size}`).toBe(true)
      expect(back.messageHeader.suiteId).toBe(suiteId)
    }
  })

  test('has the same length from both', async () => {
    const options = { suiteId: suiteId as SuiteId & number, encryptionContext: context }
    const mine = (await ours.encrypt(key.ours, randomBytes(5000), options)).result.length
    const their = (await theirs.encrypt(key.theirs, randomBytes(5000), options)).result.length

    // A DER signature is a few bytes shorter or longer.
    expect(Math.abs(mine - their)).toBeLessThanOrEqual(6)
  })
})

describe('both SDKs', () => {
  const { ours, theirs } = clients('ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384')

  test('exchange 10 MiB, in frames of 4 KiB and of 1 MiB', async () => {
    const key = aes()
    const plaintext = randomBytes(10 * 2 ** 20)
    for (const frameLength of [4096, 2 ** 20]) {
      const mine = await ours.encrypt(key.ours, plaintext, { frameLength })
      expect((await theirs.decrypt(key.theirs, mine.result)).plaintext.equals(plaintext)).toBe(true)
      const their = await theirs.encrypt(key.theirs, plaintext, { frameLength })
      expect((await ours.decrypt(key.ours, their.result)).plaintext.equals(plaintext)).toBe(true)
    }
  })

  test.each(
    [aes(16), aes(24), aes(32), rsa('sha1'), rsa('sha256'), rsa('sha384'), rsa('sha512')].map(
      (key, n) => [n, key] as const,
    ),
  )('share the raw key %i', async (_, key) => {
    const mine = await ours.encrypt(key.ours, 'mine', { encryptionContext: context })
    expect((await theirs.decrypt(key.theirs, mine.result)).plaintext.toString()).toBe('mine')
    const their = await theirs.encrypt(key.theirs, 'theirs', { encryptionContext: context })
    expect((await ours.decrypt(key.ours, their.result)).plaintext.toString()).toBe('theirs')
  })

  test('decrypt a message of several keys by any of them', async () => {
    const [a, b, c] = [aes(32, 'a'), rsa('sha256'), aes(16, 'c')]
    const mine = await ours.encrypt(new MultiKeyring({ generator: a.ours, children: [b.ours, c.ours] }), 'three')
    const generator = new MultiKeyringNode({ generator: a.theirs, children: [b.theirs, c.theirs] })
    const their = await theirs.encrypt(generator, 'three')
    for (const key of [a, b, c]) {
      expect((await theirs.decrypt(key.theirs, mine.result)).plaintext.toString()).toBe('three')
      expect((await ours.decrypt(key.ours, their.result)).plaintext.toString()).toBe('three')
    }
  })

  test('read contexts in the order of the other', async () => {
    const key = aes()
    const mixed = { Zone: '1', apple: '2', 'aws-zone': '3' }
    const their = await theirs.encrypt(key.theirs, 'sorted by language', { encryptionContext: mixed })

    // The official SDK sorts by language unless configured otherwise: its messages are read all the same.
    expect((await ours.decrypt(key.ours, their.result, { encryptionContext: mixed })).plaintext.toString()).toBe(
      'sorted by language',
    )
  })

  test('refuse the same change, whichever side wrote the message', async () => {
    const key = aes()
    for (const message of [
      (await ours.encrypt(key.ours, 'text', { encryptionContext: context })).result,
      Buffer.from((await theirs.encrypt(key.theirs, 'text', { encryptionContext: context })).result),
    ]) {
      for (let at = 0; at < message.length; at += 7) {
        const changed = Buffer.from(message)
        changed[at]! ^= 1
        await expect(ours.decrypt(key.ours, changed), `byte ${at}`).rejects.toThrow()
        await expect(theirs.decrypt(key.theirs, changed), `byte ${at}`).rejects.toThrow()
      }
    }
  })

  test('differ where a context is required and not stored: the official SDK for JavaScript cannot read it', async () => {
    const key = aes()
    const manager = new RequiredEncryptionContextMaterialsManager({
      underlying: key.ours,
      requiredEncryptionContextKeys: ['tenant'],
    })
    const { result } = await ours.encrypt(manager, 'hidden', { encryptionContext: context })

    expect(result.includes('grün')).toBe(false)
    expect((await ours.decrypt(manager, result, { encryptionContext: { tenant: 'grün' } })).plaintext.toString()).toBe(
      'hidden',
    )
    await expect(theirs.decrypt(key.theirs, result)).rejects.toThrow()
  })
})

describe('both SDKs over one KMS', () => {
  const { ours, theirs } = clients('ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384')

  test('exchange messages under KMS keys, strict and by discovery', async () => {
    const { client } = await cloud()
    const kms = client(KMS)
    const generatorKeyId = (await kms.createKey({})).KeyMetadata!.Arn!
    const clientProvider = () => kms
    const mine = new KmsKeyring({ generatorKeyId, clientProvider })
    const their = new official.KmsKeyringNode({ generatorKeyId, clientProvider: clientProvider as never })
    const discovery = new official.KmsKeyringNode({ discovery: true, clientProvider: clientProvider as never })

    const written = (await ours.encrypt(mine, 'ours', { encryptionContext: context })).result
    for (const keyring of [their, discovery])
      expect((await theirs.decrypt(keyring, written)).plaintext.toString()).toBe('ours')
    const back = (await theirs.encrypt(their, 'theirs', { encryptionContext: context })).result
    for (const keyring of [mine, new KmsKeyring({ discovery: true, clientProvider })])
      expect((await ours.decrypt(keyring, back)).plaintext.toString()).toBe('theirs')
  })

  test('share branch keys, and messages under them', async () => {
    const { client } = await cloud()
    const kms = client(KMS)
    const kmsKeyArn = (await kms.createKey({})).KeyMetadata!.Arn!
    const storage = memoryStorage()
    const keyStore = new KeyStore({ logicalKeyStoreName: 'shared', storage, kmsKeyArn, client: kms })
    const branchKeyId = await keyStore.createKey({ branchKeyId: 'tenant', encryptionContext: { tenant: 'blue' } })
    const encrypted = async (type: string) => {
      const { enc, ...attributes } = (await storage.get(branchKeyId, type))!
      const texts = Object.entries(attributes).map(([name, value]) => [name, String(value)])
      return new EncryptedHierarchicalKey({ ...Object.fromEntries(texts), tablename: 'shared' }, enc)
    }
    const theirStore = new official.BranchKeyStoreNode({
      logicalKeyStoreName: 'shared',
      kmsConfiguration: { identifier: kmsKeyArn },
      keyManagement: { kmsClient: kms as never },
      storage: {
        getEncryptedActiveBranchKey: () => encrypted('branch:ACTIVE'),
        getEncryptedBranchKeyVersion: (_, version) => encrypted(`branch:version:${version}`),
        getKeyStorageInfo: () => ({ name: 'memory', logicalName: 'shared' }),
      },
    })
    const mine = new KmsHierarchicalKeyring({ keyStore, branchKeyId, cacheLimitTtl: 60 })
    const their = new official.KmsHierarchicalKeyRingNode({ keyStore: theirStore, branchKeyId, cacheLimitTtl: 60 })

    const written = (await ours.encrypt(mine, 'ours', { encryptionContext: context })).result
    expect((await theirs.decrypt(their, written)).plaintext.toString()).toBe('ours')
    const back = (await theirs.encrypt(their, 'theirs', { encryptionContext: context })).result
    expect((await ours.decrypt(mine, back)).plaintext.toString()).toBe('theirs')
  })
})

interface Manifest {
  readonly test_cases: readonly {
    readonly plaintext: { readonly filename: string }
    readonly ciphertext: { readonly filename: string }
    readonly master_keys: readonly WrappingKey[]
  }[]
  readonly test_keys: Readonly<
    Record<string, Record<string, { readonly key: readonly string[]; readonly line_separator?: string }>>
  >
}

interface WrappingKey {
  readonly provider_id: string
  readonly decryptable: boolean
  readonly encryption_algorithm?: 'AES' | 'RSA'
  readonly padding_algorithm?: string
}

const published = process.env['MERLON_ESDK_VECTORS']
test.skipIf(!published)('messages that AWS has published decrypt, but those with PKCS #1 v1.5 padding', async () => {
  const read = (name: string) => readFileSync(join(published!, name))
  const manifest = JSON.parse(read('manifests/ciphertext.manifest').toString()) as Manifest
  const { decrypt } = buildClient('FORBID_ENCRYPT_ALLOW_DECRYPT')
  const raw = manifest.test_cases.filter(({ master_keys }) =>
    master_keys.some(({ encryption_algorithm }) => encryption_algorithm),
  )
  const counts = { decrypted: 0, 'PKCS #1': 0, 'anything else': 0 }
  for (const { plaintext, ciphertext, master_keys } of raw) {
    const message = read(ciphertext.filename)
    const key = master_keys.find(({ decryptable }) => decryptable)!
    try {
      const decrypted = await decrypt(keyringOf(key, manifest, message), message)
      counts[decrypted.plaintext.equals(read(plaintext.filename)) ? 'decrypted' : 'anything else'] += 1
    } catch (error) {
      counts[/PKCS #1 v1.5/.test((error as Error).message) ? 'PKCS #1' : 'anything else'] += 1
    }
  }

  expect(counts).toEqual({ decrypted: 720, 'PKCS #1': 180, 'anything else': 0 })
})

/** The manifest leaves out the names of keys: they are those of the message. */
function keyringOf(key: WrappingKey, { test_keys }: Manifest, message: Buffer): Keyring {
  const { provider_id: keyNamespace, encryption_algorithm: algorithm = '', padding_algorithm } = key
  const { rawInfo } = inspect(message).encryptedDataKeys.find(({ providerId }) => providerId === keyNamespace)!
  const keys = Object.values(test_keys[algorithm]!).map(({ key: lines, line_separator = '' }) =>
    lines.join(line_separator),
  )
  if (algorithm === 'AES') {
    // Which of the AES keys it was is not said. Behind the name come two lengths and a nonce.
    const keyName = rawInfo.subarray(0, -20).toString()
    const children = keys.map((key) => new RawAesKeyring({ keyNamespace, keyName, key: Buffer.from(key, 'base64') }))
    return new MultiKeyring({ children })
  }
  const oaepHash = padding_algorithm === 'PKCS1' ? 'PKCS1' : 'sha1'
  return new RawRsaKeyring({ keyNamespace, keyName: rawInfo.toString(), privateKey: keys[0]!, oaepHash })
}
