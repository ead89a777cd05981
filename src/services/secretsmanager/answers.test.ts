/** The sentences of Secrets Manager, as AWS was recorded to say them: each for every operation of its kind. */
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  BatchGetSecretValueCommand,
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DeleteResourcePolicyCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RemoveRegionsFromReplicationCommand,
  ReplicateSecretToRegionsCommand,
  RestoreSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  StopReplicationToReplicaCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
  ValidateResourcePolicyCommand,
} from '@aws-sdk/client-secrets-manager'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, type CloudOptions, cloud, OTHER_ACCOUNT } from '../../../test/cloud.ts'

const WEST = 'eu-west-1'
const SecretString = 'value'
const ResourcePolicy = allowing({
  Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
  Action: 'secretsmanager:GetSecretValue',
  Resource: '*',
})
const TOKEN = 'a'.repeat(32)
const RotationLambdaARN = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`

async function world(options: CloudOptions = {}) {
  const it = await cloud(options)
  return { ...it, sm: it.client(SecretsManagerClient), west: it.client(SecretsManagerClient, it.root, WEST) }
}

const reads = (SecretId: string): Readonly<Record<string, object>> => ({
  DescribeSecret: new DescribeSecretCommand({ SecretId }),
  GetResourcePolicy: new GetResourcePolicyCommand({ SecretId }),
  GetSecretValue: new GetSecretValueCommand({ SecretId }),
  ListSecretVersionIds: new ListSecretVersionIdsCommand({ SecretId }),
  ValidateResourcePolicy: new ValidateResourcePolicyCommand({ SecretId, ResourcePolicy }),
})
const changes = (SecretId: string): Readonly<Record<string, object>> => ({
  CancelRotateSecret: new CancelRotateSecretCommand({ SecretId }),
  DeleteResourcePolicy: new DeleteResourcePolicyCommand({ SecretId }),
  DeleteSecret: new DeleteSecretCommand({ SecretId }),
  DeleteSecretByForce: new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }),
  PutResourcePolicy: new PutResourcePolicyCommand({ SecretId, ResourcePolicy }),
  PutSecretValue: new PutSecretValueCommand({ SecretId, SecretString }),
  RemoveRegionsFromReplication: new RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: [WEST] }),
  ReplicateSecretToRegions: new ReplicateSecretToRegionsCommand({
    SecretId,
    AddReplicaRegions: [{ Region: 'us-west-2' }],
  }),
  RestoreSecret: new RestoreSecretCommand({ SecretId }),
  RotateSecret: new RotateSecretCommand({ SecretId, RotationLambdaARN, RotationRules: { AutomaticallyAfterDays: 9 } }),
  TagResource: new TagResourceCommand({ SecretId, Tags: [{ Key: 'a', Value: 'b' }] }),
  UntagResource: new UntagResourceCommand({ SecretId, TagKeys: ['a'] }),
  UpdateSecret: new UpdateSecretCommand({ SecretId, SecretString }),
  UpdateSecretVersionStage: new UpdateSecretVersionStageCommand({
    SecretId,
    VersionStage: 'blue',
    MoveToVersionId: TOKEN,
  }),
})

describe('an invalid name', () => {
  const wrong = {
    name: 'ValidationException',
    message: 'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
  }
  test.each(['Inv Name', ' Inv*Name? ', 'Inv*?!]Name\\-', 'a:b', 'ä'])(
    '%s is refused by every operation, before the secret is looked for',
    async (name) => {
      const { sm } = await world()
      const stop = new StopReplicationToReplicaCommand({ SecretId: name })
      const create = new CreateSecretCommand({ Name: name, SecretString })
      const all = { ...reads(name), ...changes(name), stop, create }
      for (const [operation, command] of Object.entries(all)) {
        await expect(sm.send(command as never), operation).rejects.toMatchObject(wrong)
      }
      const inArn = `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:${name}`
      await expect(sm.send(new DescribeSecretCommand({ SecretId: inArn }))).rejects.toMatchObject(wrong)
      const { Errors } = await sm.send(new BatchGetSecretValueCommand({ SecretIdList: [name] }))
      expect(Errors).toMatchObject([{ ErrorCode: wrong.name, Message: wrong.message }])
    },
  )
  test('is not one that AWS gives to the secrets of its services', async () => {
    const { sm } = await world()
    await expect(sm.send(new DescribeSecretCommand({ SecretId: 'rds!cluster-1' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })
})

test.each(['CreateSecret', 'UpdateSecret', 'PutSecretValue', 'RotateSecret'])(
  '%s without a ClientRequestToken on the wire is refused, whether or not the secret exists',
  async (operation) => {
    const { sm } = await world()
    const withoutToken = sm as SecretsManagerClient
    withoutToken.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: string | Uint8Array }
        const { ClientRequestToken: _sent, ...body } = JSON.parse(Buffer.from(request.body).toString())
        request.body = JSON.stringify(body)
        return next(args)
      },
      { step: 'build', priority: 'high' },
    )
    const command =
      operation === 'CreateSecret' ? new CreateSecretCommand({ Name: 'none' }) : changes('none')[operation]!
    await expect(withoutToken.send(command as never)).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: 'You must provide a ClientRequestToken value. We recommend a UUID-type value.',
    })
  },
)

test('the same token and value again change nothing: put, update and create; another value is refused', async () => {
  const { sm } = await world()
  const given = { SecretId: 's', SecretString, ClientRequestToken: TOKEN }
  const create = () =>
    sm.send(new CreateSecretCommand({ Name: 's', SecretString, ClientRequestToken: TOKEN, Description: '' }))
  const again = async () => {
    const answers = [
      await create(),
      await sm.send(new PutSecretValueCommand(given)),
      await sm.send(new UpdateSecretCommand(given)),
    ]
    expect(answers.map(({ VersionId }) => VersionId)).toEqual([TOKEN, TOKEN, TOKEN])
  }
  await create()
  await again()
  await sm.send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'next' }))
  await again()

  expect((await sm.send(new GetSecretValueCommand({ SecretId: 's' }))).SecretString).toBe('next')
  const other = { ...given, SecretString: 'x' }
  for (const command of [new PutSecretValueCommand(other), new UpdateSecretCommand(other)]) {
    await expect(sm.send(command as never)).rejects.toMatchObject({ name: 'ResourceExistsException' })
  }
})

describe('a replica', () => {
  test('is changed by no operation but its promotion', async () => {
    const { sm, west } = await world()
    await sm.send(
      new CreateSecretCommand({
        Name: 's',
        SecretString,
        ClientRequestToken: TOKEN,
        AddReplicaRegions: [{ Region: WEST }],
      }),
    )
    for (const [operation, command] of Object.entries(changes('s'))) {
      await expect(west.send(command as never), operation).rejects.toMatchObject({
        name: 'InvalidParameterException',
        message: "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
      })
    }
    for (const [operation, command] of Object.entries(reads('s'))) {
      await expect(west.send(command as never), operation).resolves.toBeDefined()
    }
    await west.send(new StopReplicationToReplicaCommand({ SecretId: 's' }))
    await west.send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'own' }))
  })
  test('keeps its primary from being deleted, by force too', async () => {
    const { sm } = await world()
    const { ARN } = await sm.send(
      new CreateSecretCommand({
        Name: 's',
        SecretString,
        AddReplicaRegions: [{ Region: WEST }, { Region: 'us-west-2' }],
      }),
    )
    for (const ForceDeleteWithoutRecovery of [false, true]) {
      await expect(
        sm.send(new DeleteSecretCommand({ SecretId: 's', ForceDeleteWithoutRecovery })),
      ).rejects.toMatchObject({
        name: 'InvalidParameterException',
        message: `You can't delete secret ${ARN} that still has replica regions [eu-west-1, us-west-2].`,
      })
    }
  })
  test('has the policy of its primary: set before and after, changed, removed', async () => {
    const { sm, west } = await world()
    const there = async () => (await west.send(new GetResourcePolicyCommand({ SecretId: 's' }))).ResourcePolicy
    await sm.send(new CreateSecretCommand({ Name: 's', SecretString }))
    await sm.send(new PutResourcePolicyCommand({ SecretId: 's', ResourcePolicy }))
    await sm.send(new ReplicateSecretToRegionsCommand({ SecretId: 's', AddReplicaRegions: [{ Region: WEST }] }))
    expect(await there()).toBe(ResourcePolicy)
    await sm.send(new DeleteResourcePolicyCommand({ SecretId: 's' }))
    expect(await there()).toBeUndefined()
    await sm.send(new PutResourcePolicyCommand({ SecretId: 's', ResourcePolicy }))
    expect(await there()).toBe(ResourcePolicy)
  })
})

test('an empty description is none, and a list of tags is empty once the last one went', async () => {
  const { sm } = await world()
  await sm.send(new CreateSecretCommand({ Name: 's', Description: '' }))
  const shown = async () => {
    const described = await sm.send(new DescribeSecretCommand({ SecretId: 's' }))
    const { SecretList } = await sm.send(new ListSecretsCommand({}))
    expect(SecretList).toMatchObject([{ Name: 's' }])
    for (const member of ['Description', 'Tags'] as const) expect(SecretList![0]![member]).toEqual(described[member])
    return described
  }
  expect(await shown()).not.toHaveProperty('Description')
  expect(await shown()).not.toHaveProperty('Tags')

  await sm.send(new UpdateSecretCommand({ SecretId: 's', Description: 'text' }))
  await sm.send(new TagResourceCommand({ SecretId: 's', Tags: [{ Key: 'a', Value: 'b' }] }))
  expect(await shown()).toMatchObject({ Description: 'text', Tags: [{ Key: 'a', Value: 'b' }] })

  await sm.send(new UpdateSecretCommand({ SecretId: 's', Description: '' }))
  await sm.send(new UntagResourceCommand({ SecretId: 's', TagKeys: ['a'] }))
  expect(await shown()).not.toHaveProperty('Description')
  expect((await shown()).Tags).toEqual([])
})

describe('a KMS key that is none for secrets', () => {
  const wrong = {
    name: 'InvalidParameterException',
    message: expect.stringMatching(/^The operation failed because of an invalid KMS key/),
  }
  test('is refused on creation, on change and on the next value', async () => {
    const { sm, root, client } = await world()
    const kms = client(KMSClient, root)
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
    )
    await sm.send(new CreateSecretCommand({ Name: 's', SecretString }))
    for (const KmsKeyId of ['bogus', 'alias/nothing', 'arn:aws:s3:::x', KeyMetadata!.KeyId]) {
      await expect(sm.send(new CreateSecretCommand({ Name: 'x', SecretString, KmsKeyId }))).rejects.toMatchObject(wrong)
      await expect(sm.send(new UpdateSecretCommand({ SecretId: 's', KmsKeyId }))).rejects.toMatchObject(wrong)
    }
    expect((await sm.send(new GetSecretValueCommand({ SecretId: 's' }))).SecretString).toBe(SecretString)
  })
})

test('secretsmanager:KmsKeyArn is the key that a request names in any form, or that the secret has', async () => {
  const { sm, root, client, user } = await world()
  const kms = client(KMSClient, root)
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const { KeyId, Arn } = KeyMetadata!
  await sm.send(new CreateSecretCommand({ Name: 'under', SecretString, KmsKeyId: KeyId }))
  await sm.send(new CreateSecretCommand({ Name: 'default', SecretString }))
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['secretsmanager:*', 'kms:*'], Resource: '*' },
      {
        Effect: 'Deny',
        Action: ['secretsmanager:CreateSecret', 'secretsmanager:UpdateSecret'],
        Resource: '*',
        Condition: { StringNotEquals: { 'secretsmanager:KmsKeyArn': Arn } },
      },
    ],
  })
  const ann = client(SecretsManagerClient, await user('ann', policy))
  const denied = { name: 'AccessDeniedException' }

  for (const KmsKeyId of [KeyId, Arn]) {
    await ann.send(new CreateSecretCommand({ Name: `s-${KmsKeyId!.length}`, SecretString, KmsKeyId }))
  }
  await expect(ann.send(new CreateSecretCommand({ Name: 'no', SecretString }))).rejects.toMatchObject(denied)
  await ann.send(new UpdateSecretCommand({ SecretId: 'under', Description: 'changed' }))
  await expect(ann.send(new UpdateSecretCommand({ SecretId: 'default', Description: 'x' }))).rejects.toMatchObject(
    denied,
  )
  await ann.send(new UpdateSecretCommand({ SecretId: 'default', KmsKeyId: KeyId }))
})

describe('versions', () => {
  test('have a limit within a day, which a day later is no more', async () => {
    const it = await world({ quotas: { 'secretsmanager/VersionsPerSecret': 103 } })
    const put = (n: number) =>
      it.client(SecretsManagerClient).send(new PutSecretValueCommand({ SecretId: 's', SecretString: `value ${n}` }))
    await it.sm.send(new CreateSecretCommand({ Name: 's', SecretString }))
    for (let n = 0; n < 102; n++) await put(n)

    await expect(put(102)).rejects.toMatchObject({ name: 'LimitExceededException' })
    expect((await it.sm.send(new GetSecretValueCommand({ SecretId: 's' }))).SecretString).toBe('value 101')
    expect(await it.store.reader.range(`secretsmanager/value/${ACCOUNT}/us-east-1/`)).toHaveLength(103)

    it.clock.advance(25 * 3_600_000)
    await put(103)
    expect(await it.store.reader.range(`secretsmanager/value/${ACCOUNT}/us-east-1/`)).toHaveLength(100)
  })
})

test('another account reads nothing that is under the default key', async () => {
  const it = await world()
  const other = it.client(SecretsManagerClient, await it.account())
  const { ARN } = await it.sm.send(new CreateSecretCommand({ Name: 's', SecretString }))
  const Principal = { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` }
  const open = allowing({ Principal, Action: 'secretsmanager:*', Resource: '*' })
  await it.sm.send(new PutResourcePolicyCommand({ SecretId: 's', ResourcePolicy: open }))
  await expect(other.send(new GetSecretValueCommand({ SecretId: ARN }))).rejects.toMatchObject({
    name: 'InvalidRequestException',
    message:
      "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.",
  })
})

test.each(['eu-west-9', 'nowhere', 'us-east-1a', 'US-EAST-2'])(
  'a secret is not replicated to %s, which is no Region',
  async (Region) => {
    const { sm } = await world()
    const AddReplicaRegions = [{ Region }]
    await sm.send(new CreateSecretCommand({ Name: 's', SecretString }))

    const created = sm.send(new CreateSecretCommand({ Name: 'r', SecretString, AddReplicaRegions }))
    await expect(created).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } })
    const added = sm.send(new ReplicateSecretToRegionsCommand({ SecretId: 's', AddReplicaRegions }))
    await expect(added).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } })
  },
)
