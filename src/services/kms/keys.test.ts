/** Keys as their owners see them: made, described, encrypted with, turned off, deleted. */
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  type KeySpec,
  type KeyUsageType,
  KMSClient,
  ListAliasesCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { DAY_MS, desk } from './desk.fixture.ts'

const Plaintext = Buffer.from('attack at dawn')
const FOREIGN_BLOB = Buffer.concat([Buffer.from('010202007801', 'hex'), Buffer.alloc(80, 7)])

describe('a new key', () => {
  test('is symmetric and enabled by default', async () => {
    const { kms, make } = await desk()
    const made = await make({ Description: 'main', Tags: [{ TagKey: 'team', TagValue: 'blue' }] })

    expect(made).toMatchObject({
      AWSAccountId: ACCOUNT,
      Arn: `arn:aws:kms:us-east-1:${ACCOUNT}:key/${made.KeyId}`,
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      Description: 'main',
      Enabled: true,
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyState: 'Enabled',
      KeyUsage: 'ENCRYPT_DECRYPT',
      MultiRegion: false,
      Origin: 'AWS_KMS',
      CurrentKeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect((await kms.send(new DescribeKeyCommand({ KeyId: made.KeyId }))).KeyMetadata).toEqual(made)
    expect((await kms.send(new ListKeysCommand({}))).Keys).toEqual([{ KeyId: made.KeyId, KeyArn: made.Arn }])
    expect((await kms.send(new ListResourceTagsCommand({ KeyId: made.KeyId }))).Tags).toEqual([
      { TagKey: 'team', TagValue: 'blue' },
    ])
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId: made.KeyId }))
    expect(JSON.parse(Policy!).Statement).toMatchObject([
      { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*' },
    ])
  })
  test.each<[string, CreateKeyCommandInput, string, string | RegExp]>([
    [
      'a usage its spec has not',
      { KeySpec: 'ECC_NIST_P256', KeyUsage: 'ENCRYPT_DECRYPT' },
      'ValidationException',
      'KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_NIST_P256',
    ],
    [
      'a pair without a usage',
      { KeySpec: 'RSA_2048' },
      'ValidationException',
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    ],
    [
      'two specs',
      { KeySpec: 'SYMMETRIC_DEFAULT', CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT' },
      'ValidationException',
      /^You cannot specify KeySpec and CustomerMasterKeySpec/,
    ],
    ['SM2', { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' }, 'UnsupportedOperationException', /SM2/],
    ['an unknown spec', { KeySpec: 'DES' as KeySpec }, 'ValidationException', /keySpec/],
    ['a custom store', { CustomKeyStoreId: 'cks-1234567890abcdef0' }, 'CustomKeyStoreNotFoundException', /cks-/],
    ['an origin elsewhere', { Origin: 'AWS_CLOUDHSM' }, 'ValidationException', /CustomKeyStoreId/],
    ['a reserved tag', { Tags: [{ TagKey: 'aws:x', TagValue: '' }] }, 'TagException', /aws:/],
    ['a policy that is none', { Policy: '{' }, 'MalformedPolicyDocumentException', /./],
    [
      'a policy for an unknown principal',
      { Policy: policyFor(`arn:aws:iam::${ACCOUNT}:user/nobody`) },
      'MalformedPolicyDocumentException',
      'Policy contains a statement with one or more invalid principals.',
    ],
    [
      'a policy that locks its maker out',
      { Policy: policyFor(`arn:aws:iam::${ACCOUNT}:root`, 'kms:Encrypt') },
      'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.',
    ],
    [
      'a policy too long',
      { Policy: policyFor(`arn:aws:iam::${ACCOUNT}:root`) + ' '.repeat(32_768) },
      'LimitExceededException',
      /32768/,
    ],
  ])('is refused with %s', async (_what, input, name, message) => {
    const { kms } = await desk()

    await expect(kms.send(new CreateKeyCommand(input))).rejects.toMatchObject({
      name,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    })
    expect((await kms.send(new ListKeysCommand({}))).Keys).toEqual([])
  })
  test('may lock its creator out when that is requested', async () => {
    const { make } = await desk()
    const Policy = policyFor(`arn:aws:iam::${ACCOUNT}:root`, 'kms:Encrypt')

    expect((await make({ Policy, BypassPolicyLockoutSafetyCheck: true })).KeyState).toBe('Enabled')
  })
  test.each<[KeySpec, KeyUsageType, object]>([
    ['HMAC_384', 'GENERATE_VERIFY_MAC', { MacAlgorithms: ['HMAC_SHA_384'] }],
    ['RSA_3072', 'ENCRYPT_DECRYPT', { EncryptionAlgorithms: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] }],
    ['ECC_NIST_P521', 'SIGN_VERIFY', { SigningAlgorithms: ['ECDSA_SHA_512'] }],
    ['ECC_NIST_P384', 'KEY_AGREEMENT', { KeyAgreementAlgorithms: ['ECDH'] }],
    ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY', { SigningAlgorithms: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] }],
    ['ML_DSA_65', 'SIGN_VERIFY', { SigningAlgorithms: ['ML_DSA_SHAKE_256'] }],
    ['ML_KEM_768', 'ENCAPSULATE_DECAPSULATE', {}],
  ])('of %s for %s names its algorithms', async (KeySpec, KeyUsage, algorithms) => {
    const { make } = await desk()

    expect(await make({ KeySpec, KeyUsage })).toMatchObject({ KeySpec, KeyUsage, ...algorithms })
  })
})

function policyFor(AWS: string, Action = 'kms:*'): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS }, Action, Resource: '*' }],
  })
}

describe('encryption', () => {
  test('is undone with the same context, without naming the key', async () => {
    const { kms, make } = await desk()
    const { KeyId, Arn, CurrentKeyMaterialId } = await make()
    const EncryptionContext = { a: 'bc' }
    const { CiphertextBlob, ...told } = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))

    expect(told).toMatchObject({ KeyId: Arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    expect(opened).toMatchObject({ KeyId: Arn, KeyMaterialId: CurrentKeyMaterialId })
    expect(Buffer.from(opened.Plaintext!)).toEqual(Plaintext)
  })
  test('does not take {a: bc} for {ab: c}', async () => {
    const { kms, make } = await desk()
    const { KeyId } = await make()
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: { a: 'bc' } }))

    for (const EncryptionContext of [{ ab: 'c' } as Record<string, string>, {}, { A: 'bc' }]) {
      await expect(kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))).rejects.toMatchObject({
        name: 'InvalidCiphertextException',
      })
    }
  })
  test.each([
    ['8,192 bytes', { k: 'v'.repeat(8191) }, undefined],
    ['8,193 bytes', { k: 'v'.repeat(8192) }, 'ValidationException'],
    ['half a character', { k: '\ud800' }, 'ValidationException'],
  ])('takes a context of %s, or not', async (_what, EncryptionContext, refusal) => {
    const { kms, make } = await desk()
    const { KeyId } = await make()
    for (const asked of [
      kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext })),
      kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_128', EncryptionContext })),
    ]) {
      if (refusal) await expect(asked).rejects.toMatchObject({ name: refusal })
      else await expect(asked).resolves.toBeDefined()
    }
  })
  test('names what is wrong with a ciphertext as far as its caller may know', async () => {
    const { kms, make } = await desk()
    const [{ KeyId }, other] = [await make(), await make()]
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))

    await expect(kms.send(new DecryptCommand({ CiphertextBlob, KeyId: other.KeyId }))).rejects.toMatchObject({
      name: 'IncorrectKeyException',
      message: 'The key ID in the request does not identify a CMK that can perform this operation.',
    })
    await expect(kms.send(new DecryptCommand({ CiphertextBlob: Buffer.from('no blob') }))).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
    })
    await expect(kms.send(new DecryptCommand({ CiphertextBlob: FOREIGN_BLOB }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message:
        'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
    })
  })
  test('holds 4096 bytes and not one more', async () => {
    const { kms, make } = await desk()
    const { KeyId } = await make()

    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4096) }))
    expect((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext).toHaveLength(4096)
    await expect(kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4097) }))).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })
  test('moves to another key and context without showing the plaintext', async () => {
    const { kms, make } = await desk()
    const [from, to] = [await make(), await make()]
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: from.KeyId, Plaintext, EncryptionContext: { a: '1' } }),
    )

    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceEncryptionContext: { a: '1' },
        DestinationKeyId: to.Arn,
        DestinationEncryptionContext: { b: '2' },
      }),
    )
    expect(moved).toMatchObject({
      SourceKeyId: from.Arn,
      KeyId: to.Arn,
      SourceKeyMaterialId: from.CurrentKeyMaterialId,
      DestinationKeyMaterialId: to.CurrentKeyMaterialId,
    })
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { b: '2' } }),
    )
    expect(Buffer.from(opened.Plaintext!)).toEqual(Plaintext)
  })
  test('by a wrong kind of key names the usage', async () => {
    const { kms, make } = await desk()
    const { KeyId, Arn } = await make({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })

    await expect(kms.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject({
      name: 'InvalidKeyUsageException',
      message: `${Arn} key usage is GENERATE_VERIFY_MAC which is not valid for Encrypt.`,
    })
  })
})

describe('data keys', () => {
  test('come in clear and sealed, and the sealed one opens to the clear one', async () => {
    const { kms, make } = await desk()
    const { KeyId } = await make()
    const made = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))

    expect(made.Plaintext).toHaveLength(32)
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }))
    expect(opened.Plaintext).toEqual(made.Plaintext)
    const sealed = await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 1024 }))
    expect(sealed).not.toHaveProperty('Plaintext')
    expect((await kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }))).Plaintext).toHaveLength(1024)
  })
  test.each([[{}], [{ KeySpec: 'AES_128', NumberOfBytes: 16 } as const], [{ NumberOfBytes: 1025 }]])(
    'are refused for %j',
    async (size) => {
      const { kms, make } = await desk()
      const { KeyId } = await make()

      await expect(kms.send(new GenerateDataKeyCommand({ KeyId, ...size }))).rejects.toMatchObject({
        name: 'ValidationException',
      })
    },
  )
  test('random bytes come in the requested number', async () => {
    const { kms } = await desk()

    expect((await kms.send(new GenerateRandomCommand({ NumberOfBytes: 24 }))).Plaintext).toHaveLength(24)
    await expect(kms.send(new GenerateRandomCommand({}))).rejects.toMatchObject({ name: 'ValidationException' })
  })
})

test('a code verifies for its message, and fails aloud for any other', async () => {
  const { kms, make } = await desk()
  const { KeyId } = await make({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
  const MacAlgorithm = 'HMAC_SHA_256'
  const { Mac } = await kms.send(new GenerateMacCommand({ KeyId, MacAlgorithm, Message: Plaintext }))

  expect(Mac).toHaveLength(32)
  const verify = (Message: Uint8Array, code = Mac) =>
    kms.send(new VerifyMacCommand({ KeyId, MacAlgorithm, Message, Mac: code }))
  expect((await verify(Plaintext)).MacValid).toBe(true)
  await expect(verify(Buffer.from('other'))).rejects.toMatchObject({ name: 'KMSInvalidMacException' })
  await expect(verify(Plaintext, Mac!.subarray(0, 16))).rejects.toMatchObject({ name: 'KMSInvalidMacException' })
  await expect(
    kms.send(new GenerateMacCommand({ KeyId, MacAlgorithm: 'HMAC_SHA_512', Message: Plaintext })),
  ).rejects.toMatchObject({ name: 'InvalidKeyUsageException' })
})

describe('a name of a key', () => {
  test('may be id, ARN, alias or alias ARN for its use; only the first two for its management', async () => {
    const { kms, make } = await desk()
    const { KeyId, Arn } = await make()
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/main', TargetKeyId: KeyId }))
    const aliasArn = `arn:aws:kms:us-east-1:${ACCOUNT}:alias/main`

    for (const name of [KeyId, Arn, 'alias/main', aliasArn]) {
      expect((await kms.send(new EncryptCommand({ KeyId: name, Plaintext }))).KeyId).toBe(Arn)
    }
    await expect(kms.send(new DisableKeyCommand({ KeyId: 'alias/main' }))).rejects.toMatchObject({
      name: 'NotFoundException',
      message: "Invalid keyId 'alias/main'",
    })
  })
  test.each([
    ['nonsense', 'NotFoundException', "Invalid keyId 'nonsense'"],
    [
      '1234abcd-12ab-34cd-56ef-1234567890ab',
      'NotFoundException',
      `Key 'arn:aws:kms:us-east-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab' does not exist`,
    ],
    ['alias/none', 'NotFoundException', `Alias arn:aws:kms:us-east-1:${ACCOUNT}:alias/none is not found.`],
    ['arn:aws:s3:::bucket', 'InvalidArnException', 'Invalid arn arn:aws:s3:::bucket'],
    [
      `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
      'NotFoundException',
      'Invalid arn eu-west-1',
    ],
  ])('that leads nowhere is reported as such: %s', async (KeyId, name, message) => {
    const { kms } = await desk()

    await expect(kms.send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject({ name, message })
  })
})

describe('an alias', () => {
  test('moves from key to key, is listed, and goes', async () => {
    const { kms, make } = await desk()
    const [first, second] = [await make(), await make()]
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: first.KeyId }))
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/app', TargetKeyId: second.KeyId }))

    expect((await kms.send(new DescribeKeyCommand({ KeyId: 'alias/app' }))).KeyMetadata?.KeyId).toBe(second.KeyId)
    expect((await kms.send(new ListAliasesCommand({ KeyId: first.KeyId }))).Aliases).toEqual([])
    expect((await kms.send(new ListAliasesCommand({ KeyId: second.KeyId }))).Aliases).toMatchObject([
      { AliasName: 'alias/app', TargetKeyId: second.KeyId },
    ])
    await kms.send(new DeleteAliasCommand({ AliasName: 'alias/app' }))
    expect((await kms.send(new ListAliasesCommand({}))).Aliases).toEqual([])
  })
  test.each([
    ['app', 'ValidationException'],
    ['alias/aws/app', 'NotAuthorizedException'],
    ['alias/', 'InvalidAliasNameException'],
    ['alias/a:b', 'InvalidAliasNameException'],
    ['alias/taken', 'AlreadyExistsException'],
  ])('is not made as %s', async (AliasName, name) => {
    const { kms, make } = await desk()
    const { KeyId: TargetKeyId } = await make()
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/taken', TargetKeyId }))

    await expect(kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }))).rejects.toMatchObject({ name })
  })
  test('does not move to a key of another kind', async () => {
    const { kms, make } = await desk()
    const [aes, mac] = [await make(), await make({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })]
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: aes.KeyId }))

    await expect(
      kms.send(new UpdateAliasCommand({ AliasName: 'alias/app', TargetKeyId: mac.KeyId })),
    ).rejects.toMatchObject({ name: 'ValidationException' })
  })
  test('is one of fifty at most', async () => {
    const { kms, make } = await desk()
    const { KeyId: TargetKeyId } = await make()
    for (let at = 0; at < 50; at++) await kms.send(new CreateAliasCommand({ AliasName: `alias/a${at}`, TargetKeyId }))

    await expect(kms.send(new CreateAliasCommand({ AliasName: 'alias/more', TargetKeyId }))).rejects.toMatchObject({
      name: 'LimitExceededException',
    })
    const page = await kms.send(new ListAliasesCommand({ Limit: 30 }))
    expect([page.Aliases?.length, page.Truncated]).toEqual([30, true])
    const rest = await kms.send(new ListAliasesCommand({ Limit: 30, Marker: page.NextMarker }))
    expect([rest.Aliases?.length, rest.Truncated, rest.NextMarker]).toEqual([20, false, undefined])
    await expect(kms.send(new ListKeysCommand({ Marker: page.NextMarker }))).rejects.toMatchObject({
      name: 'InvalidMarkerException',
    })
  })
})

test('a job that failed in an earlier window, or of an earlier rotation, does not come early to a new request', async () => {
  const { kms, make, store, clock, jobs } = await desk()
  const [gone, turned] = [await make(), await make()]
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: gone.KeyId, PendingWindowInDays: 7 }))
  await kms.send(new EnableKeyRotationCommand({ KeyId: turned.KeyId, RotationPeriodInDays: 90 }))
  // As the runner leaves one that failed: under another time than the one its key knows it by.
  await store.run((unit) => {
    for (const [kind, { KeyId: id }] of [['kms.delete-key', gone] as const, ['kms.rotate-key', turned] as const]) {
      const payload = { account: ACCOUNT, region: 'us-east-1', id }
      scheduleJob(unit, { id: `late/${kind}`, kind, dueAt: clock.now(), payload })
    }
  })
  expect(await jobs.runDue()).toBe(2)

  expect((await kms.send(new DescribeKeyCommand({ KeyId: gone.KeyId }))).KeyMetadata?.KeyState).toBe('PendingDeletion')
  expect((await kms.send(new ListKeyRotationsCommand({ KeyId: turned.KeyId }))).Rotations).toEqual([])
})

test('a tag may be called like anything that objects are made of', async () => {
  const { kms, make } = await desk()
  const tags = [
    { TagKey: '__proto__', TagValue: 'a' },
    { TagKey: 'constructor', TagValue: 'b' },
  ]
  const { KeyId } = await make({ Tags: tags })
  expect((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual(tags)
  await kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: '__proto__', TagValue: 'c' }] }))

  expect((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([
    { TagKey: '__proto__', TagValue: 'c' },
    tags[1],
  ])
})

test('a marker of one Region is none in another: no list shows the keys of a third', async () => {
  const { at, root } = await desk()
  for (const region of ['eu-central-1', 'eu-north-1'])
    for (let n = 0; n < 2; n++) await at(root, region).send(new CreateKeyCommand({}))
  const { NextMarker } = await at(root, 'eu-central-1').send(new ListKeysCommand({ Limit: 1 }))

  const elsewhere = at(root, 'us-east-1').send(new ListKeysCommand({ Marker: NextMarker }))

  await expect(elsewhere).rejects.toMatchObject({ name: 'InvalidMarkerException' })
})

test('tags and the description change, and a tag decides nothing by itself', async () => {
  const { kms, make } = await desk()
  const { KeyId } = await make()
  await kms.send(
    new TagResourceCommand({
      KeyId,
      Tags: [
        { TagKey: 'a', TagValue: '1' },
        { TagKey: 'b', TagValue: '2' },
      ],
    }),
  )
  await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['a'] }))
  await kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'new' }))

  expect((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([{ TagKey: 'b', TagValue: '2' }])
  expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.Description).toBe('new')
})

test('a disabled key does nothing from the next call on, until it is enabled', async () => {
  const { kms, make } = await desk()
  const { KeyId, Arn } = await make()
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await kms.send(new DisableKeyCommand({ KeyId }))

  const refused = { name: 'DisabledException', message: `${Arn} is disabled.` }
  await expect(kms.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject(refused)
  await expect(kms.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject(refused)
  await expect(kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))).rejects.toMatchObject(refused)
  await expect(
    kms.send(new SignCommand({ KeyId, Message: Plaintext, SigningAlgorithm: 'ECDSA_SHA_256' })),
  ).rejects.toMatchObject(refused)
  await kms.send(new EnableKeyCommand({ KeyId }))
  expect(Buffer.from((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext!)).toEqual(Plaintext)
})

describe('deletion', () => {
  test('waits out its window, and takes material and aliases with the key', async () => {
    const { kms, make, clock, jobs, client, root, store } = await desk()
    const { KeyId, Arn } = await make()
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: KeyId }))
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))

    const scheduled = await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
    expect(scheduled).toMatchObject({ KeyId: Arn, KeyState: 'PendingDeletion', PendingWindowInDays: 7 })
    await expect(kms.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
      message: `${Arn} is pending deletion.`,
    })
    clock.advance(7 * DAY_MS - 1000)
    await jobs.runDue()
    const before = client(KMSClient, root)
    expect((await before.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState).toBe('PendingDeletion')

    clock.advance(2000)
    await jobs.runDue()
    const after = client(KMSClient, root)
    await expect(after.send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject({ name: 'NotFoundException' })
    await expect(after.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    expect((await after.send(new ListAliasesCommand({}))).Aliases).toEqual([])
    expect(await store.reader.range('kms/')).toEqual([])
  })
  test('called off leaves the key disabled', async () => {
    const { kms, make, clock, jobs, client, root } = await desk()
    const { KeyId, Arn } = await make()
    await expect(kms.send(new CancelKeyDeletionCommand({ KeyId }))).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
      message: `${Arn} is not pending deletion.`,
    })
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId }))
    expect((await kms.send(new CancelKeyDeletionCommand({ KeyId }))).KeyId).toBe(Arn)

    clock.advance(31 * DAY_MS)
    await jobs.runDue()
    const { KeyMetadata } = await client(KMSClient, root).send(new DescribeKeyCommand({ KeyId }))
    expect(KeyMetadata).toMatchObject({ KeyState: 'Disabled', Enabled: false })
  })
  test.each([6, 31])('does not take %i days', async (PendingWindowInDays) => {
    const { kms, make } = await desk()
    const { KeyId } = await make()

    await expect(kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays }))).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })
})

test('a dry run says whether it would succeed, and does nothing', async () => {
  const { kms, make } = await desk()
  const { KeyId } = await make()
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const DryRun = true
  const wouldSucceed = { name: 'DryRunOperationException' }

  await expect(kms.send(new EncryptCommand({ KeyId, Plaintext, DryRun }))).rejects.toMatchObject(wouldSucceed)
  await expect(kms.send(new DecryptCommand({ CiphertextBlob, DryRun }))).rejects.toMatchObject(wouldSucceed)
  await expect(
    kms.send(new DecryptCommand({ KeyId, DryRun, DryRunModifiers: ['IGNORE_CIPHERTEXT'] })),
  ).rejects.toMatchObject(wouldSucceed)
  await expect(
    kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: 'b' }, DryRun })),
  ).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
  await expect(
    kms.send(new DecryptCommand({ CiphertextBlob, KeyId, DryRunModifiers: ['IGNORE_CIPHERTEXT'] })),
  ).rejects.toMatchObject({ name: 'ValidationException' })
  await kms.send(new DisableKeyCommand({ KeyId }))
  await expect(kms.send(new EncryptCommand({ KeyId, Plaintext, DryRun }))).rejects.toMatchObject({
    name: 'DisabledException',
  })
})
