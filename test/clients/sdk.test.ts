/** AWS SDK for JavaScript v3 over a socket: what applications rely on. */
import { join } from 'node:path'
import {
  CloudTrailClient,
  InvalidNextTokenException,
  LookupEventsCommand,
  paginateLookupEvents,
} from '@aws-sdk/client-cloudtrail'
import {
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserCommand,
  EntityAlreadyExistsException,
  GetUserCommand,
  IAMClient,
  IAMServiceException,
  ListUsersCommand,
  MalformedPolicyDocumentException,
  NoSuchEntityException,
  PutRolePolicyCommand,
  paginateListPolicies,
  paginateListUsers,
  waitUntilPolicyExists,
  waitUntilRoleExists,
  waitUntilUserExists,
} from '@aws-sdk/client-iam'
import { DescribeCustomKeyStoresCommand, KMSClient } from '@aws-sdk/client-kms'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type MadeAccount, type Running, startMerlon, temporaryFolder } from '../process.ts'
import { type Keys, policy } from './command.ts'

let server: Running
let account: MadeAccount
let iam: IAMClient

beforeAll(async () => {
  server = await startMerlon(['--data', join(temporaryFolder(), 'data')])
  account = server.accounts[0]!
  iam = new IAMClient(as(account))
})
afterAll(() => server?.stop('SIGKILL'))

const as = ({ accessKeyId, secretAccessKey, sessionToken }: Keys) => ({
  endpoint: server.url,
  region: 'us-east-1',
  credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
})

async function userWithKey(UserName: string): Promise<Keys> {
  await iam.send(new CreateUserCommand({ UserName }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
}

describe('a role behind a client', () => {
  test('is assumed once, when first needed, and its session serves every call after', async () => {
    const ann = await userWithKey('ann')
    const trust = policy({
      Action: 'sts:AssumeRole',
      Principal: { AWS: `arn:aws:iam::${account.accountId}:user/ann` },
    })
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'app', AssumeRolePolicyDocument: trust }))
    const reading = policy({ Action: 'iam:ListUsers', Resource: '*' })
    await iam.send(new PutRolePolicyCommand({ RoleName: 'app', PolicyName: 'read', PolicyDocument: reading }))
    const sts = new STSClient(as(ann))
    let assumed = 0
    const app = new IAMClient({
      ...as(ann),
      credentials: async () => {
        assumed += 1
        const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: 'app-1' }))
        return {
          accessKeyId: Credentials!.AccessKeyId!,
          secretAccessKey: Credentials!.SecretAccessKey!,
          sessionToken: Credentials!.SessionToken!,
          expiration: Credentials!.Expiration!,
        }
      },
    })

    await Promise.all([1, 2, 3].map(() => app.send(new ListUsersCommand({}))))
    const denied = app.send(new DeleteUserCommand({ UserName: 'ann' }))

    await expect(denied).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining(
        `User: arn:aws:sts::${account.accountId}:assumed-role/app/app-1 is not authorized`,
      ),
    })
    expect(assumed).toBe(1)
  })
})

describe('paginators', () => {
  test('bring every user once, in pages of the requested size', async () => {
    const names = Array.from({ length: 5 }, (_, i) => `paged-${i}`)
    for (const UserName of names) await iam.send(new CreateUserCommand({ UserName, Path: '/paged/' }))

    const pages: string[][] = []
    for await (const { Users } of paginateListUsers({ client: iam, pageSize: 2 }, { PathPrefix: '/paged/' })) {
      pages.push(Users!.map(({ UserName }) => UserName!))
    }

    expect(pages.map((page) => page.length)).toEqual([2, 2, 1])
    expect(pages.flat()).toEqual(names)
  })

  test('end, however long the list', async () => {
    const arns = new Set<string>()
    let count = 0
    for await (const { Policies } of paginateListPolicies({ client: iam, pageSize: 200 }, { Scope: 'AWS' })) {
      for (const { Arn } of Policies!) arns.add(Arn!)
      count += Policies!.length
    }

    expect(count).toBeGreaterThan(1000)
    expect(arns.size).toBe(count)
  })

  test('go through the trail, newest first', async () => {
    const client = new CloudTrailClient(as(account))
    for (let i = 0; i < 7; i += 1) await iam.send(new ListUsersCommand({ MaxItems: i + 1 }))

    const ids: string[] = []
    const times: number[] = []
    const attribute = { AttributeKey: 'EventName', AttributeValue: 'ListUsers' } as const
    for await (const { Events } of paginateLookupEvents({ client, pageSize: 3 }, { LookupAttributes: [attribute] })) {
      ids.push(...Events!.map(({ EventId }) => EventId!))
      times.push(...Events!.map(({ EventTime }) => EventTime!.getTime()))
    }

    expect(ids.length).toBeGreaterThanOrEqual(7)
    expect(new Set(ids).size).toBe(ids.length)
    expect(times).toEqual([...times].sort((a, b) => b - a))
  })
})

test('waiters see what was made, and give up on what was not', async () => {
  await iam.send(new CreateUserCommand({ UserName: 'waited' }))
  const trust = policy({ Action: 'sts:AssumeRole', Principal: { Service: 'ec2.amazonaws.com' } })
  await iam.send(new CreateRoleCommand({ RoleName: 'waited', AssumeRolePolicyDocument: trust }))
  const PolicyDocument = policy({ Action: 's3:*', Resource: '*' })
  const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'waited', PolicyDocument }))
  const waiter = { client: iam, maxWaitTime: 10 }

  const states = await Promise.all([
    waitUntilUserExists(waiter, { UserName: 'waited' }),
    waitUntilRoleExists(waiter, { RoleName: 'waited' }),
    waitUntilPolicyExists(waiter, { PolicyArn: Policy!.Arn! }),
  ])
  const never = waitUntilUserExists({ client: iam, maxWaitTime: 2, minDelay: 1, maxDelay: 1 }, { UserName: 'nobody' })

  expect(states.map(({ state }) => state)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS'])
  await expect(never).rejects.toMatchObject({ name: 'TimeoutError' })
})

describe('errors', () => {
  const failure = (asked: Promise<unknown>) =>
    asked.then(
      () => {
        throw new Error('it was allowed')
      },
      (error: unknown) => error,
    )

  test('are instances of the classes the SDK models', async () => {
    const [missing, taken, malformed, token] = await Promise.all([
      failure(iam.send(new GetUserCommand({ UserName: 'nobody' }))),
      iam
        .send(new CreateUserCommand({ UserName: 'once' }))
        .then(() => failure(iam.send(new CreateUserCommand({ UserName: 'ONCE' })))),
      failure(iam.send(new CreatePolicyCommand({ PolicyName: 'bad', PolicyDocument: '{}' }))),
      failure(new CloudTrailClient(as(account)).send(new LookupEventsCommand({ NextToken: 'forged' }))),
    ])

    expect(missing).toBeInstanceOf(NoSuchEntityException)
    expect(missing).toMatchObject({
      message: 'The user with name nobody cannot be found.',
      $fault: 'client',
      $metadata: { httpStatusCode: 404, attempts: 1, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    })
    expect(taken).toBeInstanceOf(EntityAlreadyExistsException)
    expect(malformed).toBeInstanceOf(MalformedPolicyDocumentException)
    expect(token).toBeInstanceOf(InvalidNextTokenException)
  })

  test('without a model keep their code, and are not tried again', async () => {
    const bob = await userWithKey('bob')

    const denied = await failure(new IAMClient(as(bob)).send(new ListUsersCommand({})))
    const unbuilt = await failure(new KMSClient(as(account)).send(new DescribeCustomKeyStoresCommand({})))

    expect(denied).toBeInstanceOf(IAMServiceException)
    expect(denied).toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403, attempts: 1 } })
    expect(unbuilt).toMatchObject({
      name: 'NotImplemented',
      message: 'Merlon does not implement kms:DescribeCustomKeyStores.',
      $metadata: { httpStatusCode: 400, attempts: 1 },
    })
  })
})

test('a client whose clock is an hour wrong learns the time from the refusal, and succeeds', async () => {
  const late = new STSClient(as(account))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 })

  const answer = await late.send(new GetCallerIdentityCommand({})).finally(() => vi.useRealTimers())

  expect(answer.Arn).toBe(`arn:aws:iam::${account.accountId}:root`)
  expect(answer.$metadata.attempts).toBe(2)
})

test('a hundred calls at once are all answered, each with its own', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `crowd-${i}`)
  await Promise.all(names.map((UserName) => iam.send(new CreateUserCommand({ UserName }))))

  const answers = await Promise.all(names.map((UserName) => iam.send(new GetUserCommand({ UserName }))))

  expect(answers.map(({ User }) => User!.UserName)).toEqual(names)
  expect(new Set(answers.map(({ User }) => User!.UserId)).size).toBe(100)
})
