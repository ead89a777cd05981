/** A user's access key, rotated by the function that is part of Merlon, under a client that signs with it all the time. */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from './cloud.ts'

const ROTATIONS = 20

interface Value {
  readonly UserName: string
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly team?: string
}

/** A user `robot`, and a function whose role may do what it needs, on that user alone. */
async function world() {
  const it = await cloud()
  const iam = it.client(IAMClient)
  const lambda = it.client(LambdaClient)
  const sm = it.client(SecretsManagerClient)
  await iam.send(new CreateUserCommand({ UserName: 'robot', Path: '/machines/' }))
  const trust = allowing({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await iam.send(new CreateRoleCommand({ RoleName: 'rotator', AssumeRolePolicyDocument: trust }))
  for (const [PolicyName, statement] of Object.entries({
    secrets: { Action: 'secretsmanager:*', Resource: '*' },
    keys: { Action: 'iam:*AccessKey*', Resource: `arn:aws:iam::${ACCOUNT}:user/machines/robot` },
  })) {
    const PolicyDocument = allowing(statement)
    await iam.send(new PutRolePolicyCommand({ RoleName: 'rotator', PolicyName, PolicyDocument }))
  }
  const made = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'rotate',
      Role: `arn:aws:iam::${ACCOUNT}:role/rotator`,
      PackageType: 'Image',
      Code: { ImageUri: 'merlon/MerlonIAMAccessKeyRotation' },
    }),
  )
  const Principal = 'secretsmanager.amazonaws.com'
  const permission = { FunctionName: 'rotate', StatementId: 'sm', Action: 'lambda:InvokeFunction', Principal }
  await lambda.send(new AddPermissionCommand(permission))
  const keep = (value: object, Name = 'key') =>
    sm.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }))
  const value = async (): Promise<Value> =>
    JSON.parse((await sm.send(new GetSecretValueCommand({ SecretId: 'key' }))).SecretString!)
  const rotate = async (more: object = {}) => {
    const asked = { RotationLambdaARN: made.FunctionArn!, RotationRules: { AutomaticallyAfterDays: 30 }, ...more }
    await sm.send(new RotateSecretCommand({ SecretId: 'key', ...asked }))
    while ((await it.jobs.runDue()) > 0);
  }
  const caller = async ({ AccessKeyId, SecretAccessKey }: Value) => {
    const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey }
    const sts = it.client(STSClient, credentials)
    return (await sts.send(new GetCallerIdentityCommand({}))).Arn
  }
  const newKey = async () => {
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'robot' }))
    return { AccessKeyId: AccessKey!.AccessKeyId!, SecretAccessKey: AccessKey!.SecretAccessKey! }
  }
  const keys = async () =>
    (await iam.send(new ListAccessKeysCommand({ UserName: 'robot' }))).AccessKeyMetadata!.map((key) => key.AccessKeyId!)
  const failures = async () => {
    const LookupAttributes = [{ AttributeKey: 'EventName', AttributeValue: 'RotationFailed' } as const]
    return (await it.client(CloudTrailClient).send(new LookupEventsCommand({ LookupAttributes }))).Events!
  }
  return { failures, keep, value, rotate, caller, newKey, keys }
}

test(`A client that fetches the key whenever it calls is never refused in ${ROTATIONS} rotations`, async () => {
  const it = await world()
  await it.keep({ UserName: 'robot', team: 'red', ...(await it.newKey()) })
  const seen: Value[] = [await it.value()]
  let [calls, rotating] = [0, true]
  const client = (async () => {
    for (; rotating; calls++) expect(await it.caller(await it.value())).toMatch(/user\/machines\/robot$/)
  })()
  for (let n = 0; n < ROTATIONS; n++) {
    await it.rotate()
    seen.push(await it.value())
  }
  rotating = false
  await client

  expect(calls).toBeGreaterThan(ROTATIONS)
  expect(new Set(seen.map((value) => value.AccessKeyId)).size).toBe(ROTATIONS + 1)
  expect(seen.every(({ team }) => team === 'red')).toBe(true)
  // The one before goes on until the next rotation; those before that are gone.
  const [before, previous, current] = seen.slice(-3) as [Value, Value, Value]
  expect([...(await it.keys())].sort()).toEqual([previous.AccessKeyId, current.AccessKeyId].sort())
  expect(await it.caller(previous)).toBe(await it.caller(current))
  await expect(it.caller(before)).rejects.toMatchObject({ name: 'InvalidClientTokenId' })
})

test('Rules that are set without rotating at once try the present key, and change nothing', async () => {
  const it = await world()
  await it.keep({ UserName: 'robot', ...(await it.newKey()) })
  const before = await it.value()

  await it.rotate({ RotateImmediately: false })

  expect(await it.failures()).toEqual([])
  expect(await it.value()).toEqual(before)
  expect(await it.keys()).toEqual([before.AccessKeyId])

  await it.keep({ UserName: 'robot', AccessKeyId: before.AccessKeyId, SecretAccessKey: 'wrong' }, 'unfit')
  await it.rotate({ RotateImmediately: false, SecretId: 'unfit' })
  expect(await it.failures()).toHaveLength(1)
})

test('A user whose two keys are both unknown to the secret keeps them, and the secret keeps its value', async () => {
  const it = await world()
  const [one, two] = [await it.newKey(), await it.newKey()]
  await it.keep({ UserName: 'robot' })
  await it.rotate()

  expect([...(await it.keys())].sort()).toEqual([one.AccessKeyId, two.AccessKeyId].sort())
  expect(await it.value()).toEqual({ UserName: 'robot' })
})

test('A user that the role may not touch is not touched', async () => {
  const it = await world()
  await it.keep({ UserName: 'somebody', ...(await it.newKey()) })
  const before = await it.value()
  await it.rotate()

  expect(await it.value()).toEqual(before)
  expect(await it.keys()).toEqual([before.AccessKeyId])
})
