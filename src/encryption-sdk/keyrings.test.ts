/**
 * Keyrings over a whole KMS: which of them decrypt, what the audit log says, and what happens when a key or a Region is
 * gone.
 */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { type CreateKeyCommandInput, KMS } from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { allowing, cloud, type Keys } from '../../test/cloud.ts'
import {
  AlgorithmSuiteIdentifier,
  type BranchKeyRecord,
  buildClient,
  buildMrkAwareDiscoveryMultiKeyring,
  CachingMaterialsManager,
  dynamoDbStorage,
  type EncryptionSdkError,
  fileStorage,
  KeyStore,
  KmsEcdhKeyring,
  KmsHierarchicalKeyring,
  KmsKeyring,
  KmsMrkAwareSymmetricDiscoveryKeyring,
  KmsMrkAwareSymmetricKeyring,
  KmsRsaKeyring,
  LocalCryptographicMaterialsCache,
  limitRegions,
  MultiKeyring,
  memoryStorage,
  RawAesKeyring,
  RawEcdhKeyring,
  RawRsaKeyring,
  RequiredEncryptionContextMaterialsManager,
} from './index.ts'

const { encrypt, decrypt } = buildClient()
const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY
const context = { purpose: 'test' }
const aes = () => new RawAesKeyring({ keyNamespace: 'test', keyName: 'aes', key: Buffer.alloc(32, 1) })

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'no error'
  } catch (error) {
    return (error as EncryptionSdkError).code ?? `${error}`
  }
}

/** A cloud with a client for any Region, and a way to make keys. */
async function kmsCloud() {
  const whole = await cloud()
  const kms = (region = 'us-east-1', keys?: Keys) => whole.client(KMS, keys, region)
  const key = async (input: CreateKeyCommandInput = {}, region?: string) =>
    (await kms(region).createKey(input)).KeyMetadata!.Arn!
  const keyring = (generatorKeyId: string, keyIds: readonly string[] = [], keys?: Keys) =>
    new KmsKeyring({ generatorKeyId, keyIds, clientProvider: (region) => kms(region, keys) })
  const events = async (name: string) => {
    const { Events = [] } = await whole
      .client(CloudTrailClient)
      .send(new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: name }] }))
    return Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent!))
  }
  return { ...whole, kms, key, keyring, events }
}

/** A Region that does not answer. */
const unreachable = new Proxy({} as KMS, { get: () => async () => Promise.reject(new Error('connect ECONNREFUSED')) })

describe('a KMS keyring', () => {
  test('encrypts under each of its keys; each decrypts alone, with one event that has the context and no plaintext', async () => {
    const { key, keyring, events } = await kmsCloud()
    const [one, two] = [await key(), await key({}, 'eu-west-1')]

    const { result, messageHeader } = await encrypt(keyring(one, [two]), 'secret', { encryptionContext: context })
    for (const id of [one, two]) expect((await decrypt(keyring(id), result)).plaintext.toString()).toBe('secret')

    expect(messageHeader.encryptedDataKeys.map(({ providerId, providerInfo }) => [providerId, providerInfo])).toEqual([
      ['aws-kms', one],
      ['aws-kms', two],
    ])
    const [generated, ...more] = await events('GenerateDataKey')
    expect(more).toEqual([])
    expect(generated.requestParameters).toMatchObject({
      keyId: one,
      encryptionContext: messageHeader.encryptionContext,
    })
    expect(JSON.stringify(generated)).not.toContain('laintext')
  })

  test('takes an alias to encrypt, and says that a message needs the ARN to decrypt', async () => {
    const { kms, key } = await kmsCloud()
    const arn = await key()
    await kms().createAlias({ AliasName: 'alias/app', TargetKeyId: arn })
    const regions: string[] = []
    const byAlias = new KmsKeyring({
      generatorKeyId: 'alias/app',
      clientProvider: (region) => {
        regions.push(region)
        return kms()
      },
    })

    const { result, messageHeader } = await encrypt(byAlias, 'text')

    expect(messageHeader.encryptedDataKeys[0]!.providerInfo).toBe(arn)
    expect(regions).toEqual([''])
    await expect(decrypt(byAlias, result)).rejects.toThrow('alias/app can only encrypt')
  })

  test('for discovery decrypts with the keys of its accounts alone, and never encrypts', async () => {
    const { key, keyring, kms } = await kmsCloud()
    const { result } = await encrypt(keyring(await key()), 'text')
    const discovery = (accountIDs?: readonly string[], regions = ['us-east-1']) =>
      new KmsKeyring({
        discovery: true,
        ...(accountIDs && { discoveryFilter: { partition: 'aws', accountIDs } }),
        clientProvider: limitRegions(regions, (region) => kms(region)),
      })

    expect(await codeOf(decrypt(discovery(), result))).toBe('no error')
    expect(await codeOf(decrypt(discovery(['111122223333']), result))).toBe('no error')
    expect(await codeOf(decrypt(discovery(['999999999999']), result))).toBe('UnableToDecryptDataKey')
    expect(await codeOf(decrypt(discovery(undefined, ['eu-west-1']), result))).toBe('UnableToDecryptDataKey')
    expect(await codeOf(encrypt(discovery(), 'text'))).toBe('InvalidConfiguration')
  })

  test('with two more keys decrypts when any two are gone', async () => {
    const { key, keyring } = await kmsCloud()
    const [one, two] = [await key(), await key({}, 'eu-west-1')]
    const { result } = await encrypt(new MultiKeyring({ generator: keyring(one, [two]), children: [aes()] }), 'thrice')

    for (const left of [keyring(one), keyring(two), aes()])
      expect((await decrypt(left, result)).plaintext.toString()).toBe('thrice')
  })

  test('distrusts a KMS that answers with another key', async () => {
    const { key, keyring, kms } = await kmsCloud()
    const arn = await key()
    const { result } = await encrypt(keyring(arn), 'text')
    const lying = {
      ...proxied(kms()),
      decrypt: async (input: never) => ({ ...(await kms().decrypt(input)), KeyId: `${arn}x` }),
    }

    await expect(decrypt(new KmsKeyring({ generatorKeyId: arn, clientProvider: () => lying }), result)).rejects.toThrow(
      'instead of',
    )
  })
})

const proxied = (kms: KMS) => ({
  generateDataKey: (input: never) => kms.generateDataKey(input),
  encrypt: (input: never) => kms.encrypt(input),
  decrypt: (input: never) => kms.decrypt(input),
})

describe('a multi-Region key', () => {
  test('decrypts by its replica while its first Region cannot be reached', async () => {
    const { key, kms } = await kmsCloud()
    const primary = await key({ MultiRegion: true })
    const replica = (await kms().replicateKey({ KeyId: primary, ReplicaRegion: 'eu-west-1' })).ReplicaKeyMetadata!.Arn!
    const other = await key({ MultiRegion: true }, 'eu-west-1')
    const west = kms('eu-west-1')
    const { result } = await encrypt(new KmsMrkAwareSymmetricKeyring({ keyId: primary, client: kms() }), 'across')

    const opened = [
      new KmsMrkAwareSymmetricKeyring({ keyId: replica, client: west }),
      new KmsMrkAwareSymmetricDiscoveryKeyring({ client: west, region: 'eu-west-1' }),
      buildMrkAwareDiscoveryMultiKeyring({
        regions: ['us-east-1', 'eu-west-1'],
        clientProvider: (region) => (region === 'us-east-1' ? unreachable : west),
      }),
    ].map(async (keyring) => (await decrypt(keyring, result)).plaintext.toString())

    expect(await Promise.all(opened)).toEqual(['across', 'across', 'across'])
    expect(await codeOf(decrypt(new KmsMrkAwareSymmetricKeyring({ keyId: other, client: west }), result))).toBe(
      'UnableToDecryptDataKey',
    )
    expect(await codeOf(decrypt(new KmsKeyring({ generatorKeyId: replica, clientProvider: () => west }), result))).toBe(
      'UnableToDecryptDataKey',
    )
  })
})

describe('the server decides', () => {
  test('that a grant for one context opens messages of this context only', async () => {
    const { key, keyring, kms, user } = await kmsCloud()
    const ann = await user('ann')
    const arn = await key()
    await kms().createGrant({
      KeyId: arn,
      GranteePrincipal: 'arn:aws:iam::111122223333:user/ann',
      Operations: ['Decrypt'],
      Constraints: { EncryptionContextSubset: { tenant: 'blue' } },
    })
    const [blue, red] = await Promise.all(
      ['blue', 'red'].map(
        async (tenant) => (await encrypt(keyring(arn), tenant, { encryptionContext: { tenant } })).result,
      ),
    )

    expect((await decrypt(keyring(arn, [], ann), blue!)).plaintext.toString()).toBe('blue')
    await expect(decrypt(keyring(arn, [], ann), red!)).rejects.toMatchObject({
      code: 'UnableToDecryptDataKey',
      errors: [expect.objectContaining({ name: 'AccessDeniedException' })],
    })
    expect(await codeOf(encrypt(keyring(arn, [], ann), 'x', { encryptionContext: { tenant: 'blue' } }))).toContain(
      'AccessDenied',
    )
  })

  test('that a disabled key encrypts no more, but for what the cache holds, until its time is up', async () => {
    const { key, keyring, kms } = await kmsCloud()
    const arn = await key()
    let now = 0
    const cache = new LocalCryptographicMaterialsCache(10)
    const manager = new CachingMaterialsManager({ backingMaterials: keyring(arn), cache, maxAge: 1000, now: () => now })
    const written = await encrypt(manager, 'before', { encryptionContext: context })
    await decrypt(manager, written.result)
    await kms().disableKey({ KeyId: arn })

    now = 999
    const again = await encrypt(manager, 'cached', { encryptionContext: context })
    expect((await decrypt(manager, written.result)).plaintext.toString()).toBe('before')
    expect(again.messageHeader.encryptedDataKeys).toEqual(written.messageHeader.encryptedDataKeys)
    expect(again.messageHeader.messageId).not.toEqual(written.messageHeader.messageId)
    expect(await codeOf(encrypt(manager, 'another', { encryptionContext: { purpose: 'other' } }))).toContain(
      'DisabledException',
    )
    now = 1000
    expect(await codeOf(encrypt(manager, 'late', { encryptionContext: context }))).toContain('DisabledException')
    expect(await codeOf(decrypt(manager, written.result))).toBe('UnableToDecryptDataKey')
    expect(cache.size).toBe(0)
  })
})

describe('a caching manager', () => {
  const counted = () => {
    const calls = { onEncrypt: 0, onDecrypt: 0 }
    const backing = aes()
    const backingMaterials = {
      onEncrypt: (request: never) => {
        calls.onEncrypt += 1
        return backing.onEncrypt(request)
      },
      onDecrypt: (request: never, keys: never) => {
        calls.onDecrypt += 1
        return backing.onDecrypt(request, keys)
      },
    }
    return { calls, backingMaterials }
  }

  test('requests a new data key after its messages, its bytes, and for suites that use the data key itself', async () => {
    const cases = [
      [{ maxMessagesEncrypted: 2 }, {}, 3],
      [{ maxBytesEncrypted: 20 }, {}, 3],
      [{ maxBytesEncrypted: 9 }, {}, 5],
      [{}, {}, 1],
      [{}, { suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16 }, 5],
    ] as const
    for (const [limits, options, expected] of cases) {
      const { calls, backingMaterials } = counted()
      const manager = new CachingMaterialsManager({
        backingMaterials,
        cache: new LocalCryptographicMaterialsCache(2),
        maxAge: 1e9,
        ...limits,
      })
      const own = 'suiteId' in options ? buildClient('FORBID_ENCRYPT_ALLOW_DECRYPT') : { encrypt, decrypt }
      for (let n = 0; n < 5; n++) {
        const { result } = await own.encrypt(manager, '0123456789', options)
        expect((await own.decrypt(manager, result)).plaintext.toString()).toBe('0123456789')
      }
      expect(calls.onEncrypt, JSON.stringify(limits)).toBe(expected)
    }
  })

  test('shares entries by partition, keeps as many as it may, and wipes what it drops', async () => {
    const cache = new LocalCryptographicMaterialsCache(2)
    const { calls, backingMaterials } = counted()
    const manager = (partition?: string) =>
      new CachingMaterialsManager({ backingMaterials, cache, maxAge: 1e9, ...(partition && { partition }) })

    await encrypt(manager('a'), 'x')
    await encrypt(manager('a'), 'x')
    expect(calls.onEncrypt).toBe(1)
    await encrypt(manager(), 'x')
    await encrypt(manager(), 'x')
    expect([calls.onEncrypt, cache.size]).toEqual([3, 2])
    cache.clear()
    expect(cache.size).toBe(0)
    for (const wrong of [
      { maxAge: 0 },
      { maxAge: 1, maxMessagesEncrypted: 2 ** 32 + 1 },
      { maxAge: 1, maxBytesEncrypted: -1 },
    ])
      expect(() => new CachingMaterialsManager({ backingMaterials, cache, ...wrong })).toThrow()
  })
})

test('a required context is not stored, and nothing decrypts without it', async () => {
  const { key, keyring, events } = await kmsCloud()
  const arn = await key()
  const manager = new RequiredEncryptionContextMaterialsManager({
    underlying: keyring(arn),
    requiredEncryptionContextKeys: ['patient'],
  })
  const full = { patient: 'p-4711', purpose: 'x-ray' }

  const { result } = await encrypt(manager, 'image', { encryptionContext: full, suiteId })

  expect(result.includes('p-4711')).toBe(false)
  expect((await decrypt(manager, result, { encryptionContext: { patient: 'p-4711' } })).plaintext.toString()).toBe(
    'image',
  )
  expect((await events('Decrypt'))[0].requestParameters.encryptionContext).toEqual(full)
  expect(await codeOf(encrypt(manager, 'image', { encryptionContext: { purpose: 'x' } }))).toBe(
    'MissingRequiredContext',
  )
  expect(await codeOf(decrypt(manager, result))).toBe('MissingRequiredContext')
  expect(await codeOf(decrypt(manager, result, { encryptionContext: { patient: 'p-1' } }))).toBe(
    'UnableToDecryptDataKey',
  )
  expect(await codeOf(decrypt(keyring(arn), result))).toBe('UnableToDecryptDataKey')
  // A raw RSA key binds no context: there, the header does.
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const rsa = new RawRsaKeyring({ keyNamespace: 'n', keyName: 'k', ...pair, oaepHash: 'sha256' })
  const bound = new RequiredEncryptionContextMaterialsManager({
    underlying: rsa,
    requiredEncryptionContextKeys: ['patient'],
  })
  const hidden = (await encrypt(bound, 'image', { encryptionContext: full })).result
  expect(await codeOf(decrypt(rsa, hidden, { encryptionContext: { patient: 'p-1' } }))).toBe('HeaderAuthFailed')
  expect(await codeOf(decrypt(rsa, hidden))).toBe('HeaderAuthFailed')
  expect(await codeOf(decrypt(rsa, hidden, { encryptionContext: { patient: 'p-4711' } }))).toBe('no error')
})

describe('asymmetric keys', () => {
  test('a KMS RSA key: the public half encrypts anywhere, KMS decrypts, and the context is bound', async () => {
    const { key, kms } = await kmsCloud()
    const keyId = await key({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
    const { PublicKey } = await kms().getPublicKey({ KeyId: keyId })
    const publicKey = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' })
    for (const encryptionAlgorithm of ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const) {
      const writer = new KmsRsaKeyring({
        keyId,
        encryptionAlgorithm,
        publicKey: publicKey.export({ format: 'pem', type: 'spki' }),
      })
      const reader = new KmsRsaKeyring({ keyId, encryptionAlgorithm, client: kms() })

      const { result } = await encrypt(writer, 'to KMS', { encryptionContext: context, suiteId })

      expect((await decrypt(reader, result)).plaintext.toString()).toBe('to KMS')
      const changed = Buffer.from(result)
      changed[result.indexOf('purpose')]! ^= 1
      await expect(decrypt(reader, changed)).rejects.toThrow('another encryption context')
      expect(await codeOf(encrypt(writer, 'signed'))).toBe('InvalidConfiguration')
      expect(await codeOf(decrypt(writer, result))).toBe('InvalidConfiguration')
    }
    expect(() => new KmsRsaKeyring({ keyId: 'alias/x', encryptionAlgorithm: 'RSAES_OAEP_SHA_1', publicKey })).toThrow(
      'ARN',
    )
  })

  test.each(['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521'] as const)(
    '%s agreed between KMS and a key outside',
    async (curve) => {
      const { key, kms } = await kmsCloud()
      const inKms = await key({ KeySpec: curve, KeyUsage: 'KEY_AGREEMENT' })
      const kmsPublic = Buffer.from((await kms().getPublicKey({ KeyId: inKms })).PublicKey!)
      const pem = (der: Buffer) =>
        createPublicKey({ key: der, format: 'der', type: 'spki' }).export({ format: 'pem', type: 'spki' })
      const namedCurve = { ECC_NIST_P256: 'P-256', ECC_NIST_P384: 'P-384', ECC_NIST_P521: 'P-521' }[curve]
      const [ann, eve] = [generateKeyPairSync('ec', { namedCurve }), generateKeyPairSync('ec', { namedCurve })]
      const outside = new RawEcdhKeyring({
        curve,
        schema: {
          kind: 'RawPrivateKeyToStaticPublicKey',
          senderPrivateKey: ann.privateKey,
          recipientPublicKey: pem(kmsPublic),
        },
      })
      const inside = (peer = ann) =>
        new KmsEcdhKeyring({
          curve,
          client: kms(),
          schema: {
            kind: 'KmsPrivateKeyToStaticPublicKey',
            senderKmsIdentifier: inKms,
            recipientPublicKey: peer.publicKey,
          },
        })
      const anybody = new KmsEcdhKeyring({
        curve,
        client: kms(),
        schema: { kind: 'KmsPublicKeyDiscovery', recipientKmsIdentifier: inKms },
      })
      const ephemeral = new RawEcdhKeyring({
        curve,
        schema: { kind: 'EphemeralPrivateKeyToStaticPublicKey', recipientPublicKey: pem(kmsPublic) },
      })
      const annDiscovers = new RawEcdhKeyring({
        curve,
        schema: { kind: 'PublicKeyDiscovery', recipientPrivateKey: ann.privateKey },
      })

      const toKms = (await encrypt(outside, 'to KMS', { encryptionContext: context })).result
      const fromKms = (await encrypt(inside(), 'from KMS', { encryptionContext: context })).result
      const once = (await encrypt(ephemeral, 'once', { encryptionContext: context })).result

      for (const keyring of [inside(), anybody, outside])
        expect((await decrypt(keyring, toKms)).plaintext.toString()).toBe('to KMS')
      for (const keyring of [outside, annDiscovers, inside()])
        expect((await decrypt(keyring, fromKms)).plaintext.toString()).toBe('from KMS')
      expect((await decrypt(anybody, once)).plaintext.toString()).toBe('once')
      for (const [keyring, message] of [
        [inside(eve), toKms],
        [annDiscovers, toKms],
        [outside, once],
        [inside(), once],
      ] as const)
        expect(await codeOf(decrypt(keyring, message))).toBe('UnableToDecryptDataKey')
      const changed = Buffer.from(toKms)
      changed[toKms.indexOf('purpose')]! ^= 1
      expect(await codeOf(decrypt(anybody, changed))).toBe('UnableToDecryptDataKey')
      for (const keyring of [anybody, annDiscovers])
        expect(await codeOf(encrypt(keyring, 'x'))).toBe('InvalidConfiguration')
      expect(await codeOf(decrypt(ephemeral, once))).toBe('InvalidConfiguration')
    },
  )

  test('RSA keys that are short, or padded the old way, are refused by reason', () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const names = { keyNamespace: 'n', keyName: 'k' }

    expect(() => new RawRsaKeyring({ ...names, ...pair, oaepHash: 'sha256' })).toThrow('1024 bits')
    expect(() => new RawRsaKeyring({ ...names, ...pair, oaepHash: 'PKCS1' })).toThrow('CVE-2023-46809')
    expect(() => new RawRsaKeyring({ ...names, privateKey: 'no key', oaepHash: 'sha256' })).toThrow('must be PEM')
  })
})

describe('a hierarchical keyring', () => {
  async function store(storage = memoryStorage()) {
    const { key, kms, events } = await kmsCloud()
    const kmsKeyArn = await key()
    const keyStore = new KeyStore({ logicalKeyStoreName: 'branches', storage, kmsKeyArn, client: kms() })
    return { keyStore, events, kms, kmsKeyArn }
  }

  test('calls KMS once for many messages, a tenant each, and reads messages of earlier versions', async () => {
    const { keyStore, events, kms, kmsKeyArn } = await store()
    let now = 0
    const [blue, red] = [
      await keyStore.createKey({ branchKeyId: 'blue', encryptionContext: { tenant: 'blue' } }),
      await keyStore.createKey(),
    ]
    const keyring = new KmsHierarchicalKeyring({
      keyStore,
      branchKeyIdSupplier: ({ tenant }) => (tenant === 'blue' ? blue : red),
      cacheLimitTtl: 60,
      now: () => now,
    })

    const messages: Buffer[] = []
    for (const tenant of ['blue', 'blue', 'blue', 'red'])
      messages.push((await encrypt(keyring, tenant, { encryptionContext: { tenant } })).result)
    expect(await events('Decrypt')).toHaveLength(2)
    await keyStore.versionKey(blue)
    now = 60_000
    messages.push((await encrypt(keyring, 'blue', { encryptionContext: { tenant: 'blue' } })).result)
    const texts = []
    for (const message of messages) texts.push((await decrypt(keyring, message)).plaintext.toString())

    expect(texts).toEqual(['blue', 'blue', 'blue', 'red', 'blue'])
    const wrong = new KmsHierarchicalKeyring({ keyStore, branchKeyId: red, cacheLimitTtl: 60 })
    expect(await codeOf(decrypt(wrong, messages[0]!))).toBe('UnableToDecryptDataKey')
    await kms().disableKey({ KeyId: kmsKeyArn })
    expect((await decrypt(keyring, messages[0]!)).plaintext.toString()).toBe('blue')
    now = 120_000
    expect(await codeOf(decrypt(keyring, messages[0]!))).toBe('UnableToDecryptDataKey')
  })

  test('keeps branch keys in a file, and refuses records that were changed, copied or made elsewhere', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'merlon-test-')), 'keys.json')
    const { keyStore, kms, kmsKeyArn } = await store(fileStorage(file))
    const id = await keyStore.createKey({ branchKeyId: 'a', encryptionContext: { tenant: 'a' } })
    await keyStore.createKey({ branchKeyId: 'b', encryptionContext: { tenant: 'b' } })
    expect(await codeOf(keyStore.createKey({ branchKeyId: 'a', encryptionContext: { tenant: 'a' } }))).toContain(
      'exists already',
    )
    expect(await codeOf(keyStore.createKey({ branchKeyId: 'c' }))).toBe('InvalidConfiguration')
    await keyStore.versionKey(id)
    const records = JSON.parse(readFileSync(file, 'utf8')) as (BranchKeyRecord & { enc: string })[]
    expect(records.map(({ type }) => type.split(':').slice(0, 2).join(':')).sort()).toEqual([
      ...Array(2).fill('beacon:ACTIVE'),
      ...Array(2).fill('branch:ACTIVE'),
      ...Array(3).fill('branch:version'),
    ])

    const opens = async (change: (record: BranchKeyRecord) => object, logicalKeyStoreName = 'branches') => {
      const original = fileStorage(file)
      const storage = {
        ...original,
        get: async (...name: [string, string]) => ({
          ...(await original.get(...name))!,
          ...change((await original.get(...name))!),
        }),
      }
      return codeOf(
        new KeyStore({ logicalKeyStoreName, storage: storage as never, kmsKeyArn, client: kms() }).getActiveBranchKey(
          'a',
        ),
      )
    }
    expect(await opens(() => ({}))).toBe('no error')
    expect(await opens(() => ({ 'aws-crypto-ec:tenant': 'b' }))).toContain('InvalidCiphertext')
    expect(await opens(() => ({ extra: 'attribute' }))).toContain('InvalidCiphertext')
    expect(await opens(() => ({}), 'other')).toContain('InvalidCiphertext')
    expect(await opens(() => ({ 'branch-key-id': 'b' }))).toContain('another record')
    expect(await opens(() => ({ 'kms-arn': kmsKeyArn.replace('us-east-1', 'us-east-2') }))).toContain(
      'is encrypted under',
    )
  })

  test('shares a DynamoDB table by the shape of its items', async () => {
    const items = new Map<string, Record<string, unknown>>()
    const asked: unknown[] = []
    // Replaces DynamoDB, which Merlon does not have.
    const table = dynamoDbStorage(
      {
        getItem: async ({ Key }) => ({ Item: items.get(JSON.stringify(Key)) }),
        transactWriteItems: async ({ TransactItems }) => {
          asked.push(...TransactItems)
          for (const { Put } of TransactItems)
            items.set(JSON.stringify({ 'branch-key-id': Put.Item['branch-key-id'], type: Put.Item['type'] }), Put.Item)
        },
      },
      'branch-keys',
    )
    const { keyStore } = await store(table)
    const branchKeyId = await keyStore.createKey()
    const before = await keyStore.getActiveBranchKey(branchKeyId)
    await keyStore.versionKey(branchKeyId)

    const keyring = new KmsHierarchicalKeyring({ keyStore, branchKeyId, cacheLimitTtl: 60 })
    expect((await decrypt(keyring, (await encrypt(keyring, 'text')).result)).plaintext.toString()).toBe('text')
    expect((await keyStore.getBranchKeyVersion(branchKeyId, before.version)).key).toEqual(before.key)
    expect(asked).toHaveLength(5)
    expect(asked[0]).toEqual({
      Put: {
        TableName: 'branch-keys',
        ConditionExpression: 'attribute_not_exists(#type)',
        ExpressionAttributeNames: { '#type': 'type' },
        Item: {
          'branch-key-id': { S: branchKeyId },
          type: { S: `branch:version:${before.version}` },
          enc: { B: expect.any(Buffer) },
          'kms-arn': { S: expect.stringContaining(':key/') },
          'create-time': { S: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) },
          'hierarchy-version': { N: '1' },
        },
      },
    })
    expect(asked[4]).toMatchObject({
      Put: { ConditionExpression: 'enc = :enc', ExpressionAttributeValues: { ':enc': { B: expect.any(Buffer) } } },
    })
  })
})

test('other client-side encryption finds in KMS what it calls', async () => {
  const { kms, key, user } = await kmsCloud()
  const ann = await user(
    'ann',
    allowing({ Action: ['kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt'], Resource: '*' }),
  )
  const client = kms('us-east-1', ann)
  const KeyId = await key({ MultiRegion: true })

  // As the S3 Encryption Client, version 3.
  const s3 = { 'aws:x-amz-cek-alg': 'AES/GCM/NoPadding' }
  const made = await client.generateDataKey({ KeyId, KeySpec: 'AES_256', EncryptionContext: s3 })
  const opened = await client.decrypt({ KeyId, CiphertextBlob: made.CiphertextBlob!, EncryptionContext: s3 })
  expect(opened.Plaintext).toEqual(made.Plaintext)
  await expect(client.decrypt({ KeyId, CiphertextBlob: made.CiphertextBlob! })).rejects.toMatchObject({
    name: 'InvalidCiphertextException',
  })

  // As sops: a key of its own, wrapped, with a context, by ARN.
  const wrapped = await client.encrypt({ KeyId, Plaintext: Buffer.alloc(32, 5), EncryptionContext: { app: 'sops' } })
  expect(wrapped.KeyId).toBe(KeyId)
  const unwrapped = await client.decrypt({
    CiphertextBlob: wrapped.CiphertextBlob!,
    EncryptionContext: { app: 'sops' },
  })
  expect(Buffer.from(unwrapped.Plaintext!)).toEqual(Buffer.alloc(32, 5))
})
