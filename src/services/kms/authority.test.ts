/**
 * Authority over a key: its policy first, IAM where the policy allows it, other accounts, conditions, services on
 * behalf of a caller.
 */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { CreateRoleCommand, DeleteAccessKeyCommand, DeleteUserCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  type GrantConstraints,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, type Keys, keysOf, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { services } from '../../server/compose/services.ts'
import { secretsmanager } from '../secretsmanager/index.ts'
import { DAY_MS, desk } from './desk.fixture.ts'

const ROOT = `arn:aws:iam::${ACCOUNT}:root`
const ANN = `arn:aws:iam::${ACCOUNT}:user/ann`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/worker`
const STRANGER = `arn:aws:iam::${OTHER_ACCOUNT}:root`
const Plaintext = Buffer.from('attack at dawn')

interface Said {
  readonly Effect?: 'Allow' | 'Deny'
  readonly Principal?: object | string
  readonly Action?: string | readonly string[]
  readonly Condition?: object
}

const policy = (...statements: readonly Said[]) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((said) => ({ Effect: 'Allow', Action: 'kms:*', Resource: '*', ...said })),
  })
const delegating: Said = { Principal: { AWS: ROOT } }
const may = (Action: string | readonly string[], more: object = {}) => allowing({ Action, Resource: '*', ...more })

/** Root, a user, a session of a role, and two principals of another account. */
async function people(annMay?: string, roleMay?: string) {
  const world = await desk()
  const { client, permit } = world
  const ann = await world.user('ann', annMay)
  const trust = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'sts:AssumeRole' }],
  })
  await client(IAMClient).send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument: trust }))
  const bob = await world.user('bob', may('sts:AssumeRole'))
  const assumed = await client(STSClient, bob).send(
    new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'session', ...(roleMay && { Policy: roleMay }) }),
  )
  const stranger = await world.account()
  return { ...world, permit, who: { root: world.root, ann, worker: keysOf(assumed), stranger } }
}

type Who = keyof Awaited<ReturnType<typeof people>>['who']

describe('the key policy is the root of authority', () => {
  test.each<[string, Who, readonly Said[], string | undefined, boolean]>([
    ['the account delegates, and IAM allows', 'ann', [delegating], may('kms:Encrypt'), true],
    ['the account delegates, and IAM does not', 'ann', [delegating], undefined, false],
    ['the account delegates, and IAM allows something else', 'ann', [delegating], may('kms:Decrypt'), false],
    ['the account delegates to root itself', 'root', [delegating], undefined, true],
    ['IAM allows, and the policy delegates to no account', 'ann', [{ Principal: { AWS: ROLE } }], may('kms:*'), false],
    ['root is not named, and so is no principal here', 'root', [{ Principal: { AWS: ANN } }], undefined, false],
    ['the policy names the user, which needs no IAM', 'ann', [{ Principal: { AWS: ANN } }], undefined, true],
    [
      'the policy names the role, whose session needs no IAM',
      'worker',
      [{ Principal: { AWS: ROLE } }],
      undefined,
      true,
    ],
    [
      'the policy names the user for another action',
      'ann',
      [{ Principal: { AWS: ANN }, Action: 'kms:Decrypt' }],
      undefined,
      false,
    ],
    ['everyone is named', 'ann', [{ Principal: '*' }], undefined, true],
    [
      'a deny beside an allow',
      'ann',
      [{ Principal: { AWS: ANN } }, { Effect: 'Deny', Principal: { AWS: ANN } }],
      may('kms:*'),
      false,
    ],
    ['another account is named, and its root calls', 'stranger', [{ Principal: { AWS: STRANGER } }], undefined, true],
    ['another account is not named', 'stranger', [delegating], undefined, false],
    ['everyone is named, and another account calls', 'stranger', [{ Principal: '*' }], undefined, true],
    [
      'everyone of the account is named',
      'stranger',
      [{ Principal: '*', Condition: { StringEquals: { 'kms:CallerAccount': ACCOUNT } } }],
      undefined,
      false,
    ],
  ])('%s', async (_what, who, statements, annMay, allowed) => {
    const world = await people(annMay)
    const { Arn } = await world.make({ Policy: policy(...statements), BypassPolicyLockoutSafetyCheck: true })
    const asked = world.at(world.who[who]).send(new EncryptCommand({ KeyId: Arn, Plaintext }))

    if (allowed) expect((await asked).KeyId).toBe(Arn)
    else await expect(asked).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
  test('a denial says which side is silent', async () => {
    const { make, at, who } = await people()
    const [open, closed] = [
      await make(),
      await make({ Policy: policy({ Principal: { AWS: ROLE } }), BypassPolicyLockoutSafetyCheck: true }),
    ]
    const because = (KeyId: string | undefined, kind: string) => ({
      name: 'AccessDeniedException',
      message: `User: ${ANN} is not authorized to perform: kms:Encrypt on resource: ${KeyId} because no ${kind} policy allows the kms:Encrypt action`,
    })

    await expect(at(who.ann).send(new EncryptCommand({ KeyId: open.Arn, Plaintext }))).rejects.toMatchObject(
      because(open.Arn, 'identity-based'),
    )
    await expect(at(who.ann).send(new EncryptCommand({ KeyId: closed.Arn, Plaintext }))).rejects.toMatchObject(
      because(closed.Arn, 'resource-based'),
    )
  })
  test('a user made anew under an old name is not the one the policy means', async () => {
    const { make, at, who, client, user, kms } = await people()
    const { KeyId } = await make({ Policy: policy(delegating, { Principal: { AWS: ANN } }) })
    await at(who.ann).send(new EncryptCommand({ KeyId, Plaintext }))

    const iam = client(IAMClient)
    await iam.send(new DeleteAccessKeyCommand({ UserName: 'ann', AccessKeyId: who.ann.accessKeyId }))
    await iam.send(new DeleteUserCommand({ UserName: 'ann' }))
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId }))
    expect(JSON.parse(Policy!).Statement[1].Principal.AWS).toMatch(/^AIDA/)
    const again = await user('ann')
    await expect(at(again).send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
  })
  test('a policy binds from the next call on, and cannot be set without permission', async () => {
    const { make, at, who, kms } = await people(may('kms:Encrypt'))
    const { KeyId } = await make()
    await at(who.ann).send(new EncryptCommand({ KeyId, Plaintext }))
    const Policy = policy(delegating, { Effect: 'Deny', Principal: { AWS: ANN }, Action: 'kms:Encrypt' })

    await expect(at(who.ann).send(new PutKeyPolicyCommand({ KeyId, Policy }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
    await expect(at(who.ann).send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('with an explicit deny in a resource-based policy'),
    })
  })
})

describe('another account', () => {
  test('needs both: the key policy, and its own IAM', async () => {
    const world = await people()
    const { Arn } = await world.make({ Policy: policy(delegating, { Principal: { AWS: STRANGER } }) })
    const { client, at, who } = world
    const { CreateUserCommand, CreateAccessKeyCommand, PutUserPolicyCommand } = await import('@aws-sdk/client-iam')
    const iam = client(IAMClient, who.stranger)
    await iam.send(new CreateUserCommand({ UserName: 'eve' }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'eve' }))
    const eve: Keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }

    await expect(at(eve).send(new EncryptCommand({ KeyId: Arn, Plaintext }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    await iam.send(
      new PutUserPolicyCommand({
        UserName: 'eve',
        PolicyName: 'p',
        PolicyDocument: may(['kms:Encrypt', 'kms:Decrypt']),
      }),
    )
    const { CiphertextBlob } = await at(eve).send(new EncryptCommand({ KeyId: Arn, Plaintext }))
    expect((await at(eve).send(new DecryptCommand({ CiphertextBlob }))).KeyId).toBe(Arn)
  })
  test('is recorded on both sides, and each account sees only its own', async () => {
    const { make, at, who, client } = await people()
    const { Arn } = await make({ Policy: policy(delegating, { Principal: { AWS: STRANGER }, Action: 'kms:Encrypt' }) })
    const { CiphertextBlob } = await at(who.stranger).send(new EncryptCommand({ KeyId: Arn, Plaintext }))
    await expect(at(who.stranger).send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    const told = async (keys: Keys, AttributeValue: string) =>
      (
        await client(CloudTrailClient, keys).send(
          new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue }] }),
        )
      ).Events!.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent!))

    const [[theirs], [ours]] = [await told(who.stranger, 'Encrypt'), await told(who.root, 'Encrypt')]
    expect(theirs).toMatchObject({ recipientAccountId: OTHER_ACCOUNT, resources: [{ ARN: Arn, accountId: ACCOUNT }] })
    expect(ours).toMatchObject({
      recipientAccountId: ACCOUNT,
      sharedEventID: theirs.sharedEventID,
      userIdentity: { type: 'AWSAccount', accountId: OTHER_ACCOUNT },
      resources: [{ ARN: Arn }],
    })
    expect(ours.eventID).not.toBe(theirs.eventID)

    const [[denied], [seen]] = [await told(who.stranger, 'Decrypt'), await told(who.root, 'Decrypt')]
    expect(denied.errorCode).toBe('AccessDenied')
    expect(JSON.stringify(denied)).not.toContain(Arn)
    expect(seen).toMatchObject({ errorCode: 'AccessDenied', resources: [{ ARN: Arn }] })
  })
  test('cannot distinguish a ciphertext of a key it may not use from one of no key', async () => {
    const { make, kms, at, who } = await people()
    const { KeyId } = await make()
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    const unknown = Buffer.from(CiphertextBlob!)
    unknown[10]! ^= 1

    const answers = await Promise.all(
      [CiphertextBlob!, unknown].map((blob) =>
        at(who.stranger)
          .send(new DecryptCommand({ CiphertextBlob: blob }))
          .then(() => 'opened')
          .catch((error: Error) => `${error.name}: ${error.message}`),
      ),
    )
    expect(answers[0]).toBe(answers[1])
    expect(answers[0]).toMatch(/^AccessDeniedException: The ciphertext refers to a customer master key/)
  })
  test('does not manage a key, whatever its policy says', async () => {
    const { make, at, who } = await people()
    const { Arn } = await make({ Policy: policy(delegating, { Principal: { AWS: STRANGER } }) })

    await expect(at(who.stranger).send(new DisableKeyCommand({ KeyId: Arn }))).rejects.toMatchObject({
      name: 'NotFoundException',
    })
  })
})

describe('conditions', () => {
  const asEncrypt = (more: object = {}) => new EncryptCommand({ KeyId: 'alias/app', Plaintext, ...more })
  test.each<[string, object, () => EncryptCommand, boolean]>([
    [
      'the encryption context, matching',
      { StringEquals: { 'kms:EncryptionContext:app': 'web' } },
      () => asEncrypt({ EncryptionContext: { app: 'web' } }),
      true,
    ],
    [
      'the encryption context, other',
      { StringEquals: { 'kms:EncryptionContext:app': 'web' } },
      () => asEncrypt({ EncryptionContext: { app: 'db' } }),
      false,
    ],
    [
      'the encryption context, missing',
      { StringEquals: { 'kms:EncryptionContext:app': 'web' } },
      () => asEncrypt(),
      false,
    ],
    [
      'pairs that differ only by case',
      { StringEquals: { 'kms:EncryptionContext:app': 'web' } },
      () => asEncrypt({ EncryptionContext: { APP: 'db', app: 'web' } }),
      false,
    ],
    [
      'the context keys',
      {
        'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['app'] },
        Null: { 'kms:EncryptionContextKeys': 'false' },
      },
      () => asEncrypt({ EncryptionContext: { app: 'x' } }),
      true,
    ],
    [
      'the context keys, more',
      { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['app'] } },
      () => asEncrypt({ EncryptionContext: { app: 'x', db: 'y' } }),
      false,
    ],
    ['the alias of the request', { StringEquals: { 'kms:RequestAlias': 'alias/app' } }, () => asEncrypt(), true],
    ['another alias of the request', { StringEquals: { 'kms:RequestAlias': 'alias/other' } }, () => asEncrypt(), false],
    [
      'the aliases of the key',
      { 'ForAnyValue:StringLike': { 'kms:ResourceAliases': 'alias/a*' } },
      () => asEncrypt(),
      true,
    ],
    ['the spec of the key', { StringEquals: { 'kms:KeySpec': 'RSA_2048' } }, () => asEncrypt(), false],
    [
      'the usage of the key',
      { StringEquals: { 'kms:KeyUsage': 'ENCRYPT_DECRYPT', 'kms:KeyOrigin': 'AWS_KMS', 'kms:MultiRegion': 'false' } },
      () => asEncrypt(),
      true,
    ],
    ['the tag of the key', { StringEquals: { 'aws:ResourceTag/team': 'blue' } }, () => asEncrypt(), true],
    ['another tag', { StringEquals: { 'aws:ResourceTag/team': 'red' } }, () => asEncrypt(), false],
    [
      'the algorithm',
      { StringEquals: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' } },
      () => asEncrypt({ EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }),
      true,
    ],
    [
      'a service between',
      { StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' } },
      () => asEncrypt(),
      false,
    ],
    [
      'the algorithm, left to its default',
      { StringEquals: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' } },
      () => asEncrypt(),
      true,
    ],
    ['the account of the caller', { StringEquals: { 'kms:CallerAccount': ACCOUNT } }, () => asEncrypt(), true],
  ])('%s', async (_what, Condition, command, allowed) => {
    const { make, kms, at, who } = await people(may('kms:Encrypt', { Condition }))
    const { KeyId } = await make({ Tags: [{ TagKey: 'team', TagValue: 'blue' }] })
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: KeyId }))
    const asked = at(who.ann).send(command())

    if (allowed) await expect(asked).resolves.toMatchObject({ EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
    else await expect(asked).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
  test.each([
    [7, 'AccessDeniedException'],
    [14, undefined],
  ])('the window of a deletion: %i days', async (PendingWindowInDays, refusal) => {
    const Condition = { NumericGreaterThanEquals: { 'kms:ScheduleKeyDeletionPendingWindowInDays': '10' } }
    const { make, at, who } = await people(may('kms:ScheduleKeyDeletion', { Condition }))
    const { KeyId } = await make()
    const asked = at(who.ann).send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays }))

    if (refusal) await expect(asked).rejects.toMatchObject({ name: refusal })
    else await expect(asked).resolves.toMatchObject({ PendingWindowInDays })
  })
  test('what a key may be made as', async () => {
    const Condition = { StringEquals: { 'kms:KeySpec': 'ECC_NIST_P256' } }
    const { at, who } = await people(may('kms:CreateKey', { Condition }))
    const KeyUsage = 'SIGN_VERIFY'

    await at(who.ann).send(new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage }))
    for (const input of [{}, { KeySpec: 'RSA_2048', KeyUsage } as const]) {
      await expect(at(who.ann).send(new CreateKeyCommand(input))).rejects.toMatchObject({
        name: 'AccessDeniedException',
      })
    }
    await expect(
      at(who.ann).send(
        new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage, Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
      ),
    ).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('kms:TagResource'),
    })
  })
  test('how a signature is made', async () => {
    const Condition = { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256', 'kms:MessageType': 'DIGEST' } }
    const { make, at, who } = await people(may('kms:Sign', { Condition }))
    const { KeyId } = await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
    const ask = (MessageType: 'RAW' | 'DIGEST') =>
      at(who.ann).send(
        new SignCommand({ KeyId, SigningAlgorithm: 'ECDSA_SHA_256', MessageType, Message: Buffer.alloc(32) }),
      )

    await expect(ask('DIGEST')).resolves.toHaveProperty('Signature')
    await expect(ask('RAW')).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
  test('what a request leaves to its default counts as said', async () => {
    const symmetric = { StringEquals: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' } }
    const raw = { StringEquals: { 'kms:MessageType': 'RAW' } }
    const { make, at, who } = await people(
      allowing(
        { Action: 'kms:GenerateDataKey', Resource: '*', Condition: symmetric },
        { Action: 'kms:Sign', Resource: '*', Condition: raw },
      ),
    )
    const [{ KeyId }, signing] = [await make(), await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })]
    const sign = (MessageType?: 'DIGEST') =>
      at(who.ann).send(
        new SignCommand({
          KeyId: signing.KeyId,
          SigningAlgorithm: 'ECDSA_SHA_256',
          Message: Buffer.alloc(32),
          MessageType,
        }),
      )

    await expect(at(who.ann).send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))).resolves.toBeDefined()
    await expect(sign()).resolves.toHaveProperty('Signature')
    await expect(sign('DIGEST')).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
})

test('a limit on days binds a request that names none, by the days that apply then', async () => {
  const { make, kms, at, who, permit } = await people()
  const { KeyId } = await make()
  const ann = at(who.ann)
  const limited = (condition: object) =>
    allowing(
      { Action: 'kms:*', Resource: '*' },
      { Effect: 'Deny', Action: 'kms:*', Resource: '*', Condition: condition },
    )
  const denied = { name: 'AccessDeniedException' }

  await permit('ann', limited({ NumericGreaterThan: { 'kms:RotationPeriodInDays': '180' } }))
  await expect(ann.send(new EnableKeyRotationCommand({ KeyId }))).rejects.toMatchObject(denied)
  await expect(ann.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 180 }))).resolves.toBeDefined()
  // On already, it stays as it is.
  await expect(ann.send(new EnableKeyRotationCommand({ KeyId }))).resolves.toBeDefined()
  expect((await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).RotationPeriodInDays).toBe(180)

  await permit('ann', limited({ NumericGreaterThan: { 'kms:ScheduleKeyDeletionPendingWindowInDays': '14' } }))
  await expect(ann.send(new ScheduleKeyDeletionCommand({ KeyId }))).rejects.toMatchObject(denied)
  await expect(ann.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 14 }))).resolves.toBeDefined()
})

test('a key policy is put by a caller that may only while the check against lock-outs holds', async () => {
  const held = { Condition: { Bool: { 'kms:BypassPolicyLockoutSafetyCheck': 'false' } } }
  const { make, at, who } = await people(may(['kms:PutKeyPolicy', 'kms:CreateKey'], held))
  const { KeyId } = await make()
  const put = { KeyId, Policy: policy(delegating) }

  await expect(at(who.ann).send(new PutKeyPolicyCommand(put))).resolves.toBeDefined()
  await expect(at(who.ann).send(new CreateKeyCommand({}))).resolves.toBeDefined()
  await expect(
    at(who.ann).send(new PutKeyPolicyCommand({ ...put, BypassPolicyLockoutSafetyCheck: true })),
  ).rejects.toMatchObject({ name: 'AccessDeniedException' })
})

test('to which services a grant may give, and which of them may end it', async () => {
  const { make, at, who, permit } = await people()
  const { KeyId } = await make()
  const ask = (GranteeServicePrincipal: string, RetiringServicePrincipal: string, SourceArn: string) =>
    at(who.ann).send(
      new CreateGrantCommand({
        KeyId,
        GranteeServicePrincipal,
        RetiringServicePrincipal,
        Operations: ['Encrypt'],
        Constraints: { SourceArn },
      }),
    )
  const [logs, s3] = ['logs.amazonaws.com', 's3.amazonaws.com']
  const bucket = 'arn:aws:s3:::b'

  for (const condition of [
    { StringEquals: { 'kms:GranteeServicePrincipal': logs } },
    { StringEquals: { 'kms:RetiringServicePrincipal': logs } },
    { ArnEquals: { 'kms:GrantConstraintSourceArn': bucket } },
  ]) {
    await permit('ann', may('kms:CreateGrant', { Condition: condition }))
    await expect(ask(logs, logs, bucket)).resolves.toHaveProperty('GrantId')
    await expect(ask(s3, s3, `${bucket}c`)).rejects.toMatchObject({ name: 'AccessDeniedException' })
  }
})

test('what a grant may be bound to: its constraint is the encryption context that policies evaluate', async () => {
  const { make, at, who, permit } = await people()
  const { KeyId } = await make()
  const ask = (Constraints?: GrantConstraints) =>
    at(who.ann).send(new CreateGrantCommand({ KeyId, GranteePrincipal: ROOT, Operations: ['Encrypt'], Constraints }))
  const denied = { name: 'AccessDeniedException' }

  await permit('ann', may('kms:CreateGrant', { Condition: { StringEquals: { 'kms:EncryptionContext:app': 'x' } } }))
  await expect(ask()).rejects.toMatchObject(denied)
  await expect(ask({ EncryptionContextSubset: { app: 'y' } })).rejects.toMatchObject(denied)
  await expect(ask({ EncryptionContextSubset: { app: 'x' } })).resolves.toHaveProperty('GrantId')
  await expect(ask({ EncryptionContextEquals: { app: 'x', b: '1' } })).resolves.toHaveProperty('GrantId')

  const bound = (type: string) =>
    may('kms:CreateGrant', { Condition: { StringEquals: { 'kms:GrantConstraintType': type } } })
  const both = { EncryptionContextEquals: {}, EncryptionContextSubset: { app: 'x' } }
  await permit('ann', bound('EncryptionContextEquals'))
  await expect(ask(both)).rejects.toMatchObject(denied)
  await permit('ann', bound('EncryptionContextSubset'))
  await expect(ask(both)).resolves.toHaveProperty('GrantId')
})

test('to re-encrypt one needs the one permission on the first key and the other on the second', async () => {
  const { make, kms, at, who, permit } = await people()
  const [from, to] = [await make(), await make()]
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: from.KeyId, Plaintext }))
  const ask = () => at(who.ann).send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: to.Arn }))

  await permit('ann', allowing({ Action: 'kms:ReEncryptFrom', Resource: from.Arn }))
  await expect(ask()).rejects.toMatchObject({ message: expect.stringContaining('kms:ReEncryptTo') })
  await permit('ann', allowing({ Action: 'kms:ReEncryptTo', Resource: to.Arn }))
  await expect(ask()).rejects.toMatchObject({ name: 'AccessDeniedException' })
  await permit(
    'ann',
    allowing({ Action: 'kms:ReEncryptFrom', Resource: from.Arn }, { Action: 'kms:ReEncryptTo', Resource: to.Arn }),
  )
  await expect(ask()).resolves.toMatchObject({ KeyId: to.Arn })
})

test('kms:ReEncryptOnSameKey means the key, whatever the alias that names it is called in another account', async () => {
  const { make, kms, at, who } = await people()
  const [source, other] = [await make(), await make()]
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: source.KeyId }))
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: source.KeyId, Plaintext }))
  const same: Said = { Action: 'kms:ReEncrypt*', Condition: { Bool: { 'kms:ReEncryptOnSameKey': 'true' } } }
  const Policy = policy(delegating, { ...same, Principal: { AWS: STRANGER } })
  await kms.send(new PutKeyPolicyCommand({ KeyId: source.KeyId, Policy }))

  const stranger = at(who.stranger)
  const theirs = (await stranger.send(new CreateKeyCommand({}))).KeyMetadata!
  await stranger.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: theirs.KeyId }))
  const to = (DestinationKeyId: string) => stranger.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId }))
  await expect(to('alias/app')).rejects.toMatchObject({ name: 'AccessDeniedException' })
  await expect(to(`arn:aws:kms:us-east-1:${OTHER_ACCOUNT}:alias/app`)).rejects.toMatchObject({
    name: 'AccessDeniedException',
  })
  await expect(to(other.Arn!)).rejects.toMatchObject({ name: 'AccessDeniedException' })
  for (const named of [source.Arn!, `arn:aws:kms:us-east-1:${ACCOUNT}:alias/app`]) {
    await expect(to(named)).resolves.toMatchObject({ KeyId: source.Arn })
  }
})

test("direct calls on grants can be distinguished from a service's calls: their creation, their end and their list", async () => {
  const { make, kms, at, who, permit } = await people()
  const { KeyId } = await make()
  const { GrantId } = await kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: ROOT, Operations: ['Encrypt'] }))
  const byHand = { Condition: { Bool: { 'kms:GrantIsForAWSResource': 'false' } } }
  const ann = at(who.ann)
  const all = [
    () => ann.send(new CreateGrantCommand({ KeyId, GranteePrincipal: ROOT, Operations: ['Encrypt'] })),
    () => ann.send(new ListGrantsCommand({ KeyId })),
    () => ann.send(new RevokeGrantCommand({ KeyId, GrantId })),
  ]

  const named = ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant']
  await permit(
    'ann',
    allowing({ Action: 'kms:*', Resource: '*' }, { Effect: 'Deny', Action: named, Resource: '*', ...byHand }),
  )
  for (const ask of all) await expect(ask()).rejects.toMatchObject({ name: 'AccessDeniedException' })
  await permit('ann', may(named, byHand))
  for (const ask of all) await expect(ask()).resolves.toBeDefined()
})

test('bad input is recorded with the code of the response', async () => {
  const { make, kms, client } = await people()
  const { KeyId } = await make()
  const name = 'ValidationException'
  await expect(kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 6 }))).rejects.toMatchObject({
    name,
  })

  const { Events } = await client(CloudTrailClient).send(
    new LookupEventsCommand({
      LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'ScheduleKeyDeletion' }],
    }),
  )
  expect(JSON.parse(Events![0]!.CloudTrailEvent!)).toMatchObject({ errorCode: name })
})

test('what is done to the names of a key, and to its grants, is recorded under the key', async () => {
  const { make, kms, client } = await people()
  const [first, second] = [await make(), await make()]
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: first.KeyId }))
  await kms.send(new UpdateAliasCommand({ AliasName: 'alias/app', TargetKeyId: second.KeyId }))
  await kms.send(new DeleteAliasCommand({ AliasName: 'alias/app' }))
  const asked = { KeyId: first.KeyId, GranteePrincipal: ROOT, Operations: ['Encrypt' as const] }
  const { GrantToken, GrantId } = await kms.send(new CreateGrantCommand(asked))
  await kms.send(new RetireGrantCommand({ GrantToken }))

  const told = async (AttributeValue = '') =>
    (await client(CloudTrailClient).send(
      new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue }] }),
    ))!.Events!.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent!))
  const names = (events: { eventName: string }[]) => events.map(({ eventName }) => eventName)
  const [retired, ...others] = await told(first.Arn)
  expect(retired).toMatchObject({ eventName: 'RetireGrant', additionalEventData: { grantId: GrantId } })
  expect(names(others)).toEqual(['CreateGrant', 'UpdateAlias', 'CreateAlias', 'CreateKey'])
  expect(names(await told(second.Arn))).toEqual(['DeleteAlias', 'UpdateAlias', 'CreateKey'])
})

test('events name the key by its ARN where the answer does not', async () => {
  const { make, kms, client } = await people()
  const [{ KeyId, Arn }, other] = [await make(), await make()]
  const asked = { KeyId, GranteePrincipal: ROOT, Operations: ['Encrypt' as const] }
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: KeyId }))
  await kms.send(new UpdateAliasCommand({ AliasName: 'alias/app', TargetKeyId: other.KeyId }))
  await kms.send(new DeleteAliasCommand({ AliasName: 'alias/app' }))
  const { GrantId } = await kms.send(new CreateGrantCommand(asked))
  await kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
  await kms.send(new EnableKeyRotationCommand({ KeyId }))
  await kms.send(new DisableKeyRotationCommand({ KeyId }))
  await kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'team', TagValue: 'blue' }] }))
  await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['team'] }))
  await kms.send(new DisableKeyCommand({ KeyId }))
  await kms.send(new EnableKeyCommand({ KeyId }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId }))
  await kms.send(new CancelKeyDeletionCommand({ KeyId }))
  await expect(kms.send(new EnableKeyRotationCommand({ KeyId }))).rejects.toThrow()

  const told = async (eventName: string) => {
    const { Events } = await client(CloudTrailClient).send(
      new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: eventName }] }),
    )
    return Events!.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent!).responseElements)
  }
  const named = { keyId: Arn }
  expect(await told('CreateAlias')).toEqual([named])
  for (const eventName of ['UpdateAlias', 'DeleteAlias']) expect(await told(eventName)).toEqual([{ keyId: other.Arn }])
  expect(await told('CreateGrant')).toEqual([expect.objectContaining({ grantId: GrantId, ...named })])
  // A refused call has no answer.
  expect(await told('EnableKeyRotation')).toEqual([null, named])
  for (const eventName of ['DisableKeyRotation', 'UntagResource', 'DisableKey', 'EnableKey', 'CancelKeyDeletion'])
    expect(await told(eventName), eventName).toEqual([named])
  for (const eventName of ['TagResource', 'RevokeGrant']) expect(await told(eventName), eventName).toEqual([null])
})

test('an alias needs permission on itself and on its key', async () => {
  const { make, at, who, permit } = await people()
  const { KeyId, Arn } = await make()
  const alias = `arn:aws:kms:us-east-1:${ACCOUNT}:alias/app`
  const ask = () => at(who.ann).send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: KeyId }))

  for (const Resource of [alias, Arn]) {
    await permit('ann', allowing({ Action: 'kms:CreateAlias', Resource }))
    await expect(ask()).rejects.toMatchObject({ name: 'AccessDeniedException' })
  }
  await permit('ann', allowing({ Action: 'kms:CreateAlias', Resource: [alias, Arn] }))
  await expect(ask()).resolves.toBeDefined()
})

describe('a service on behalf of its caller', () => {
  /** By its whole name, and before it exists. */
  const MANAGED = `arn:aws:kms:us-east-1:${ACCOUNT}:alias/aws/secretsmanager`
  const withSecrets = { services: [...services.filter((each) => each !== secretsmanager), secretsmanager] }

  test('uses a key of its own, created on first use, which has no other use and no other manager', async () => {
    const { kms, client, root, user, at } = await desk(withSecrets)
    expect((await kms.send(new ListKeysCommand({}))).Keys).toEqual([])
    const secrets = client(SecretsManagerClient, root)
    await secrets.send(new CreateSecretCommand({ Name: 's', SecretString: 'hunter2' }))
    await secrets.send(new CreateSecretCommand({ Name: 't', SecretString: 'hunter3' }))

    const { Aliases } = await kms.send(new ListAliasesCommand({}))
    expect(Aliases).toMatchObject([{ AliasName: 'alias/aws/secretsmanager' }])
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/secretsmanager' }))
    expect(KeyMetadata).toMatchObject({ KeyManager: 'AWS', KeyState: 'Enabled' })

    const KeyId = KeyMetadata!.KeyId
    for (const refused of [
      new EncryptCommand({ KeyId, Plaintext }),
      new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }),
    ]) {
      await expect(kms.send(refused as EncryptCommand)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    }
    for (const refused of [
      new DisableKeyCommand({ KeyId }),
      new ScheduleKeyDeletionCommand({ KeyId }),
      new PutKeyPolicyCommand({ KeyId, Policy: policy(delegating) }),
    ]) {
      await expect(kms.send(refused as DisableKeyCommand)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    }
    // A caller of Secrets Manager needs no permission in KMS.
    const ann = await user('ann', may('secretsmanager:*'))
    const { SecretString } = await client(SecretsManagerClient, ann).send(new GetSecretValueCommand({ SecretId: 's' }))
    expect(SecretString).toBe('hunter2')
    await expect(at(ann).send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
  })
  test('KMS 7: uses a key that only Merlon rotates, each year', async () => {
    const world = await desk(withSecrets)
    const secrets = () => world.client(SecretsManagerClient, world.root)
    await secrets().send(new CreateSecretCommand({ Name: 's', SecretString: 'hunter2', KmsKeyId: MANAGED }))
    const { KeyMetadata } = await world.kms.send(new DescribeKeyCommand({ KeyId: MANAGED }))
    const KeyId = KeyMetadata!.KeyId
    const status = await world.kms.send(new GetKeyRotationStatusCommand({ KeyId }))
    expect(status).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 365 })
    for (const refused of [
      new RotateKeyOnDemandCommand({ KeyId }),
      new DisableKeyRotationCommand({ KeyId }),
      new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }),
      new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
    ]) {
      await expect(world.kms.send(refused as RotateKeyOnDemandCommand)).rejects.toMatchObject({
        name: 'AccessDeniedException',
      })
    }

    await world.pass(366 * DAY_MS)

    const { Rotations } = await world.at().send(new ListKeyRotationsCommand({ KeyId }))
    expect(Rotations).toMatchObject([{ RotationType: 'AUTOMATIC', KeyMaterialState: 'CURRENT' }])
    const now = await world.at().send(new DescribeKeyCommand({ KeyId }))
    expect(now.KeyMetadata!.CurrentKeyMaterialId).not.toBe(KeyMetadata!.CurrentKeyMaterialId)
    expect((await secrets().send(new GetSecretValueCommand({ SecretId: 's' }))).SecretString).toBe('hunter2')
  })
  test('is authorized for its caller: via the service, and with the context that names the secret', async () => {
    const { make, client, user, kms } = await desk(withSecrets)
    const { KeyId, Arn } = await make()
    const Condition = {
      StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' },
      StringLike: { 'kms:EncryptionContext:SecretARN': '*:secret:allowed-*' },
    }
    const ann = await user(
      'ann',
      allowing(
        { Action: 'secretsmanager:*', Resource: '*' },
        { Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: Arn, Condition },
      ),
    )
    const create = (Name: string) =>
      client(SecretsManagerClient, ann).send(new CreateSecretCommand({ Name, SecretString: 'x', KmsKeyId: KeyId }))

    await create('allowed')
    await expect(create('other')).rejects.toMatchObject({ message: 'Access to KMS is not allowed' })
    await kms.send(new DisableKeyCommand({ KeyId }))
    await expect(create('allowed-too')).rejects.toMatchObject({ name: expect.stringMatching(/EncryptionFailure/) })
  })
  test('leaves an event of its own, in the commit of its caller', async () => {
    const { client, root } = await desk(withSecrets)
    await client(SecretsManagerClient, root).send(new CreateSecretCommand({ Name: 's', SecretString: 'x' }))
    const { Events } = await client(CloudTrailClient, root).send(
      new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'GenerateDataKey' }] }),
    )

    const told = JSON.parse(Events![0]!.CloudTrailEvent!)
    expect(told).toMatchObject({
      eventSource: 'kms.amazonaws.com',
      sourceIPAddress: 'secretsmanager.amazonaws.com',
      userAgent: 'secretsmanager.amazonaws.com',
      requestParameters: { encryptionContext: { SecretARN: expect.stringContaining(':secret:s-') } },
      additionalEventData: { keyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    expect(told).toMatchObject({ readOnly: true, responseElements: null })
  })
})
