/** The life of material: rotated, imported, expired, copied to other Regions; and nowhere to be read. */
import {
  createCipheriv,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  type AlgorithmSpec,
  CancelKeyDeletionCommand,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetKeyLastUsageCommand,
  GetKeyRotationStatusCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  type ImportKeyMaterialCommandInput,
  type KMSClient,
  ListKeyRotationsCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  UpdatePrimaryRegionCommand,
  type WrappingKeySpec,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { serviceEvent } from '../../kernel/events/event.ts'
import { DAY_MS, desk } from './desk.fixture.ts'

const Plaintext = Buffer.from('attack at dawn')

type Desk = Awaited<ReturnType<typeof desk>>

async function eventsOf({ client, root }: Desk, name: string, region = 'us-east-1') {
  const { Events } = await client(CloudTrailClient, root, region).send(
    new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: name }] }),
  )
  return Events!.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent!))
}

describe('rotation on demand', () => {
  test('KMS 7: makes new material; every generation decrypts, and the list distinguishes them', async () => {
    const world = await desk()
    const { kms, make } = world
    const { KeyId, CurrentKeyMaterialId: first } = await make()
    const blobs: Uint8Array[] = []
    for (let generation = 0; generation < 4; generation++) {
      if (generation > 0) await kms.send(new RotateKeyOnDemandCommand({ KeyId }))
      blobs.push((await kms.send(new EncryptCommand({ KeyId, Plaintext }))).CiphertextBlob!)
    }

    const opened = await Promise.all(blobs.map((CiphertextBlob) => kms.send(new DecryptCommand({ CiphertextBlob }))))
    expect(opened.map((each) => Buffer.from(each.Plaintext!))).toEqual(Array(4).fill(Plaintext))
    const ids = opened.map(({ KeyMaterialId }) => KeyMaterialId)
    expect(new Set(ids).size).toBe(4)
    expect(ids[0]).toBe(first)
    const { Rotations } = await kms.send(new ListKeyRotationsCommand({ KeyId }))
    expect(Rotations).toMatchObject(
      ids.slice(1).map((KeyMaterialId, at) => ({
        KeyMaterialId,
        KeyMaterialState: at === 2 ? 'CURRENT' : 'NON_CURRENT',
        RotationType: 'ON_DEMAND',
        RotationDate: expect.any(Date),
      })),
    )
    const all = await kms.send(new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))
    expect(all.Rotations?.map(({ KeyMaterialId }) => KeyMaterialId)).toEqual(ids)
    expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.CurrentKeyMaterialId).toBe(ids[3])
    expect(await eventsOf(world, 'RotateKey')).toMatchObject(
      Array(3).fill({ eventType: 'AwsServiceEvent', serviceEventDetails: { keyId: KeyId, rotationType: 'ON_DEMAND' } }),
    )
  })
  test('happens twenty-five times at most', async () => {
    const { kms, make } = await desk()
    const { KeyId } = await make()
    for (let count = 0; count < 25; count++) await kms.send(new RotateKeyOnDemandCommand({ KeyId }))

    await expect(kms.send(new RotateKeyOnDemandCommand({ KeyId }))).rejects.toMatchObject({
      name: 'LimitExceededException',
    })
  })
  test.each([
    { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' },
    { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  ] as const)('is not for $KeySpec', async (spec) => {
    const { kms, make } = await desk()
    const { KeyId } = await make(spec)
    const unsupported = { name: 'UnsupportedOperationException' }

    await expect(kms.send(new RotateKeyOnDemandCommand({ KeyId }))).rejects.toMatchObject(unsupported)
    await expect(kms.send(new EnableKeyRotationCommand({ KeyId }))).rejects.toMatchObject(unsupported)
    // AWS answers all the same, and Terraform calls it for every key.
    expect((await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled).toBe(false)
  })
})

describe('automatic rotation', () => {
  const rotations = async (kms: KMSClient, KeyId: string | undefined) =>
    (await kms.send(new ListKeyRotationsCommand({ KeyId }))).Rotations!.length

  test('KMS 7: comes when its period is over, again and again, until it is turned off', async () => {
    const { kms, make, pass, at } = await desk()
    const { KeyId } = await make()
    expect(await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).toMatchObject({ KeyRotationEnabled: false })
    await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }))
    expect(await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
      NextRotationDate: expect.any(Date),
    })

    await pass(90 * DAY_MS - 1000)
    expect(await rotations(at(), KeyId)).toBe(0)
    await pass(2000)
    expect(await rotations(at(), KeyId)).toBe(1)
    await pass(90 * DAY_MS)
    expect(await rotations(at(), KeyId)).toBe(2)
    await at().send(new DisableKeyRotationCommand({ KeyId }))
    await pass(366 * DAY_MS)
    expect(await rotations(at(), KeyId)).toBe(2)
  })
  test.each([89, 2561])('has no period of %i days', async (RotationPeriodInDays) => {
    const { kms, make } = await desk()
    const { KeyId } = await make()

    await expect(kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays }))).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })
  test('passes over a disabled key, and makes up for it when the key works again', async () => {
    const { kms, make, pass, at } = await desk()
    const { KeyId } = await make()
    await kms.send(new EnableKeyRotationCommand({ KeyId }))
    await kms.send(new DisableKeyCommand({ KeyId }))
    await pass(366 * DAY_MS)
    expect(await rotations(at(), KeyId)).toBe(0)

    await at().send(new EnableKeyCommand({ KeyId }))
    await pass(1000)
    expect(await rotations(at(), KeyId)).toBe(1)
    await pass(364 * DAY_MS)
    expect(await rotations(at(), KeyId)).toBe(1)
  })
  test('is reported as off while a key waits for its end, and is on again afterwards', async () => {
    const { kms, make } = await desk()
    const { KeyId } = await make()
    await kms.send(new EnableKeyRotationCommand({ KeyId }))
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId }))

    expect((await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled).toBe(false)
    await kms.send(new CancelKeyDeletionCommand({ KeyId }))
    expect((await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled).toBe(true)
  })
})

/** Wraps material as a customer would, with OpenSSL's own primitives. */
function wrap(algorithm: AlgorithmSpec, spki: Uint8Array, material: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  const oaepHash = algorithm.endsWith('SHA_1') ? 'sha1' : 'sha256'
  if (algorithm.startsWith('RSAES')) return publicEncrypt({ key, oaepHash }, material)
  const aes = randomBytes(32)
  const cipher = createCipheriv('id-aes256-wrap-pad', aes, Buffer.from('a65959a6', 'hex'))
  return Buffer.concat([publicEncrypt({ key, oaepHash }, aes), cipher.update(material), cipher.final()])
}

interface Wrapped {
  readonly algorithm?: AlgorithmSpec
  readonly spec?: WrappingKeySpec
}

async function bring(
  kms: KMSClient,
  KeyId: string | undefined,
  material: Uint8Array,
  more: Partial<ImportKeyMaterialCommandInput> = {},
  { algorithm = 'RSA_AES_KEY_WRAP_SHA_256', spec = 'RSA_2048' }: Wrapped = {},
) {
  const offered = await kms.send(
    new GetParametersForImportCommand({ KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: spec }),
  )
  return kms.send(
    new ImportKeyMaterialCommand({
      KeyId,
      ImportToken: offered.ImportToken,
      EncryptedKeyMaterial: wrap(algorithm, offered.PublicKey!, material),
      ExpirationModel: more.ValidTo ? 'KEY_MATERIAL_EXPIRES' : 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      ...more,
    }),
  )
}

describe('imported material', () => {
  test.each<[AlgorithmSpec, WrappingKeySpec]>([
    ['RSAES_OAEP_SHA_1', 'RSA_2048'],
    ['RSAES_OAEP_SHA_256', 'RSA_3072'],
    ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_2048'],
    ['RSA_AES_KEY_WRAP_SHA_256', 'RSA_2048'],
  ])('comes under %s with %s, and the key works', async (algorithm, spec) => {
    const { kms, make } = await desk()
    const { KeyId, KeyState } = await make({ Origin: 'EXTERNAL' })
    expect(KeyState).toBe('PendingImport')
    await bring(kms, KeyId, randomBytes(32), {}, { algorithm, spec })

    expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata).toMatchObject({
      KeyState: 'Enabled',
      Origin: 'EXTERNAL',
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    })
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    expect(Buffer.from((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext!)).toEqual(Plaintext)
  })
  test('is the very key that was brought: a MAC, a signature, a public key', async () => {
    const { kms, make } = await desk()
    const secret = randomBytes(48)
    const mac = await make({ Origin: 'EXTERNAL', KeySpec: 'HMAC_384', KeyUsage: 'GENERATE_VERIFY_MAC' })
    await bring(kms, mac.KeyId, secret)
    const { Mac } = await kms.send(
      new GenerateMacCommand({ KeyId: mac.KeyId, MacAlgorithm: 'HMAC_SHA_384', Message: Plaintext }),
    )
    expect(Buffer.from(Mac!)).toEqual(createHmac('sha384', secret).update(Plaintext).digest())

    for (const [KeySpec, pair] of [
      ['ECC_NIST_P521', generateKeyPairSync('ec', { namedCurve: 'secp521r1' })],
      ['RSA_2048', generateKeyPairSync('rsa', { modulusLength: 2048 })],
      ['ECC_NIST_EDWARDS25519', generateKeyPairSync('ed25519')],
    ] as const) {
      const { KeyId } = await make({ Origin: 'EXTERNAL', KeySpec, KeyUsage: 'SIGN_VERIFY' })
      await bring(kms, KeyId, pair.privateKey.export({ format: 'der', type: 'pkcs8' }))
      const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }))
      expect(Buffer.from(PublicKey!)).toEqual(pair.publicKey.export({ format: 'der', type: 'spki' }))
    }
  })
  test('expires at its time, and only the same may come back', async () => {
    const world = await desk()
    const { make, pass, at, clock } = world
    const { KeyId } = await make({ Origin: 'EXTERNAL' })
    const material = randomBytes(32)
    await bring(at(), KeyId, material, { ValidTo: new Date(clock.now() + DAY_MS) })
    const { CiphertextBlob } = await at().send(new EncryptCommand({ KeyId, Plaintext }))

    await pass(DAY_MS + 1000)
    await expect(at().send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
      message: expect.stringContaining('is pending import.'),
    })
    expect(await eventsOf(world, 'DeleteExpiredKeyMaterial')).toMatchObject([{ eventType: 'AwsServiceEvent' }])
    await expect(bring(at(), KeyId, randomBytes(32))).rejects.toMatchObject({ name: 'IncorrectKeyMaterialException' })
    await bring(at(), KeyId, material)
    expect(Buffer.from((await at().send(new DecryptCommand({ CiphertextBlob }))).Plaintext!)).toEqual(Plaintext)
  })
  test('can be taken back and brought again', async () => {
    const { kms, make } = await desk()
    const { KeyId } = await make({ Origin: 'EXTERNAL' })
    const material = randomBytes(32)
    const { KeyMaterialId } = await bring(kms, KeyId, material)
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId }))
    expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState).toBe('PendingImport')

    expect((await bring(kms, KeyId, material)).KeyMaterialId).toBe(KeyMaterialId)
    expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState).toBe('Enabled')
  })
  test('is rotated by bringing more and saying when', async () => {
    const { kms, make } = await desk()
    const { KeyId } = await make({ Origin: 'EXTERNAL' })
    await bring(kms, KeyId, randomBytes(32))
    const before = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    const second = await bring(kms, KeyId, randomBytes(32), { ImportType: 'NEW_KEY_MATERIAL' })
    const states = async () =>
      (await kms.send(new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))).Rotations?.map(
        ({ KeyMaterialState }) => KeyMaterialState,
      )

    expect(await states()).toEqual(['CURRENT', 'PENDING_ROTATION'])
    await expect(bring(kms, KeyId, randomBytes(32), { ImportType: 'NEW_KEY_MATERIAL' })).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
    })
    await kms.send(new RotateKeyOnDemandCommand({ KeyId }))
    expect(await states()).toEqual(['NON_CURRENT', 'CURRENT'])
    const after = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    for (const { CiphertextBlob } of [before, after]) {
      expect(Buffer.from((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext!)).toEqual(Plaintext)
    }
    expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.CurrentKeyMaterialId).toBe(
      second.KeyMaterialId,
    )
    await expect(kms.send(new RotateKeyOnDemandCommand({ KeyId }))).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
    })
  })
  test('is refused by a token that is old, or of another key, and in a form that does not fit', async () => {
    const { kms, make, clock, at } = await desk()
    const [one, two] = [await make({ Origin: 'EXTERNAL' }), await make({ Origin: 'EXTERNAL' })]
    const offered = await kms.send(
      new GetParametersForImportCommand({
        KeyId: one.KeyId,
        WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
        WrappingKeySpec: 'RSA_2048',
      }),
    )
    const send = (client: KMSClient, KeyId: string | undefined, EncryptedKeyMaterial: Uint8Array) =>
      client.send(
        new ImportKeyMaterialCommand({
          KeyId,
          ImportToken: offered.ImportToken,
          EncryptedKeyMaterial,
          ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        }),
      )
    const good = wrap('RSAES_OAEP_SHA_256', offered.PublicKey!, randomBytes(32))
    const short = wrap('RSAES_OAEP_SHA_256', offered.PublicKey!, randomBytes(31))

    await expect(send(kms, two.KeyId, good)).rejects.toMatchObject({ name: 'InvalidImportTokenException' })
    await expect(send(kms, one.KeyId, Buffer.alloc(256))).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
    await expect(send(kms, one.KeyId, short)).rejects.toMatchObject({ name: 'IncorrectKeyMaterialException' })
    clock.advance(25 * 3_600_000)
    await expect(send(at(), one.KeyId, good)).rejects.toMatchObject({ name: 'ExpiredImportTokenException' })
    expect((await at().send(new DescribeKeyCommand({ KeyId: one.KeyId }))).KeyMetadata?.KeyState).toBe('PendingImport')
  })
  test('is not for keys whose material is made here, nor under PKCS #1 v1.5', async () => {
    const { kms, make } = await desk()
    const [made, external] = [await make(), await make({ Origin: 'EXTERNAL' })]
    const ask = (KeyId: string | undefined, WrappingAlgorithm: AlgorithmSpec) =>
      kms.send(new GetParametersForImportCommand({ KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' }))
    const unsupported = { name: 'UnsupportedOperationException' }

    await expect(ask(made.KeyId, 'RSAES_OAEP_SHA_256')).rejects.toMatchObject(unsupported)
    await expect(ask(external.KeyId, 'RSAES_PKCS1_V1_5')).rejects.toMatchObject(unsupported)
  })
  test.each<[string, Partial<ImportKeyMaterialCommandInput>]>([
    ['no end though it expires', { ExpirationModel: 'KEY_MATERIAL_EXPIRES' }],
    ['an end in the past', { ValidTo: new Date(0) }],
    ['an end in two years', { ValidTo: new Date(Date.now() + 730 * DAY_MS) }],
    [
      'an end though it does not expire',
      { ValidTo: new Date(Date.now() + DAY_MS), ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' },
    ],
  ])('has a sensible validity: not %s', async (_what, validity) => {
    const { kms, make } = await desk()
    const { KeyId } = await make({ Origin: 'EXTERNAL' })

    await expect(bring(kms, KeyId, randomBytes(32), validity)).rejects.toMatchObject({ name: 'ValidationException' })
  })
})

test('imported material is nowhere in the store in clear, in no encoding', async () => {
  const { kms, make, store } = await desk()
  const { KeyId } = await make({ Origin: 'EXTERNAL' })
  const material = randomBytes(32)
  await bring(kms, KeyId, material)
  await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const documents = JSON.stringify(await store.reader.range(''))
  const events = JSON.stringify(await store.log({ account: ACCOUNT, limit: 1000 }))

  expect(documents).toContain(KeyId!)
  for (const spelling of ['hex', 'base64', 'base64url', 'latin1'] as const) {
    expect(documents + events).not.toContain(material.toString(spelling))
    expect(events).not.toContain(Plaintext.toString(spelling))
  }
})

describe('a multi-Region key', () => {
  async function twoRegions() {
    const world = await desk()
    const primary = await world.make({ MultiRegion: true })
    const { ReplicaKeyMetadata: replica } = await world.kms.send(
      new ReplicateKeyCommand({ KeyId: primary.KeyId, ReplicaRegion: 'eu-west-1', Description: 'there' }),
    )
    return { ...world, KeyId: primary.KeyId!, primary, replica: replica!, there: world.at(world.root, 'eu-west-1') }
  }

  test('is one key in two places: what one Region encrypts the other decrypts', async () => {
    const { kms, there, KeyId, replica } = await twoRegions()

    expect(KeyId).toMatch(/^mrk-[0-9a-f]{32}$/)
    expect(replica).toMatchObject({
      KeyId,
      Arn: `arn:aws:kms:eu-west-1:${ACCOUNT}:key/${KeyId}`,
      Description: 'there',
      MultiRegion: true,
      MultiRegionConfiguration: {
        MultiRegionKeyType: 'REPLICA',
        PrimaryKey: { Region: 'us-east-1' },
        ReplicaKeys: [{ Region: 'eu-west-1' }],
      },
    })
    for (const [from, to] of [
      [kms, there],
      [there, kms],
    ] as const) {
      const { CiphertextBlob } = await from.send(
        new EncryptCommand({ KeyId, Plaintext, EncryptionContext: { a: 'b' } }),
      )
      const opened = await to.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: 'b' } }))
      expect(Buffer.from(opened.Plaintext!)).toEqual(Plaintext)
    }
  })
  test('lives in each Region by itself: state, policy, aliases', async () => {
    const { kms, there, KeyId } = await twoRegions()
    await there.send(new DisableKeyCommand({ KeyId }))

    await expect(there.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject({
      name: 'DisabledException',
    })
    await expect(kms.send(new EncryptCommand({ KeyId, Plaintext }))).resolves.toBeDefined()
  })
  test('rotates at its primary and everywhere', async () => {
    const world = await twoRegions()
    const { kms, there, KeyId } = world
    const unsupported = { name: 'UnsupportedOperationException' }
    await expect(there.send(new RotateKeyOnDemandCommand({ KeyId }))).rejects.toMatchObject(unsupported)
    await expect(there.send(new EnableKeyRotationCommand({ KeyId }))).rejects.toMatchObject(unsupported)
    await kms.send(new EnableKeyRotationCommand({ KeyId }))
    expect((await there.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled).toBe(true)
    await kms.send(new RotateKeyOnDemandCommand({ KeyId }))

    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    expect(Buffer.from((await there.send(new DecryptCommand({ CiphertextBlob }))).Plaintext!)).toEqual(Plaintext)
    expect(await eventsOf(world, 'RotateKey', 'eu-west-1')).toHaveLength(1)
  })
  test('changes its primary, and the clock of its rotation moves along', async () => {
    const { kms, there, at, root, pass, KeyId } = await twoRegions()
    await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 100 }))
    await kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'eu-west-1' }))

    const { KeyMetadata } = await there.send(new DescribeKeyCommand({ KeyId }))
    expect(KeyMetadata?.MultiRegionConfiguration).toMatchObject({
      MultiRegionKeyType: 'PRIMARY',
      ReplicaKeys: [{ Region: 'us-east-1' }],
    })
    await expect(kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'eu-west-1' }))).rejects.toMatchObject(
      { name: 'UnsupportedOperationException' },
    )
    await pass(100 * DAY_MS + 1000)
    for (const region of ['us-east-1', 'eu-west-1']) {
      const { Rotations } = await at(root, region).send(new ListKeyRotationsCommand({ KeyId }))
      expect(Rotations).toMatchObject([{ RotationType: 'AUTOMATIC' }])
    }
  })
  test('is replicated once to a Region, from its primary, and never when it is not made for it', async () => {
    const { kms, there, make, KeyId } = await twoRegions()
    const ReplicaRegion = 'eu-west-1'

    await expect(kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }))).rejects.toMatchObject({
      name: 'AlreadyExistsException',
    })
    await expect(there.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'ap-south-1' }))).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
    })
    const single = await make()
    await expect(kms.send(new ReplicateKeyCommand({ KeyId: single.KeyId, ReplicaRegion }))).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
    })
  })
  test('is created and moved only where the caller may act, which is decided by the Region it goes to', async () => {
    const { at, user, permit, KeyId } = await twoRegions()
    const ann = at(await user('ann'))
    const within = (...regions: string[]) =>
      allowing({ Action: 'kms:*', Resource: '*', Condition: { StringEquals: { 'aws:RequestedRegion': regions } } })
    const denied = { name: 'AccessDeniedException' }
    const to = (ReplicaRegion: string) => ann.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }))

    await permit('ann', within('us-east-1'))
    await expect(to('ap-south-1')).rejects.toMatchObject(denied)
    await expect(ann.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'eu-west-1' }))).rejects.toMatchObject(
      denied,
    )
    await permit('ann', within('us-east-1', 'ap-south-1'))
    await expect(to('ap-south-1')).resolves.toHaveProperty('ReplicaKeyMetadata')

    const tagging = { Action: 'kms:TagResource', Condition: { StringEquals: { 'aws:RequestedRegion': 'us-east-1' } } }
    await permit(
      'ann',
      allowing({ Action: ['kms:ReplicateKey', 'kms:CreateKey'], Resource: '*' }, { ...tagging, Resource: '*' }),
    )
    const Tags = [{ TagKey: 'team', TagValue: 'a' }]
    const tagged = new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'ap-south-2', Tags })
    await expect(ann.send(tagged)).rejects.toMatchObject({ message: expect.stringContaining('kms:TagResource') })
  })
  test('waits with its deletion for its replicas', async () => {
    const { kms, there, at, root, pass, KeyId } = await twoRegions()
    const waiting = await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
    expect(waiting).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingWindowInDays: 7 })
    expect(waiting.DeletionDate).toBeUndefined()
    await there.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))

    await pass(7 * DAY_MS + 1000)
    await expect(at(root, 'eu-west-1').send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject({
      name: 'NotFoundException',
    })
    expect((await at().send(new DescribeKeyCommand({ KeyId }))).KeyMetadata).toMatchObject({
      KeyState: 'PendingDeletion',
      DeletionDate: expect.any(Date),
    })
    await pass(7 * DAY_MS + 1000)
    await expect(at().send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject({ name: 'NotFoundException' })
  })
})

describe('a multi-Region key of imported material', () => {
  async function imported() {
    const world = await desk()
    const there = world.at(world.root, 'eu-west-1')
    const { KeyId } = await world.make({ MultiRegion: true, Origin: 'EXTERNAL' })
    const first = randomBytes(32)
    await bring(world.kms, KeyId, first)
    await world.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }))
    await bring(there, KeyId, first)
    return { ...world, there, KeyId: KeyId! }
  }
  const states = async (kms: KMSClient, KeyId: string) =>
    (await kms.send(new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))).Rotations!.map(
      ({ KeyMaterialState, ImportState }) => `${KeyMaterialState} ${ImportState}`,
    )

  test('rotates in all Regions at once, when each has imported the new material', async () => {
    const { kms, there, KeyId } = await imported()
    const second = randomBytes(32)
    await expect(bring(there, KeyId, second, { ImportType: 'NEW_KEY_MATERIAL' })).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
    })
    await bring(kms, KeyId, second, { ImportType: 'NEW_KEY_MATERIAL' })

    const waiting = 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
    expect(await states(kms, KeyId)).toEqual(['CURRENT IMPORTED', `${waiting} IMPORTED`])
    expect(await states(there, KeyId)).toEqual(['CURRENT IMPORTED', `${waiting} PENDING_IMPORT`])
    await expect(kms.send(new RotateKeyOnDemandCommand({ KeyId }))).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
    })
    await expect(bring(there, KeyId, randomBytes(32))).rejects.toMatchObject({ name: 'IncorrectKeyMaterialException' })
    await bring(there, KeyId, second)
    expect(await states(kms, KeyId)).toEqual(['CURRENT IMPORTED', 'PENDING_ROTATION IMPORTED'])

    const before = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    await kms.send(new RotateKeyOnDemandCommand({ KeyId }))
    const after = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    const back = await there.send(new EncryptCommand({ KeyId, Plaintext }))

    expect(await states(there, KeyId)).toEqual(['NON_CURRENT IMPORTED', 'CURRENT IMPORTED'])
    for (const { CiphertextBlob } of [before, after, back]) {
      for (const region of [kms, there]) {
        expect(Buffer.from((await region.send(new DecryptCommand({ CiphertextBlob }))).Plaintext!)).toEqual(Plaintext)
      }
    }
  })
  test('forgets material that was never in use when its primary does, and keeps waiting when a replica does', async () => {
    const { kms, there, KeyId } = await imported()
    const second = randomBytes(32)
    const { KeyMaterialId } = await bring(kms, KeyId, second, { ImportType: 'NEW_KEY_MATERIAL' })
    await bring(there, KeyId, second)

    await there.send(new DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId }))
    expect(await states(there, KeyId)).toHaveLength(2)
    expect((await there.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState).toBe('Enabled')
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId }))

    expect(await states(kms, KeyId)).toEqual(['CURRENT IMPORTED'])
    expect(await states(there, KeyId)).toEqual(['CURRENT IMPORTED'])
  })
})

test('the last use of a key is the last that succeeded', async () => {
  const { kms, make } = await desk()
  const { KeyId } = await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  expect(await kms.send(new GetKeyLastUsageCommand({ KeyId }))).toMatchObject({ KeyLastUsage: {} })
  await kms.send(new SignCommand({ KeyId, SigningAlgorithm: 'ECDSA_SHA_256', Message: Plaintext }))
  await kms.send(new EncryptCommand({ KeyId, Plaintext })).catch(() => undefined)

  expect((await kms.send(new GetKeyLastUsageCommand({ KeyId }))).KeyLastUsage).toMatchObject({
    Operation: 'Sign',
    Timestamp: expect.any(Date),
  })
})

test('a key looked at thousands of times since its last use is not said to be unused since it was made', async () => {
  const { make, at, pass, store } = await desk()
  const { KeyId, Arn: arn, CreationDate } = await make()
  await at().send(new EncryptCommand({ KeyId, Plaintext }))
  await pass(DAY_MS)
  const event = {
    account: ACCOUNT,
    region: 'us-east-1',
    timeMs: CreationDate!.getTime() + DAY_MS,
    eventSource: 'kms.amazonaws.com',
    eventName: 'DescribeKey',
    resources: [{ arn: arn!, type: 'AWS::KMS::Key', account: ACCOUNT }],
  }
  await store.run((unit) => {
    for (let at = 0; at < 5_000; at++) unit.append(serviceEvent(event))
  })

  const { KeyLastUsage, TrackingStartDate, KeyCreationDate } = await at().send(new GetKeyLastUsageCommand({ KeyId }))
  expect(KeyLastUsage).toEqual({})
  expect(TrackingStartDate!.getTime()).toBeGreaterThan(KeyCreationDate!.getTime())
})
