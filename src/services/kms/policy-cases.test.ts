/** KMS §6.9: sixty cases of who may use a key: other accounts, services between, aliases in the request, lock-outs. */
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  type KMSClient,
  ListKeyRotationsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, type Keys, keysOf, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { desk } from './desk.fixture.ts'

const ROOT = `arn:aws:iam::${ACCOUNT}:root`
const ANN = `arn:aws:iam::${ACCOUNT}:user/ann`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/worker`
const STRANGER = `arn:aws:iam::${OTHER_ACCOUNT}:root`
const EVE = `arn:aws:iam::${OTHER_ACCOUNT}:user/eve`
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
const ours: Said = { Principal: { AWS: ROOT } }
const theirs: Said = { Principal: { AWS: STRANGER } }
const may = (Action: string | readonly string[], Condition?: object) =>
  allowing({ Action, Resource: '*', ...(Condition && { Condition }) })

/** The outcome in one word. */
const outcome = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'ok',
    ({ name }: Error) => name,
  )
const DENIED = 'AccessDeniedException'

describe('KMS 9, another account', () => {
  /** Eve, a user of the other account, with these permissions of her own. */
  async function world(Policy: string, own?: string) {
    const it = await desk()
    const key = await it.make({ Policy, BypassPolicyLockoutSafetyCheck: true })
    const iam = it.client(IAMClient, await it.account())
    await iam.send(new CreateUserCommand({ UserName: 'eve' }))
    if (own) await iam.send(new PutUserPolicyCommand({ UserName: 'eve', PolicyName: 'own', PolicyDocument: own }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'eve' }))
    const keys: Keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
    return { ...it, KeyId: key.Arn!, eve: it.at(keys) }
  }
  const encrypt = (kms: KMSClient, KeyId: string) => kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const describeKey = (kms: KMSClient, KeyId: string) => kms.send(new DescribeKeyCommand({ KeyId }))
  const byContext = { StringEquals: { 'kms:EncryptionContext:app': 'web' } }

  test.each<[string, string, string | undefined, (kms: KMSClient, KeyId: string) => Promise<unknown>, string]>([
    ['both sides allow', policy(ours, theirs), may('kms:Encrypt'), encrypt, 'ok'],
    ['only the key allows', policy(ours, theirs), undefined, encrypt, DENIED],
    ['only IAM allows', policy(ours), may('kms:*'), encrypt, DENIED],
    ['the key names the user, IAM nothing', policy({ Principal: { AWS: EVE } }), undefined, encrypt, DENIED],
    ['the key names the user, and IAM allows', policy({ Principal: { AWS: EVE } }), may('kms:Encrypt'), encrypt, 'ok'],
    ['the key allows another action', policy({ ...theirs, Action: 'kms:Decrypt' }), may('kms:*'), encrypt, DENIED],
    ['IAM allows another action', policy(theirs), may('kms:Decrypt'), encrypt, DENIED],
    [
      'the key denies the user',
      policy(theirs, { Effect: 'Deny', Principal: { AWS: EVE } }),
      may('kms:*'),
      encrypt,
      DENIED,
    ],
    [
      'the key allows its own account only',
      policy({ Principal: '*', Condition: { StringEquals: { 'kms:CallerAccount': ACCOUNT } } }),
      may('kms:*'),
      encrypt,
      DENIED,
    ],
    [
      'the key allows the account of the caller by condition',
      policy({ Principal: '*', Condition: { StringEquals: { 'kms:CallerAccount': OTHER_ACCOUNT } } }),
      may('kms:Encrypt'),
      encrypt,
      'ok',
    ],
    ['all principals are allowed, and IAM allows', policy({ Principal: '*' }), may('kms:Encrypt'), encrypt, 'ok'],
    ['all principals are allowed, and IAM does not', policy({ Principal: '*' }), undefined, encrypt, DENIED],
    ['a description', policy(theirs), may('kms:DescribeKey'), describeKey, 'ok'],
    ['a description without permission', policy(ours), may('kms:DescribeKey'), describeKey, DENIED],
    [
      'changing the description, which stays in the account',
      policy(ours, theirs),
      may('kms:*'),
      (kms, KeyId) => kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'mine' })),
      'NotFoundException',
    ],
    [
      'the list of rotations, which stays in the account',
      policy(ours, theirs),
      may('kms:*'),
      (kms, KeyId) => kms.send(new ListKeyRotationsCommand({ KeyId })),
      'NotFoundException',
    ],
    [
      'a grant made from there',
      policy(theirs),
      may('kms:CreateGrant'),
      (kms, KeyId) => kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: EVE, Operations: ['Encrypt'] })),
      'ok',
    ],
    [
      'a context that the key requires',
      policy({ ...theirs, Condition: byContext }),
      may('kms:Encrypt'),
      (kms, KeyId) => kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: { app: 'web' } })),
      'ok',
    ],
    [
      'a context that the key does not require',
      policy({ ...theirs, Condition: byContext }),
      may('kms:Encrypt'),
      (kms, KeyId) => kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: { app: 'db' } })),
      DENIED,
    ],
  ])('%s', async (_what, text, own, ask, expected) => {
    const { KeyId, eve, kms } = await world(text, own)

    expect(await outcome(ask(eve, KeyId))).toBe(expected)
    if (expected === 'NotFoundException')
      expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.Description).toBe('')
  })
})

describe('KMS 9, a service between', () => {
  const VIA = 'secretsmanager.us-east-1.amazonaws.com'
  const via = (service: string, operator = 'StringEquals') => ({ [operator]: { 'kms:ViaService': service } })
  const uses = ['kms:GenerateDataKey', 'kms:Decrypt']
  const secrets = { Action: 'secretsmanager:*', Resource: '*' }
  const directly = (kms: KMSClient, KeyId: string) =>
    kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
  type Ask = 'directly' | 'through'

  test.each<[string, Ask, Said, object | undefined, string]>([
    ['the key requires the service', 'through', { Principal: { AWS: ANN }, Condition: via(VIA) }, undefined, 'ok'],
    ['the key requires the service', 'directly', { Principal: { AWS: ANN }, Condition: via(VIA) }, undefined, DENIED],
    [
      'the key requires another service',
      'through',
      { Principal: { AWS: ANN }, Condition: via('s3.us-east-1.amazonaws.com') },
      undefined,
      DENIED,
    ],
    [
      'the key requires the service of another Region',
      'through',
      { Principal: { AWS: ANN }, Condition: via('secretsmanager.eu-west-1.amazonaws.com') },
      undefined,
      DENIED,
    ],
    [
      'the key requires a pattern of services',
      'through',
      { Principal: { AWS: ANN }, Condition: via('secretsmanager.*.amazonaws.com', 'StringLike') },
      undefined,
      'ok',
    ],
    [
      'the key requires that no service comes between',
      'directly',
      { Principal: { AWS: ANN }, Condition: { Null: { 'kms:ViaService': 'true' } } },
      undefined,
      'ok',
    ],
    [
      'the key requires that no service comes between',
      'through',
      { Principal: { AWS: ANN }, Condition: { Null: { 'kms:ViaService': 'true' } } },
      undefined,
      DENIED,
    ],
    [
      'the key denies the service',
      'through',
      { Effect: 'Deny', Principal: '*', Condition: via(VIA) },
      { Action: uses, Resource: '*' },
      DENIED,
    ],
    [
      'the key denies the service',
      'directly',
      { Effect: 'Deny', Principal: '*', Condition: via(VIA) },
      { Action: uses, Resource: '*' },
      'ok',
    ],
    [
      'the key denies all but the service',
      'directly',
      { Effect: 'Deny', Principal: { AWS: ANN }, Condition: via(VIA, 'StringNotEquals') },
      { Action: uses, Resource: '*' },
      DENIED,
    ],
    [
      'the key denies all but the service',
      'through',
      { Effect: 'Deny', Principal: { AWS: ANN }, Condition: via(VIA, 'StringNotEquals') },
      { Action: uses, Resource: '*' },
      'ok',
    ],
    ['IAM requires the service', 'through', ours, { Action: uses, Resource: '*', Condition: via(VIA) }, 'ok'],
    ['IAM requires the service', 'directly', ours, { Action: uses, Resource: '*', Condition: via(VIA) }, DENIED],
    [
      'IAM requires the service and the context that names the secret',
      'through',
      ours,
      {
        Action: uses,
        Resource: '*',
        Condition: { ...via(VIA), StringLike: { 'kms:EncryptionContext:SecretARN': '*:secret:app-*' } },
      },
      'ok',
    ],
    [
      'IAM requires the context of another secret',
      'through',
      ours,
      {
        Action: uses,
        Resource: '*',
        Condition: { ...via(VIA), StringLike: { 'kms:EncryptionContext:SecretARN': '*:secret:other-*' } },
      },
      DENIED,
    ],
  ])('%s, and it comes %s', async (_what, ask, said, own, expected) => {
    const it = await desk()
    const ann = await it.user('ann', allowing(secrets, ...(own ? [own] : [])))
    const { Arn: KeyId } = await it.make({ Policy: policy(ours, said) })
    const sm = it.client(SecretsManagerClient, ann)
    const through = async () => {
      await sm.send(new CreateSecretCommand({ Name: 'app', SecretString: 'x', KmsKeyId: KeyId }))
      await sm.send(new GetSecretValueCommand({ SecretId: 'app' }))
    }

    expect(await outcome(ask === 'through' ? through() : directly(it.at(ann), KeyId!))).toBe(expected)
  })
})

describe('KMS 9, the alias in the request', () => {
  const ALIAS = 'alias/app'
  const asked = (alias: string, operator = 'StringEquals') => ({ [operator]: { 'kms:RequestAlias': alias } })
  const had = (alias: string, operator: string) => ({ [operator]: { 'kms:ResourceAliases': alias } })
  type Name = 'alias' | 'alias ARN' | 'id' | 'ARN' | 'other alias'

  test.each<[string, Name, object, string]>([
    ['by the alias', 'alias', asked(ALIAS), 'ok'],
    ['by the alias', 'alias ARN', asked(ALIAS), 'ok'],
    ['by the alias', 'id', asked(ALIAS), DENIED],
    ['by the alias', 'ARN', asked(ALIAS), DENIED],
    ['by the alias', 'other alias', asked(ALIAS), DENIED],
    ['by a pattern', 'alias', asked('alias/a*', 'StringLike'), 'ok'],
    ['by a pattern', 'other alias', asked('alias/a*', 'StringLike'), DENIED],
    ['by no alias', 'id', { Null: { 'kms:RequestAlias': 'true' } }, 'ok'],
    ['by no alias', 'alias', { Null: { 'kms:RequestAlias': 'true' } }, DENIED],
    ['whatever name is used, for a key with the alias', 'id', had(ALIAS, 'ForAnyValue:StringEquals'), 'ok'],
    ['whatever name is used, for a key with the alias', 'ARN', had('alias/a*', 'ForAnyValue:StringLike'), 'ok'],
    ['for a key without the alias', 'id', had('alias/none', 'ForAnyValue:StringEquals'), DENIED],
  ])('IAM allows it %s: the key is named by its %s', async (_what, name, Condition, expected) => {
    const { kms, make, at, user } = await desk()
    const { KeyId, Arn } = await make()
    for (const AliasName of [ALIAS, 'alias/other']) {
      await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
    }
    const ann = at(await user('ann', may('kms:Encrypt', Condition)))
    const names = {
      alias: ALIAS,
      'alias ARN': `arn:aws:kms:us-east-1:${ACCOUNT}:${ALIAS}`,
      id: KeyId,
      ARN: Arn,
      'other alias': 'alias/other',
    }

    expect(await outcome(ann.send(new EncryptCommand({ KeyId: names[name], Plaintext })))).toBe(expected)
  })
  test('what is encrypted by an alias opens by it, and moves by it', async () => {
    const { kms, make, at, user } = await desk()
    const [from, to] = [await make(), await make()]
    await kms.send(new CreateAliasCommand({ AliasName: ALIAS, TargetKeyId: from.KeyId }))
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/to', TargetKeyId: to.KeyId }))
    const uses = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*']
    const ann = at(await user('ann', may(uses, asked('alias/*', 'StringLike'))))
    const { CiphertextBlob } = await ann.send(new EncryptCommand({ KeyId: ALIAS, Plaintext }))
    const move = (SourceKeyId: string | undefined, DestinationKeyId: string | undefined) =>
      outcome(ann.send(new ReEncryptCommand({ CiphertextBlob, SourceKeyId, DestinationKeyId })))

    expect(await outcome(ann.send(new DecryptCommand({ CiphertextBlob, KeyId: ALIAS })))).toBe('ok')
    expect(await outcome(ann.send(new DecryptCommand({ CiphertextBlob })))).toBe(DENIED)
    expect(await move(ALIAS, 'alias/to')).toBe('ok')
    expect(await move(ALIAS, to.Arn)).toBe(DENIED)
    expect(await move(undefined, 'alias/to')).toBe(DENIED)
  })
})

describe('KMS 9, a policy that would lock out', () => {
  const LOCKED = 'MalformedPolicyDocumentException'
  type Who = 'root' | 'ann' | 'worker'

  test.each<[string, Who, readonly Said[], boolean, string]>([
    ['delegates to the account', 'root', [ours], false, 'ok'],
    ['delegates to the account', 'ann', [ours], false, 'ok'],
    ['delegates to the account', 'worker', [ours], false, 'ok'],
    ['names the user alone', 'ann', [{ Principal: { AWS: ANN } }], false, 'ok'],
    ['names the user alone', 'root', [{ Principal: { AWS: ANN } }], false, LOCKED],
    ['names the user alone', 'root', [{ Principal: { AWS: ANN } }], true, 'ok'],
    ['names the role alone', 'worker', [{ Principal: { AWS: ROLE } }], false, 'ok'],
    ['names the role alone', 'ann', [{ Principal: { AWS: ROLE } }], false, LOCKED],
    ['delegates uses only', 'root', [{ ...ours, Action: ['kms:Encrypt', 'kms:Decrypt'] }], false, LOCKED],
    ['delegates policies only', 'root', [{ ...ours, Action: 'kms:PutKeyPolicy' }], false, 'ok'],
    [
      'denies the change of policies to all principals',
      'root',
      [ours, { Effect: 'Deny', Principal: '*', Action: 'kms:PutKeyPolicy' }],
      false,
      LOCKED,
    ],
    [
      'denies the change of policies to another principal',
      'root',
      [ours, { Effect: 'Deny', Principal: { AWS: ANN }, Action: 'kms:PutKeyPolicy' }],
      false,
      'ok',
    ],
    ['names another account alone', 'root', [theirs], false, LOCKED],
    [
      'delegates to the account when the caller is another one',
      'root',
      [{ ...ours, Condition: { StringEquals: { 'kms:CallerAccount': OTHER_ACCOUNT } } }],
      false,
      LOCKED,
    ],
    [
      'delegates to the account when the caller is of it',
      'root',
      [{ ...ours, Condition: { StringEquals: { 'kms:CallerAccount': ACCOUNT } } }],
      false,
      'ok',
    ],
  ])('%s, and %s puts it: %#', async (_what, who, statements, bypass, expected) => {
    const it = await desk()
    const ann = await it.user('ann', may(['kms:*', 'sts:AssumeRole']))
    const trust = allowing({ Principal: { AWS: ROOT }, Action: 'sts:AssumeRole' })
    await it.client(IAMClient).send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument: trust }))
    const session = keysOf(
      await it.client(STSClient, ann).send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'session' })),
    )
    const before = policy(ours, { Principal: { AWS: ROLE } })
    const { KeyId } = await it.make({ Policy: before })
    const keys = { root: it.root, ann, worker: session }[who]
    const Policy = policy(...statements)

    const put = new PutKeyPolicyCommand({ KeyId, Policy, BypassPolicyLockoutSafetyCheck: bypass })
    expect(await outcome(it.at(keys).send(put))).toBe(expected)

    const readers = [it.root, ann, session].map((each) => it.at(each).send(new GetKeyPolicyCommand({ KeyId })))
    const read = (await Promise.allSettled(readers)).find((each) => each.status === 'fulfilled')
    // Where no principal of the account may read it any more, the policy in force is the new one.
    const standing = read?.value.Policy ?? Policy
    expect(JSON.parse(standing)).toEqual(JSON.parse(expected === 'ok' ? Policy : before))
  })
})
