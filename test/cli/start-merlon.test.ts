/** `startMerlon` of the package: every member of what it returns, and the set-up for Jest. */
import {
  AttachUserPolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GetUserCommand,
  IAMClient,
  ListUsersCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Merlon } from '../../src/testing/connect.ts'
import { startMerlon } from '../../src/testing/start.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const ACCOUNT = '210987654321'
/** Several start at once here, and the machine may be busy with other suites. */
const PATIENT = { timeoutMs: 120_000 }

let merlon: Merlon
beforeAll(async () => {
  merlon = await startMerlon({
    seed: { users: [{ name: 'ann' }] },
    ...PATIENT,
    accountId: ACCOUNT,
    region: 'eu-west-1',
  })
})
afterAll(() => merlon.stop())

const users = async () =>
  (await merlon.client(IAMClient).send(new ListUsersCommand())).Users!.map((user) => user.UserName)

describe('A server of startMerlon', () => {
  test('has the account and the Region that were chosen, and what programs need to find it', async () => {
    const key = await merlon.client(KMSClient).send(new CreateKeyCommand())

    expect(key.KeyMetadata!.Arn).toContain(`:eu-west-1:${ACCOUNT}:`)
    expect(merlon.environment).toMatchObject({ AWS_ENDPOINT_URL: merlon.endpoint, AWS_REGION: 'eu-west-1' })
  })

  test('takes more of a seed, and returns to the first one by reset', async () => {
    await merlon.seed({ users: [{ name: 'ben' }] })
    await merlon.client(IAMClient).send(new CreateUserCommand({ UserName: 'cleo' }))
    expect(await users()).toEqual(expect.arrayContaining(['ann', 'ben', 'cleo']))

    await merlon.reset()

    expect((await users()).filter((name) => ['ann', 'ben', 'cleo'].includes(name!))).toEqual(['ann'])
  })

  test('resets one account alone', async () => {
    await merlon.client(IAMClient).send(new CreateUserCommand({ UserName: 'dan' }))
    await merlon.reset({ account: ACCOUNT })

    expect(await users()).not.toContain('dan')
  })

  test('moves its clock: keys expire by it, and a reset brings it back', async () => {
    const before = await merlon.clock.now()
    const later = await merlon.clock.advance({ days: 2, hours: 1 })
    expect(later.getTime() - before.getTime()).toBeGreaterThanOrEqual(2 * DAY_MS)
    expect((await merlon.clock.set('2031-05-06T07:08:09Z')).toISOString()).toMatch(/^2031-05-06T07:08:/)

    const iam = merlon.client(IAMClient)
    await iam.send(new CreateUserCommand({ UserName: 'late' }))
    const { User } = await iam.send(new GetUserCommand({ UserName: 'late' }))
    expect(User!.CreateDate!.toISOString()).toMatch(/^2031-05-06T07:0[89]:/)

    await merlon.reset()
    expect(Math.abs((await merlon.clock.now()).getTime() - Date.now())).toBeLessThan(DAY_MS)
  })

  test('lists every call in order, and what was denied', async () => {
    await merlon.reset()
    const kms = merlon.client(KMSClient, { credentials: await merlon.credentialsFor('ann') })
    await expect(kms.send(new ListKeysCommand())).rejects.toThrow('not authorized')

    expect((await merlon.events()).map(({ eventName }) => eventName).slice(-2)).toEqual(['CreateAccessKey', 'ListKeys'])
    expect(await merlon.denied()).toMatchObject([
      { action: 'kms:ListKeys', principal: `arn:aws:iam::${ACCOUNT}:user/ann` },
    ])
  })

  test('has no key for a user who does not exist', async () => {
    await expect(merlon.credentialsFor('nemo')).rejects.toThrow('nemo cannot be found')
  })
})

test('Without a seed its credentials are an administrator’s, who may assume roles: a root user may not', async () => {
  await using own = await startMerlon(PATIENT)
  const { Arn, Account } = await own.client(STSClient).send(new GetCallerIdentityCommand())
  expect(Arn).toMatch(/:user\//)
  const iam = own.client(IAMClient)
  const trust = { Effect: 'Allow', Principal: { AWS: Account }, Action: 'sts:AssumeRole' }
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: 'worker',
      AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
    }),
  )
  const assume = new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: 'test' })

  expect((await own.client(STSClient).send(assume)).Credentials!.SessionToken).toBeTruthy()
  const root = own.client(STSClient, { credentials: own.rootCredentials })
  await expect(root.send(assume)).rejects.toThrow('root')
  await iam.send(new CreateUserCommand({ UserName: 'made' }))
  await iam.send(new AttachUserPolicyCommand({ UserName: 'made', PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }))
})

test('It ends with `await using`: nothing answers there any more', async () => {
  let endpoint: string
  {
    await using own = await startMerlon(PATIENT)
    endpoint = own.endpoint
    expect((await fetch(`${endpoint}/health`)).status).toBe(200)
  }
  await expect(fetch(`${endpoint}/health`)).rejects.toThrow()
})

test('Four at once do not meet: each has its own users, clock and events', async () => {
  const all = await Promise.all([1, 2, 3, 4].map(() => startMerlon(PATIENT)))
  try {
    await Promise.all(
      all.map(async (each, n) => {
        await each.clock.advance({ days: n })
        for (let i = 0; i <= n; i++)
          await each.client(IAMClient).send(new CreateUserCommand({ UserName: `user-${n}-${i}` }))
      }),
    )
    for (const [n, each] of all.entries()) {
      const { Users } = await each.client(IAMClient).send(new ListUsersCommand())
      const made = Users!.map(({ UserName }) => UserName!).filter((name) => name.startsWith('user-'))
      expect(made).toEqual(Array.from({ length: n + 1 }, (_, i) => `user-${n}-${i}`))
      const created = (await each.events()).filter(
        ({ eventName, requestParameters }) =>
          eventName === 'CreateUser' && `${requestParameters?.['userName']}`.startsWith('user-'),
      )
      expect(created).toHaveLength(n + 1)
      const movedDays = ((await each.clock.now()).getTime() - Date.now()) / DAY_MS
      expect(movedDays).toBeCloseTo(n, 1)
    }
  } finally {
    await Promise.all(all.map((each) => each.stop()))
  }
})

describe('merlon/jest', () => {
  /** Not Jest: the globals that it gives to test files, called as it calls them. */
  function jestGlobals() {
    const hooks = { beforeAll: [], beforeEach: [], afterAll: [] } as Record<string, (() => Promise<void>)[]>
    const extended: object[] = []
    for (const name of Object.keys(hooks)) vi.stubGlobal(name, (work: () => Promise<void>) => hooks[name]!.push(work))
    vi.stubGlobal('expect', { extend: (matchers: object) => extended.push(matchers) })
    return {
      run: async (name: string) => {
        for (const hook of hooks[name]!) await hook()
      },
      extended,
    }
  }

  test('is refused where Jest’s globals are missing', async () => {
    vi.resetModules()
    await expect(import('../../src/testing/jest.ts')).rejects.toThrow("'merlon/jest' is for test files that Jest runs")
  })

  test('gives the tests of a file one server, as it was at the start before each test', async () => {
    vi.resetModules()
    const jest = jestGlobals()
    try {
      const { useMerlon: merlonOf } = await import('../../src/testing/jest.ts')
      const used = merlonOf()
      expect(Object.keys(jest.extended[0]!)).toEqual(expect.arrayContaining(['toHaveDenied', 'toHaveAllowed']))
      expect(() => used.endpoint).toThrow('inside of a test')

      await jest.run('beforeAll')
      await jest.run('beforeEach')
      await used.client(IAMClient).send(new CreateUserCommand({ UserName: 'first' }))
      await jest.run('beforeEach')
      const { Users } = await used.client(IAMClient).send(new ListUsersCommand())
      expect(Users!.map(({ UserName }) => UserName)).not.toContain('first')
      await jest.run('afterAll')
      await expect(fetch(`${used.endpoint}/health`)).rejects.toThrow()
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
