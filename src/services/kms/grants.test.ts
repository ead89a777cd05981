/** Grants: what they delegate, what they do not, which principals may end them. */
import { CreateRoleCommand, DeleteRoleCommand, IAMClient, PutUserPermissionsBoundaryCommand } from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  type GrantConstraints,
  GrantOperation,
  type KeySpec,
  type KeyUsageType,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, keysOf, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { under } from '../../store/store.ts'
import { desk } from './desk.fixture.ts'

const ROOT = `arn:aws:iam::${ACCOUNT}:root`
const ANN = `arn:aws:iam::${ACCOUNT}:user/ann`
const BEN = `arn:aws:iam::${ACCOUNT}:user/ben`
const Plaintext = Buffer.from('attack at dawn')
const DENIED = { name: 'AccessDeniedException' }

/** A key, a user without any permission, and what root grants that user. */
async function granted(Operations: GrantOperation[], Constraints?: GrantConstraints) {
  const world = await desk()
  const [ann, ben] = [await world.user('ann'), await world.user('ben')]
  const { KeyId, Arn } = await world.make()
  const grant = await world.kms.send(
    new CreateGrantCommand({ KeyId, GranteePrincipal: ANN, RetiringPrincipal: BEN, Operations, Constraints }),
  )
  return { ...world, ann: world.at(ann), ben: world.at(ben), KeyId: KeyId!, Arn: Arn!, grant }
}

describe('a grant', () => {
  test('lets its grantee do what it names, from the next call on, and no other principal anything', async () => {
    const { ann, ben, KeyId, grant } = await granted(['Encrypt', 'Decrypt'])

    expect(grant.GrantId).toMatch(/^[0-9a-f]{64}$/)
    const { CiphertextBlob } = await ann.send(new EncryptCommand({ KeyId, Plaintext }))
    await expect(ann.send(new DecryptCommand({ CiphertextBlob }))).resolves.toHaveProperty('Plaintext')
    await expect(ann.send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject(DENIED)
    await expect(ann.send(new DisableKeyCommand({ KeyId }))).rejects.toMatchObject(DENIED)
    await expect(ben.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject(DENIED)
  })
  test('yields to a deny in the key policy, and stays within a boundary', async () => {
    const { ann, kms, client, KeyId } = await granted(['Encrypt'])
    const policy = (...more: readonly object[]) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'kms:*', Resource: '*' },
          ...more.map((each) => ({ Effect: 'Deny', Resource: '*', ...each })),
        ],
      })
    await kms.send(
      new PutKeyPolicyCommand({ KeyId, Policy: policy({ Principal: { AWS: ANN }, Action: 'kms:Encrypt' }) }),
    )
    await expect(ann.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject(DENIED)
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policy() }))
    await ann.send(new EncryptCommand({ KeyId, Plaintext }))
    await client(IAMClient).send(
      new PutUserPermissionsBoundaryCommand({
        UserName: 'ann',
        PermissionsBoundary: 'arn:aws:iam::aws:policy/AmazonS3FullAccess',
      }),
    )
    await expect(ann.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject(DENIED)
  })
  test('to a role serves its sessions, within what a session policy leaves; a later role with its name gets nothing', async () => {
    const { make, kms, client, root, at, user } = await desk()
    const trust = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'sts:AssumeRole' }],
    })
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/worker`
    const role = { RoleName: 'worker', AssumeRolePolicyDocument: trust }
    await client(IAMClient, root).send(new CreateRoleCommand(role))
    const sts = client(STSClient, await user('bob', allowing({ Action: 'sts:AssumeRole', Resource: '*' })))
    const assume = async (Policy?: string) =>
      at(keysOf(await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session', Policy }))))
    const { KeyId } = await make()
    await kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: RoleArn, Operations: ['Encrypt'] }))

    await expect((await assume()).send(new EncryptCommand({ KeyId, Plaintext }))).resolves.toBeDefined()
    const narrowed = await assume(allowing({ Action: 's3:*', Resource: '*' }))
    await expect(narrowed.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject(DENIED)
    await client(IAMClient, root).send(new DeleteRoleCommand({ RoleName: 'worker' }))
    await client(IAMClient, root).send(new CreateRoleCommand(role))
    await expect((await assume()).send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject(DENIED)
  })
  test('crosses accounts', async () => {
    const { make, kms, account, at } = await desk()
    const stranger = at(await account())
    const { KeyId, Arn } = await make()
    const GranteePrincipal = `arn:aws:iam::${OTHER_ACCOUNT}:root`

    await expect(stranger.send(new EncryptCommand({ KeyId: Arn, Plaintext }))).rejects.toMatchObject(DENIED)
    await kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Encrypt'] }))
    await expect(stranger.send(new EncryptCommand({ KeyId: Arn, Plaintext }))).resolves.toMatchObject({ KeyId: Arn })
  })
})

describe('constraints', () => {
  test.each<[string, GrantConstraints, Record<string, string> | undefined, boolean]>([
    ['equal pairs', { EncryptionContextEquals: { a: '1' } }, { a: '1' }, true],
    ['more pairs than equal', { EncryptionContextEquals: { a: '1' } }, { a: '1', b: '2' }, false],
    ['no pairs', { EncryptionContextEquals: { a: '1' } }, undefined, false],
    ['another case', { EncryptionContextEquals: { a: '1' } }, { A: '1' }, false],
    ['another value', { EncryptionContextEquals: { a: '1' } }, { a: '2' }, false],
    ['a subset and more', { EncryptionContextSubset: { a: '1' } }, { a: '1', b: '2' }, true],
    ['less than the subset', { EncryptionContextSubset: { a: '1', b: '2' } }, { a: '1' }, false],
    ['a value that looks like a variable', { EncryptionContextEquals: { a: '${aws:username}' } }, { a: 'ann' }, false],
    ['a value that looks like a pattern', { EncryptionContextSubset: { a: '*' } }, { a: 'x' }, false],
    ['a source that no call has', { SourceArn: 'arn:aws:s3:::b' }, undefined, false],
  ])('%s', async (_what, constraints, EncryptionContext, allowed) => {
    const { ann, KeyId } = await granted(['Encrypt', 'GenerateDataKey'], constraints)
    for (const asked of [
      ann.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext })),
      ann.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext })),
    ]) {
      if (allowed) await expect(asked).resolves.toBeDefined()
      else await expect(asked).rejects.toMatchObject(DENIED)
    }
  })
  test('do not concern DescribeKey', async () => {
    const { ann, KeyId } = await granted(['DescribeKey', 'Decrypt'], { EncryptionContextEquals: { a: '1' } })

    await expect(ann.send(new DescribeKeyCommand({ KeyId }))).resolves.toBeDefined()
  })
  test('hold each side of a re-encryption by its own context', async () => {
    const { ann, kms, KeyId } = await granted(['ReEncryptFrom', 'ReEncryptTo'], { EncryptionContextEquals: { a: '1' } })
    const sealed = async (EncryptionContext: Record<string, string>) =>
      (await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))).CiphertextBlob
    const move = (CiphertextBlob: Uint8Array | undefined, from: Record<string, string>, to: Record<string, string>) =>
      ann.send(
        new ReEncryptCommand({
          CiphertextBlob,
          SourceEncryptionContext: from,
          DestinationKeyId: KeyId,
          DestinationEncryptionContext: to,
        }),
      )

    await expect(move(await sealed({ a: '1' }), { a: '1' }, { a: '1' })).resolves.toBeDefined()
    await expect(move(await sealed({ a: '1' }), { a: '1' }, { a: '2' })).rejects.toMatchObject(DENIED)
    await expect(move(await sealed({ a: '2' }), { a: '2' }, { a: '1' })).rejects.toMatchObject(DENIED)
  })
  test.each<[string, GrantConstraints]>([
    ['both kinds', { EncryptionContextEquals: { a: '1' }, EncryptionContextSubset: { a: '1' } }],
    [
      'nine pairs',
      { EncryptionContextEquals: Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`k${at}`, 'v'])) },
    ],
    ['a value of 385 characters', { EncryptionContextSubset: { a: 'x'.repeat(385) } }],
  ])('cannot be %s', async (_what, Constraints) => {
    const { make, kms } = await desk()
    const { KeyId } = await make()

    await expect(
      kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: ROOT, Operations: ['Encrypt'], Constraints })),
    ).rejects.toMatchObject({ name: 'ValidationException' })
    expect((await kms.send(new ListGrantsCommand({ KeyId }))).Grants).toEqual([])
  })
})

describe('a grant made through a grant', () => {
  const handOn = (
    world: Awaited<ReturnType<typeof granted>>,
    Operations: GrantOperation[],
    Constraints?: GrantConstraints,
  ) => world.ann.send(new CreateGrantCommand({ KeyId: world.KeyId, GranteePrincipal: BEN, Operations, Constraints }))

  test('gives no operation that the giver has not', async () => {
    const world = await granted(['CreateGrant', 'Encrypt'])

    await expect(handOn(world, ['Encrypt'])).resolves.toBeDefined()
    await expect(world.ben.send(new EncryptCommand({ KeyId: world.KeyId, Plaintext }))).resolves.toBeDefined()
    await expect(handOn(world, ['Encrypt', 'Decrypt'])).rejects.toMatchObject(DENIED)
    await expect(handOn(world, ['DescribeKey'])).rejects.toMatchObject(DENIED)
  })
  test.each<[string, GrantConstraints, GrantConstraints | undefined, boolean]>([
    ['the same', { EncryptionContextEquals: { a: '1' } }, { EncryptionContextEquals: { a: '1' } }, true],
    ['none', { EncryptionContextEquals: { a: '1' } }, undefined, false],
    ['another', { EncryptionContextEquals: { a: '1' } }, { EncryptionContextEquals: { a: '2' } }, false],
    [
      'a subset instead of equality',
      { EncryptionContextEquals: { a: '1' } },
      { EncryptionContextSubset: { a: '1' } },
      false,
    ],
    [
      'equality within the subset',
      { EncryptionContextSubset: { a: '1' } },
      { EncryptionContextEquals: { a: '1', b: '2' } },
      true,
    ],
    ['a wider subset', { EncryptionContextSubset: { a: '1', b: '2' } }, { EncryptionContextSubset: { a: '1' } }, false],
    [
      'a narrower subset',
      { EncryptionContextSubset: { a: '1' } },
      { EncryptionContextSubset: { a: '1', b: '2' } },
      true,
    ],
    [
      'an empty equality beside a subset, as Terraform sends for the subset alone',
      { EncryptionContextSubset: { a: '1' } },
      { EncryptionContextEquals: {}, EncryptionContextSubset: { a: '1' } },
      true,
    ],
    [
      'an empty equality beside a subset, within an empty equality',
      { EncryptionContextEquals: {} },
      { EncryptionContextEquals: {}, EncryptionContextSubset: { a: '1' } },
      false,
    ],
  ])('is at least as strict: %s', async (_what, parent, child, allowed) => {
    const asked = handOn(await granted(['CreateGrant', 'Encrypt'], parent), ['Encrypt'], child)

    if (allowed) await expect(asked).resolves.toBeDefined()
    else await expect(asked).rejects.toMatchObject(DENIED)
  })
})

describe('the end of a grant', () => {
  test('comes by its retiring principal, by token or by key and id; then nothing is left of it', async () => {
    for (const by of ['token', 'id'] as const) {
      const { ann, ben, kms, at, root, KeyId, Arn, grant } = await granted(['Encrypt'])
      const named = by === 'token' ? { GrantToken: grant.GrantToken } : { KeyId: Arn, GrantId: grant.GrantId }

      await expect(ann.send(new RetireGrantCommand(named))).rejects.toMatchObject(DENIED)
      await ben.send(new RetireGrantCommand(named))
      await expect(ann.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject(DENIED)
      expect((await kms.send(new ListGrantsCommand({ KeyId }))).Grants).toEqual([])
      await expect(at(root).send(new RetireGrantCommand(named))).rejects.toMatchObject({ name: 'NotFoundException' })
    }
  })
  test('leaves no row behind, of a named one neither, and its name makes a new one', async () => {
    const { make, kms, store } = await desk()
    const { KeyId } = await make()
    const ask = () =>
      kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: ROOT, Operations: ['Encrypt'], Name: 'n' }))
    const rows = async () => {
      const all = await store.reader.range(under('kms'))
      return all.filter(({ key }) => /^kms.(grant-name|grantee|retirable|grant)[^-a-z]/.test(key)).length
    }
    const { GrantId } = await ask()
    expect(await rows()).toBe(3)
    await kms.send(new RevokeGrantCommand({ KeyId, GrantId }))

    expect(await rows()).toBe(0)
    expect((await ask()).GrantId).not.toBe(GrantId)
  })
  test('is not that of a grant on the key of another Region', async () => {
    const { ben, kms, KeyId, Arn, grant } = await granted(['Encrypt'])
    const there = Arn.replace('us-east-1', 'eu-west-1')

    await expect(ben.send(new RetireGrantCommand({ KeyId: there, GrantId: grant.GrantId }))).rejects.toMatchObject({
      name: 'NotFoundException',
    })
    expect((await kms.send(new ListGrantsCommand({ KeyId }))).Grants).toHaveLength(1)
  })
  test('comes by the grantee, if the grant says so', async () => {
    const { ann, grant } = await granted(['Encrypt', 'RetireGrant'])

    await expect(ann.send(new RetireGrantCommand({ GrantToken: grant.GrantToken }))).resolves.toBeDefined()
  })
  test('does not come by the grantee of another grant of the key', async () => {
    const { ann, ben, kms, KeyId } = await granted(['Encrypt', 'RetireGrant'])
    const other = await kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: BEN, Operations: ['Encrypt'] }))

    for (const named of [{ GrantToken: other.GrantToken }, { KeyId, GrantId: other.GrantId }]) {
      await expect(ann.send(new RetireGrantCommand(named))).rejects.toMatchObject(DENIED)
    }
    await expect(ben.send(new EncryptCommand({ KeyId, Plaintext }))).resolves.toBeDefined()
  })
  test('can be retired by a caller that may revoke', async () => {
    const { ann, ben, kms, KeyId, grant } = await granted(['Encrypt'])
    const revoke = new RevokeGrantCommand({ KeyId, GrantId: grant.GrantId })

    await expect(ben.send(revoke)).rejects.toMatchObject(DENIED)
    await kms.send(revoke)
    await expect(ann.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject(DENIED)
    await expect(kms.send(revoke)).rejects.toMatchObject({ name: 'NotFoundException' })
    await expect(kms.send(new RevokeGrantCommand({ KeyId, GrantId: 'x' }))).rejects.toMatchObject({
      name: 'InvalidGrantIdException',
    })
  })
})

describe('the form of a grant', () => {
  test('is shown as it was requested', async () => {
    const { kms, KeyId, Arn, grant, ben } = await granted(['Encrypt', 'Decrypt'], {
      EncryptionContextSubset: { a: '1' },
    })
    const shown = {
      KeyId: Arn,
      GrantId: grant.GrantId,
      Name: '',
      CreationDate: expect.any(Date),
      GranteePrincipal: ANN,
      RetiringPrincipal: BEN,
      IssuingAccount: ROOT,
      Operations: ['Encrypt', 'Decrypt'],
      Constraints: { EncryptionContextSubset: { a: '1' } },
    }

    expect((await kms.send(new ListGrantsCommand({ KeyId }))).Grants).toEqual([shown])
    expect((await kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal: BEN }))).Grants).toEqual([])
    expect((await kms.send(new ListGrantsCommand({ KeyId, GrantId: grant.GrantId }))).Grants).toHaveLength(1)
    expect((await kms.send(new ListRetirableGrantsCommand({ RetiringPrincipal: BEN }))).Grants).toEqual([shown])
    await expect(ben.send(new ListRetirableGrantsCommand({ RetiringPrincipal: BEN }))).rejects.toMatchObject(DENIED)
    await expect(
      kms.send(new ListRetirableGrantsCommand({ RetiringPrincipal: `arn:aws:iam::${OTHER_ACCOUNT}:root` })),
    ).rejects.toMatchObject(DENIED)
  })
  test('to an account is found by its number, as it was made', async () => {
    const { make, kms } = await desk()
    const { KeyId } = await make()
    await kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: ACCOUNT, Operations: ['Encrypt'] }))

    for (const GranteePrincipal of [ACCOUNT, ROOT]) {
      expect((await kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal }))).Grants).toHaveLength(1)
    }
    expect((await kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal: OTHER_ACCOUNT }))).Grants).toEqual([])
  })
  test('requested twice with one name is one grant, with a token of its own each time', async () => {
    const { make, kms } = await desk()
    const { KeyId } = await make()
    const ask = (Name?: string, Operations: GrantOperation[] = ['Encrypt']) =>
      kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: ROOT, Operations, Name }))
    const [first, again, other, unnamed, unnamedToo] = [
      await ask('n'),
      await ask('n'),
      await ask('n', ['Decrypt']),
      await ask(),
      await ask(),
    ]

    expect(again.GrantId).toBe(first.GrantId)
    expect(again.GrantToken).not.toBe(first.GrantToken)
    expect(new Set([first, other, unnamed, unnamedToo].map(({ GrantId }) => GrantId)).size).toBe(4)
  })
  test('requested again with one name in another order is the same grant, for pairs and operations have none', async () => {
    const { make, kms } = await desk()
    const { KeyId } = await make()
    const ask = (Operations: GrantOperation[], EncryptionContextSubset: Record<string, string>) =>
      kms.send(
        new CreateGrantCommand({
          KeyId,
          GranteePrincipal: ROOT,
          Operations,
          Constraints: { EncryptionContextSubset },
          Name: 'n',
        }),
      )
    const first = await ask(['Encrypt', 'Decrypt'], { a: '1', b: '2' })

    expect((await ask(['Encrypt', 'Decrypt'], { b: '2', a: '1' })).GrantId).toBe(first.GrantId)
    expect((await ask(['Decrypt', 'Encrypt'], { a: '1', b: '2' })).GrantId).toBe(first.GrantId)
    expect((await ask(['Encrypt', 'Decrypt'], { a: '2', b: '1' })).GrantId).not.toBe(first.GrantId)
    expect((await kms.send(new ListGrantsCommand({ KeyId }))).Grants).toHaveLength(2)
  })
  test('has a token that is accepted and never needed; one made up is refused', async () => {
    const { ann, KeyId, grant } = await granted(['Encrypt'])
    const ask = (token: string) => ann.send(new EncryptCommand({ KeyId, Plaintext, GrantTokens: [token] }))

    await expect(ask(grant.GrantToken!)).resolves.toBeDefined()
    await expect(ask('AQpAM2Rh')).rejects.toMatchObject({ name: 'InvalidGrantTokenException' })
    await expect(
      ann.send(new EncryptCommand({ KeyId, Plaintext, GrantTokens: Array(11).fill(grant.GrantToken) })),
    ).rejects.toMatchObject({ name: 'ValidationException' })
  })
  test.each([`arn:aws:iam::${ACCOUNT}:user/nobody`, 'ann', `arn:aws:iam::${ACCOUNT}:group/all`, '*'])(
    'names a principal that exists, not %s',
    async (GranteePrincipal) => {
      const { make, kms } = await desk()
      const { KeyId } = await make()

      await expect(
        kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Encrypt'] })),
      ).rejects.toMatchObject({ name: GranteePrincipal === '*' ? 'ValidationException' : 'InvalidArnException' })
    },
  )
})

describe('the operations of a grant are those of its key', () => {
  const always = ['CreateGrant', 'DescribeKey', 'RetireGrant']
  const pairs = ['GetPublicKey', ...always]
  const dataKeys = [
    'GenerateDataKey',
    'GenerateDataKeyPair',
    'GenerateDataKeyPairWithoutPlaintext',
    'GenerateDataKeyWithoutPlaintext',
  ]
  const encryption = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo']
  test.each<[KeySpec, KeyUsageType, readonly string[]]>([
    ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', [...encryption, ...dataKeys, ...always]],
    ['RSA_2048', 'ENCRYPT_DECRYPT', [...encryption, ...pairs]],
    ['ECC_NIST_P256', 'SIGN_VERIFY', ['Sign', 'Verify', ...pairs]],
    ['HMAC_256', 'GENERATE_VERIFY_MAC', ['GenerateMac', 'VerifyMac', ...always]],
    ['ECC_NIST_P256', 'KEY_AGREEMENT', ['DeriveSharedSecret', ...pairs]],
    ['ML_KEM_512', 'ENCAPSULATE_DECAPSULATE', ['Encapsulate', 'Decapsulate', ...pairs]],
  ])('%s for %s', async (KeySpec, KeyUsage, expected) => {
    const { make, kms } = await desk()
    const { KeyId } = await make({ KeySpec, KeyUsage })
    const made: string[] = []
    for (const operation of Object.values(GrantOperation)) {
      await kms
        .send(new CreateGrantCommand({ KeyId, GranteePrincipal: ROOT, Operations: [operation] }))
        .then(() => made.push(operation))
        .catch((error: Error) => expect(error.name).toBe('ValidationException'))
    }

    expect(made.sort()).toEqual([...expected].sort())
  })
})
