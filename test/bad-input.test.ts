/** Bad input to KMS and Secrets Manager: AWS's own code, and not one document of the store is another one afterwards. */
import { createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import * as KMS from '@aws-sdk/client-kms'
import * as SM from '@aws-sdk/client-secrets-manager'
import { beforeAll, describe, expect, test } from 'vitest'
import { services } from '../src/server/compose/services.ts'
import { under } from '../src/store/store.ts'
import { ACCOUNT, allowing, cloud } from './cloud.ts'

const ROOT = `arn:aws:iam::${ACCOUNT}:root`
const MINE = allowing({ Principal: { AWS: ROOT }, Action: 'kms:*', Resource: '*' })
const Plaintext = Buffer.from('attack at dawn')
const HOUR_MS = 3_600_000
/** What is written by the clock, whatever the calls come to: when keys were last used, and checkpoints of the log. */
const BY_THE_CLOCK = [under('iam', 'access-key-use'), under('kernel', 'checkpoint'), under('kernel', 'checkpointed')]
const [A, B] = ['a'.repeat(32), 'b'.repeat(32)]

/** Keys of several kinds, a ciphertext, a material on its way, a secret of two versions. */
async function furnished() {
  const it = await cloud()
  const kms = it.client(KMS.KMSClient)
  const make = async (input: KMS.CreateKeyCommandInput = {}) =>
    (await kms.send(new KMS.CreateKeyCommand(input))).KeyMetadata!.KeyId!
  const keys = {
    one: await make(),
    other: await make(),
    signing: await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    rsa: await make({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' }),
    mac: await make({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
    agreeing: await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' }),
    external: await make({ Origin: 'EXTERNAL' }),
    stranger: await make({ Origin: 'EXTERNAL' }),
    doomed: await make(),
  }
  await kms.send(new KMS.ScheduleKeyDeletionCommand({ KeyId: keys.doomed }))
  await kms.send(new KMS.CreateAliasCommand({ AliasName: 'alias/taken', TargetKeyId: keys.one }))
  const { CiphertextBlob: blob } = await kms.send(
    new KMS.EncryptCommand({ KeyId: keys.one, Plaintext, EncryptionContext: { a: 'bc' } }),
  )
  const offer = await kms.send(
    new KMS.GetParametersForImportCommand({
      KeyId: keys.external,
      WrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    }),
  )
  const sm = it.client(SM.SecretsManagerClient)
  await sm.send(new SM.CreateSecretCommand({ Name: 's', SecretString: 'first', ClientRequestToken: A }))
  await sm.send(new SM.PutSecretValueCommand({ SecretId: 's', SecretString: 'second', ClientRequestToken: B }))
  await sm.send(new SM.CreateSecretCommand({ Name: 'doomed', SecretString: 'x' }))
  await sm.send(new SM.DeleteSecretCommand({ SecretId: 'doomed' }))
  return { ...it, keys, blob: Buffer.from(blob!), offer }
}

let world: Awaited<ReturnType<typeof furnished>>
beforeAll(async () => {
  world = await furnished()
})

type World = typeof world
type Asked = (it: World) => Promise<unknown>

async function unchanged(ask: Asked, code: string): Promise<void> {
  const everything = async () => {
    const rows = await world.store.reader.range('')
    return JSON.stringify(rows.filter(({ key }) => !BY_THE_CLOCK.some((prefix) => key.startsWith(prefix))))
  }
  const before = await everything()

  const answer = await ask(world).then(
    () => 'done',
    ({ name }: Error) => name,
  )

  expect(answer).toBe(code)
  expect((await everything()) === before).toBe(true)
}

// biome-ignore lint/suspicious/noExplicitAny: one table holds commands of every operation.
const k = (command: (it: World) => any) => (it: World) => it.client(KMS.KMSClient).send(command(it))
// biome-ignore lint/suspicious/noExplicitAny: see above.
const s = (command: () => any) => (it: World) => it.client(SM.SecretsManagerClient).send(command())

/** As a customer wraps it. */
function wrapped({ offer }: World, material: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(offer.PublicKey!), format: 'der', type: 'spki' })
  const aes = randomBytes(32)
  const cipher = createCipheriv('id-aes256-wrap-pad', aes, Buffer.from('a65959a6', 'hex'))
  return Buffer.concat([publicEncrypt({ key, oaepHash: 'sha256' }, aes), cipher.update(material), cipher.final()])
}

const brought = (it: World, KeyId: string, EncryptedKeyMaterial: Uint8Array, more: object = {}) =>
  new KMS.ImportKeyMaterialCommand({
    KeyId,
    ImportToken: it.offer.ImportToken,
    EncryptedKeyMaterial,
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    ...more,
  })
const flipped = (bytes: Uint8Array, at: number): Buffer => {
  const changed = Buffer.from(bytes)
  changed[at < 0 ? changed.length + at : at]! ^= 1
  return changed
}

describe('KMS', () => {
  const context = { EncryptionContext: { a: 'bc' } }
  test.each<[string, string, Asked]>([
    [
      'bytes that are no blob',
      'InvalidCiphertextException',
      k(() => new KMS.DecryptCommand({ CiphertextBlob: Buffer.from('no blob') })),
    ],
    [
      'a blob of a key that is not here',
      'AccessDeniedException',
      k(({ blob }) => new KMS.DecryptCommand({ CiphertextBlob: flipped(blob, 10), ...context })),
    ],
    [
      'a blob with one bit changed',
      'InvalidCiphertextException',
      k(({ blob }) => new KMS.DecryptCommand({ CiphertextBlob: flipped(blob, -1), ...context })),
    ],
    [
      'a blob cut short',
      'InvalidCiphertextException',
      k(({ blob }) => new KMS.DecryptCommand({ CiphertextBlob: blob.subarray(0, -1), ...context })),
    ],
    [
      'another context',
      'InvalidCiphertextException',
      k(({ blob }) => new KMS.DecryptCommand({ CiphertextBlob: blob, EncryptionContext: { ab: 'c' } })),
    ],
    ['no context', 'InvalidCiphertextException', k(({ blob }) => new KMS.DecryptCommand({ CiphertextBlob: blob }))],
    [
      'another key than the blob’s',
      'IncorrectKeyException',
      k(({ blob, keys }) => new KMS.DecryptCommand({ CiphertextBlob: blob, KeyId: keys.other, ...context })),
    ],
    [
      'a blob moved under a wrong context',
      'InvalidCiphertextException',
      k(({ blob, keys }) => new KMS.ReEncryptCommand({ CiphertextBlob: blob, DestinationKeyId: keys.other })),
    ],
    [
      'encryption by a key that signs',
      'InvalidKeyUsageException',
      k(({ keys }) => new KMS.EncryptCommand({ KeyId: keys.signing, Plaintext })),
    ],
    [
      'a signature by a key that encrypts',
      'InvalidKeyUsageException',
      k(({ keys }) => new KMS.SignCommand({ KeyId: keys.one, Message: Plaintext, SigningAlgorithm: 'ECDSA_SHA_256' })),
    ],
    [
      'a code by a key that signs',
      'InvalidKeyUsageException',
      k(
        ({ keys }) =>
          new KMS.GenerateMacCommand({ KeyId: keys.signing, Message: Plaintext, MacAlgorithm: 'HMAC_SHA_256' }),
      ),
    ],
    [
      'another algorithm than the key’s',
      'InvalidKeyUsageException',
      k(
        ({ keys }) =>
          new KMS.SignCommand({ KeyId: keys.signing, Message: Plaintext, SigningAlgorithm: 'ECDSA_SHA_384' }),
      ),
    ],
    [
      'data keys of a pair',
      'InvalidKeyUsageException',
      k(({ keys }) => new KMS.GenerateDataKeyCommand({ KeyId: keys.rsa, KeySpec: 'AES_256' })),
    ],
    [
      'a plaintext of 4,097 bytes',
      'ValidationException',
      k(({ keys }) => new KMS.EncryptCommand({ KeyId: keys.one, Plaintext: Buffer.alloc(4097) })),
    ],
    [
      'a plaintext longer than OAEP holds',
      'ValidationException',
      k(
        ({ keys }) =>
          new KMS.EncryptCommand({
            KeyId: keys.rsa,
            Plaintext: Buffer.alloc(191),
            EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
          }),
      ),
    ],
    [
      'a data key of 1,025 bytes',
      'ValidationException',
      k(({ keys }) => new KMS.GenerateDataKeyCommand({ KeyId: keys.one, NumberOfBytes: 1025 })),
    ],
    [
      'a digest of 31 bytes',
      'ValidationException',
      k(
        ({ keys }) =>
          new KMS.SignCommand({
            KeyId: keys.signing,
            Message: Buffer.alloc(31),
            MessageType: 'DIGEST',
            SigningAlgorithm: 'ECDSA_SHA_256',
          }),
      ),
    ],
    [
      'a message of 4,097 bytes',
      'ValidationException',
      k(
        ({ keys }) =>
          new KMS.SignCommand({ KeyId: keys.signing, Message: Buffer.alloc(4097), SigningAlgorithm: 'ECDSA_SHA_256' }),
      ),
    ],
    [
      'a public key off the curve',
      'ValidationException',
      k(
        ({ keys }) =>
          new KMS.DeriveSharedSecretCommand({
            KeyId: keys.agreeing,
            KeyAgreementAlgorithm: 'ECDH',
            PublicKey: Buffer.alloc(91, 4),
          }),
      ),
    ],
    [
      'a wrong signature',
      'KMSInvalidSignatureException',
      k(
        ({ keys }) =>
          new KMS.VerifyCommand({
            KeyId: keys.signing,
            Message: Plaintext,
            Signature: Buffer.alloc(70, 1),
            SigningAlgorithm: 'ECDSA_SHA_256',
          }),
      ),
    ],
    [
      'a wrong code',
      'KMSInvalidMacException',
      k(
        ({ keys }) =>
          new KMS.VerifyMacCommand({
            KeyId: keys.mac,
            Message: Plaintext,
            Mac: Buffer.alloc(32),
            MacAlgorithm: 'HMAC_SHA_256',
          }),
      ),
    ],
    [
      'a grant token made up',
      'InvalidGrantTokenException',
      k(({ keys }) => new KMS.EncryptCommand({ KeyId: keys.one, Plaintext, GrantTokens: ['AQpAM2Rh'] })),
    ],
    [
      'a key that is not there',
      'NotFoundException',
      k(() => new KMS.DescribeKeyCommand({ KeyId: '00000000-0000-4000-8000-000000000000' })),
    ],
    [
      'an alias that is not there',
      'NotFoundException',
      k(() => new KMS.EncryptCommand({ KeyId: 'alias/nobody', Plaintext })),
    ],
    [
      'an ARN of another service',
      'InvalidArnException',
      k(() => new KMS.DescribeKeyCommand({ KeyId: `arn:aws:s3:us-east-1:${ACCOUNT}:key/x` })),
    ],
    [
      'an alias that is taken',
      'AlreadyExistsException',
      k(({ keys }) => new KMS.CreateAliasCommand({ AliasName: 'alias/taken', TargetKeyId: keys.other })),
    ],
    [
      'an alias of AWS’s',
      'NotAuthorizedException',
      k(({ keys }) => new KMS.CreateAliasCommand({ AliasName: 'alias/aws/mine', TargetKeyId: keys.one })),
    ],
    [
      'a window of 31 days',
      'ValidationException',
      k(({ keys }) => new KMS.ScheduleKeyDeletionCommand({ KeyId: keys.one, PendingWindowInDays: 31 })),
    ],
    [
      'the use of a key that waits for its end',
      'KMSInvalidStateException',
      k(({ keys }) => new KMS.EncryptCommand({ KeyId: keys.doomed, Plaintext })),
    ],
    [
      'the use of a key without material',
      'KMSInvalidStateException',
      k(({ keys }) => new KMS.EncryptCommand({ KeyId: keys.external, Plaintext })),
    ],
    [
      'a policy that is no JSON',
      'MalformedPolicyDocumentException',
      k(({ keys }) => new KMS.PutKeyPolicyCommand({ KeyId: keys.one, Policy: '{' })),
    ],
    [
      'a policy for an unknown principal',
      'MalformedPolicyDocumentException',
      k(({ keys }) => new KMS.PutKeyPolicyCommand({ KeyId: keys.one, Policy: MINE.replace(':root', ':user/nobody') })),
    ],
    [
      'a policy that locks its maker out',
      'MalformedPolicyDocumentException',
      k(({ keys }) => new KMS.PutKeyPolicyCommand({ KeyId: keys.one, Policy: MINE.replace('kms:*', 'kms:Encrypt') })),
    ],
    [
      'a policy by another name',
      'ValidationException',
      k(({ keys }) => new KMS.PutKeyPolicyCommand({ KeyId: keys.one, Policy: MINE, PolicyName: 'mine' })),
    ],
    ['a marker of another list', 'InvalidMarkerException', k(() => new KMS.ListKeysCommand({ Marker: 'AAAA' }))],
    [
      'material with another key’s token',
      'InvalidImportTokenException',
      k((it) => brought(it, it.keys.stranger, wrapped(it, randomBytes(32)))),
    ],
    [
      'material that does not unwrap',
      'InvalidCiphertextException',
      k((it) => brought(it, it.keys.external, randomBytes(296))),
    ],
    [
      'material of 31 bytes',
      'IncorrectKeyMaterialException',
      k((it) => brought(it, it.keys.external, wrapped(it, randomBytes(31)))),
    ],
    [
      'material that expires without a day',
      'ValidationException',
      k((it) =>
        brought(it, it.keys.external, wrapped(it, randomBytes(32)), { ExpirationModel: 'KEY_MATERIAL_EXPIRES' }),
      ),
    ],
    [
      'a token of yesterday',
      'ExpiredImportTokenException',
      async (it) => {
        it.clock.advance(25 * HOUR_MS)
        return it.client(KMS.KMSClient).send(brought(it, it.keys.external, wrapped(it, randomBytes(32))))
      },
    ],
  ])('%s: %s', (_what, code, ask) => unchanged(ask, code))
})

describe('Secrets Manager', () => {
  const move = (VersionStage: string, RemoveFromVersionId?: string, MoveToVersionId?: string) =>
    s(
      () =>
        new SM.UpdateSecretVersionStageCommand({ SecretId: 's', VersionStage, RemoveFromVersionId, MoveToVersionId }),
    )
  test.each<[string, string, Asked]>([
    ['AWSCURRENT taken off', 'InvalidParameterException', move('AWSCURRENT', B)],
    ['AWSCURRENT moved without a word on where it is', 'InvalidParameterException', move('AWSCURRENT', undefined, A)],
    ['AWSCURRENT moved from where it is not', 'InvalidParameterException', move('AWSCURRENT', A, A)],
    ['AWSCURRENT moved to nowhere', 'ResourceNotFoundException', move('AWSCURRENT', B, 'c'.repeat(32))],
    ['a label that nothing is said about', 'InvalidParameterException', move('blue')],
    [
      'another value under a known token',
      'ResourceExistsException',
      s(() => new SM.PutSecretValueCommand({ SecretId: 's', ClientRequestToken: A, SecretString: 'z' })),
    ],
    [
      'a value of both kinds',
      'InvalidParameterException',
      s(() => new SM.PutSecretValueCommand({ SecretId: 's', SecretString: 'x', SecretBinary: Buffer.of(1) })),
    ],
    ['no value', 'InvalidParameterException', s(() => new SM.PutSecretValueCommand({ SecretId: 's' }))],
    [
      'a label twice',
      'InvalidParameterException',
      s(() => new SM.PutSecretValueCommand({ SecretId: 's', SecretString: 'x', VersionStages: ['a', 'a'] })),
    ],
    [
      'a name that is taken',
      'ResourceExistsException',
      s(() => new SM.CreateSecretCommand({ Name: 's', SecretString: 'x' })),
    ],
    [
      'a name that waits for its end',
      'InvalidRequestException',
      s(() => new SM.CreateSecretCommand({ Name: 'doomed', SecretString: 'x' })),
    ],
    [
      'a name with a blank',
      'ValidationException',
      s(() => new SM.CreateSecretCommand({ Name: 'a b', SecretString: 'x' })),
    ],
    [
      'a key that is not there',
      'InvalidParameterException',
      s(() => new SM.CreateSecretCommand({ Name: 'n', SecretString: 'x', KmsKeyId: 'alias/nobody' })),
    ],
    [
      'a window of 6 days',
      'InvalidParameterException',
      s(() => new SM.DeleteSecretCommand({ SecretId: 's', RecoveryWindowInDays: 6 })),
    ],
    [
      'force and a window',
      'InvalidParameterException',
      s(() => new SM.DeleteSecretCommand({ SecretId: 's', RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true })),
    ],
    [
      'a secret that is not there',
      'ResourceNotFoundException',
      s(() => new SM.GetSecretValueCommand({ SecretId: 'nobody' })),
    ],
    [
      'a secret that waits for its end',
      'InvalidRequestException',
      s(() => new SM.GetSecretValueCommand({ SecretId: 'doomed' })),
    ],
    [
      'version and label that do not agree',
      'InvalidRequestException',
      s(() => new SM.GetSecretValueCommand({ SecretId: 's', VersionId: A, VersionStage: 'AWSCURRENT' })),
    ],
    [
      'a rotation without a function',
      'InvalidRequestException',
      s(() => new SM.RotateSecretCommand({ SecretId: 's' })),
    ],
    [
      'a rotation by no function',
      'AccessDeniedException',
      s(
        () =>
          new SM.RotateSecretCommand({
            SecretId: 's',
            RotationLambdaARN: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:nobody`,
            RotationRules: { AutomaticallyAfterDays: 1 },
          }),
      ),
    ],
    [
      'rules of both kinds',
      'InvalidParameterException',
      s(
        () =>
          new SM.RotateSecretCommand({
            SecretId: 's',
            RotationLambdaARN: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:nobody`,
            RotationRules: { AutomaticallyAfterDays: 1, ScheduleExpression: 'rate(1 day)' },
          }),
      ),
    ],
    [
      'a policy that is no JSON',
      'MalformedPolicyDocumentException',
      s(() => new SM.PutResourcePolicyCommand({ SecretId: 's', ResourcePolicy: '{' })),
    ],
    [
      'a policy for all principals where that is blocked',
      'PublicPolicyException',
      s(
        () =>
          new SM.PutResourcePolicyCommand({
            SecretId: 's',
            BlockPublicPolicy: true,
            ResourcePolicy: allowing({ Principal: '*', Action: 'secretsmanager:*', Resource: '*' }),
          }),
      ),
    ],
    [
      'a replica where it is',
      'InvalidParameterException',
      s(() => new SM.ReplicateSecretToRegionsCommand({ SecretId: 's', AddReplicaRegions: [{ Region: 'us-east-1' }] })),
    ],
    [
      'an end of what is no replica',
      'InvalidRequestException',
      s(() => new SM.StopReplicationToReplicaCommand({ SecretId: 's' })),
    ],
    ['a token of another list', 'InvalidNextTokenException', s(() => new SM.ListSecretsCommand({ NextToken: 'AAAA' }))],
    [
      'a password that cannot be',
      'InvalidParameterException',
      s(() => new SM.GetRandomPasswordCommand({ PasswordLength: 2 })),
    ],
  ])('%s: %s', (_what, code, ask) => unchanged(ask, code))
})

test('Of KMS the six operations on custom key stores are not built, and say so by name; of Secrets Manager nothing is missing', async () => {
  const built = (id: string) => new Set(services.find(({ api }) => api.id === id)!.operations.map(({ name }) => name))
  const known = (module: object) => Object.keys(module).flatMap((name) => /^(?!\$)(.+)Command$/.exec(name)?.[1] ?? [])
  const missing = known(KMS).filter((name) => !built('kms').has(name))

  expect(known(KMS)).toHaveLength(56)
  expect(missing.sort()).toEqual([
    'ConnectCustomKeyStore',
    'CreateCustomKeyStore',
    'DeleteCustomKeyStore',
    'DescribeCustomKeyStores',
    'DisconnectCustomKeyStore',
    'UpdateCustomKeyStore',
  ])
  const CustomKeyStoreId = 'cks-1234567890abcdef0'
  for (const command of [
    new KMS.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }),
    new KMS.CreateCustomKeyStoreCommand({ CustomKeyStoreName: 'store' }),
    new KMS.DeleteCustomKeyStoreCommand({ CustomKeyStoreId }),
    new KMS.DescribeCustomKeyStoresCommand({}),
    new KMS.DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }),
    new KMS.UpdateCustomKeyStoreCommand({ CustomKeyStoreId }),
  ]) {
    const name = command.constructor.name.replace('Command', '')
    await expect(world.client(KMS.KMSClient).send(command as KMS.DescribeCustomKeyStoresCommand)).rejects.toMatchObject(
      {
        name: 'NotImplemented',
        message: expect.stringContaining(`kms:${name}`),
        $metadata: { httpStatusCode: 400 },
      },
    )
  }
  expect(known(SM)).toHaveLength(23)
  expect(known(SM).filter((name) => !built('secretsmanager').has(name))).toEqual([])
})
