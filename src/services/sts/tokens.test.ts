import {
  AssumeRoleCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import { describe, expect, it } from 'vitest'
import { accessKeyId } from '../../kernel/service/id.ts'
import { ACCOUNT, account, keysOf, MFA_CODE } from './account.fixture.ts'

const who = new GetCallerIdentityCommand({})
const keyInfo = new GetAccessKeyInfoCommand({ AccessKeyId: accessKeyId('AKIA', ACCOUNT) })
const mfaOf = (user: string) => `arn:aws:iam::${ACCOUNT}:mfa/${user}`
const HOUR_MS = 3_600_000
const everything = [{ Action: '*', Resource: '*' }]

describe('GetSessionToken', () => {
  it('gives the user itself, without a permission, for twelve hours', async () => {
    const { user, as, clock } = await account()
    const before = clock.now()

    const answer = await as(user('ann')).send(new GetSessionTokenCommand({}))

    expect(await as(keysOf(answer)).send(who)).toMatchObject({ Arn: `arn:aws:iam::${ACCOUNT}:user/ann` })
    const livesMs = answer.Credentials!.Expiration!.getTime() - before
    expect(Math.round(livesMs / HOUR_MS)).toBe(12)
  })

  it('ends: one second later the token is expired', async () => {
    const { user, as, clock } = await account()
    const session = keysOf(await as(user('ann')).send(new GetSessionTokenCommand({ DurationSeconds: 900 })))

    clock.advance(901_000)

    await expect(as(session).send(who)).rejects.toMatchObject({ name: 'ExpiredToken' })
  })

  it('gives root one hour, however much it requests', async () => {
    const { root, as, clock } = await account()
    const answer = await as(root()).send(new GetSessionTokenCommand({ DurationSeconds: 7200 }))

    expect(answer.Credentials!.Expiration!.getTime() - clock.now()).toBeLessThanOrEqual(HOUR_MS)
  })

  it('refuses a wrong code, the device of another user, and half an answer', async () => {
    const { user, as } = await account()
    const ann = as(user('ann'))
    const wrong = {
      name: 'AccessDenied',
      message: 'MultiFactorAuthentication failed with invalid MFA one time pass code.',
    }

    const code = ann.send(new GetSessionTokenCommand({ SerialNumber: mfaOf('ann'), TokenCode: '000000' }))
    const device = ann.send(new GetSessionTokenCommand({ SerialNumber: mfaOf('bob'), TokenCode: MFA_CODE }))
    const half = ann.send(new GetSessionTokenCommand({ TokenCode: MFA_CODE }))

    await expect(code).rejects.toMatchObject(wrong)
    await expect(device).rejects.toMatchObject(wrong)
    await expect(half).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  it('lets a session with a second factor do what requires one, and only that', async () => {
    const { user, as, role } = await account()
    const RoleArn = role('safe', {
      trust: [
        {
          Action: 'sts:AssumeRole',
          Principal: { AWS: ACCOUNT },
          Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } },
        },
      ],
    })
    const ann = as(user('ann', everything))
    const assume = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'ann' })

    const plain = keysOf(await ann.send(new GetSessionTokenCommand({})))
    const strong = keysOf(
      await ann.send(new GetSessionTokenCommand({ SerialNumber: mfaOf('ann'), TokenCode: MFA_CODE })),
    )

    await expect(as(plain).send(assume)).rejects.toMatchObject({ name: 'AccessDenied' })
    await expect(as(strong).send(assume)).resolves.toBeDefined()
  })

  it('is revoked with the key that requested it', async () => {
    const { user, as, deactivate } = await account()
    const ann = user('ann')
    const session = keysOf(await as(ann).send(new GetSessionTokenCommand({})))

    deactivate(ann.accessKeyId)

    await expect(as(session).send(who)).rejects.toMatchObject({ name: 'InvalidClientTokenId' })
  })
})

describe('GetFederationToken', () => {
  it('needs a permission on the federated user it names', async () => {
    const { user, as } = await account()
    const ann = as(
      user('ann', [{ Action: 'sts:GetFederationToken', Resource: `arn:aws:sts::${ACCOUNT}:federated-user/bob` }]),
    )

    const { FederatedUser } = await ann.send(new GetFederationTokenCommand({ Name: 'bob' }))
    const other = ann.send(new GetFederationTokenCommand({ Name: 'eve' }))

    expect(FederatedUser).toEqual({
      FederatedUserId: `${ACCOUNT}:bob`,
      Arn: `arn:aws:sts::${ACCOUNT}:federated-user/bob`,
    })
    await expect(other).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  it('requires TagSession when tags are set', async () => {
    const { user, as } = await account()
    const federate = { Action: 'sts:GetFederationToken', Resource: '*' }
    const tagTeam = {
      Action: 'sts:TagSession',
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } },
    }
    const ann = as(user('ann', [federate, tagTeam]))

    const blue = await ann.send(new GetFederationTokenCommand({ Name: 'bob', Tags: [{ Key: 'team', Value: 'blue' }] }))
    const red = ann.send(new GetFederationTokenCommand({ Name: 'bob', Tags: [{ Key: 'team', Value: 'red' }] }))

    expect(blue.PackedPolicySize).toBeGreaterThan(0)
    await expect(red).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('sts:TagSession'),
    })
  })

  it('refuses tag keys that differ only by case', async () => {
    const { root, as } = await account()
    const Tags = [
      { Key: 'team', Value: 'a' },
      { Key: 'Team', Value: 'b' },
    ]

    const asked = as(root()).send(new GetFederationTokenCommand({ Name: 'bob', Tags }))

    await expect(asked).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message: 'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    })
  })

  it('refuses a policy that can not be read, and a managed one that is not there', async () => {
    const { root, as } = await account()
    const ask = (input: object) => as(root()).send(new GetFederationTokenCommand({ Name: 'bob', ...input }))
    const malformed = { name: 'MalformedPolicyDocumentException' }

    await expect(ask({ Policy: '{}' })).rejects.toMatchObject(malformed)
    await expect(ask({ PolicyArns: [{ arn: `arn:aws:iam::${ACCOUNT}:policy/none` }] })).rejects.toMatchObject(malformed)
  })

  it('refuses policies and tags that together are too large', async () => {
    const { root, as } = await account()
    // Noise, so that packing saves little.
    const noise = Array.from({ length: 40 }, (_, i) => (BigInt(i + 7) ** 200n).toString(36).slice(0, 200))
    const Tags = noise.map((Value, i) => ({ Key: `k${i}`, Value }))

    const asked = as(root()).send(new GetFederationTokenCommand({ Name: 'bob', Tags }))

    await expect(asked).rejects.toMatchObject({ name: 'PackedPolicyTooLargeException' })
  })
})

describe('the table of credentials', () => {
  const session = new GetSessionTokenCommand({})
  const federation = new GetFederationTokenCommand({ Name: 'bob' })
  const RoleArn = `arn:aws:iam::${ACCOUNT}:role/any`
  const assume = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'x1' })
  //                                                 GetSessionToken, GetFederationToken, AssumeRole, GetAccessKeyInfo
  const open: Readonly<Record<string, readonly boolean[]>> = {
    root: /*          */ [true, true, false, true],
    user: /*          */ [true, true, true, true],
    role: /*          */ [false, false, true, true],
    'user session': /**/ [false, false, true, false],
    'root session': /**/ [false, false, false, false],
    federated: /*     */ [false, false, false, false],
  }

  it.each(Object.keys(open))('holds for %s', async (credential) => {
    const { root, user, role, as } = await account()
    role('any', { trust: [{ Action: 'sts:AssumeRole', Principal: { AWS: ACCOUNT } }], policy: everything })
    const ann = as(user('ann', everything))
    const credentials = {
      root: async () => root(),
      user: async () => user('bea', everything),
      role: async () => keysOf(await ann.send(assume)),
      'user session': async () => keysOf(await ann.send(session)),
      'root session': async () => keysOf(await as(root()).send(session)),
      federated: async () => keysOf(await as(root()).send(new GetFederationTokenCommand({ Name: 'bob', Policy: ALL }))),
    }[credential]!
    const client = as(await credentials())

    const answers = [
      await allowed(client.send(session)),
      await allowed(client.send(federation)),
      await allowed(client.send(assume)),
      await allowed(client.send(keyInfo)),
    ]

    expect(answers).toEqual(open[credential])
  })
})

const ALL = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] })

/** Whether it was let in: any other error would be a mistake of the test. */
async function allowed(asked: Promise<unknown>): Promise<boolean> {
  const error = await asked.then(
    () => undefined,
    (reason: Error) => reason,
  )
  if (error && error.name !== 'AccessDenied') throw error
  return error === undefined
}
