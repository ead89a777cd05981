/**
 * Throttling in the request pipeline: which calls are refused, with which error, how SDK clients react, and what the
 * audit log has.
 */
import { AccessAnalyzerClient, ListAnalyzersCommand, ValidatePolicyCommand } from '@aws-sdk/client-accessanalyzer'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { IAMClient, ListUsersCommand } from '@aws-sdk/client-iam'
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda'
import { ListRootsCommand, OrganizationsClient } from '@aws-sdk/client-organizations'
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, cloud, type Keys } from '../../test/cloud.ts'
import { throughGate } from '../../test/through-gate.ts'
import { Throttle } from './gate/throttle.ts'
import type { Rate } from './gate/token-bucket.ts'

type Cloud = Awaited<ReturnType<typeof cloud>>

const endless: Rate = { perSecond: 1e9, burst: 1e9, runningMax: 1e9 }
const few = (burst: number, perSecond = 1): Rate => ({ perSecond, burst, runningMax: 1e9 })
const limits = { account: endless, principal: endless, address: endless, accounts: new Map<string, Rate>() }

/** A cloud whose rate limits follow a clock that does not move. */
function standing(over: Partial<typeof limits>) {
  return cloud({ throttle: new Throttle({ ...limits, ...over }, () => 0) })
}

/** Of so many identical calls: what each ended with. */
async function outcomes(sts: STSClient, times: number): Promise<readonly string[]> {
  const all: string[] = []
  for (let i = 0; i < times; i++) {
    all.push(
      await sts.send(new GetCallerIdentityCommand({})).then(
        () => 'ok',
        (error: Error) => error.name,
      ),
    )
  }
  return all
}

const succeeded = (all: readonly string[]): number => all.filter((each) => each === 'ok').length

/** Every event of the account, oldest first. */
async function events({ store }: Pick<Cloud, 'store'>) {
  const entries = await store.log({ account: ACCOUNT, limit: 1000 })
  return entries.map(({ body }) => JSON.parse(body)).reverse()
}

interface Caught {
  readonly name: string
  readonly message: string
  readonly $metadata: { readonly httpStatusCode: number }
  readonly $response: { readonly headers: Readonly<Record<string, string>> }
}

describe('A flood', () => {
  test('of one principal leaves another of the same account what is theirs', async () => {
    const it = await standing({ principal: few(10), account: few(40) })
    const [ann, bob] = [await it.user('ann'), await it.user('bob')]

    const flood = await outcomes(it.client(STSClient, ann), 100)
    expect([succeeded(flood), flood.at(-1)]).toEqual([10, 'Throttling'])
    expect(await outcomes(it.client(STSClient, bob), 10)).not.toContain('Throttling')
  })

  test('by many users of an account ends at the limit of the account, and leaves other accounts alone', async () => {
    const it = await standing({ principal: few(10), account: few(25) })
    // Making them takes six of the account's calls.
    const users: Keys[] = [await it.user('a'), await it.user('b'), await it.user('c')]
    const other = await it.account()

    let answered = 0
    for (const keys of users) answered += succeeded(await outcomes(it.client(STSClient, keys), 10))
    expect(answered).toBe(25 - 6)
    expect(succeeded(await outcomes(it.client(STSClient, other), 10))).toBe(10)
  })

  test('that carries a user’s key id and not their signature spends nothing of theirs', async () => {
    const it = await standing({ principal: few(10), account: few(15) })
    const ann = await it.user('ann')

    const forged = await outcomes(it.client(STSClient, { ...ann, secretAccessKey: 'guessed' }), 200)
    expect(new Set(forged)).toEqual(new Set(['SignatureDoesNotMatch']))
    expect(succeeded(await outcomes(it.client(STSClient, ann), 10))).toBe(10)
  })

  test('is refused without proof while its principal is over the limit, and forged calls take none of what flows in', async () => {
    let now = 0
    const it = await cloud({ throttle: new Throttle({ ...limits, principal: few(10, 10) }, () => now) })
    const ann = await it.user('ann')
    const forger = it.client(STSClient, { ...ann, secretAccessKey: 'guessed' })
    await outcomes(it.client(STSClient, ann), 11)

    expect(new Set(await outcomes(forger, 50))).toEqual(new Set(['Throttling']))
    now = 500
    // What has flowed in is for those who prove themselves.
    expect(new Set(await outcomes(forger, 50))).toEqual(new Set(['SignatureDoesNotMatch']))
    expect(succeeded(await outcomes(it.client(STSClient, ann), 20))).toBe(5)
  })

  test('of unsigned calls is stopped before anything runs, and stops no signed call', async () => {
    const it = await standing({ address: few(3) })
    const asked = new AssumeRoleWithWebIdentityCommand({
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/x`,
      RoleSessionName: 'session',
      WebIdentityToken: 'not-a-token',
    })
    const codes: string[] = []
    for (let i = 0; i < 6; i++) {
      await it
        .client(STSClient)
        .send(asked)
        .catch((error: Error) => codes.push(error.name))
    }

    expect(codes.slice(0, 3)).not.toContain('Throttling')
    expect(codes.slice(3)).toEqual(['Throttling', 'Throttling', 'Throttling'])
    expect(succeeded(await outcomes(it.client(STSClient), 5))).toBe(5)
  })

  test('of calls that do not end is stopped, though they come slowly', async () => {
    const it = await standing({ principal: { ...endless, runningMax: 3 } })
    const sts = it.client(STSClient)
    const together = await Promise.all(Array.from({ length: 5 }, () => outcomes(sts, 1)))

    expect(together.flat().sort()).toEqual(['Throttling', 'Throttling', 'ok', 'ok', 'ok'])
    expect(await outcomes(sts, 1)).toEqual(['ok'])
  })
})

describe('A throttled call gets the error of its service', () => {
  // biome-ignore format: a matrix is read in columns
  const calls: Readonly<Record<string, readonly [code: string, status: number, ask: (it: Cloud, keys: Keys) => Promise<unknown>]>> = {
    iam:            ['Throttling', 400,               (it, keys) => it.client(IAMClient, keys).send(new ListUsersCommand({}))],
    kms:            ['ThrottlingException', 400,      (it, keys) => it.client(KMSClient, keys).send(new ListKeysCommand({}))],
    secretsmanager: ['ThrottlingException', 400,      (it, keys) => it.client(SecretsManagerClient, keys).send(new ListSecretsCommand({}))],
    cloudtrail:     ['ThrottlingException', 400,      (it, keys) => it.client(CloudTrailClient, keys).send(new LookupEventsCommand({}))],
    organizations:  ['TooManyRequestsException', 400, (it, keys) => it.client(OrganizationsClient, keys).send(new ListRootsCommand({}))],
    lambda:         ['TooManyRequestsException', 429, (it, keys) => it.client(LambdaClient, keys).send(new ListFunctionsCommand({}))],
    accessanalyzer: ['ThrottlingException', 429,      (it, keys) => it.client(AccessAnalyzerClient, keys).send(new ValidatePolicyCommand({ policyDocument: '{}', policyType: 'IDENTITY_POLICY' }))],
    s3:             ['SlowDown', 503,                 (it, keys) => it.client(S3Client, keys).send(new ListBucketsCommand({}))],
  }
  test.each(Object.entries(calls))('%s', async (_service, [code, status, ask]) => {
    const it = await standing({ principal: few(2) })
    const ann = await it.user('ann')
    await outcomes(it.client(STSClient, ann), 2)

    const error = (await ask(it, ann).catch((caught) => caught)) as Caught
    expect([error.name, error.$metadata.httpStatusCode, error.message]).toEqual([code, status, 'Rate exceeded'])
    expect(error.$response.headers).toMatchObject({ 'x-amz-retry-after': '1000', 'retry-after': '1' })
  })

  test('also where the operation is not built', async () => {
    const it = await standing({ principal: few(2) })
    const ann = await it.user('ann')
    await outcomes(it.client(STSClient, ann), 2)

    const analyzer = it.client(AccessAnalyzerClient, ann)
    const error = (await analyzer.send(new ListAnalyzersCommand({})).catch((caught) => caught)) as Caught
    expect(error.name).toBe('ThrottlingException')
  })
})

test.each([
  ['iam', IAMClient, new ListUsersCommand({})],
  ['kms', KMSClient, new ListKeysCommand({})],
  ['organizations', OrganizationsClient, new ListRootsCommand({})],
  ['lambda', LambdaClient, new ListFunctionsCommand({})],
  ['s3', S3Client, new ListBucketsCommand({})],
  // biome-ignore lint/suspicious/noExplicitAny: clients and commands of different services in one table.
] as [string, any, any][])('a client of %s with its own retries sees none of it', async (_service, Client, command) => {
  const it = await cloud({ throttle: new Throttle({ ...limits, principal: few(1, 20) }) })
  const client = new Client({
    region: 'us-east-1',
    credentials: it.root,
    endpoint: 'http://localhost',
    maxAttempts: 10,
    requestHandler: throughGate(it.gate),
  })
  const answered = await Promise.all(
    Array.from({ length: 4 }, () =>
      client.send(command).then(
        ({ $metadata }: { $metadata: { attempts: number } }) => $metadata.attempts,
        // Without an organization that is the true answer.
        (error: { name: string; $metadata: { attempts: number } }) =>
          error.name === 'AWSOrganizationsNotInUseException' ? error.$metadata.attempts : Promise.reject(error),
      ),
    ),
  )

  expect(Math.max(...answered)).toBeGreaterThan(1)
  expect(it.answers.filter(({ throttled }) => throttled === 'principal').length).toBeGreaterThan(0)
})

describe('Recorded', () => {
  test('is the first throttled call of a minute, and how many came after it', async () => {
    const it = await standing({ principal: few(5) })
    const ann = await it.user('ann')
    await outcomes(it.client(STSClient, ann), 105)

    const told = (await events(it)).filter(({ errorCode }) => errorCode === 'ThrottlingException')
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({
      eventName: 'GetCallerIdentity',
      errorMessage: 'Rate exceeded',
      requestParameters: null,
      userIdentity: { type: 'IAMUser', userName: 'ann' },
    })
    await it.gate.close()
    const summary = (await events(it)).at(-1)
    expect(summary).toMatchObject({
      eventType: 'AwsServiceEvent',
      eventName: 'ThrottledCalls',
      serviceEventDetails: {
        principal: `arn:aws:iam::${ACCOUNT}:user/ann`,
        calls: 0,
        unproven: 99,
        since: told[0].eventTime,
      },
    })
  })

  test('is every call that ran', async () => {
    const it = await standing({ principal: few(5) })
    const ann = await it.user('ann')
    const all = await outcomes(it.client(STSClient, ann), 20)

    const ran = (await events(it)).filter(
      ({ eventName, errorCode }) => eventName === 'GetCallerIdentity' && errorCode === undefined,
    )
    expect(ran).toHaveLength(succeeded(all))
  })
})
