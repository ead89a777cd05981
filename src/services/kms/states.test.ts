/** Every operation in every state of a key, through the SDK's client: AWS's own table, cell by cell. */
import * as KMS from '@aws-sdk/client-kms'
import { beforeAll, describe, expect, test } from 'vitest'
import { DAY_MS, desk } from './desk.fixture.ts'
import { key } from './resources.ts'
import type { KeyRow, KeyState } from './rows.ts'

/** What AWS answers, by the numbers of its table's footnotes. */
const FOOTNOTES = {
  1: ['DisabledException', 'is disabled.'],
  3: ['KMSInvalidStateException', 'is pending deletion.'],
  4: ['KMSInvalidStateException', 'is not pending deletion.'],
  5: ['KMSInvalidStateException', 'is pending import.'],
  6: ['UnsupportedOperationException', 'EXTERNAL'],
  11: ['KMSInvalidStateException', 'is unavailable.'],
  14: ['KMSInvalidStateException', 'is creating.'],
  15: ['KMSInvalidStateException', 'is updating.'],
} as const

/** 0: it works. `-`: no such key gets into that state. */
type Cell = 0 | keyof typeof FOOTNOTES | '-'

const STATES = [
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingImport',
  'Unavailable',
  'Creating',
  'Updating',
] as const

// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html as archived in June 2023. Newer operations
// (the last rows) by analogy.
// biome-ignore format: a matrix is read in columns
const TABLE = {
  CancelKeyDeletion:         [4, 4, 0, 4,   4,   4,  4],
  CreateAlias:               [0, 0, 3, 0,   0,   0,  0],
  CreateGrant:               [0, 1, 3, 5,   0,   14, 0],
  Decrypt:                   [0, 1, 3, 5,   11,  14, 0],
  DeleteAlias:               [0, 0, 0, 0,   0,   0,  0],
  DeleteImportedKeyMaterial: [0, 0, 0, 0,   '-', 14, 15],
  DescribeKey:               [0, 0, 0, 0,   0,   0,  0],
  DisableKey:                [0, 0, 3, 5,   0,   14, 15],
  DisableKeyRotation:        [0, 1, 3, 6,   '-', 14, 0],
  EnableKey:                 [0, 0, 3, 5,   0,   14, 15],
  EnableKeyRotation:         [0, 1, 3, 6,   '-', 14, 0],
  Encrypt:                   [0, 1, 3, 5,   11,  14, 0],
  GenerateDataKey:           [0, 1, 3, 5,   11,  14, 0],
  GenerateDataKeyPair:       [0, 1, 3, 5,   11,  14, 0],
  GenerateDataKeyPairWithoutPlaintext: [0, 1, 3, 5, 11, 14, 0],
  GenerateDataKeyWithoutPlaintext:     [0, 1, 3, 5, 11, 14, 0],
  GenerateMac:               [0, 1, 3, '-', '-', 14, 0],
  GetKeyPolicy:              [0, 0, 0, 0,   0,   0,  0],
  // Of imported keys AWS answers today; they have come to rotate on demand since.
  GetKeyRotationStatus:      [0, 0, 0, 0,   '-', 0,  0],
  GetParametersForImport:    [0, 0, 3, 0,   '-', 14, 15],
  GetPublicKey:              [0, 1, 3, '-', '-', 14, 0],
  ImportKeyMaterial:         [0, 0, 3, 0,   '-', 14, 0],
  ListAliases:               [0, 0, 0, 0,   0,   0,  0],
  ListGrants:                [0, 0, 0, 0,   0,   0,  0],
  ListKeyPolicies:           [0, 0, 0, 0,   0,   0,  0],
  ListResourceTags:          [0, 0, 0, 0,   0,   0,  0],
  PutKeyPolicy:              [0, 0, 0, 0,   0,   0,  0],
  ReEncrypt:                 [0, 1, 3, 5,   11,  14, 0],
  ReplicateKey:              [0, 1, 3, 5,   '-', 14, 15],
  RetireGrant:               [0, 0, 0, 0,   0,   0,  0],
  RevokeGrant:               [0, 0, 0, 0,   0,   0,  0],
  ScheduleKeyDeletion:       [0, 0, 3, 0,   0,   0,  15],
  Sign:                      [0, 1, 3, '-', '-', 14, 0],
  TagResource:               [0, 0, 3, 0,   0,   0,  0],
  UntagResource:             [0, 0, 3, 0,   0,   0,  0],
  UpdateAlias:               [0, 0, 3, 0,   0,   0,  0],
  UpdateKeyDescription:      [0, 0, 3, 0,   0,   0,  0],
  UpdatePrimaryRegion:       [0, 1, 3, 5,   '-', 14, 0],
  Verify:                    [0, 1, 3, '-', '-', 14, 0],
  VerifyMac:                 [0, 1, 3, '-', '-', 14, 0],

  Decapsulate:               [0, 1, 3, '-', '-', 14, 0],
  DeriveSharedSecret:        [0, 1, 3, '-', '-', 14, 0],
  Encapsulate:               [0, 1, 3, '-', '-', 14, 0],
  GetKeyLastUsage:           [0, 0, 0, 0,   0,   0,  0],
  ListKeyRotations:          [0, 0, 0, 0,   '-', 0,  0],
  RotateKeyOnDemand:         [0, 1, 3, 5,   '-', 14, 0],
} as const satisfies Readonly<Record<string, readonly Cell[]>>

type Name = keyof typeof TABLE

let world: Awaited<ReturnType<typeof desk>>
let count = 0

beforeAll(async () => {
  world = await desk()
})

const bytes = Buffer.alloc(64, 7)
const SPECS: Readonly<Partial<Record<Name, KMS.CreateKeyCommandInput>>> = {
  GenerateMac: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  VerifyMac: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  Sign: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  Verify: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  GetPublicKey: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  DeriveSharedSecret: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
  Encapsulate: { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' },
  Decapsulate: { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' },
  ReplicateKey: { MultiRegion: true },
  UpdatePrimaryRegion: { MultiRegion: true },
  GetParametersForImport: { Origin: 'EXTERNAL' },
  ImportKeyMaterial: { Origin: 'EXTERNAL' },
  DeleteImportedKeyMaterial: { Origin: 'EXTERNAL' },
}

/** A call on a key, prepared while the key was still usable. */
type Question = () => Promise<unknown>

async function questionOf(name: Name, KeyId: string): Promise<Question> {
  const { kms, make } = world
  const AliasName = `alias/a${++count}`
  const Plaintext = bytes
  const grantee = { KeyId, GranteePrincipal: 'arn:aws:iam::111122223333:root', Operations: ['DescribeKey'] } as const
  switch (name) {
    case 'CreateAlias':
      return () => kms.send(new KMS.CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
    case 'DeleteAlias':
      await kms.send(new KMS.CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
      return () => kms.send(new KMS.DeleteAliasCommand({ AliasName }))
    case 'UpdateAlias':
      await kms.send(new KMS.CreateAliasCommand({ AliasName, TargetKeyId: (await make()).KeyId }))
      return () => kms.send(new KMS.UpdateAliasCommand({ AliasName, TargetKeyId: KeyId }))
    case 'CreateGrant':
      return () => kms.send(new KMS.CreateGrantCommand({ ...grantee, Operations: ['DescribeKey'] }))
    case 'RetireGrant': {
      const { GrantToken } = await kms.send(new KMS.CreateGrantCommand({ ...grantee, Operations: ['DescribeKey'] }))
      return () => kms.send(new KMS.RetireGrantCommand({ GrantToken }))
    }
    case 'RevokeGrant': {
      const { GrantId } = await kms.send(new KMS.CreateGrantCommand({ ...grantee, Operations: ['DescribeKey'] }))
      return () => kms.send(new KMS.RevokeGrantCommand({ KeyId, GrantId }))
    }
    case 'Decrypt': {
      const { CiphertextBlob } = await kms.send(new KMS.EncryptCommand({ KeyId, Plaintext }))
      return () => kms.send(new KMS.DecryptCommand({ CiphertextBlob }))
    }
    case 'ReEncrypt': {
      const { CiphertextBlob } = await kms.send(new KMS.EncryptCommand({ KeyId, Plaintext }))
      const { KeyId: DestinationKeyId } = await make()
      return () => kms.send(new KMS.ReEncryptCommand({ CiphertextBlob, DestinationKeyId }))
    }
    case 'Verify': {
      const signed = { KeyId, Message: bytes, SigningAlgorithm: 'ECDSA_SHA_256' } as const
      const { Signature } = await kms.send(new KMS.SignCommand(signed))
      return () => kms.send(new KMS.VerifyCommand({ ...signed, Signature }))
    }
    case 'VerifyMac': {
      const coded = { KeyId, Message: bytes, MacAlgorithm: 'HMAC_SHA_256' } as const
      const { Mac } = await kms.send(new KMS.GenerateMacCommand(coded))
      return () => kms.send(new KMS.VerifyMacCommand({ ...coded, Mac }))
    }
    case 'Decapsulate': {
      const EncapsulationAlgorithm = 'ML_KEM'
      const made = await kms.send(new KMS.EncapsulateCommand({ KeyId, EncapsulationAlgorithm }))
      const { SharedSecretCiphertextBlob } = made
      return () => kms.send(new KMS.DecapsulateCommand({ KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob }))
    }
    case 'DeriveSharedSecret': {
      const { PublicKey } = await kms.send(new KMS.GetPublicKeyCommand({ KeyId }))
      return () => kms.send(new KMS.DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }))
    }
    case 'PutKeyPolicy': {
      const { Policy } = await kms.send(new KMS.GetKeyPolicyCommand({ KeyId }))
      return () => kms.send(new KMS.PutKeyPolicyCommand({ KeyId, Policy }))
    }
    case 'ImportKeyMaterial': {
      const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const
      const { ImportToken } = await kms.send(new KMS.GetParametersForImportCommand({ KeyId, ...wrapping }))
      const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE'
      // As far as its state is concerned it works: what is left to complain of is the ciphertext.
      return () =>
        kms
          .send(new KMS.ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial: bytes, ExpirationModel }))
          .catch((error: Error) => {
            if (error.name !== 'InvalidCiphertextException') throw error
          })
    }
    case 'UpdatePrimaryRegion':
      await kms.send(new KMS.ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }))
      return () => kms.send(new KMS.UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'eu-west-1' }))
    default:
      return simple(name, KeyId)
  }
}

function simple(name: Name, KeyId: string): Question {
  const { kms } = world
  const questions: Partial<Record<Name, Question>> = {
    CancelKeyDeletion: () => kms.send(new KMS.CancelKeyDeletionCommand({ KeyId })),
    DeleteImportedKeyMaterial: () => kms.send(new KMS.DeleteImportedKeyMaterialCommand({ KeyId })),
    DescribeKey: () => kms.send(new KMS.DescribeKeyCommand({ KeyId })),
    DisableKey: () => kms.send(new KMS.DisableKeyCommand({ KeyId })),
    DisableKeyRotation: () => kms.send(new KMS.DisableKeyRotationCommand({ KeyId })),
    EnableKey: () => kms.send(new KMS.EnableKeyCommand({ KeyId })),
    EnableKeyRotation: () => kms.send(new KMS.EnableKeyRotationCommand({ KeyId })),
    Encapsulate: () => kms.send(new KMS.EncapsulateCommand({ KeyId, EncapsulationAlgorithm: 'ML_KEM' })),
    Encrypt: () => kms.send(new KMS.EncryptCommand({ KeyId, Plaintext: bytes })),
    GenerateDataKey: () => kms.send(new KMS.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
    GenerateDataKeyPair: () => kms.send(new KMS.GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' })),
    GenerateDataKeyPairWithoutPlaintext: () =>
      kms.send(
        new KMS.GenerateDataKeyPairWithoutPlaintextCommand({
          KeyId,
          KeyPairSpec: 'ECC_NIST_P256',
        }),
      ),
    GenerateDataKeyWithoutPlaintext: () =>
      kms.send(new KMS.GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' })),
    GenerateMac: () => kms.send(new KMS.GenerateMacCommand({ KeyId, Message: bytes, MacAlgorithm: 'HMAC_SHA_256' })),
    GetKeyLastUsage: () => kms.send(new KMS.GetKeyLastUsageCommand({ KeyId })),
    GetKeyPolicy: () => kms.send(new KMS.GetKeyPolicyCommand({ KeyId })),
    GetKeyRotationStatus: () => kms.send(new KMS.GetKeyRotationStatusCommand({ KeyId })),
    GetParametersForImport: () =>
      kms.send(
        new KMS.GetParametersForImportCommand({
          KeyId,
          WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
          WrappingKeySpec: 'RSA_2048',
        }),
      ),
    GetPublicKey: () => kms.send(new KMS.GetPublicKeyCommand({ KeyId })),
    ListAliases: () => kms.send(new KMS.ListAliasesCommand({ KeyId })),
    ListGrants: () => kms.send(new KMS.ListGrantsCommand({ KeyId })),
    ListKeyPolicies: () => kms.send(new KMS.ListKeyPoliciesCommand({ KeyId })),
    ListKeyRotations: () => kms.send(new KMS.ListKeyRotationsCommand({ KeyId })),
    ListResourceTags: () => kms.send(new KMS.ListResourceTagsCommand({ KeyId })),
    ReplicateKey: () => kms.send(new KMS.ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' })),
    RotateKeyOnDemand: () => kms.send(new KMS.RotateKeyOnDemandCommand({ KeyId })),
    ScheduleKeyDeletion: () => kms.send(new KMS.ScheduleKeyDeletionCommand({ KeyId })),
    Sign: () => kms.send(new KMS.SignCommand({ KeyId, Message: bytes, SigningAlgorithm: 'ECDSA_SHA_256' })),
    TagResource: () => kms.send(new KMS.TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })),
    UntagResource: () => kms.send(new KMS.UntagResourceCommand({ KeyId, TagKeys: ['a'] })),
    UpdateKeyDescription: () => kms.send(new KMS.UpdateKeyDescriptionCommand({ KeyId, Description: 'd' })),
  }
  return questions[name]!
}

/** Puts a key into a state that is hard to come by; imported keys alone wait for their material. */
async function put(KeyId: string, state: KeyState): Promise<void> {
  const place = { account: '111122223333', region: 'us-east-1' }
  await world.store.run(async (unit) => {
    const row = (await key.get(unit, place, { KeyId }))!
    unit.put(key.key(place, { KeyId }), {
      ...row,
      state,
      ...(state === 'PendingImport' && { origin: 'EXTERNAL' }),
      ...(state.includes('Deletion') && { deletion: { windowDays: 7, at: world.clock.now() + 7 * DAY_MS } }),
    } satisfies KeyRow)
  })
}

describe.each(Object.keys(TABLE) as Name[])('%s', (name) => {
  const cells = STATES.map((state, column) => [state, TABLE[name][column] as Cell] as const).filter(
    ([, cell]) => cell !== '-',
  )
  test.each(cells)('of a key that is %s: %s', async (state, cell) => {
    const { KeyId, Arn } = await world.make(SPECS[name])
    const ask = await questionOf(name, KeyId!)
    await put(KeyId!, state)

    if (cell === 0 || cell === '-') {
      await expect(ask()).resolves.not.toThrow()
      return
    }
    const [error, words] = FOOTNOTES[cell]
    await expect(ask()).rejects.toMatchObject({
      name: error,
      message: expect.stringMatching(new RegExp(`^${Arn} .*${words}`)),
    })
  })
})

test('a primary that waits for its replicas is as good as one that waits for its end', async () => {
  const { KeyId, Arn } = await world.make()
  await put(KeyId!, 'PendingReplicaDeletion')

  await expect(simpleSend(KeyId!)).rejects.toMatchObject({
    name: 'KMSInvalidStateException',
    message: `${Arn} is pending deletion.`,
  })
})

const simpleSend = (KeyId: string) => world.kms.send(new KMS.EncryptCommand({ KeyId, Plaintext: bytes }))
