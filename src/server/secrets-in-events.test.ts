/** No secret is in any event: over every operation that is built, and through the gate for those that carry one. */
import { createHash, randomBytes } from 'node:crypto'
import {
  ChangePasswordCommand,
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreateRoleCommand,
  CreateServiceSpecificCredentialCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  EnableOutboundWebIdentityFederationCommand,
  IAMClient,
  UpdateLoginProfileCommand,
  UploadServerCertificateCommand,
} from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateMacCommand,
  GenerateRandomCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms'
import { CreateFunctionCommand, LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager'
import {
  AssumeRoleCommand,
  AssumeRoleWithSAMLCommand,
  AssumeRoleWithWebIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  GetWebIdentityTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { describe, expect, it, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../test/cloud.ts'
import { parametersOf } from '../kernel/events/event-names.ts'
import { isSecret } from '../wire/redact.ts'
import { serviceById } from '../wire/services.ts'
import type { Member, Shape } from '../wire/shape.ts'
import { loadService, redact } from '../wire/wire.ts'
import { services } from './compose/services.ts'

const namesOf = (id: string) => services.find(({ api }) => api.id === id)?.traits?.eventNames

/** All the ways a value may be written. */
function writings(value: string | Uint8Array): readonly string[] {
  const bytes = Buffer.from(value as string)
  const plain = typeof value === 'string' ? [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)] : []
  const encoded = [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), bytes.toString('hex')]
  return [...new Set([...plain, ...encoded])]
}

const DEPTH_MAX = 6

/** A value of a shape in which everything sensitive is a mark, and nothing else is. */
function marked(shape: Shape, mark: string, sensitive: boolean, depth = 0): unknown {
  const secret = sensitive || Boolean(shape.traits.sensitive)
  const of = (member: Member) => marked(member.shape, mark, secret || isSecret(member, shape), depth + 1)
  switch (shape.kind) {
    case 'string':
      return secret ? mark : 'open'
    case 'blob':
    case 'stream':
      return Buffer.from(secret ? mark : 'open')
    case 'number':
      return 1
    case 'bigint':
      return 1n
    case 'boolean':
      return true
    case 'timestamp':
      return new Date(0)
    case 'list':
      return depth > DEPTH_MAX ? [] : [of(shape.value), of(shape.value)]
    case 'map':
      return depth > DEPTH_MAX ? {} : { one: of(shape.value), two: of(shape.value) }
    case 'struct':
    case 'union':
      return depth > DEPTH_MAX
        ? {}
        : Object.fromEntries(shape.members.map((member: Member) => [member.name, of(member)]))
    default:
      return undefined
  }
}

const carries = (value: unknown, mark: string): boolean =>
  value instanceof Uint8Array
    ? Buffer.from(value).toString() === mark
    : typeof value === 'object' && value !== null
      ? Object.values(value).some((each) => carries(each, mark))
      : value === mark

const withOperations = services.filter(({ operations }) => operations.length > 0)

describe.each(withOperations.map(({ api, operations }) => [api.id, operations] as const))('%s', (id, operations) => {
  it('hides every sensitive member of every operation, whatever is in it', async () => {
    const { operations: shapes } = await loadService(serviceById.get(id)!)
    let marks = 0
    for (const { name } of operations) {
      const { input, output } = shapes.get(name)!
      for (const shape of [input, output]) {
        const mark = `mark-${randomBytes(12).toString('hex')}+/ü`
        const value = marked(shape, mark, false)
        if (carries(value, mark)) marks++
        const shown = JSON.stringify(parametersOf(namesOf(id), redact(shape, value))) ?? ''
        expect([name, writings(mark).filter((written) => shown.includes(written))]).toEqual([name, []])
      }
    }
    if (['iam', 'sts', 'kms', 'secretsmanager', 'lambda'].includes(id)) expect(marks).toBeGreaterThan(3)
  })
})

test('secret inputs and outputs of the request pipeline are in no event, of valid and of invalid requests', async () => {
  const it = await cloud({ packages: false })
  const secrets: (string | Uint8Array)[] = []
  const mark = (prefix = 'Mark-1') => {
    const made = `${prefix}${randomBytes(12).toString('hex')}`
    secrets.push(made)
    return made
  }
  const markBytes = () => {
    const made = randomBytes(32)
    secrets.push(made)
    return made
  }
  const got = <T extends string | Uint8Array | undefined>(secret: T): T => {
    if (!secret || secret.length < 8) throw new Error('a secret was expected')
    secrets.push(secret)
    return secret
  }
  let refused = 0
  const refusedly = (asked: Promise<unknown>) =>
    asked.then(
      () => expect.unreachable('it should have been refused'),
      () => void refused++,
    )

  const iam = it.client(IAMClient)
  await iam.send(new CreateUserCommand({ UserName: 'ann' }))
  await iam.send(new CreateLoginProfileCommand({ UserName: 'ann', Password: mark() }))
  await iam.send(new UpdateLoginProfileCommand({ UserName: 'ann', Password: mark() }))
  await refusedly(iam.send(new CreateLoginProfileCommand({ UserName: 'nobody', Password: mark() })))
  await refusedly(iam.send(new CreateLoginProfileCommand({ UserName: 'not a name!', Password: mark() })))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
  got(AccessKey!.SecretAccessKey)
  const asAnn = it.client(IAMClient, {
    accessKeyId: AccessKey!.AccessKeyId!,
    secretAccessKey: AccessKey!.SecretAccessKey!,
  })
  await refusedly(asAnn.send(new ChangePasswordCommand({ OldPassword: mark(), NewPassword: mark() })))
  const { ServiceSpecificCredential: specific } = await iam.send(
    new CreateServiceSpecificCredentialCommand({ UserName: 'ann', ServiceName: 'codecommit.amazonaws.com' }),
  )
  got(specific!.ServicePassword)
  const { VirtualMFADevice } = await iam.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }))
  got(Buffer.from(VirtualMFADevice!.Base32StringSeed!).toString())
  const SerialNumber = VirtualMFADevice!.SerialNumber
  const codes = { AuthenticationCode1: '739154', AuthenticationCode2: '918273' }
  secrets.push(...Object.values(codes))
  await refusedly(iam.send(new EnableMFADeviceCommand({ UserName: 'ann', SerialNumber, ...codes })))
  const certificate = { ServerCertificateName: 'c', CertificateBody: 'not one', PrivateKey: mark() }
  await refusedly(iam.send(new UploadServerCertificateCommand(certificate)))

  const sm = it.client(SecretsManagerClient)
  await sm.send(new CreateSecretCommand({ Name: 'text', SecretString: mark() }))
  await sm.send(new CreateSecretCommand({ Name: 'bytes', SecretBinary: markBytes() }))
  await sm.send(new PutSecretValueCommand({ SecretId: 'text', SecretString: mark() }))
  await sm.send(new UpdateSecretCommand({ SecretId: 'text', SecretString: mark() }))
  got((await sm.send(new GetSecretValueCommand({ SecretId: 'text' }))).SecretString)
  await sm.send(new BatchGetSecretValueCommand({ SecretIdList: ['text', 'bytes'] }))
  await refusedly(sm.send(new CreateSecretCommand({ Name: 'text', SecretString: mark() })))
  await refusedly(sm.send(new PutSecretValueCommand({ SecretId: 'nobody-has-it', SecretString: mark() })))
  await refusedly(
    it
      .client(SecretsManagerClient, { ...it.root, secretAccessKey: mark() })
      .send(new GetSecretValueCommand({ SecretId: 'text' })),
  )
  got((await sm.send(new GetRandomPasswordCommand({}))).RandomPassword)

  const kms = it.client(KMSClient)
  const made = async (more = {}) => (await kms.send(new CreateKeyCommand(more))).KeyMetadata!.KeyId!
  const KeyId = await made()
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: markBytes() }))
  got((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext)
  got((await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))).Plaintext)
  const pair = await kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' }))
  got(pair.PrivateKeyPlaintext)
  got((await kms.send(new GenerateRandomCommand({ NumberOfBytes: 32 }))).Plaintext)
  await kms.send(
    new GenerateMacCommand({
      KeyId: await made({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
      Message: markBytes(),
      MacAlgorithm: 'HMAC_SHA_256',
    }),
  )
  await kms.send(
    new SignCommand({
      KeyId: await made({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
      Message: markBytes(),
      SigningAlgorithm: 'ECDSA_SHA_256',
    }),
  )
  await refusedly(kms.send(new EncryptCommand({ KeyId: 'alias/none', Plaintext: markBytes() })))
  await refusedly(
    kms.send(new ImportKeyMaterialCommand({ KeyId, ImportToken: markBytes(), EncryptedKeyMaterial: markBytes() })),
  )

  const trust = allowing({ Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' })
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'role', AssumeRolePolicyDocument: trust }))
  await iam.send(new EnableOutboundWebIdentityFederationCommand({}))
  const sts = it.client(STSClient)
  const keys = await it.user('bob', allowing({ Action: 'sts:*', Resource: '*' }))
  const bob = it.client(STSClient, keys)
  const sessions = [
    await bob.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: 'night', ExternalId: 'known' })),
    await sts.send(new GetSessionTokenCommand({})),
    await bob.send(new GetFederationTokenCommand({ Name: 'fed' })),
  ]
  for (const { Credentials } of sessions) {
    got(Credentials!.SecretAccessKey)
    got(Credentials!.SessionToken)
  }
  const token = new GetWebIdentityTokenCommand({ Audience: ['x'], SigningAlgorithm: 'RS256' })
  got((await bob.send(token)).WebIdentityToken)
  const RoleArn = Role!.Arn
  await refusedly(
    sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'night', WebIdentityToken: mark() })),
  )
  await refusedly(
    sts.send(
      new AssumeRoleWithSAMLCommand({
        RoleArn,
        PrincipalArn: `arn:aws:iam::${ACCOUNT}:saml-provider/x`,
        SAMLAssertion: Buffer.from(mark()).toString('base64'),
      }),
    ),
  )

  const lambda = it.client(LambdaClient)
  const FunctionName = 'rotate'
  await lambda
    .send(
      new CreateFunctionCommand({
        FunctionName,
        Role: RoleArn!,
        PackageType: 'Image',
        Code: { ImageUri: 'merlon/SecretsManagerRDSPostgreSQLRotationSingleUser' },
        Environment: { Variables: { PASSWORD: mark() } },
      }),
    )
    .catch(() => void refused++)
  await lambda
    .send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: { PASSWORD: mark() } } }))
    .catch(() => void refused++)

  const s3 = it.client(S3Client)
  await s3.send(new CreateBucketCommand({ Bucket: 'kept-in-secret' }))
  await s3.send(new PutObjectCommand({ Bucket: 'kept-in-secret', Key: 'k', Body: mark() }))
  await s3.send(new GetObjectCommand({ Bucket: 'kept-in-secret', Key: 'k' }))

  const rows = await it.store.evidence(0, 10_000)
  const text = rows.map(({ body, attributes }) => `${body}\n${JSON.stringify(attributes)}`).join('\n')
  expect(rows.length).toBeGreaterThan(50)
  expect(refused).toBeGreaterThan(10)
  expect(secrets.length).toBeGreaterThan(40)
  const found = secrets.filter((secret) => writings(secret).some((written) => text.includes(written)))
  expect(found.map((secret) => createHash('sha256').update(secret).digest('hex').slice(0, 8))).toEqual([])
  // What is no secret is there.
  for (const told of ['"userName":"ann"', '"externalId":"known"', '"secretId":"text"', KeyId])
    expect(text).toContain(told)
})
