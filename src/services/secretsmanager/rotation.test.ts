/**
 * Rotation: what is scheduled, which steps run, and which labels the versions have after each end. The functions are a
 * mock.
 */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import type * as Lambda from '@aws-sdk/client-lambda'
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  RotateSecretCommand,
  type RotateSecretCommandInput,
  SecretsManagerClient,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import type { Service } from '../../kernel/service/service.ts'
import { compilePolicy, parsePolicy } from '../../policy/index.ts'
import { services } from '../../server/compose/services.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:rotator`
const TOKEN = 't'.repeat(32)

interface Event {
  readonly SecretId: string
  readonly ClientRequestToken: string
  readonly Step: string
  readonly RotationToken: string
}
type Rotator = (event: Event) => Promise<void>

/** The SDK's own wrapping of bytes, which nothing here needs. */
const payload = (text: string) => Buffer.from(text) as never

/**
 * The lambda service as far as rotation calls it: one function, its policy, and its behavior under the test's control.
 */
function mockLambda(rotator: () => Rotator, policy: string): Service {
  const lambda = defineService<typeof Lambda>('lambda')
  const compiled = compilePolicy(parsePolicy(policy, 'resource'), { id: 'function', kind: 'resource' })
  return {
    api: lambda.api,
    operations: [
      lambda
        .operation('Invoke')
        .on({
          find: (_call, { FunctionName = '' }: { readonly FunctionName?: string | undefined }) => {
            const acted = { arn: FUNCTION, type: 'AWS::Lambda::Function', account: ACCOUNT, policy: compiled }
            const missing = () => lambda.fail('ResourceNotFoundException', `Function not found: ${FunctionName}`)
            return FunctionName === FUNCTION ? { acted, row: true } : { acted, row: undefined, missing }
          },
        })
        .actions('lambda:InvokeFunction')
        .run(async (call, { InvocationType, Payload }) => {
          if (InvocationType === 'DryRun') return { StatusCode: 204 }
          const event = JSON.parse(Buffer.from(Payload as Uint8Array).toString()) as Event
          const failed = await call.once(() =>
            rotator()(event).then(
              () => undefined,
              (error: Error) => error.message,
            ),
          )
          if (failed === undefined) return { StatusCode: 200, Payload: payload('null') }
          const said = { errorMessage: failed, errorType: 'Error' }
          return { StatusCode: 200, FunctionError: 'Unhandled', Payload: payload(JSON.stringify(said)) }
        }),
    ],
  }
}

const invocable = (rest: object = {}) =>
  allowing({
    Principal: { Service: 'secretsmanager.amazonaws.com' },
    Action: 'lambda:InvokeFunction',
    Resource: '*',
    ...rest,
  })

async function world(policy = invocable()) {
  const steps: string[] = []
  let rotator: Rotator = async () => undefined
  const others = services.filter(({ api }) => api.id !== 'lambda')
  const it = await cloud({ services: [...others, mockLambda(() => rotator, policy)] })
  const sm = () => it.client(SecretsManagerClient)
  await sm().send(new CreateSecretCommand({ Name: 's', SecretString: 'first' }))

  /** As AWS's template does it. */
  const good: Rotator = async ({ SecretId, ClientRequestToken, Step, RotationToken }) => {
    steps.push(Step)
    const { VersionIdsToStages = {} } = await sm().send(new DescribeSecretCommand({ SecretId }))
    if (Step === 'createSecret') {
      const value = { SecretId, ClientRequestToken, SecretString: `rotated ${steps.length}`, RotationToken }
      await sm().send(new PutSecretValueCommand({ ...value, VersionStages: ['AWSPENDING'] }))
    }
    if (Step === 'finishSecret') {
      const current = Object.keys(VersionIdsToStages).find((id) => VersionIdsToStages[id]!.includes('AWSCURRENT'))!
      const move = {
        SecretId,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: ClientRequestToken,
        RemoveFromVersionId: current,
      }
      if (current !== ClientRequestToken) await sm().send(new UpdateSecretVersionStageCommand(move))
    }
  }
  rotator = good
  const rotate = (input: Partial<RotateSecretCommandInput> = {}) =>
    sm().send(
      new RotateSecretCommand({
        SecretId: 's',
        RotationLambdaARN: FUNCTION,
        RotationRules: { AutomaticallyAfterDays: 30 },
        ...input,
      }),
    )
  const describe = () => sm().send(new DescribeSecretCommand({ SecretId: 's' }))
  const labels = async () =>
    Object.values((await describe()).VersionIdsToStages!)
      .map((stages) => [...stages].sort().join('+'))
      .sort()
  const value = async () => (await sm().send(new GetSecretValueCommand({ SecretId: 's' }))).SecretString
  const told = async () => {
    const { Events } = await it.client(CloudTrailClient).send(new LookupEventsCommand({ MaxResults: 50 }))
    return Events!
      .map(({ EventName }) => EventName!)
      .filter((name) => /^Rotation/.test(name))
      .reverse()
  }
  /** Runs what is due until nothing is. */
  const settle = async () => {
    while ((await it.jobs.runDue()) > 0);
  }
  return {
    ...it,
    sm,
    steps,
    good,
    rotate,
    describe,
    labels,
    value,
    told,
    settle,
    use: (other: Rotator) => (rotator = other),
  }
}

describe('Secrets 5: a rotation', () => {
  test('answers at once with a pending version without a value, then takes its four steps', async () => {
    const it = await world()
    expect(await it.rotate({ ClientRequestToken: TOKEN })).toMatchObject({ Name: 's', VersionId: TOKEN })
    expect(await it.labels()).toEqual(['AWSCURRENT', 'AWSPENDING'])
    expect(await it.value()).toBe('first')
    const pending = new GetSecretValueCommand({ SecretId: 's', VersionStage: 'AWSPENDING' })
    await expect(it.sm().send(pending)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })

    await it.settle()

    expect(it.steps).toEqual(['createSecret', 'setSecret', 'testSecret', 'finishSecret'])
    expect(await it.value()).toBe('rotated 1')
    expect(await it.labels()).toEqual(['AWSCURRENT+AWSPENDING', 'AWSPREVIOUS'])
    const described = await it.describe()
    expect(described).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN: FUNCTION,
      LastRotatedDate: expect.any(Date),
      NextRotationDate: new Date(described.LastRotatedDate!.getTime() + 30 * DAY_MS),
    })
    expect(await it.told()).toEqual(['RotationStarted', 'RotationSucceeded'])
  })

  test('does not let its pending version be filled by creating the secret again with its token', async () => {
    const it = await world()
    await it.rotate({ ClientRequestToken: TOKEN })
    const maker = await it.user('maker', allowing({ Action: 'secretsmanager:CreateSecret', Resource: '*' }))
    const again = new CreateSecretCommand({ Name: 's', SecretString: 'foisted', ClientRequestToken: TOKEN })

    await expect(it.client(SecretsManagerClient, maker).send(again)).rejects.toMatchObject({
      name: 'ResourceExistsException',
    })

    expect(await it.value()).toBe('first')
    expect(await it.labels()).toEqual(['AWSCURRENT', 'AWSPENDING'])
  })

  test('comes again by its schedule, and no more once it is cancelled', async () => {
    const it = await world()
    await it.rotate()
    await it.settle()
    await it.pass(30 * DAY_MS)
    await it.settle()
    expect(it.steps).toHaveLength(8)
    expect(await it.value()).toBe('rotated 5')

    await it.sm().send(new CancelRotateSecretCommand({ SecretId: 's' }))
    await it.pass(90 * DAY_MS)
    await it.settle()

    expect(it.steps).toHaveLength(8)
    expect(await it.describe()).toMatchObject({ RotationEnabled: false })
  })

  test('later only tests what is there, and leaves no version behind', async () => {
    const it = await world()
    const tried: unknown[] = []
    const pending = { SecretId: 's', VersionId: TOKEN, VersionStage: 'AWSPENDING' }
    const get = () => it.sm().send(new GetSecretValueCommand(pending))
    it.use(async (event) => {
      tried.push(await get())
      await it.good(event)
    })
    await it.rotate({ RotateImmediately: false, ClientRequestToken: TOKEN })
    await it.settle()
    expect(it.steps).toEqual(['testSecret'])
    // AWS's own functions log in with what is pending.
    expect(tried).toMatchObject([{ SecretString: 'first', VersionId: TOKEN, VersionStages: ['AWSPENDING'] }])
    await expect(get()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    expect(await it.labels()).toEqual(['AWSCURRENT'])
    expect(await it.value()).toBe('first')
  })

  test.each(['createSecret', 'setSecret', 'testSecret', 'finishSecret'])(
    'that fails in %s keeps the old value current, says why, and heals at the next try',
    async (failing) => {
      const it = await world()
      it.use(async (event) => {
        if (event.Step === failing) throw new Error('the database is away')
        await it.good(event)
      })
      await it.rotate()
      await it.settle()
      expect(await it.value()).toBe('first')
      expect(await it.labels()).toEqual(['AWSCURRENT', 'AWSPENDING'])
      expect(await it.told()).toEqual(['RotationStarted', 'RotationFailed'])
      await expect(it.rotate()).rejects.toMatchObject({
        name: 'InvalidRequestException',
        message: "A previous rotation isn't complete. That rotation will be reattempted.",
      })

      it.use(it.good)
      await it.pass(MINUTE_MS)
      await it.settle()

      expect(await it.value()).toMatch(/^rotated/)
      expect(await it.told()).toEqual(['RotationStarted', 'RotationFailed', 'RotationSucceeded'])
    },
  )

  test('whose function runs out of its time keeps the old value, says why, and heals', async () => {
    const it = await world()
    it.use(async (event) => {
      if (event.Step === 'setSecret') throw new Error('2026-11-25T10:00:00Z 6f3d5a0e Task timed out after 3.00 seconds')
      await it.good(event)
    })
    await it.rotate()
    await it.settle()
    expect(await it.value()).toBe('first')
    expect(await it.labels()).toEqual(['AWSCURRENT', 'AWSPENDING'])
    const { Events } = await it.client(CloudTrailClient).send(new LookupEventsCommand({ MaxResults: 50 }))
    const failure = Events!.find(({ EventName }) => EventName === 'RotationFailed')
    expect(failure!.CloudTrailEvent).toContain('setSecret: Error: ')
    expect(failure!.CloudTrailEvent).toContain('Task timed out after 3.00 seconds')

    it.use(it.good)
    await it.pass(MINUTE_MS)
    await it.settle()
    expect(await it.value()).toMatch(/^rotated/)
  })

  test('is abandoned after five tries within a day', async () => {
    const it = await world()
    let tries = 0
    it.use(async () => {
      tries++
      throw new Error('never')
    })
    await it.rotate()
    for (let hour = 0; hour < 30; hour++) {
      await it.settle()
      await it.pass(60 * MINUTE_MS)
    }
    expect(tries).toBe(5)
    expect((await it.told()).at(-1)).toBe('RotationAbandoned')
    expect(await it.value()).toBe('first')
  })

  test('whose function does not finish has failed', async () => {
    const it = await world()
    it.use(async (event) => (event.Step === 'finishSecret' ? undefined : it.good(event)))
    await it.rotate()
    await it.settle()
    expect(await it.value()).toBe('first')
    expect(await it.told()).toEqual(['RotationStarted', 'RotationFailed'])
  })

  test('changes nothing where the function may not be invoked, or is not there', async () => {
    const strange = { Condition: { StringEquals: { 'aws:SourceAccount': '999999999999' } } }
    for (const policy of [invocable(strange), invocable({ Principal: { Service: 'events.amazonaws.com' } })]) {
      const it = await world(policy)
      await expect(it.rotate()).rejects.toMatchObject({
        name: 'AccessDeniedException',
        message: expect.stringContaining('cannot invoke the specified Lambda function'),
      })
      expect(await it.labels()).toEqual(['AWSCURRENT'])
      expect(await it.describe()).not.toHaveProperty('RotationEnabled')
    }
    const it = await world()
    await expect(it.rotate({ RotationLambdaARN: `${FUNCTION}x` })).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('cannot invoke the specified Lambda function'),
    })
    await expect(it.rotate({ RotationLambdaARN: undefined })).rejects.toMatchObject({
      message: 'No Lambda rotation function ARN is associated with this secret.',
    })
  })

  test('needs a caller that may invoke the function', async () => {
    const it = await world()
    const ann = it.client(
      SecretsManagerClient,
      await it.user('ann', allowing({ Action: 'secretsmanager:*', Resource: '*' })),
    )
    const asked = new RotateSecretCommand({
      SecretId: 's',
      RotationLambdaARN: FUNCTION,
      RotationRules: { AutomaticallyAfterDays: 30 },
    })
    await expect(ann.send(asked)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('lambda:InvokeFunction'),
    })
    expect(await it.labels()).toEqual(['AWSCURRENT'])

    await it.permit('ann', allowing({ Action: ['secretsmanager:*', 'lambda:InvokeFunction'], Resource: '*' }))
    await ann.send(asked)
    await it.settle()

    expect(await it.value()).toBe('rotated 1')
  })

  test('stops with the deletion of its secret, and goes on by its schedule when that is restored', async () => {
    const it = await world()
    it.use(async () => {
      it.steps.push('tried')
      throw new Error('the database is away')
    })
    await it.rotate()
    await it.settle()
    await it.sm().send(new DeleteSecretCommand({ SecretId: 's' }))
    await it.pass(DAY_MS)
    await it.settle()
    expect(it.steps).toEqual(['tried'])

    it.use(it.good)
    await it.sm().send(new RestoreSecretCommand({ SecretId: 's' }))
    await it.pass(DAY_MS)
    expect(await it.value()).toBe('first')
    await it.rotate()
    await it.settle()
    expect(await it.value()).toMatch(/^rotated/)
    await it.sm().send(new DeleteSecretCommand({ SecretId: 's' }))
    await it.sm().send(new RestoreSecretCommand({ SecretId: 's' }))
    const before = await it.value()
    await it.pass(31 * DAY_MS)
    await it.settle()
    expect(await it.value()).not.toBe(before)
  })

  test('is put off by a value put by hand, where it comes so many days after the last', async () => {
    const it = await world()
    await it.rotate()
    await it.settle()
    await it.pass(20 * DAY_MS)
    await it.sm().send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'by hand' }))
    await it.pass(20 * DAY_MS)
    await it.settle()
    expect(await it.value()).toBe('by hand')
    await it.pass(11 * DAY_MS)
    await it.settle()
    expect(await it.value()).toMatch(/^rotated/)
  })

  test('requested again takes the function and the rules it knows', async () => {
    const it = await world()
    await it.rotate()
    await it.settle()
    await it.sm().send(new RotateSecretCommand({ SecretId: 's' }))
    await it.settle()
    expect(it.steps).toHaveLength(8)
    expect((await it.describe()).RotationRules).toEqual({ AutomaticallyAfterDays: 30 })
  })
})

describe('The rotation token', () => {
  const wrong = { name: 'InvalidRequestException', message: expect.stringContaining('RotationToken') }
  const put = (it: Awaited<ReturnType<typeof world>>, RotationToken: string | undefined, more: object = {}) =>
    it.sm().send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'put', RotationToken, ...more }))

  test('is valid while its rotation is in progress, for its secret alone', async () => {
    const it = await world()
    await it.sm().send(new CreateSecretCommand({ Name: 'other', SecretString: 'untouched' }))
    const answers: unknown[] = []
    let seen: string | undefined
    it.use(async (event) => {
      if (event.Step === 'createSecret') {
        seen = event.RotationToken
        const pending = { ClientRequestToken: event.ClientRequestToken, VersionStages: ['AWSPENDING'] }
        for (const changed of [`${seen.slice(0, -1)}x`, 'a'.repeat(36)])
          answers.push(await put(it, changed, pending).catch((error) => error))
        answers.push(await put(it, seen, { ...pending, SecretId: 'other' }).catch((error) => error))
      }
      await it.good(event)
    })
    await it.rotate()
    await it.settle()

    expect(answers).toEqual(Array(3).fill(expect.objectContaining(wrong)))
    expect(await it.value()).toBe('rotated 1')
    await expect(put(it, seen)).rejects.toMatchObject(wrong)
    expect(await it.value()).toBe('rotated 1')
    await put(it, undefined)
    expect(await it.value()).toBe('put')
  })

  test('of a rotation that was cancelled or begun anew is worth nothing', async () => {
    const it = await world()
    const tokens: string[] = []
    it.use(async ({ RotationToken }) => {
      tokens.push(RotationToken)
      throw new Error('not today')
    })
    await it.rotate({ ClientRequestToken: TOKEN })
    await it.settle()
    await it.pass(MINUTE_MS)
    expect(tokens).toEqual([tokens[0], tokens[0]])
    await it.sm().send(new CancelRotateSecretCommand({ SecretId: 's' }))
    await expect(put(it, tokens[0])).rejects.toMatchObject(wrong)

    await it.rotate({ ClientRequestToken: TOKEN })
    await expect(put(it, tokens[0])).rejects.toMatchObject(wrong)
    await it.settle()
    expect(tokens[2]).not.toBe(tokens[0])
    await put(it, tokens[2], { ClientRequestToken: TOKEN, VersionStages: ['AWSPENDING'] })
    expect(await it.labels()).toEqual(['AWSCURRENT', 'AWSPENDING'])
  })

  test('outside what its shape allows is no token', async () => {
    const it = await world()
    for (const token of ['', 'short', 'x'.repeat(257), `${'x'.repeat(36)} `])
      await expect(put(it, token)).rejects.toMatchObject({
        name: expect.stringMatching(/^(Validation|InvalidParameter)Exception$/),
      })
  })

  test('is what a function of another account has to show for the version that rotates, and never on the trail', async () => {
    const it = await world()
    const strangers = await it.account()
    const KeyId = (
      await it.client(KMSClient).send(
        new CreateKeyCommand({
          Policy: allowing(
            { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
            {
              Principal: { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` },
              Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
              Resource: '*',
            },
          ),
        }),
      )
    ).KeyMetadata!.Arn!
    await it.sm().send(new UpdateSecretCommand({ SecretId: 's', KmsKeyId: KeyId }))
    const stranger = { Principal: { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` }, Resource: '*' }
    const ResourcePolicy = allowing({ ...stranger, Action: 'secretsmanager:PutSecretValue' })
    const { ARN } = await it.sm().send(new PutResourcePolicyCommand({ SecretId: 's', ResourcePolicy }))
    const answers: unknown[] = []
    let shown = ''
    it.use(async (event) => {
      if (event.Step !== 'createSecret') return it.good(event)
      shown = event.RotationToken
      const pending = { ClientRequestToken: event.ClientRequestToken, VersionStages: ['AWSPENDING'] }
      const abroad = (RotationToken?: string) =>
        it
          .client(SecretsManagerClient, strangers)
          .send(new PutSecretValueCommand({ SecretId: ARN, SecretString: 'from abroad', ...pending, RotationToken }))
      for (const token of [undefined, 'b'.repeat(36), shown]) answers.push(await abroad(token).catch((error) => error))
    })
    await it.rotate()
    await it.settle()

    expect(answers).toEqual([
      expect.objectContaining(wrong),
      expect.objectContaining(wrong),
      expect.objectContaining({ VersionStages: ['AWSPENDING'] }),
    ])
    expect(await it.value()).toBe('from abroad')
    const { Events } = await it.client(CloudTrailClient).send(new LookupEventsCommand({ MaxResults: 50 }))
    expect(JSON.stringify(Events)).toContain('PutSecretValue')
    expect(JSON.stringify(Events)).not.toContain(shown)
  })
})
