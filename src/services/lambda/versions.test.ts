/** Published versions: what they keep, how they are named, and what becomes of them. */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  AddPermissionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  TagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { invoked, withRole } from './lambda.fixture.ts'

const FunctionName = 'echo'
const ARN = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:echo`

async function versioned() {
  const it = await withRole()
  const made = await it.echo(FunctionName, {
    Publish: true,
    Description: 'first',
    Environment: { Variables: { WORD: 'one' } },
  })
  const configuration = (Qualifier?: string) =>
    it.lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }))
  const versions = async (MaxItems?: number, Marker?: string) =>
    it.lambda.send(new ListVersionsByFunctionCommand({ FunctionName, MaxItems, Marker }))
  const numbers = async () => (await versions()).Versions!.map(({ Version }) => Version)
  const publish = (more: object = {}) => it.lambda.send(new PublishVersionCommand({ FunctionName, ...more }))
  const change = (Description: string, WORD = Description) =>
    it.lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName, Description, Environment: { Variables: { WORD } } }),
    )
  return { ...it, made, configuration, versions, numbers, publish, change }
}

describe('a version', () => {
  test('is published with its function, and stays as it was', async () => {
    const it = await versioned()
    expect(it.made).toMatchObject({ Version: '1', FunctionArn: ARN, State: 'Pending', StateReasonCode: 'Creating' })
    expect(await it.change('second')).toMatchObject({
      Version: '$LATEST',
      State: 'Active',
      LastUpdateStatus: 'InProgress',
      LastUpdateStatusReasonCode: 'Creating',
    })

    expect(await it.configuration()).toMatchObject({
      Version: '$LATEST',
      FunctionArn: ARN,
      Description: 'second',
      Environment: { Variables: { WORD: 'second' } },
      State: 'Active',
      LastUpdateStatus: 'Successful',
    })
    expect(await it.configuration('1')).toMatchObject({
      Version: '1',
      FunctionArn: `${ARN}:1`,
      Description: 'first',
      Environment: { Variables: { WORD: 'one' } },
      State: 'Active',
    })
    const { Configuration } = await it.lambda.send(new GetFunctionCommand({ FunctionName: `${ARN}:1` }))
    expect(Configuration).toMatchObject({ Version: '1', Description: 'first' })
  })
  test('is the same again while nothing has changed, and the next one afterwards', async () => {
    const it = await versioned()
    expect(await it.publish({ Description: 'ignored' })).toMatchObject({ Version: '1', Description: 'first' })
    await it.change('second')
    expect(await it.publish({ Description: 'published' })).toMatchObject({
      Version: '2',
      FunctionArn: `${ARN}:2`,
      Description: 'published',
      State: 'Active',
    })
    await it.lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '2' }))
    await it.change('third')
    expect(await it.publish()).toMatchObject({ Version: '3', Description: 'third' })
    expect(await it.numbers()).toEqual(['$LATEST', '1', '3'])
    await expect(it.configuration('2')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}:2`,
      Type: 'User',
    })
  })
  test('is published with new code, and only of the code and the revision that is meant', async () => {
    const it = await versioned()
    const code = { FunctionName, ImageUri: 'merlon/Echo' }
    expect(await it.lambda.send(new UpdateFunctionCodeCommand({ ...code, Publish: true }))).toMatchObject({
      Version: '2',
      FunctionArn: `${ARN}:2`,
      State: 'Pending',
    })
    const { CodeSha256, RevisionId } = await it.configuration()
    await it.change('next')
    await expect(it.publish({ CodeSha256: 'other' })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: `CodeSHA256 (other) is different from current CodeSHA256 in $LATEST (${CodeSha256}). Please try again with the CodeSHA256 in $LATEST.`,
    })
    await expect(it.publish({ RevisionId })).rejects.toMatchObject({ name: 'PreconditionFailedException' })
    expect(await it.publish({ CodeSha256 })).toMatchObject({ Version: '3' })
  })
  test('is invoked by its qualifier, now and as an event', async () => {
    const it = await versioned()
    await it.change('second')
    for (const [more, version] of [
      [{}, '$LATEST'],
      [{ Qualifier: '1' }, '1'],
      [{ Qualifier: '$LATEST' }, '$LATEST'],
    ] as const) {
      const answer = await invoked(it.lambda, FunctionName, { ...more, LogType: 'Tail' })
      expect(answer.ExecutedVersion).toBe(version)
      expect(answer.log).toContain(`Version: ${version}`)
    }
    expect((await invoked(it.lambda, `${ARN}:1`)).ExecutedVersion).toBe('1')
    const event = new InvokeCommand({ FunctionName, Qualifier: '1', InvocationType: 'Event' })
    expect(await it.lambda.send(event)).toMatchObject({ StatusCode: 202 })
    expect(await it.pass(1_000)).toBe(1)
    await expect(it.lambda.send(new InvokeCommand({ FunctionName, Qualifier: '9' }))).rejects.toMatchObject({
      message: `Function not found: ${ARN}:9`,
    })
  })
  test('is changed by nothing, has no tags, and has a policy of its own', async () => {
    const it = await versioned()
    const qualified = { FunctionName: `${FunctionName}:1` }
    for (const command of [
      new UpdateFunctionConfigurationCommand({ ...qualified, Description: 'x' }),
      new UpdateFunctionCodeCommand({ ...qualified, ImageUri: 'merlon/Echo' }),
      new PublishVersionCommand(qualified),
      new TagResourceCommand({ Resource: `${ARN}:1`, Tags: { a: 'b' } }),
      new ListTagsCommand({ Resource: `${ARN}:1` }),
    ]) {
      await expect(it.lambda.send(command as never)).rejects.toMatchObject({
        $metadata: { httpStatusCode: expect.any(Number) },
      })
    }
    const other = it.client(LambdaClient, await it.account())
    const call = (name: string) => other.send(new InvokeCommand({ FunctionName: name }))
    const permission = { StatementId: 's', Action: 'lambda:InvokeFunction', Principal: OTHER_ACCOUNT }
    await it.lambda.send(new AddPermissionCommand({ FunctionName, Qualifier: '1', ...permission }))

    expect(await call(`${ARN}:1`)).toMatchObject({ StatusCode: 200 })
    await expect(call(ARN)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    await expect(it.lambda.send(new GetPolicyCommand({ FunctionName }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    const { Policy } = await it.lambda.send(new GetPolicyCommand({ FunctionName, Qualifier: '1' }))
    expect(JSON.parse(Policy!).Statement[0].Resource).toBe(`${ARN}:1`)
  })
  test('goes with its function, whose name begins again at one', async () => {
    const it = await versioned()
    await it.change('second')
    await it.publish()
    await it.lambda.send(new DeleteFunctionCommand({ FunctionName }))
    expect(await it.store.reader.range(`lambda/version/${ACCOUNT}/us-east-1/`)).toEqual([])

    await it.echo(FunctionName, { Publish: true })
    expect(await it.numbers()).toEqual(['$LATEST', '1'])
  })
})

test('versions are listed in pages, by function and all of them, without a state', async () => {
  const it = await versioned()
  for (const text of ['second', 'third', 'fourth']) {
    await it.change(text)
    await it.publish()
  }
  await it.echo('other')
  const seen: (string | undefined)[] = []
  let Marker: string | undefined
  do {
    const page = await it.versions(2, Marker)
    seen.push(...page.Versions!.map(({ FunctionArn }) => FunctionArn))
    for (const version of page.Versions!) expect(version).not.toHaveProperty('State')
    Marker = page.NextMarker
  } while (Marker)
  const all = ['$LATEST', '1', '2', '3', '4'].map((version) => `${ARN}:${version}`)
  expect(seen).toEqual(all)

  const { Functions } = await it.lambda.send(new ListFunctionsCommand({ FunctionVersion: 'ALL' }))
  const other = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:other:$LATEST`
  expect(Functions!.map(({ FunctionArn }) => FunctionArn)).toEqual([...all, other])
  const { Functions: latest } = await it.lambda.send(new ListFunctionsCommand({}))
  expect(latest!.map(({ FunctionArn }) => FunctionArn)).toEqual([ARN, other.replace(':$LATEST', '')])
})

test('events have the names of their APIs', async () => {
  const it = await versioned()
  await it.change('second')
  await it.publish()
  await it.configuration()
  await it.versions()
  await it.lambda.send(new GetFunctionCommand({ FunctionName }))
  await it.lambda.send(new ListFunctionsCommand({}))
  await it.lambda.send(new TagResourceCommand({ Resource: ARN, Tags: { a: 'b' } }))
  await it.lambda.send(new ListTagsCommand({ Resource: ARN }))
  await it.lambda.send(new DeleteFunctionCommand({ FunctionName }))

  const { Events } = await it.client(CloudTrailClient).send(
    new LookupEventsCommand({
      LookupAttributes: [{ AttributeKey: 'EventSource', AttributeValue: 'lambda.amazonaws.com' }],
    }),
  )
  expect(Events!.map(({ EventName }) => EventName).sort()).toEqual([
    'CreateFunction20150331',
    'DeleteFunction20150331',
    'GetFunction20150331v2',
    'GetFunctionConfiguration20150331v2',
    'ListFunctions20150331',
    'ListTags20170331',
    'ListVersionsByFunction20150331',
    'PublishVersion20150331',
    'TagResource20170331v2',
    'UpdateFunctionConfiguration20150331v2',
  ])
})

test('a runtime that does not exist, a name that is too long, and an image with a password are refused', async () => {
  const it = await withRole()
  const wrong = { name: 'InvalidParameterValueException', Type: 'User' }
  await expect(
    it.echo('f', { PackageType: 'Zip', Runtime: 'nope', Handler: 'a.b', Code: { ZipFile: Buffer.from('') } }),
  ).rejects.toMatchObject({
    ...wrong,
    message: expect.stringMatching(/^Value nope at 'runtime' failed to satisfy constraint: .* or be a valid ARN$/),
  })
  await expect(it.echo('f'.repeat(65))).rejects.toMatchObject(wrong)
  const secret = 'hunter2'
  await expect(
    it.echo('f', { Code: { ImageUri: `https://user:${secret}@functions.example/f` } }),
  ).rejects.toMatchObject(wrong)
  const bodies = (await it.store.log({ account: ACCOUNT, limit: 100 })).map(({ body }) => body).join()
  expect(bodies).toContain('functions.example')
  expect(bodies).not.toContain(secret)
})
