/** Access to a value: the KMS key, resource policies, other accounts, and replicas in other Regions. */
import { DeleteUserPolicyCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ListAliasesCommand,
} from '@aws-sdk/client-kms'
import {
  CreateSecretCommand,
  DeleteResourcePolicyCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RemoveRegionsFromReplicationCommand,
  ReplicateSecretToRegionsCommand,
  SecretsManagerClient,
  StopReplicationToReplicaCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
  ValidateResourcePolicyCommand,
} from '@aws-sdk/client-secrets-manager'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, type Keys, OTHER_ACCOUNT } from '../../../test/cloud.ts'

const ANN = `arn:aws:iam::${ACCOUNT}:user/ann`

async function world() {
  const it = await cloud()
  const at = (keys: Keys = it.root, region?: string) => it.client(SecretsManagerClient, keys, region)
  const kms = it.client(KMSClient)
  const keyFor = async (...statements: readonly object[]) =>
    (
      await kms.send(
        new CreateKeyCommand({
          Policy: allowing(
            { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
            ...statements,
          ),
        }),
      )
    ).KeyMetadata!.Arn!
  const create = (Name: string, KmsKeyId?: string) =>
    at().send(new CreateSecretCommand({ Name, SecretString: 'the value', ...(KmsKeyId && { KmsKeyId }) }))
  const get = async (SecretId: string, keys?: Keys, region?: string) =>
    (await at(keys, region).send(new GetSecretValueCommand({ SecretId }))).SecretString
  const policy = (SecretId: string, ResourcePolicy: string, BlockPublicPolicy?: boolean) =>
    at().send(new PutResourcePolicyCommand({ SecretId, ResourcePolicy, BlockPublicPolicy }))
  return { ...it, at, kms, keyFor, create, get, policy }
}

describe('The key of a secret', () => {
  test('is the account’s own for secrets, made on first use, unless another is named', async () => {
    const it = await world()
    await it.create('s')
    const { Aliases } = await it.kms.send(new ListAliasesCommand({}))
    expect(Aliases!.map(({ AliasName }) => AliasName)).toEqual(['alias/aws/secretsmanager'])
    expect(await it.at().send(new DescribeSecretCommand({ SecretId: 's' }))).not.toHaveProperty('KmsKeyId')
  })

  test('Secrets 8: disabled stops every reading at once, and enabled gives it back', async () => {
    const it = await world()
    const KeyId = await it.keyFor()
    await it.create('s', KeyId)
    await it.kms.send(new DisableKeyCommand({ KeyId }))
    await expect(it.get('s')).rejects.toMatchObject({ name: 'DecryptionFailure' })
    await expect(it.at().send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'x' }))).rejects.toMatchObject({
      name: 'EncryptionFailure',
    })
    await it.kms.send(new EnableKeyCommand({ KeyId }))
    expect(await it.get('s')).toBe('the value')
  })

  test('is requested as the caller: a caller that may not use it does not read, whatever the secret allows', async () => {
    const it = await world()
    await it.create('s', await it.keyFor())
    const ann = await it.user('ann', allowing({ Action: 'secretsmanager:*', Resource: '*' }))
    await expect(it.get('s', ann)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: 'Access to KMS is not allowed',
    })
    const via = { StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' } }
    await it.permit(
      'ann',
      allowing({ Action: 'secretsmanager:*', Resource: '*' }, { Action: 'kms:Decrypt', Resource: '*', Condition: via }),
    )
    expect(await it.get('s', ann)).toBe('the value')
  })

  test('changed seals the labelled versions anew', async () => {
    const it = await world()
    const [before, after] = [await it.keyFor(), await it.keyFor()]
    await it.create('s', before)
    await it.at().send(new UpdateSecretCommand({ SecretId: 's', KmsKeyId: after }))
    await it.kms.send(new DisableKeyCommand({ KeyId: before }))
    expect(await it.get('s')).toBe('the value')
  })
})

describe('A resource policy', () => {
  const readers = (AWS: string) =>
    allowing({ Principal: { AWS }, Action: 'secretsmanager:GetSecretValue', Resource: '*' })

  test('Secrets 9: lets another account read, if its key does as well', async () => {
    const it = await world()
    const stranger = await it.account()
    const { ARN } = await it.create(
      'shared',
      await it.keyFor({
        Principal: { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` },
        Action: 'kms:Decrypt',
        Resource: '*',
      }),
    )
    await expect(it.get(ARN!, stranger)).rejects.toMatchObject({ name: 'AccessDeniedException' })

    await it.policy('shared', readers(`arn:aws:iam::${OTHER_ACCOUNT}:root`))

    expect(await it.get(ARN!, stranger)).toBe('the value')
    await expect(it.get('shared', stranger)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    await it.at().send(new DeleteResourcePolicyCommand({ SecretId: 'shared' }))
    await expect(it.get(ARN!, stranger)).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test('Secrets 9: does not open what is under the account’s own key', async () => {
    const it = await world()
    const stranger = await it.account()
    const { ARN } = await it.create('shared')
    await it.policy('shared', readers(`arn:aws:iam::${OTHER_ACCOUNT}:root`))
    await expect(it.get(ARN!, stranger)).rejects.toMatchObject({ name: 'InvalidRequestException' })
  })

  test('lets another account put a value, under the owner’s key however the owner named it', async () => {
    const it = await world()
    const stranger = await it.account()
    const theirs = { Principal: { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` }, Resource: '*' }
    const TargetKeyId = await it.keyFor({ ...theirs, Action: ['kms:GenerateDataKey', 'kms:Decrypt'] })
    await it.kms.send(new CreateAliasCommand({ AliasName: 'alias/shared', TargetKeyId }))
    // A trap: the other account's key with that name is not meant.
    const strangers = it.client(KMSClient, stranger)
    const own = (await strangers.send(new CreateKeyCommand({}))).KeyMetadata!.KeyId!
    await strangers.send(new CreateAliasCommand({ AliasName: 'alias/shared', TargetKeyId: own }))
    for (const [name, key] of [
      ['by-alias', 'alias/shared'],
      ['by-id', TargetKeyId.split('/')[1]!],
    ] as const) {
      const { ARN } = await it.create(name, key)
      await it.policy(name, allowing({ ...theirs, Action: 'secretsmanager:PutSecretValue' }))

      await it.at(stranger).send(new PutSecretValueCommand({ SecretId: ARN!, SecretString: 'put by another account' }))

      expect(await it.get(name)).toBe('put by another account')
    }
  })

  test('means the user it named, not a later user with the same name', async () => {
    const it = await world()
    await it.create('s')
    const ann = await it.user('ann')
    await it.policy('s', readers(ANN))
    // The account's own key accepts every principal of the account that comes through the service.
    expect(await it.get('s', ann)).toBe('the value')
    const { ResourcePolicy } = await it.at().send(new GetResourcePolicyCommand({ SecretId: 's' }))
    expect(JSON.parse(ResourcePolicy!).Statement[0].Principal.AWS).toBe(ANN)
    await it
      .client(IAMClient)
      .send(new DeleteUserPolicyCommand({ UserName: 'ann', PolicyName: 'none' }))
      .catch(() => undefined)
  })

  test.each<[string, string, string]>([
    ['is no JSON', '{', 'MalformedPolicyDocumentException'],
    ['names no principal', allowing({ Action: 'secretsmanager:*', Resource: '*' }), 'MalformedPolicyDocumentException'],
    [
      'names a principal that does not exist',
      readers(`arn:aws:iam::${ACCOUNT}:user/nobody`),
      'MalformedPolicyDocumentException',
    ],
    ['is too long', readers(ANN).padEnd(20_481), 'ValidationException'],
  ])('that %s is refused', async (_what, text, name) => {
    const it = await world()
    await it.create('s')
    await expect(it.policy('s', text)).rejects.toMatchObject({ name })
    expect(await it.at().send(new GetResourcePolicyCommand({ SecretId: 's' }))).not.toHaveProperty('ResourcePolicy')
  })

  test('for all principals is refused where that is requested, and reported by the check', async () => {
    const it = await world()
    await it.create('s')
    const open = readers('*')
    await expect(it.policy('s', open, true)).rejects.toMatchObject({ name: 'PublicPolicyException' })
    expect(await it.at().send(new ValidateResourcePolicyCommand({ ResourcePolicy: open }))).toMatchObject({
      PolicyValidationPassed: false,
    })
    expect(
      await it
        .at()
        .send(new ValidateResourcePolicyCommand({ ResourcePolicy: readers(`arn:aws:iam::${OTHER_ACCOUNT}:root`) })),
    ).toMatchObject({ PolicyValidationPassed: true })
  })
})

describe('Replicas', () => {
  const WEST = 'eu-west-1'

  async function replicated() {
    const it = await world()
    await it.create('s')
    const added = await it
      .at()
      .send(new ReplicateSecretToRegionsCommand({ SecretId: 's', AddReplicaRegions: [{ Region: WEST }] }))
    return { ...it, added }
  }

  test('hold the same versions and labels under a key of their Region, from each change on', async () => {
    const it = await replicated()
    expect(it.added.ReplicationStatus).toMatchObject([{ Region: WEST, Status: 'InSync' }])
    expect(await it.get('s', it.root, WEST)).toBe('the value')
    const next = await it.at().send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'next' }))
    expect(await it.get('s', it.root, WEST)).toBe('next')
    const { VersionIdsToStages } = await it.at().send(new DescribeSecretCommand({ SecretId: 's' }))
    const previous = Object.entries(VersionIdsToStages!).find(([, stages]) => stages.includes('AWSPREVIOUS'))![0]
    await it.at().send(
      new UpdateSecretVersionStageCommand({
        SecretId: 's',
        VersionStage: 'AWSCURRENT',
        RemoveFromVersionId: next.VersionId,
        MoveToVersionId: previous,
      }),
    )
    expect(await it.get('s', it.root, WEST)).toBe('the value')
    const there = await it.at(it.root, WEST).send(new DescribeSecretCommand({ SecretId: 's' }))
    expect(there).toMatchObject({ PrimaryRegion: 'us-east-1', ARN: expect.stringContaining(`:${WEST}:`) })
  })

  test('have the policy of their primary, and no value that it has dropped', async () => {
    const it = await replicated()
    const west = () => it.at(it.root, WEST)
    const ResourcePolicy = allowing({
      Principal: { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` },
      Action: 'secretsmanager:GetSecretValue',
      Resource: '*',
    })
    await it.account()
    await it.at().send(new PutResourcePolicyCommand({ SecretId: 's', ResourcePolicy }))
    const put = (n: number) => it.at().send(new PutSecretValueCommand({ SecretId: 's', SecretString: `value ${n}` }))
    for (let n = 0; n < 100; n++) await put(n)
    it.clock.advance(25 * 3_600_000)
    await put(100)

    expect(JSON.parse((await west().send(new GetResourcePolicyCommand({ SecretId: 's' }))).ResourcePolicy!)).toEqual(
      JSON.parse(ResourcePolicy),
    )
    for (const region of ['us-east-1', WEST]) {
      expect(await it.store.reader.range(`secretsmanager/value/${ACCOUNT}/${region}/`)).toHaveLength(100)
    }
  })

  test('that could not follow for a while have every labelled value once they follow again', async () => {
    const it = await world()
    const kms = it.client(KMSClient, it.root, WEST)
    const KeyId = (await kms.send(new CreateKeyCommand({}))).KeyMetadata!.KeyId!
    await it.create('s')
    const AddReplicaRegions = [{ Region: WEST, KmsKeyId: KeyId }]
    await it.at().send(new ReplicateSecretToRegionsCommand({ SecretId: 's', AddReplicaRegions }))
    const put = (SecretString: string) => it.at().send(new PutSecretValueCommand({ SecretId: 's', SecretString }))
    const status = async () =>
      (await it.at().send(new DescribeSecretCommand({ SecretId: 's' }))).ReplicationStatus!.map(({ Status }) => Status)

    await kms.send(new DisableKeyCommand({ KeyId }))
    const missed = await put('missed')
    expect(await status()).toEqual(['Failed'])
    expect(await it.get('s')).toBe('missed')
    await kms.send(new EnableKeyCommand({ KeyId }))
    await put('next')

    expect(await status()).toEqual(['InSync'])
    expect(await it.get('s', it.root, WEST)).toBe('next')
    const previous = { SecretId: 's', VersionStage: 'AWSPREVIOUS' }
    expect(await it.at(it.root, WEST).send(new GetSecretValueCommand(previous))).toMatchObject({
      VersionId: missed.VersionId,
      SecretString: 'missed',
    })
  })

  test('show when they were last read in their own Region', async () => {
    const it = await replicated()
    const read = async (region: string) =>
      (await it.at(it.root, region).send(new DescribeSecretCommand({ SecretId: 's' }))).LastAccessedDate
    await it.get('s', it.root, WEST)
    const day = await read(WEST)
    expect(day).toBeDefined()

    await it.at().send(new UpdateSecretCommand({ SecretId: 's', Description: 'changed' }))
    await it.at().send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'next' }))
    expect([await read('us-east-1'), await read(WEST)]).toEqual([undefined, day])

    it.clock.advance(25 * 3_600_000)
    await it.get('s')
    await it.at().send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'third' }))
    expect(await read(WEST)).toEqual(day)
  })

  test('are changed at their primary only', async () => {
    const it = await replicated()
    const change = it.at(it.root, WEST).send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'x' }))
    await expect(change).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
    })
    await expect(it.at().send(new DeleteSecretCommand({ SecretId: 's' }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    })
  })

  test('become secrets of their own, or go', async () => {
    const it = await replicated()
    await it.at(it.root, WEST).send(new StopReplicationToReplicaCommand({ SecretId: 's' }))
    await it.at(it.root, WEST).send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'own' }))
    expect([await it.get('s'), await it.get('s', it.root, WEST)]).toEqual(['the value', 'own'])

    const again = await it.at().send(
      new ReplicateSecretToRegionsCommand({
        SecretId: 's',
        AddReplicaRegions: [{ Region: WEST }, { Region: 'eu-north-1' }],
      }),
    )
    expect(again.ReplicationStatus).toMatchObject([
      { Region: WEST, Status: 'Failed', StatusMessage: expect.stringContaining('already exists') },
      { Region: 'eu-north-1', Status: 'InSync' },
    ])
    await it.at().send(new RemoveRegionsFromReplicationCommand({ SecretId: 's', RemoveReplicaRegions: ['eu-north-1'] }))
    await expect(it.get('s', it.root, 'eu-north-1')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    expect(await it.get('s', it.root, WEST)).toBe('own')
  })
})
