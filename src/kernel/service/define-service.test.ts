/** Declaring services: what does not compile, what does not start, and the callers without a signature. */
import type * as KMS from '@aws-sdk/client-kms'
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import type * as STS from '@aws-sdk/client-sts'
import { GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'
import { services } from '../../server/compose/services.ts'
import { Fault } from '../../wire/fault.ts'
import { header } from '../../wire/http.ts'
import { Throttle } from '../gate/throttle.ts'
import type { Row } from '../resource/facts.ts'
import { anything } from '../resource/target.ts'
import type { BearerScheme } from './bearer.ts'
import { defineService, operationsOf } from './define-service.ts'
import type { Operation } from './service.ts'

const kms = () => defineService<typeof KMS>('kms')
const faults = { notFound: () => new Fault('X', ''), invalidReference: () => new Fault('Y', '') }

describe('A service', () => {
  test('does not start with an operation that is written and not served', () => {
    const words = kms()
    const file = {
      listKeys: words
        .operation('ListKeys')
        .on(anything)
        .run(() => ({})),
    }
    words
      .operation('ListAliases')
      .on(anything)
      .run(() => ({}))

    expect(() => words.service({ operations: operationsOf(file) })).toThrow('kms: written and not served: ListAliases')
  })

  test('does not start with an operation that is served twice', () => {
    const words = kms()
    const file = {
      listKeys: words
        .operation('ListKeys')
        .on(anything)
        .run(() => ({})),
    }

    expect(() => words.service({ operations: operationsOf(file, file) })).toThrow('kms: served twice: ListKeys')
  })

  test('serves the operations that its modules export, alone and in arrays, and nothing else of them', () => {
    const words = kms()
    const one = words
      .operation('ListKeys')
      .on(anything)
      .run(() => ({}))
    const two = words
      .operation('ListAliases')
      .on(anything)
      .run(() => ({}))

    expect(operationsOf({ one, constant: 1, helper: () => 1, nothing: undefined }, { more: [two] })).toEqual([one, two])
  })

  test('needs a tag action that IAM knows', async () => {
    const words = kms()
    const problem = () => new Fault('X', '')
    words.resource({
      kind: 'key',
      type: 'AWS::KMS::Key',
      arn: 'arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}',
      storedPer: 'region',
      tags: {
        action: 'kms:Tag',
        member: 'Tags',
        problems: { duplicate: problem, reserved: problem, 'too-many': problem },
      },
      faults,
    })

    await expect(cloud({ services: [words.service({ operations: [] })] })).rejects.toThrow("no action 'kms:Tag'")
  })
})

describe('Actions that the input chooses', () => {
  const words = kms()
  const describeKey = words
    .operation('DescribeKey')
    .on(anything)
    .actionsBy(['kms:DescribeKey', 'kms:GetPublicKey'], ({ KeyId }) => [
      KeyId === 'x' ? 'kms:GetPublicKey' : 'kms:DescribeKey',
    ])
    .run(() => ({}))
  const operations = [describeKey]

  test('are what the caller needs', async () => {
    const it = await cloud({
      services: [...services.filter(({ api }) => api.id !== 'kms'), words.service({ operations })],
    })
    const ann = it.client(KMSClient, await it.user('ann', allowing({ Action: 'kms:DescribeKey', Resource: '*' })))

    await ann.send(new DescribeKeyCommand({ KeyId: 'y' }))
    await expect(ann.send(new DescribeKeyCommand({ KeyId: 'x' }))).rejects.toThrow('perform: kms:GetPublicKey ')
  })

  test('are checked against the reference, all of them', async () => {
    const wrong = kms()
    const operation = wrong
      .operation('DescribeKey')
      .on(anything)
      .actionsBy(['kms:DescribeKey', 'kms:Describe'], () => ['kms:DescribeKey'])
      .run(() => ({}))

    await expect(cloud({ services: [wrong.service({ operations: [operation] })] })).rejects.toThrow(
      "no action 'kms:Describe'",
    )
  })
})

describe('A resource type', () => {
  test('with names that are unique in any case says how the row spells them', () => {
    const spec = {
      kind: 'key',
      type: 'AWS::KMS::Key',
      arn: 'arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}',
      storedPer: 'region',
      normalize: (name: string) => name.toLowerCase(),
      faults,
    } as const
    expect(() => kms().resource(spec)).toThrow("'normalize' needs 'idOf'")
    expect(() => kms().resource({ ...spec, idOf: () => ({ KeyId: 'k' }) })).not.toThrow()
  })
})

test('Misuses of the declarations do not compile', () => {
  const words = kms()
  const scheme: BearerScheme<{ sub: string }> = {
    token: () => undefined,
    verify: () => ({ account: '', region: '', identity: { principalId: '' }, claims: { sub: '' } }),
  }
  const key = words.resource({
    kind: 'key',
    type: 'AWS::KMS::Key',
    arn: 'arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}',
    storedPer: 'region',
    idOf: (row: Row & { readonly id: string }) => ({ KeyId: row.id }),
    faults,
  })
  // Never called: the compiler checks them.
  const misuses = () => {
    const named = words.operation('DescribeKey')
    // @ts-expect-error no body without a target or a reason
    void named.run
    // @ts-expect-error no such operation
    words.operation('DescribeKeys')
    // @ts-expect-error the input has no such member
    named.on(key.named('KeyIdentifier'))
    // @ts-expect-error the output has no such member
    named.on(key.named('KeyId')).run(() => ({ KeyMetadatum: {} }))
    // @ts-expect-error the resource of this target is no row
    named.on(key.named('KeyId')).run((_call, _input, found) => ({ KeyMetadata: { KeyId: found.id.id } }))
    // @ts-expect-error at least one action
    named.on(key.named('KeyId')).actions()
    // @ts-expect-error the reason is not optional
    words.operation('ListKeys').withoutPermission()
    // @ts-expect-error without a permission there are no actions
    void words.operation('ListKeys').withoutPermission('a test').actions
    // @ts-expect-error no policy can allow the caller of a token
    void words.operation('ListKeys').bearer(scheme).on
    const targeted = words.operation('ListKeys').on(anything)
    // @ts-expect-error no token without a scheme
    targeted.run((call) => ({ NextMarker: call.bearer.claims.sub }))
    const byToken = words.operation('ListKeys').bearer(scheme).withoutPermission('a test')
    // @ts-expect-error the claims have no such member
    byToken.run((call) => ({ NextMarker: call.bearer.claims.name }))
    // @ts-expect-error the ARN has another variable
    key.arn({ partition: 'aws', region: 'us-east-1', account: ACCOUNT }, { Key: 'k' })
    // @ts-expect-error the form has no such variable
    words.resource({ ...key.spec, patterns: { Key: '.+' } })
    // @ts-expect-error the model has no such error
    words.fail('NoSuchKey', '')
    // @ts-expect-error the three operations have no such member
    words.tagging(key, { tag: 'TagResource', untag: 'UntagResource', list: 'ListResourceTags', resource: 'KeyArn' })
  }
  expect(misuses).toBeTypeOf('function')
})

describe('An operation with a token in place of a signature', () => {
  interface Claims {
    readonly user: string
  }
  const wrong = () => new Fault('InvalidIdentityToken', 'The token is not valid.')
  const scheme: BearerScheme<Claims> = {
    token: (request) => header(request, 'x-test-token'),
    verify: (token, { vault, now }) => {
      const opened = token === undefined ? undefined : vault.redeem('session-token', 'test', token)
      if (!opened) throw wrong()
      const { user, until } = JSON.parse(opened.toString())
      if (until <= now) throw wrong()
      return {
        account: ACCOUNT,
        region: 'eu-west-1',
        identity: { type: 'TestUser', principalId: user },
        claims: { user },
      }
    },
  }
  const words = defineService<typeof STS>('sts')
  const whoAmI = words
    .operation('GetCallerIdentity')
    .bearer(scheme)
    .withoutPermission('the token authorizes')
    .run((call) => ({ UserId: call.bearer.claims.user, Account: call.account, Arn: call.region }))
  const overreaching = words
    .operation('GetSessionToken')
    .bearer(scheme)
    .withoutPermission('the token authorizes')
    .run(async (call) => {
      await call.authorize('sts:GetSessionToken', '*')
      return {}
    })

  async function withToken(
    make: (it: Awaited<ReturnType<typeof cloud>>) => string | undefined,
    options: Pick<NonNullable<Parameters<typeof cloud>[0]>, 'throttle'> = {},
  ) {
    const operations: readonly Operation[] = [whoAmI, overreaching]
    const it = await cloud({ services: [words.service({ operations })], ...options })
    const sts = it.client(STSClient)
    const token = make(it)
    sts.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> }
        delete headers['authorization']
        if (token !== undefined) headers['x-test-token'] = token
        return next(args)
      },
      { step: 'finalizeRequest', priority: 'low' },
    )
    const events = async () =>
      (await it.store.log({ account: ACCOUNT, limit: 10 })).map(
        ({ body }) => JSON.parse(body) as Record<string, unknown>,
      )
    return { it, sts, events }
  }
  type Opened = Awaited<ReturnType<typeof cloud>>
  const issue = (it: Opened, until: number) =>
    it.vault.issue('session-token', 'test', Buffer.from(JSON.stringify({ user: 'ana', until })))

  test('has a limit for its user, wherever the user calls from', async () => {
    const endless = { perSecond: 1e9, burst: 1e9, runningMax: 1e9 }
    const principal = { perSecond: 1, burst: 3, runningMax: 1e9 }
    const limits = { account: endless, address: endless, principal, accounts: new Map() }
    const throttle = new Throttle(limits, () => 0)
    const { it, sts } = await withToken((it) => issue(it, it.clock.now() + 1_000), { throttle })
    for (let n = 0; n < 3; n++) await sts.send(new GetCallerIdentityCommand({}))

    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'Throttling' })
    expect(it.answers.at(-1)).toMatchObject({ throttled: 'principal' })
  })

  test('acts and is recorded where the token says, as its user', async () => {
    const { sts, events } = await withToken((it) => issue(it, it.clock.now() + 1_000))

    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
      UserId: 'ana',
      Account: ACCOUNT,
      Arn: 'eu-west-1',
    })
    expect((await events())[0]).toMatchObject({
      eventName: 'GetCallerIdentity',
      awsRegion: 'eu-west-1',
      recipientAccountId: ACCOUNT,
      userIdentity: { type: 'TestUser', principalId: 'ana' },
    })
  })

  test.each([
    ['no token', () => undefined],
    ['a forged token', () => 'forged'],
    ['a token that has expired', (it: Opened) => issue(it, it.clock.now())],
  ])('does not run with %s', async (_what, make) => {
    const { sts } = await withToken(make)

    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'InvalidIdentityTokenException',
    })
  })

  test('has no permission of its own: what else it tries is denied', async () => {
    const { sts } = await withToken((it) => issue(it, it.clock.now() + 1_000))

    await expect(sts.send(new GetSessionTokenCommand({}))).rejects.toThrow(
      'Not authorized to perform sts:GetSessionToken',
    )
  })
})
