/**
 * Missing and forbidden are the same to a caller without permission: for each way to name a resource, the denial for one
 * that exists and the denial for one that does not differ only in what the caller wrote.
 */
import { CloudTrailClient, CreateTrailCommand, GetTrailStatusCommand } from '@aws-sdk/client-cloudtrail'
import * as iam from '@aws-sdk/client-iam'
import * as kms from '@aws-sdk/client-kms'
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import * as s3 from '@aws-sdk/client-s3'
import * as secrets from '@aws-sdk/client-secrets-manager'
import { beforeAll, describe, expect, test } from 'vitest'
import { withRole } from '../src/services/lambda/lambda.fixture.ts'
import { ACCOUNT, allowing, type Keys, OTHER_ACCOUNT } from './cloud.ts'

type Cloud = Awaited<ReturnType<typeof withRole>>

interface Naming {
  /** What the caller writes, for something that exists (`there`) or not. */
  readonly text: (word: string) => string
  readonly command: (text: string) => object
  readonly client: object
  /** Also from another account. */
  readonly foreign?: true
  /** The part of the text that differs. Default: `there1` and `absent`, of one length. */
  readonly words?: () => readonly [there: string, absent: string]
}

let it: Cloud
let keyId: string
let secretArn: string
let none: Keys
let stranger: Keys

const arn = (service: string, resource: string, region = 'us-east-1') =>
  `arn:aws:${service}:${region}:${ACCOUNT}:${resource}`
const iamArn = (resource: string) => arn('iam', resource, '')

const iamCases: readonly (readonly [string, (text: string) => object, (word: string) => string])[] = [
  ['a user with a path', (UserName) => new iam.GetUserCommand({ UserName }), (word) => word],
  ['a role with a path', (RoleName) => new iam.GetRoleCommand({ RoleName }), (word) => word],
  ['a group with a path', (GroupName) => new iam.GetGroupCommand({ GroupName }), (word) => word],
  [
    'an instance profile with a path',
    (InstanceProfileName) => new iam.GetInstanceProfileCommand({ InstanceProfileName }),
    (word) => word,
  ],
  ['a policy', (PolicyArn) => new iam.GetPolicyCommand({ PolicyArn }), (word) => iamArn(`policy/people/${word}`)],
  ['a user in another case', (UserName) => new iam.GetUserCommand({ UserName }), (word) => word.toUpperCase()],
]

const describeKey = (KeyId: string) => new kms.DescribeKeyCommand({ KeyId })
const encrypt = (KeyId: string) => new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })
const getSecret = (SecretId: string) => new secrets.GetSecretValueCommand({ SecretId })
const absentKey = '00000000-0000-4000-8000-000000000000'

const namings: Readonly<Record<string, Naming>> = {
  ...Object.fromEntries(
    iamCases.map(([name, command, text]) => [
      `IAM: ${name}`,
      { client: iam.IAMClient, command, text } satisfies Naming,
    ]),
  ),
  'KMS: a key by its ID': {
    client: kms.KMSClient,
    command: describeKey,
    text: (word) => word,
    words: () => [keyId, absentKey],
  },
  'KMS: a key by its ARN': {
    client: kms.KMSClient,
    command: describeKey,
    text: (word) => arn('kms', `key/${word}`),
    words: () => [keyId, absentKey],
    foreign: true,
  },
  'KMS: an alias': { client: kms.KMSClient, command: encrypt, text: (word) => `alias/${word}` },
  'KMS: an alias by its ARN': {
    client: kms.KMSClient,
    command: encrypt,
    text: (word) => arn('kms', `alias/${word}`),
    foreign: true,
  },
  'Secrets Manager: a name': { client: secrets.SecretsManagerClient, command: getSecret, text: (word) => word },
  'Secrets Manager: a partial ARN': {
    client: secrets.SecretsManagerClient,
    command: getSecret,
    text: (word) => arn('secretsmanager', `secret:${word}`),
    foreign: true,
  },
  'Secrets Manager: an ARN': {
    client: secrets.SecretsManagerClient,
    command: getSecret,
    text: (word) => arn('secretsmanager', `secret:there1-${word}`),
    words: () => [secretArn.slice(-6), 'zzzzzz'],
    foreign: true,
  },
  'Lambda: a name': {
    client: LambdaClient,
    command: (FunctionName) => new GetFunctionCommand({ FunctionName }),
    text: (word) => word,
  },
  'Lambda: a partial ARN': {
    client: LambdaClient,
    command: (FunctionName) => new GetFunctionCommand({ FunctionName }),
    text: (word) => `${ACCOUNT}:function:${word}`,
    foreign: true,
  },
  'Lambda: an ARN with a qualifier': {
    client: LambdaClient,
    command: (FunctionName) => new GetFunctionCommand({ FunctionName }),
    text: (word) => arn('lambda', `function:${word}:$LATEST`),
    foreign: true,
  },
  'CloudTrail: a trail': {
    client: CloudTrailClient,
    command: (Name) => new GetTrailStatusCommand({ Name }),
    text: (word) => word,
  },
  'S3: an object': {
    client: s3.S3Client,
    command: (Key) => new s3.GetObjectCommand({ Bucket: 'logs', Key }),
    text: (word) => word,
  },
}

beforeAll(async () => {
  it = await withRole()
  const { client, echo } = it
  const Path = '/people/'
  const AssumeRolePolicyDocument = allowing({ Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' })
  const PolicyDocument = allowing({ Action: '*', Resource: '*' })
  const root = client(iam.IAMClient)
  await root.send(new iam.CreateUserCommand({ UserName: 'there1', Path }))
  await root.send(new iam.CreateGroupCommand({ GroupName: 'there1', Path }))
  await root.send(new iam.CreateRoleCommand({ RoleName: 'there1', Path, AssumeRolePolicyDocument }))
  await root.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: 'there1', Path }))
  await root.send(new iam.CreatePolicyCommand({ PolicyName: 'there1', Path, PolicyDocument }))
  keyId = (await client(kms.KMSClient).send(new kms.CreateKeyCommand({}))).KeyMetadata!.KeyId!
  await client(kms.KMSClient).send(new kms.CreateAliasCommand({ AliasName: 'alias/there1', TargetKeyId: keyId }))
  const created = new secrets.CreateSecretCommand({ Name: 'there1', SecretString: 'x' })
  secretArn = (await client(secrets.SecretsManagerClient).send(created)).ARN!
  await echo('there1')
  const bucket = client(s3.S3Client)
  await bucket.send(new s3.CreateBucketCommand({ Bucket: 'logs' }))
  await bucket.send(new s3.PutObjectCommand({ Bucket: 'logs', Key: 'there1', Body: 'x' }))
  await bucket.send(
    new s3.PutBucketPolicyCommand({
      Bucket: 'logs',
      Policy: allowing({
        Principal: { Service: 'cloudtrail.amazonaws.com' },
        Action: ['s3:GetBucketAcl', 's3:PutObject'],
        Resource: ['arn:aws:s3:::logs', 'arn:aws:s3:::logs/*'],
      }),
    }),
  )
  await client(CloudTrailClient).send(new CreateTrailCommand({ Name: 'there1', S3BucketName: 'logs' }))
  none = await it.user('none')
  stranger = await it.account(OTHER_ACCOUNT)
})

async function denial(by: Keys, { client, command, text, words }: Naming, which: 0 | 1) {
  const word = (words?.() ?? ['there1', 'absent'])[which]!
  const sender = it.client(client as never, by) as { send(command: object): Promise<unknown> }
  const { name, message } = await sender.send(command(text(word))).then(
    () => ({ name: 'none', message: '' }),
    (error: Error) => error,
  )
  const written = text(word)
  const shown = (some: string) =>
    some.replaceAll(written, 'X').replaceAll(word, 'W').replaceAll(word.toUpperCase(), 'W')
  return { name, message: shown(message), raw: message }
}

describe.each(Object.entries(namings))('%s', (_name, naming) => {
  const callers: readonly (readonly [string, () => Keys])[] = [
    ['a user without permissions', () => none],
    ...(naming.foreign ? ([['the root user of another account', () => stranger]] as const) : []),
  ]

  test.each(callers)('is denied to %s with the same text, whether or not it exists', async (_who, keys) => {
    const there = await denial(keys(), naming, 0)
    const absent = await denial(keys(), naming, 1)

    expect(there.name).toMatch(/^AccessDenied/)
    expect({ name: there.name, message: there.message }).toEqual({ name: absent.name, message: absent.message })
    if (naming.text('') === '' || naming.words) return
    expect(there.raw).not.toContain(keyId)
    expect(there.raw).not.toContain(secretArn.slice(-6))
  })
})

test("A denied caller's own account is not shown the whole ARN of another account's secret", async () => {
  await denial(stranger, namings['Secrets Manager: a partial ARN']!, 0)

  const events = (await it.store.log({ account: OTHER_ACCOUNT, limit: 1 })).map(({ body }) => String(body))
  expect(events.join()).toContain(':secret:there1')
  expect(events.join()).not.toContain(secretArn)
})
