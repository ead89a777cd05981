import {
  CreateRoleCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  GetUserCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  KMSClient,
  ListKeysCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, it, test } from 'vitest'
import { ACCOUNT, allowing, cloud, keysOf, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { why } from './why.ts'

async function world() {
  const it = await cloud()
  const events = async (eventName: string, account = ACCOUNT) =>
    (await it.store.evidence(0, 10_000))
      .filter((row) => row.account === account)
      .map(({ body }) => JSON.parse(body))
      .filter((event) => event.eventName === eventName)
  return {
    ...it,
    events,
    /** Of the last event of that name. */
    why: async (eventName: string, account = ACCOUNT) => why(it, (await events(eventName, account)).at(-1).eventID),
  }
}

const ann = `arn:aws:iam::${ACCOUNT}:user/ann`
const mixed = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Sid: 'Keys', Effect: 'Allow', Action: 'kms:*', Resource: '*' },
    {
      Effect: 'Deny',
      Action: 'kms:CreateKey',
      Resource: '*',
      Condition: { StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } },
    },
  ],
})

describe('Why', () => {
  it('names the statement that allowed, then and today', async () => {
    const it = await world()
    const keys = await it.user('ann', mixed)
    await it.client(KMSClient, keys).send(new ListKeysCommand({}))
    const told = await it.why('ListKeys')
    expect(told).toMatchObject({ principal: ann, event: { eventSource: 'kms.amazonaws.com', eventName: 'ListKeys' } })
    expect(told.decisions).toEqual([
      {
        recorded: {
          id: expect.stringMatching(/^[0-9a-f-]{36}\.1$/),
          action: 'kms:ListKeys',
          resource: '*',
          effect: 'Allow',
          layer: 'identity',
          policy: 'permitted',
          statement: 'Keys',
        },
        today: {
          allowed: true,
          explicit: false,
          layer: 'identity',
          by: { policy: 'permitted', statement: 'Keys', effect: 'Allow' },
          layers: [
            {
              layer: 'identity',
              outcome: 'allowed',
              statements: [{ policy: 'permitted', statement: 'Keys', effect: 'Allow' }],
            },
          ],
          missing: [],
        },
        notes: [],
      },
    ])
  })

  it('names the statement that refused, with the request, and every other that counted', async () => {
    const it = await world()
    const keys = await it.user('ann', mixed)
    await expect(it.client(KMSClient, keys).send(new CreateKeyCommand({}))).rejects.toThrow()
    const [decision] = (await it.why('CreateKey')).decisions
    expect(decision!.recorded).toMatchObject({ effect: 'Deny', explicit: true, policy: 'permitted', statement: '#2' })
    expect(decision!.recorded.context).toMatchObject({ 'kms:KeySpec': ['SYMMETRIC_DEFAULT'] })
    expect(decision!.today).toMatchObject({ allowed: false, explicit: true, by: { statement: '#2' } })
    expect(decision!.today!.layers[0]!.statements.map(({ effect, statement }) => [effect, statement])).toEqual([
      ['Deny', '#2'],
      ['Allow', 'Keys'],
    ])
  })

  it('differs today where policies have changed since', async () => {
    const it = await world()
    const keys = await it.user('ann', mixed)
    await it.client(KMSClient, keys).send(new ListKeysCommand({}))
    await it.client(IAMClient).send(new DeleteUserPolicyCommand({ UserName: 'ann', PolicyName: 'permitted' }))
    const [decision] = (await it.why('ListKeys')).decisions
    expect([decision!.recorded.effect, decision!.today!.allowed]).toEqual(['Allow', false])
  })

  it('counts the policy of the resource, in its current version', async () => {
    const it = await world()
    const keys = await it.user('ann')
    const { KeyMetadata } = await it.client(KMSClient).send(new CreateKeyCommand({}))
    const describe = () => it.client(KMSClient, keys).send(new DescribeKeyCommand({ KeyId: KeyMetadata!.KeyId }))
    await expect(describe()).rejects.toThrow()
    expect((await it.why('DescribeKey')).decisions[0]!.recorded).toMatchObject({ effect: 'Deny', layer: 'identity' })
    const Policy = allowing(
      { Sid: 'Root', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
      { Sid: 'Ann', Principal: { AWS: ann }, Action: 'kms:DescribeKey', Resource: '*' },
    )
    await it.client(KMSClient).send(new PutKeyPolicyCommand({ KeyId: KeyMetadata!.KeyId, Policy }))
    const [decision] = (await it.why('DescribeKey')).decisions
    expect(decision).toMatchObject({ recorded: { effect: 'Deny' }, today: { allowed: true, by: { statement: 'Ann' } } })
  })

  it('knows a session by its role, and reports what of it is not recorded', async () => {
    const it = await world()
    const iam = it.client(IAMClient)
    const trust = allowing({ Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' })
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'reader', AssumeRolePolicyDocument: trust }))
    const PolicyDocument = allowing({ Sid: 'Users', Action: 'iam:GetUser', Resource: '*' })
    await iam.send(new PutRolePolicyCommand({ RoleName: 'reader', PolicyName: 'users', PolicyDocument }))
    const keys = await it.user('ann', allowing({ Action: 'sts:AssumeRole', Resource: '*' }))
    const assume = new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: 'night' })
    const session = keysOf(await it.client(STSClient, keys).send(assume))
    await it.client(IAMClient, session).send(new GetUserCommand({ UserName: 'ann' }))
    const told = await it.why('GetUser')
    expect(told.principal).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/reader/night`)
    expect(told.decisions[0]).toMatchObject({
      recorded: { policy: 'users', statement: 'Users' },
      today: { allowed: true, by: { statement: 'Users' } },
      notes: [expect.stringContaining('session')],
    })
    expect((await it.why('AssumeRole')).decisions[0]!.recorded).toMatchObject({
      action: 'sts:AssumeRole',
      effect: 'Allow',
    })
  })

  it('finds data events by their ids, though no history shows them', async () => {
    const it = await world()
    await it.client(S3Client).send(new CreateBucketCommand({ Bucket: 'asked-about' }))
    await it.client(S3Client).send(new PutObjectCommand({ Bucket: 'asked-about', Key: 'k', Body: 'k' }))
    const keys = await it.user('ann')
    await expect(
      it.client(S3Client, keys).send(new GetObjectCommand({ Bucket: 'asked-about', Key: 'k' })),
    ).rejects.toThrow()
    const [decision] = (await it.why('GetObject')).decisions
    expect(decision).toMatchObject({
      recorded: { action: 's3:GetObject', resource: 'arn:aws:s3:::asked-about/k', effect: 'Deny' },
      today: { allowed: false },
      notes: [],
    })
  })

  it('of a deleted caller reports only what is recorded', async () => {
    const it = await world()
    const keys = await it.user('ann')
    await expect(it.client(KMSClient, keys).send(new ListKeysCommand({}))).rejects.toThrow()
    const iam = it.client(IAMClient)
    await iam.send(new DeleteAccessKeyCommand({ UserName: 'ann', AccessKeyId: keys.accessKeyId }))
    await iam.send(new DeleteUserCommand({ UserName: 'ann' }))
    const [decision, ...others] = (await it.why('ListKeys')).decisions
    expect(others).toEqual([])
    expect(decision).toEqual({
      recorded: expect.objectContaining({ action: 'kms:ListKeys', effect: 'Deny', layer: 'identity' }),
      notes: ['the caller no longer exists, or was a service'],
    })
  })

  it('refuses an id that no event has', async () => {
    await expect(why(await cloud(), 'no-such-event')).rejects.toThrow('there is no event no-such-event')
  })
})

test('each account sees its own policies only', async () => {
  const it = await world()
  await it.client(S3Client).send(new CreateBucketCommand({ Bucket: 'owned-by-us' }))
  await it.client(S3Client).send(new PutObjectCommand({ Bucket: 'owned-by-us', Key: 'k', Body: 'k' }))
  const stranger = it.client(S3Client, await it.account())
  const get = () => stranger.send(new GetObjectCommand({ Bucket: 'owned-by-us', Key: 'k' }))
  const policy = (Effect: string) =>
    JSON.stringify({
      Statement: { Sid: 'Ours', Effect, Principal: { AWS: OTHER_ACCOUNT }, Action: 's3:GetObject', Resource: '*' },
    }).replace('"*"', '"arn:aws:s3:::owned-by-us/*"')
  await it.client(S3Client).send(new PutBucketPolicyCommand({ Bucket: 'owned-by-us', Policy: policy('Deny') }))
  await expect(get()).rejects.toThrow()
  const told = async (account: string) =>
    (await it.events('GetObject', account)).at(-1).additionalEventData.merlonDecisions[0]
  expect(await told(ACCOUNT)).toMatchObject({ effect: 'Deny', layer: 'resource', policy: 'bucket', statement: 'Ours' })
  expect(await told(ACCOUNT)).not.toHaveProperty('context')
  expect(Object.keys(await told(OTHER_ACCOUNT)).sort()).toEqual(['action', 'effect', 'id', 'resource'])
  await it.client(S3Client).send(new PutBucketPolicyCommand({ Bucket: 'owned-by-us', Policy: policy('Allow') }))
  await get()
  expect(await told(ACCOUNT)).toMatchObject({ effect: 'Allow' })
})
