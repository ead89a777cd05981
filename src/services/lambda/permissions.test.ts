/** The policy on a function: how it is written, and what it decides. */
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DeleteUserCommand,
  IAMClient,
  ListAccessKeysCommand,
} from '@aws-sdk/client-iam'
import {
  AddPermissionCommand,
  type AddPermissionCommandInput,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
  RemovePermissionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { invoked, TRUST, withRole } from './lambda.fixture.ts'
import { lambda as words } from './resources.ts'

const arn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:echo`
const secret = `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:db-AbCdEf`

async function shared() {
  const opened = await withRole()
  await opened.echo()
  const add = (more: Partial<AddPermissionCommandInput>) =>
    opened.lambda.send(
      new AddPermissionCommand({
        FunctionName: 'echo',
        StatementId: 'rotation',
        Action: 'lambda:InvokeFunction',
        Principal: 'secretsmanager.amazonaws.com',
        ...more,
      }),
    )
  const policy = async () =>
    JSON.parse((await opened.lambda.send(new GetPolicyCommand({ FunctionName: 'echo' }))).Policy!)
  /** Invoked by a service as its own principal. */
  const asService = (service: string, source = secret, account = ACCOUNT) =>
    opened.gate.actAs({ service, account, region: 'us-east-1', source }, words.api, 'Invoke', {
      FunctionName: arn,
      InvocationType: 'DryRun',
    })
  return { ...opened, add, policy, asService }
}

describe('A permission', () => {
  test('is a statement as AWS writes it', async () => {
    const { add, policy } = await shared()

    const { Statement, $metadata } = await add({ SourceAccount: ACCOUNT, SourceArn: secret })

    expect($metadata.httpStatusCode).toBe(201)
    const statement = {
      Sid: 'rotation',
      Effect: 'Allow',
      Principal: { Service: 'secretsmanager.amazonaws.com' },
      Action: 'lambda:InvokeFunction',
      Resource: arn,
      Condition: { StringEquals: { 'AWS:SourceAccount': ACCOUNT }, ArnLike: { 'AWS:SourceArn': secret } },
    }
    expect(JSON.parse(Statement!)).toEqual(statement)
    expect(await policy()).toEqual({ Version: '2012-10-17', Id: 'default', Statement: [statement] })
  })

  test.each([
    ['an account', OTHER_ACCOUNT, { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` }],
    [
      'a role of another account',
      `arn:aws:iam::${OTHER_ACCOUNT}:role/caller`,
      { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:role/caller` },
    ],
    ['everybody', '*', '*'],
  ])('may be for %s', async (_, Principal, written) => {
    const { add, policy } = await shared()

    await add({ Principal })

    expect((await policy()).Statement[0].Principal).toEqual(written)
  })

  test.each<[string, Partial<AddPermissionCommandInput>, string]>([
    ['for an invalid principal', { Principal: 'somebody' }, 'InvalidParameterValueException'],
    [
      'for a role that does not exist',
      { Principal: `arn:aws:iam::${ACCOUNT}:role/none` },
      'InvalidParameterValueException',
    ],
    ['for an action that does not exist', { Action: 'lambda:Fly' }, 'InvalidParameterValueException'],
    ['for an action of another service', { Action: 's3:GetObject' }, 'ValidationException'],
    ['made up before another change', { RevisionId: 'earlier' }, 'PreconditionFailedException'],
    ['on what does not exist', { FunctionName: 'none' }, 'ResourceNotFoundException'],
  ])('is refused %s', async (_, more, name) => {
    const { add, lambda } = await shared()

    await expect(add(more)).rejects.toMatchObject({ name })

    await expect(lambda.send(new GetPolicyCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The resource you requested does not exist.',
    })
  })

  test('has an id of its own, and is taken back by it', async () => {
    const { add, lambda } = await shared()
    await add({})
    const remove = (StatementId: string) =>
      lambda.send(new RemovePermissionCommand({ FunctionName: 'echo', StatementId }))

    await expect(add({})).rejects.toMatchObject({ name: 'ResourceConflictException' })
    await expect(remove('other')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Statement other is not found in resource policy.',
    })
    expect((await remove('rotation')).$metadata.httpStatusCode).toBe(204)
    await expect(remove('rotation')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    await expect(lambda.send(new GetPolicyCommand({ FunctionName: 'echo' }))).rejects.toThrow()
  })

  test('has its place in a policy of at most 20 KB', async () => {
    const { add } = await shared()
    const long = (n: number) => ({ StatementId: `s${n}`, SourceArn: `arn:aws:s3:::${'x'.repeat(5000)}` })
    for (const n of [1, 2, 3]) await add(long(n))

    await expect(add(long(4))).rejects.toMatchObject({ name: 'PolicyLengthExceededException' })
  })
})

describe('A service', () => {
  test('invokes what its principal is permitted, and nothing else', async () => {
    const { add, asService } = await shared()

    await expect(asService('secretsmanager.amazonaws.com')).rejects.toMatchObject({ code: 'AccessDenied' })
    await add({})
    await expect(asService('secretsmanager.amazonaws.com')).resolves.toMatchObject({ StatusCode: 204 })
    await expect(asService('cognito-idp.amazonaws.com')).rejects.toMatchObject({ code: 'AccessDenied' })
  })

  test('is held to the source and the account that the permission names', async () => {
    const { add, asService } = await shared()
    await add({ SourceArn: `${secret.slice(0, -6)}*`, SourceAccount: ACCOUNT })
    const service = 'secretsmanager.amazonaws.com'

    await expect(asService(service)).resolves.toBeDefined()
    await expect(asService(service, secret.replace('db-', 'other-'))).rejects.toMatchObject({ code: 'AccessDenied' })
    await expect(asService(service, secret, OTHER_ACCOUNT)).rejects.toMatchObject({ code: 'AccessDenied' })
  })
})

describe('Another account', () => {
  test('invokes by ARN once the function lets it', async () => {
    const { add, account, client } = await shared()
    const theirs = client(LambdaClient, await account())

    await expect(theirs.send(new InvokeCommand({ FunctionName: arn }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    await add({ Principal: OTHER_ACCOUNT })
    expect(await invoked(theirs, arn, { Payload: Buffer.from('"hello"') })).toMatchObject({ payload: 'hello' })
    // By name it means its own.
    await expect(theirs.send(new InvokeCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })
})

test('Another account that may set a function up gives it no role of its own', async () => {
  const { add, account, client } = await shared()
  const theirs = await account()
  const iam = client(IAMClient, theirs)
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'theirs', AssumeRolePolicyDocument: TRUST }))
  await add({ Principal: OTHER_ACCOUNT, Action: 'lambda:UpdateFunctionConfiguration' })
  const update = (more: object) =>
    client(LambdaClient, theirs).send(new UpdateFunctionConfigurationCommand({ FunctionName: arn, ...more }))

  expect(await update({ Description: 'set up by others' })).toMatchObject({ Description: 'set up by others' })
  await expect(update({ Role: Role!.Arn })).rejects.toMatchObject({ name: 'AccessDeniedException' })
})

test('A role that is made again under its old name is not the one a permission meant', async () => {
  const { add, iam, policy } = await shared()
  const role = { RoleName: 'caller', AssumeRolePolicyDocument: TRUST }
  const { Role } = await iam.send(new CreateRoleCommand(role))
  await add({ Principal: Role!.Arn! })
  await iam.send(new DeleteRoleCommand({ RoleName: 'caller' }))
  await iam.send(new CreateRoleCommand(role))

  expect((await policy()).Statement[0].Principal).toEqual({ AWS: Role!.RoleId })
  // And the rest of the policy can still be changed.
  await expect(add({ StatementId: 'more' })).resolves.toBeDefined()
  expect((await policy()).Statement[0].Principal).toEqual({ AWS: Role!.RoleId })
})

test.each([
  ['beside the one that is dead', false],
  ['once the dead one is taken back', true],
])('A user who is created again is permitted anew, %s', async (_when, takenBack) => {
  const { add, client, iam, lambda, policy, user } = await shared()
  await user('caller')
  const Principal = `arn:aws:iam::${ACCOUNT}:user/caller`
  await add({ StatementId: 'kept' })
  await add({ Principal })
  await remade(iam)
  if (takenBack) await lambda.send(new RemovePermissionCommand({ FunctionName: 'echo', StatementId: 'rotation' }))

  await add({ StatementId: 'anew', Principal })

  const { Statement } = await policy()
  expect(Statement.find(({ Sid }: { Sid: string }) => Sid === 'anew').Principal).toEqual({ AWS: Principal })
  const dead = Statement.find(({ Sid }: { Sid: string }) => Sid === 'rotation')
  if (!takenBack) expect(dead.Principal.AWS).toMatch(/^AIDA/)
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'caller' }))
  const keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  expect(await invoked(client(LambdaClient, keys), 'echo', { Payload: Buffer.from('1') })).toMatchObject({ payload: 1 })
})

async function remade(iam: IAMClient) {
  const UserName = 'caller'
  const { AccessKeyMetadata } = await iam.send(new ListAccessKeysCommand({ UserName }))
  for (const { AccessKeyId } of AccessKeyMetadata!)
    await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }))
  await iam.send(new DeleteUserCommand({ UserName }))
  await iam.send(new CreateUserCommand({ UserName }))
}
