/** The stages of the request pipeline, with services made for the purpose and with the real ones. */
import {
  ChangePasswordCommand,
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  GetUserCommand,
  IAMClient,
  ListDelegationRequestsCommand,
  ListUsersCommand,
} from '@aws-sdk/client-iam'
import type * as STS from '@aws-sdk/client-sts'
import {
  AssumeRoleCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, keysOf } from '../../../test/cloud.ts'
import { compilePolicy, parsePolicy } from '../../policy/index.ts'
import { noPorts } from '../ports/ports.fixture.ts'
import { anything, type Target } from '../resource/target.ts'
import { defineService } from '../service/define-service.ts'
import type { Operation, Service } from '../service/service.ts'
import { MovableClock } from '../state/clock.ts'
import { Gate, type GateOptions } from './gate.ts'

type Cloud = Awaited<ReturnType<typeof cloud>>

interface Told {
  readonly eventName: string
  readonly eventSource: string
  readonly errorCode?: string
  readonly readOnly: boolean
  readonly sourceIPAddress: string
  readonly requestParameters: Readonly<Record<string, unknown>> | null
  readonly responseElements: unknown
  readonly userIdentity: Readonly<Record<string, unknown>>
  readonly recipientAccountId: string
}

/** The record, oldest first. */
async function events({ store }: Pick<Cloud, 'store'>): Promise<Told[]> {
  const entries = await store.log({ account: ACCOUNT, limit: 1000 })
  return entries.map(({ body }) => JSON.parse(body) as Told).reverse()
}

const words = defineService<typeof STS>('sts')

/** A cloud whose STS has other insides. */
async function withOperations(...operations: readonly Operation[]) {
  const it = await cloud({ services: [{ api: words.api, operations }] })
  return { ...it, sts: it.client(STSClient) }
}

describe('What is recorded', () => {
  test('is every call, allowed or not, with its caller', async () => {
    const it = await cloud()
    const root = it.client(IAMClient)
    await root.send(new CreateUserCommand({ UserName: 'ann' }))
    const { AccessKey } = await root.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
    const ann = it.client(IAMClient, {
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    })
    await ann.send(new ListUsersCommand({})).catch(() => undefined)
    await root.send(new GetUserCommand({ UserName: 'eve' })).catch(() => undefined)
    await root.send(new CreateUserCommand({ UserName: 'a b' })).catch(() => undefined)
    await root.send(new ListDelegationRequestsCommand({})).catch(() => undefined)

    const told = (await events(it)).map(({ eventName, errorCode, userIdentity, readOnly }) => [
      eventName,
      errorCode,
      userIdentity['type'],
      readOnly,
    ])
    expect(told).toEqual([
      ['CreateUser', undefined, 'Root', false],
      ['CreateAccessKey', undefined, 'Root', false],
      ['ListUsers', 'AccessDenied', 'IAMUser', true],
      ['GetUser', 'NoSuchEntityException', 'Root', true],
      ['CreateUser', 'ValidationError', 'Root', false],
      ['ListDelegationRequests', 'NotImplemented', 'Root', true],
    ])
  })

  test('never holds a secret', async () => {
    const it = await cloud()
    const root = it.client(IAMClient)
    await root.send(new CreateUserCommand({ UserName: 'ann' }))
    await it.permit('ann', allowing({ Action: '*', Resource: '*' }))
    const { AccessKey } = await root.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
    await root.send(new CreateLoginProfileCommand({ UserName: 'ann', Password: 'First-Passw0rd!' }))
    const ann = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
    await it
      .client(IAMClient, ann)
      .send(new ChangePasswordCommand({ OldPassword: 'First-Passw0rd!', NewPassword: 'Second-Passw0rd!' }))
    const { VirtualMFADevice } = await root.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }))
    const session = keysOf(await it.client(STSClient, ann).send(new GetSessionTokenCommand({})))

    const text = (await it.store.log({ account: ACCOUNT, limit: 1000 })).map(({ body }) => body).join('\n')
    const stored = JSON.stringify(await it.store.reader.range(''))
    const secrets = [
      ann.secretAccessKey,
      session.secretAccessKey,
      session.sessionToken!,
      'First-Passw0rd!',
      'Second-Passw0rd!',
      Buffer.from(VirtualMFADevice!.Base32StringSeed!).toString(),
    ]
    expect(text).toContain('CreateAccessKey')
    for (const secret of secrets) {
      expect(text).not.toContain(secret)
      expect(stored).not.toContain(secret)
    }
  })

  test('keeps the answer of a change and not of a read', async () => {
    const it = await cloud()
    const root = it.client(IAMClient)
    await root.send(new CreateUserCommand({ UserName: 'ann' }))
    await root.send(new GetUserCommand({ UserName: 'ann' }))

    const [created, read] = await events(it)

    expect(created).toMatchObject({
      requestParameters: { userName: 'ann' },
      responseElements: { user: { userName: 'ann' } },
    })
    expect(read).toMatchObject({ requestParameters: { userName: 'ann' }, responseElements: null })
  })
})

describe('A refusal', () => {
  test('writes its event and nothing else', async () => {
    const put = words
      .operation('GetAccessKeyInfo')
      .on(anything)
      .run((call) => {
        call.unit.put('half/done', {})
        throw words.fail('ExpiredTokenException', 'no')
      })
    const { sts, store } = await withOperations(put)

    await expect(sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAEXAMPLEEXAMPLE00' }))).rejects.toThrow()

    expect(await store.reader.get('half/done')).toBeUndefined()
    expect((await events({ store })).map(({ eventName, errorCode }) => [eventName, errorCode])).toEqual([
      ['GetAccessKeyInfo', 'ExpiredTokenException'],
    ])
  })

  test('by a bug of ours reveals nothing, is recorded, and reports its cause to the operator', async () => {
    const broken = words
      .operation('GetAccessKeyInfo')
      .on(anything)
      .run(() => {
        throw new TypeError('secret of the house')
      })
    const { sts, store, answers } = await withOperations(broken)

    await expect(sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAEXAMPLEEXAMPLE00' }))).rejects.toMatchObject({
      name: 'InternalFailure',
      message: expect.not.stringContaining('secret'),
      $metadata: { httpStatusCode: 500 },
    })

    expect((await events({ store }))[0]).toMatchObject({ errorCode: 'InternalFailure' })
    expect(answers.at(-1)?.cause).toBeInstanceOf(TypeError)
  })

  test('by a policy that could not be evaluated is a denial, and the operator gets its cause', async () => {
    const causes: unknown[] = []
    const resource = compilePolicy(
      parsePolicy(
        allowing({ Principal: '*', Action: '*', Resource: '*', Condition: { StringLike: { 'x:y': 'a*' } } }),
        'resource',
      ),
      { id: 'resource', kind: 'resource' },
    )
    const target: Target<unknown, object> = {
      find: () => ({ acted: { arn: 'arn:aws:sts:::x', type: 'X', account: ACCOUNT, policy: resource }, row: {} }),
    }
    const broken = words
      .operation('GetAccessKeyInfo')
      .on(target)
      .conditions(() => ({ 'x:y': [Symbol('no text')] as unknown as string[] }))
      .run(() => ({}))
    const it = await cloud({
      services: [{ api: words.api, operations: [broken] }],
      onDecisionError: (error) => void causes.push(error),
    })

    const call = it.client(STSClient).send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAEXAMPLEEXAMPLE00' }))

    await expect(call).rejects.toMatchObject({ name: 'AccessDenied' })
    expect(causes).toEqual([expect.any(TypeError)])
  })

  test('of what is not built names it, and is no server error', async () => {
    const { sts } = await withOperations()

    await expect(
      sts.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/r`, RoleSessionName: 'rr' })),
    ).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('sts:AssumeRole'),
      $metadata: { httpStatusCode: 400 },
    })
  })
})

describe('A handler', () => {
  test('whose ground moved runs again, and leaves one event', async () => {
    let runs = 0
    const counting = words
      .operation('GetAccessKeyInfo')
      .on(anything)
      .run(async (call) => {
        const row = await call.unit.get<{ n: number }>('counter')
        // Another transaction writes what was read, the first time.
        if (runs++ === 0) await it.store.run(async (unit) => unit.put('counter', { n: 10 }))
        call.unit.put('counter', { n: (row?.n ?? 0) + 1 })
        return { Account: ACCOUNT }
      })
    const it = await withOperations(counting)

    await it.sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAEXAMPLEEXAMPLE00' }))

    expect(runs).toBe(2)
    expect(await it.store.reader.get('counter')).toEqual({ n: 11 })
    expect(await events(it)).toHaveLength(1)
  })

  test('acts on the world once, though it runs again', async () => {
    let runs = 0
    const done: string[] = []
    const operation = words
      .operation('GetAccessKeyInfo')
      .on(anything)
      .run(async (call) => {
        const row = await call.unit.get<{ n: number }>('counter')
        const first = await call.once(async () => done.push('first'))
        const second = await call.once(async () => done.push('second'))
        if (runs++ === 0) await it.store.run(async (unit) => unit.put('counter', { n: 10 }))
        call.unit.put('counter', { n: (row?.n ?? 0) + first + second })
        return { Account: ACCOUNT }
      })
    const it = await withOperations(operation)

    await it.sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAEXAMPLEEXAMPLE00' }))

    expect([runs, done]).toEqual([2, ['first', 'second']])
    expect(await it.store.reader.get('counter')).toEqual({ n: 13 })
  })

  test('that calls another acts as its caller: evaluated again, recorded again, in one commit', async () => {
    const outer = words
      .operation('GetCallerIdentity')
      .on(anything)
      .actions('sts:GetFederationToken')
      .run(async (call) => {
        call.unit.put('outer', {})
        const { Account } = await call.forward(words.api, 'GetAccessKeyInfo', { AccessKeyId: 'AKIAEXAMPLEEXAMPLE00' })
        return { Account }
      })
    const inner = words
      .operation('GetAccessKeyInfo')
      .on(anything)
      .run((call) => {
        call.unit.put('inner', {})
        return { Account: call.account }
      })
    const { api, operations } = (await import('../../services/iam/index.ts')).iam
    const it = await cloud({
      services: [
        { api: words.api, operations: [outer, inner] },
        { api, operations },
      ],
    })
    const root = it.client(IAMClient)
    await root.send(new CreateUserCommand({ UserName: 'ann' }))
    const { AccessKey } = await root.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
    const ann = it.client(STSClient, {
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    })
    await it.permit('ann', allowing({ Action: 'sts:GetFederationToken', Resource: '*' }))

    await expect(ann.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('sts:GetAccessKeyInfo'),
    })
    expect([await it.store.reader.get('outer'), await it.store.reader.get('inner')]).toEqual([undefined, undefined])

    const Condition = { StringEquals: { 'aws:CalledViaLast': 'sts.amazonaws.com' } }
    await it.permit(
      'ann',
      allowing(
        { Action: 'sts:GetFederationToken', Resource: '*' },
        { Action: 'sts:GetAccessKeyInfo', Resource: '*', Condition },
      ),
    )
    await ann.send(new GetCallerIdentityCommand({}))

    const told = (await events(it)).slice(-2)
    expect(
      told.map(({ eventName, sourceIPAddress, userIdentity }) => [
        eventName,
        sourceIPAddress,
        userIdentity['userName'],
      ]),
    ).toEqual([
      ['GetAccessKeyInfo', 'sts.amazonaws.com', 'ann'],
      ['GetCallerIdentity', '127.0.0.1', 'ann'],
    ])
  })
})

describe('A service that acts as its own principal', () => {
  const acting = {
    service: 'secretsmanager.amazonaws.com',
    account: ACCOUNT,
    region: 'eu-west-1',
    source: `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:s`,
  }
  const arn = `arn:aws:sts::${ACCOUNT}:thing`

  async function guardedBy(policy: string | undefined) {
    const target: Target<unknown, object> = {
      find: () => ({
        acted: {
          arn,
          type: 'thing',
          account: ACCOUNT,
          ...(policy && { policy: compilePolicy(parsePolicy(policy, 'resource'), { id: 'p', kind: 'resource' }) }),
        },
        row: {},
      }),
    }
    const operation = words
      .operation('GetAccessKeyInfo')
      .on(target)
      .run((call) => ({ Account: call.account }))
    return withOperations(operation)
  }
  const statement = (SourceAccount: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Principal: { Service: acting.service },
        Action: '*',
        Resource: '*',
        Condition: {
          StringEquals: { 'aws:SourceAccount': SourceAccount },
          ArnLike: { 'aws:SourceArn': acting.source },
        },
      },
    })
  const input = { AccessKeyId: 'AKIAEXAMPLEEXAMPLE00' }

  test('may do what the policy of a resource lets it do, and is recorded', async () => {
    const it = await guardedBy(statement(ACCOUNT))

    expect(await it.gate.actAs(acting, words.api, 'GetAccessKeyInfo', input)).toEqual({ Account: ACCOUNT })

    const [told] = await events(it)
    expect(told).toMatchObject({
      eventName: 'GetAccessKeyInfo',
      awsRegion: 'eu-west-1',
      recipientAccountId: ACCOUNT,
      sourceIPAddress: acting.service,
      userIdentity: { type: 'AWSService', invokedBy: acting.service },
    })
  })

  test.each([
    ['no policy names it', undefined],
    ['the policy names another source', statement('999988887777')],
  ])('may do nothing where %s', async (_, policy) => {
    const it = await guardedBy(policy)

    await expect(it.gate.actAs(acting, words.api, 'GetAccessKeyInfo', input)).rejects.toMatchObject({
      code: 'AccessDenied',
    })
  })

  test('is held to the shapes of an operation like any client', async () => {
    const it = await guardedBy(statement(ACCOUNT))

    await expect(it.gate.actAs(acting, words.api, 'GetAccessKeyInfo', { AccessKeyId: 'x' })).rejects.toMatchObject({
      code: 'ValidationError',
    })
  })
})

test('A server with an operation whose action IAM does not know does not start', async () => {
  const { store, vault } = await cloud()
  const stray = words
    .operation('GetCallerIdentity')
    .on(anything)
    .actions('sts:OpenSesame')
    .run(() => ({}))
  const services: readonly Service[] = [{ api: words.api, operations: [stray] }]
  const options: GateOptions = {
    store,
    vault,
    clock: new MovableClock(),
    services,
    quotas: {},
    ports: {} as GateOptions['ports'],
    use: noPorts,
  }

  expect(() => new Gate(options)).toThrow(
    "sts:GetCallerIdentity has no authorisation mapping: IAM knows no action 'sts:OpenSesame'",
  )
})
