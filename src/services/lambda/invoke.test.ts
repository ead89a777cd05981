/** Invoke: which identity a function runs as, what it returns, and what happens later. */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test, vi } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import type { FunctionOutcome, FunctionRun } from '../../kernel/ports/functions.ts'
import { FunctionsBusy } from '../../kernel/ports/functions.ts'
import { invoked, withRole } from './lambda.fixture.ts'

const event = (value: unknown) => ({ Payload: Buffer.from(JSON.stringify(value)) })
const HOUR_MS = 3_600_000

/** A function whose runs are in the test's hands. */
async function watched(answer: (run: FunctionRun) => Promise<FunctionOutcome> | FunctionOutcome, quotas = {}) {
  const opened = await withRole({ quotas })
  await opened.echo()
  const run = vi.spyOn(opened.ports.functions, 'run').mockImplementation(async (asked) => answer(asked))
  return { ...opened, run, runs: () => run.mock.calls.map(([asked]) => asked) }
}
const log = Buffer.from('')
const fine: FunctionOutcome = { payload: Buffer.from('"fine"'), log }
const broken: FunctionOutcome = { payload: Buffer.from('{"errorMessage":"no"}'), error: 'Unhandled', log }

describe('An invocation', () => {
  test('answers what the function answers', async () => {
    const { echo, lambda } = await withRole()
    await echo()

    const answer = await invoked(lambda, 'echo', event({ hello: ['wörld'] }))

    expect(answer).toMatchObject({
      StatusCode: 200,
      ExecutedVersion: '$LATEST',
      payload: { hello: ['wörld'] },
      log: '',
    })
    expect(answer.FunctionError).toBeUndefined()
    // Without a payload a function receives an empty object.
    expect((await invoked(lambda, 'echo')).payload).toEqual({})
  })

  test('brings the end of the log when requested', async () => {
    const { echo, lambda } = await withRole()
    await echo()

    const { log } = await invoked(lambda, 'echo', { ...event(1), LogType: 'Tail' })

    expect(log).toMatch(/^START RequestId: [0-9a-f-]{36} Version: \$LATEST\nEcho: 1 characters\nEND RequestId: /)
    expect(log).toMatch(/\nREPORT RequestId: [0-9a-f-]{36}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t/)
  })

  test('as a dry run checks the permission and runs nothing', async () => {
    const { lambda, run } = await watched(() => fine)

    const tried = await invoked(lambda, 'echo', { InvocationType: 'DryRun' })

    expect(tried.StatusCode).toBe(204)
    expect(run).not.toHaveBeenCalled()
  })

  test('returns the error of a function as a success of its own', async () => {
    const { lambda } = await watched(() => broken)

    expect(await invoked(lambda, 'echo')).toMatchObject({
      StatusCode: 200,
      FunctionError: 'Unhandled',
      payload: { errorMessage: 'no' },
    })
  })

  test.each([
    ['what is no JSON', Buffer.from('{'), 'InvalidRequestContentException', 400],
    ['what is no text', Buffer.from([0x22, 0xff, 0x22]), 'InvalidRequestContentException', 400],
    ['more than 6 MB', Buffer.from(`"${'x'.repeat(6_291_455)}"`), 'RequestTooLargeException', 413],
  ])('is refused with %s', async (_, Payload, name, httpStatusCode) => {
    const { lambda, run } = await watched(() => fine)

    const refused = lambda.send(new InvokeCommand({ FunctionName: 'echo', Payload }))

    await expect(refused).rejects.toMatchObject({ name, $metadata: { httpStatusCode } })
    expect(run).not.toHaveBeenCalled()
  })

  test('of what does not exist has the same answer for callers that may not invoke it', async () => {
    const { iam, client, echo } = await withRole()
    await echo()
    await iam.send(new CreateUserCommand({ UserName: 'ann' }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
    const ann = client(LambdaClient, {
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    })

    for (const FunctionName of ['echo', 'none']) {
      await expect(ann.send(new InvokeCommand({ FunctionName }))).rejects.toMatchObject({
        name: 'AccessDeniedException',
        message: expect.stringContaining('lambda:InvokeFunction'),
      })
    }
  })

  test('leaves no payload on the trail', async () => {
    const { echo, lambda, client, store } = await withRole()
    await echo()
    await invoked(lambda, 'echo', { ...event({ password: 'hunter2' }), LogType: 'Tail' })

    const { Events } = await client(CloudTrailClient).send(new LookupEventsCommand({}))

    const names = Events!.map(({ EventName }) => EventName)
    // A data event: recorded, and not shown here.
    expect(names).not.toContain('Invoke')
    const bodies = (await store.log({ account: ACCOUNT, limit: 100 })).map(({ body }) => body)
    const invocation = bodies.map((body) => JSON.parse(body)).find(({ eventName }) => eventName === 'Invoke')
    expect(invocation).toMatchObject({
      eventCategory: 'Data',
      requestParameters: { functionName: 'echo' },
      responseElements: null,
    })
    expect(bodies.join()).not.toContain('hunter2')
    // Lambda became the role first.
    expect(names).toContain('AssumeRole')
    expect(JSON.stringify(Events)).not.toContain('hunter2')
  })

  test('beyond what the account may run at once is refused, and passes again when another has ended', async () => {
    let end: (outcome: FunctionOutcome) => void = () => undefined
    let begun: () => void = () => undefined
    const began = new Promise<void>((resolve) => (begun = resolve))
    const held = new Promise<FunctionOutcome>((resolve) => (end = resolve))
    const { lambda } = await watched(
      () => {
        begun()
        return held
      },
      { 'lambda/ConcurrentExecutions': 1 },
    )
    const first = invoked(lambda, 'echo')
    await began

    await expect(lambda.send(new InvokeCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      Reason: 'ConcurrentInvocationLimitExceeded',
      $metadata: { httpStatusCode: 429 },
    })
    end(fine)
    expect((await first).payload).toBe('fine')
    expect((await invoked(lambda, 'echo')).payload).toBe('fine')
  })

  test('that this node has no place for is one to try again', async () => {
    const { lambda } = await watched(() => Promise.reject(new FunctionsBusy('full')))

    await expect(lambda.send(new InvokeCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({
      name: 'TooManyRequestsException',
    })
  })

  test('runs once, though its commit meets another', async () => {
    let meet: () => Promise<unknown> = async () => undefined
    const { lambda, run } = await watched(async () => {
      await meet()
      return fine
    })
    // The function is changed while it runs.
    meet = () => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'echo', Timeout: 9 }))

    expect((await invoked(lambda, 'echo')).payload).toBe('fine')
    expect(run).toHaveBeenCalledTimes(1)
  })
})

describe('The execution role', () => {
  test('has a credential that lasts as long as the function may run', async () => {
    const { lambda, clock, client, root, runs } = await watched(() => fine)
    const quarter = { FunctionName: 'echo', Timeout: 900 }
    await lambda.send(new UpdateFunctionConfigurationCommand(quarter))
    await invoked(lambda, 'echo')
    clock.advance(50 * 60_000)
    await invoked(client(LambdaClient, root), 'echo')

    clock.advance(899_000)
    const { accessKeyId, secretAccessKey, sessionToken } = runs()[1]!.credential
    const late = client(STSClient, { accessKeyId, secretAccessKey, sessionToken })

    expect((await late.send(new GetCallerIdentityCommand({}))).Arn).toMatch(/assumed-role\/runner\/echo$/)
  })

  test('is assumed once, and again shortly before its credential ends', async () => {
    const { lambda, client, clock, runs } = await watched(() => fine)

    await invoked(lambda, 'echo')
    await invoked(lambda, 'echo')
    clock.advance(HOUR_MS - 5 * 60_000 + 1)
    await invoked(client(LambdaClient), 'echo')

    const keys = runs().map(({ credential }) => credential.accessKeyId)
    expect(keys[0]).toMatch(/^ASIA/)
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
  })

  test('is assumed anew once the function is changed', async () => {
    const { lambda, runs } = await watched(() => fine)
    await invoked(lambda, 'echo')

    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'echo', Timeout: 5 }))
    await invoked(lambda, 'echo')

    const [before, after] = runs().map(({ credential }) => credential.accessKeyId)
    expect(after).not.toBe(before)
  })

  test('that no longer trusts Lambda, or is gone, ends it all', async () => {
    const { lambda, iam, run } = await watched(() => fine)
    await iam.send(
      new UpdateAssumeRolePolicyCommand({
        RoleName: 'runner',
        PolicyDocument: allowing({ Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }),
      }),
    )
    const refused = {
      name: 'AccessDeniedException',
      message: 'The role defined for the function cannot be assumed by Lambda.',
    }

    await expect(lambda.send(new InvokeCommand({ FunctionName: 'echo' }))).rejects.toMatchObject(refused)
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'runner', PolicyName: 'rotation' }))
    await iam.send(new DeleteRoleCommand({ RoleName: 'runner' }))
    await expect(lambda.send(new InvokeCommand({ FunctionName: 'echo' }))).rejects.toMatchObject(refused)
    expect(run).not.toHaveBeenCalled()
  })

  test('made again under the old name does not use the old credential', async () => {
    const { lambda, iam, runs } = await watched(() => fine)
    await invoked(lambda, 'echo')
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'runner', PolicyName: 'rotation' }))
    await iam.send(new DeleteRoleCommand({ RoleName: 'runner' }))
    await iam.send(
      new CreateRoleCommand({
        RoleName: 'runner',
        AssumeRolePolicyDocument: allowing({
          Principal: { Service: 'lambda.amazonaws.com' },
          Action: 'sts:AssumeRole',
        }),
      }),
    )

    await invoked(lambda, 'echo')

    const [before, after] = runs().map(({ credential }) => credential.accessKeyId)
    expect(after).not.toBe(before)
  })
})

describe('An event', () => {
  const asEvent = { ...event({ n: 1 }), InvocationType: 'Event' } as const

  test('is accepted at once, and runs from what is on disk', async () => {
    const { lambda, jobs, runs } = await watched(() => fine)

    const accepted = await invoked(lambda, 'echo', asEvent)
    expect(accepted).toMatchObject({ StatusCode: 202, payload: undefined })
    expect(runs()).toHaveLength(0)
    await jobs.runDue()

    expect(runs().map(({ payload }) => payload.toString())).toEqual(['{"n":1}'])
    await jobs.runDue()
    expect(runs()).toHaveLength(1)
  })

  test('whose function fails is tried twice more, after one minute and two', async () => {
    const { lambda, jobs, clock, runs } = await watched(() => broken)
    await invoked(lambda, 'echo', asEvent)
    const counts: number[] = []

    for (const waitMs of [0, 59_000, 1_000, 119_000, 1_000, HOUR_MS]) {
      clock.advance(waitMs)
      await jobs.runDue()
      counts.push(runs().length)
    }

    expect(counts).toEqual([1, 1, 2, 2, 3, 3])
    // It is one event all the time.
    expect(new Set(runs().map(({ requestId }) => requestId)).size).toBe(1)
  })

  test('of a deleted function is forgotten, even if another one has its name now', async () => {
    const { lambda, jobs, echo, runs } = await watched(() => fine)
    await invoked(lambda, 'echo', asEvent)
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'echo' }))
    await echo()

    await jobs.runDue()

    expect(runs()).toHaveLength(0)
  })

  test('waits for a node that has room', async () => {
    let busy = true
    const { lambda, jobs, clock, runs } = await watched(() => {
      if (busy) throw new FunctionsBusy('full')
      return fine
    })
    await invoked(lambda, 'echo', asEvent)
    await jobs.runDue()
    busy = false

    clock.advance(1_000)
    await jobs.runDue()
    clock.advance(HOUR_MS)
    await jobs.runDue()

    expect(runs()).toHaveLength(2)
  })

  test('holds at most 1 MB', async () => {
    const { lambda } = await watched(() => fine)
    const send = (length: number) =>
      invoked(lambda, 'echo', { InvocationType: 'Event', Payload: Buffer.from(`"${'x'.repeat(length - 2)}"`) })

    await expect(send(1_048_577)).rejects.toMatchObject({ name: 'RequestTooLargeException' })
    expect((await send(1_048_576)).StatusCode).toBe(202)
  })

  test('is sealed while it waits', async () => {
    const { lambda, store } = await watched(() => fine)
    await invoked(lambda, 'echo', { ...asEvent, ...event({ password: 'hunter2' }) })

    const jobs = await store.reader.range('kernel/job/')

    expect(JSON.stringify(jobs)).toContain('lambda.invoke')
    expect(JSON.stringify(jobs)).not.toContain('hunter2')
  })
})
