/** The sentences of KMS, as AWS was recorded to say them: each for every operation of its kind. */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { CreateRoleCommand, DeleteRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DeriveSharedSecretCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  type EncryptionAlgorithmSpec,
  GenerateMacCommand,
  type KeySpec,
  type KeyUsageType,
  type KMSClient,
  ListGrantsCommand,
  ListKeyRotationsCommand,
  ListRetirableGrantsCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  type Tag,
  TagResourceCommand,
  UpdateAliasCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import { desk } from './desk.fixture.ts'

const Plaintext = Buffer.from('attack at dawn')

type Wrong = readonly [name: string, message: string]

async function answers(sent: Promise<unknown>, [name, message]: Wrong): Promise<void> {
  await expect(sent).rejects.toMatchObject({ name, message })
}

/** The SDK's own word for an error that carries no message. */
const SILENT = 'UnknownError'

describe('an alias is named by its prefix', () => {
  test('on creation, on change and on deletion', async () => {
    const { kms, make } = await desk()
    const { KeyId: TargetKeyId } = await make()
    const start =
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html'

    await answers(kms.send(new CreateAliasCommand({ AliasName: 'app', TargetKeyId })), ['ValidationException', start])
    const unknown: Wrong = ['ValidationException', 'Invalid identifier']
    await answers(kms.send(new UpdateAliasCommand({ AliasName: 'app', TargetKeyId })), unknown)
    await answers(kms.send(new DeleteAliasCommand({ AliasName: 'app' })), unknown)
  })
  test('and refers to a key, not to an alias', async () => {
    const { kms, make } = await desk()
    const { KeyId } = await make()
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/one', TargetKeyId: KeyId }))
    const wrong: Wrong = ['ValidationException', 'Aliases must refer to keys. Not aliases']

    for (const TargetKeyId of ['alias/one', `arn:aws:kms:us-east-1:${ACCOUNT}:alias/one`]) {
      await answers(kms.send(new CreateAliasCommand({ AliasName: 'alias/two', TargetKeyId })), wrong)
      await answers(kms.send(new UpdateAliasCommand({ AliasName: 'alias/one', TargetKeyId })), wrong)
    }
  })
})

describe('a key of another use decrypts nothing', () => {
  const others: readonly (readonly [KeySpec, KeyUsageType])[] = [
    ['RSA_2048', 'SIGN_VERIFY'],
    ['HMAC_256', 'GENERATE_VERIFY_MAC'],
    ['ECC_NIST_P256', 'KEY_AGREEMENT'],
  ]
  test.each(others)('%s for %s', async (KeySpec, KeyUsage) => {
    const { kms, make } = await desk()
    const [aes, other] = [await make(), await make({ KeySpec, KeyUsage })]
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: aes.KeyId, Plaintext }))
    const wrong: Wrong = [
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    ]

    await answers(kms.send(new DecryptCommand({ KeyId: other.KeyId, CiphertextBlob })), wrong)
    await answers(
      kms.send(new ReEncryptCommand({ SourceKeyId: other.KeyId, DestinationKeyId: aes.KeyId, CiphertextBlob })),
      wrong,
    )
    await answers(kms.send(new EncryptCommand({ KeyId: other.KeyId, Plaintext })), [
      'InvalidKeyUsageException',
      `${other.Arn} key usage is ${KeyUsage} which is not valid for Encrypt.`,
    ])
  })
})

describe('a plaintext too long for RSA', () => {
  // biome-ignore format: a table is read in columns
  test.each<[KeySpec, EncryptionAlgorithmSpec, number]>([
    ['RSA_2048', 'RSAES_OAEP_SHA_1',   214],
    ['RSA_2048', 'RSAES_OAEP_SHA_256', 190],
    ['RSA_3072', 'RSAES_OAEP_SHA_1',   342],
    ['RSA_3072', 'RSAES_OAEP_SHA_256', 318],
    ['RSA_4096', 'RSAES_OAEP_SHA_1',   470],
    ['RSA_4096', 'RSAES_OAEP_SHA_256', 446],
  ])('%s by %s takes %i bytes, dry runs and re-encryption too', async (KeySpec, EncryptionAlgorithm, bytes) => {
    const { kms, make } = await desk()
    const [aes, rsa] = [await make(), await make({ KeySpec, KeyUsage: 'ENCRYPT_DECRYPT' })]
    const longer = Buffer.alloc(bytes + 1)
    const wrong: Wrong = [
      'ValidationException',
      `Algorithm ${EncryptionAlgorithm} and key spec ${KeySpec} cannot encrypt data larger than ${bytes} bytes.`,
    ]
    const encrypt = (data: Buffer, DryRun = false) =>
      kms.send(new EncryptCommand({ KeyId: rsa.KeyId, Plaintext: data, EncryptionAlgorithm, DryRun }))

    await encrypt(longer.subarray(1))
    await answers(encrypt(longer), wrong)
    await answers(encrypt(longer, true), wrong)
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: aes.KeyId, Plaintext: longer }))
    const moved = new ReEncryptCommand({
      CiphertextBlob,
      DestinationKeyId: rsa.KeyId,
      DestinationEncryptionAlgorithm: EncryptionAlgorithm,
    })
    await answers(kms.send(moved), wrong)
  })
})

describe('rotation', () => {
  test('of a key that is not a symmetric encryption key is refused without a sentence, after its state', async () => {
    const { kms, make } = await desk()
    const { KeyId, Arn } = await make({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' })
    const changes = () => [
      kms.send(new RotateKeyOnDemandCommand({ KeyId })),
      kms.send(new EnableKeyRotationCommand({ KeyId })),
      kms.send(new DisableKeyRotationCommand({ KeyId })),
    ]
    for (const each of [...changes(), kms.send(new ListKeyRotationsCommand({ KeyId }))]) {
      await answers(each, ['UnsupportedOperationException', SILENT])
    }
    await kms.send(new DisableKeyCommand({ KeyId }))
    for (const each of changes()) await answers(each, ['DisabledException', `${Arn} is disabled.`])
  })
  test('on demand has an end', async () => {
    const { kms, make } = await desk()
    const { KeyId, Arn } = await make()
    for (let i = 0; i < 25; i++) await kms.send(new RotateKeyOnDemandCommand({ KeyId }))
    await answers(kms.send(new RotateKeyOnDemandCommand({ KeyId })), [
      'LimitExceededException',
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${Arn}`,
    ])
  })
})

describe('a key in several Regions', () => {
  test('is replicated and moved from its primary alone, and has ReplicaTags where it has tags', async () => {
    const { kms, at, root, make } = await desk()
    const single = await make()
    const { KeyId } = await make({ MultiRegion: true })
    const replicate = (client: KMSClient, id: string | undefined, ReplicaRegion: string, Tags?: Tag[]) =>
      client.send(new ReplicateKeyCommand({ KeyId: id, ReplicaRegion, Tags }))

    expect(await replicate(kms, KeyId, 'eu-west-1')).not.toHaveProperty('ReplicaTags')
    const Tags = [{ TagKey: 'team', TagValue: 'blue' }]
    expect(await replicate(kms, KeyId, 'ap-south-1', Tags)).toMatchObject({ ReplicaTags: Tags })

    const there = at(root, 'eu-west-1')
    const arnThere = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/${KeyId}`
    for (const [client, id, arn] of [[kms, single.KeyId, single.Arn] as const, [there, KeyId, arnThere] as const]) {
      const wrong: Wrong = ['UnsupportedOperationException', `${arn} is not a multi-region primary key.`]
      await answers(replicate(client, id, 'us-west-2'), wrong)
      await answers(client.send(new UpdatePrimaryRegionCommand({ KeyId: id, PrimaryRegion: 'us-west-2' })), wrong)
    }
  })
  test('is recorded in both Regions when its primary moves', async () => {
    const { kms, root, client, make } = await desk()
    const { KeyId } = await make({ MultiRegion: true })
    await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }))
    await kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'eu-west-1' }))

    for (const region of ['us-east-1', 'eu-west-1']) {
      const { Events = [] } = await client(CloudTrailClient, root, region).send(
        new LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'UpdatePrimaryRegion' }],
        }),
      )
      expect(Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent!))).toMatchObject([
        {
          awsRegion: region,
          requestParameters: { keyId: KeyId, primaryRegion: 'eu-west-1' },
          resources: [{ ARN: `arn:aws:kms:${region}:${ACCOUNT}:key/${KeyId}` }],
        },
      ])
    }
  })
})

describe('tags', () => {
  const many = (count: number): Tag[] => Array.from({ length: count }, (_, i) => ({ TagKey: `k${i}`, TagValue: '' }))

  test.each<[string, Tag[]]>([
    ['Too many tags', many(51)],
    ['Tags beginning with aws: are reserved', [{ TagKey: 'AWS:x', TagValue: '' }]],
    ['Duplicate tag keys', [...many(1), ...many(1)]],
  ])('%s: on creation, on replication, on a key', async (message, Tags) => {
    const { kms, make } = await desk()
    const { KeyId } = await make({ MultiRegion: true })
    const wrong: Wrong = ['TagException', message]

    await answers(make({ Tags }), wrong)
    await answers(kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1', Tags })), wrong)
    await answers(kms.send(new TagResourceCommand({ KeyId, Tags })), wrong)
  })
  test('a key that has fifty takes no other', async () => {
    const { kms, make } = await desk()
    const { KeyId } = await make({ Tags: many(50) })
    const Tags = [{ TagKey: 'one more', TagValue: '' }]
    await expect(kms.send(new TagResourceCommand({ KeyId, Tags }))).rejects.toMatchObject({
      name: 'LimitExceededException',
    })
  })
})

test('a grant to a role that was deleted shows its id, and a later role of the same name has none of it', async () => {
  const { kms, make, client } = await desk()
  const iam = client(IAMClient)
  const trust = { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] })
  const makeRole = () => iam.send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument }))
  const { Role } = await makeRole()
  const { KeyId } = await make()
  const GranteePrincipal = Role!.Arn
  const grant = { KeyId, GranteePrincipal, RetiringPrincipal: Role!.Arn, Operations: ['Encrypt' as const] }
  await kms.send(new CreateGrantCommand(grant))
  const byName = () => kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal }))
  expect((await byName()).Grants).toMatchObject([{ GranteePrincipal, RetiringPrincipal: GranteePrincipal }])

  await iam.send(new DeleteRoleCommand({ RoleName: 'worker' }))
  await makeRole()

  const { Grants } = await kms.send(new ListGrantsCommand({ KeyId }))
  expect(Grants).toMatchObject([{ GranteePrincipal: Role!.RoleId, RetiringPrincipal: Role!.RoleId }])
  expect((await byName()).Grants).toEqual([])
  const retirable = new ListRetirableGrantsCommand({ RetiringPrincipal: GranteePrincipal })
  expect((await kms.send(retirable)).Grants).toEqual([])
  const byId = new ListGrantsCommand({ KeyId, GranteePrincipal: Role!.RoleId })
  expect((await kms.send(byId)).Grants).toHaveLength(1)
})

test('a public key of another curve, and an algorithm of another spec', async () => {
  const { kms, make } = await desk()
  const curve = await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
  const PublicKey = Buffer.from('not a key')
  const derive = new DeriveSharedSecretCommand({ KeyId: curve.KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey })
  await expect(kms.send(derive)).rejects.toMatchObject({ name: 'ValidationException' })

  const hmac = await make({ KeySpec: 'HMAC_224', KeyUsage: 'GENERATE_VERIFY_MAC' })
  const Message = Plaintext
  const mac = new GenerateMacCommand({ KeyId: hmac.KeyId, MacAlgorithm: 'HMAC_SHA_256', Message })
  await answers(kms.send(mac), [
    'InvalidKeyUsageException',
    'Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.',
  ])
})

test.each(['eu-west-9', 'nowhere', 'us-east-1a'])(
  'a key is not replicated to %s, which is no Region',
  async (ReplicaRegion) => {
    const { kms, make } = await desk()
    const { KeyId } = await make({ MultiRegion: true })

    const sent = kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }))
    await expect(sent).rejects.toMatchObject({ name: 'ValidationException' })
  },
)
