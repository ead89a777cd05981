/** `merlon secret rotation-status`: what rotates, what fails and why, for people and for programs. */
import { randomUUID } from 'node:crypto'
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { installation, merlon, type Running, startMerlon } from '../process.ts'
import { environmentFor, policy } from './command.ts'

let server: Running
let root: Client
beforeAll(async () => {
  server = await startMerlon(installation())
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  root = new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(server.url) })
})
afterAll(() => server?.stop())

const status = (...words: readonly string[]) =>
  merlon(['secret', 'rotation-status', ...words], environmentFor(server.url, server.accounts[0]!))
const secrets = <T>(operation: string, input: object) =>
  root.json<T>('secretsmanager', `secretsmanager.${operation}`, input)

test('Nothing rotates: nothing is said', async () => {
  await secrets('CreateSecret', { ClientRequestToken: randomUUID(), Name: 'still', SecretString: 'x' })
  expect(await status()).toMatchObject({ status: 0, stdout: '' })
  expect(await status('--json')).toMatchObject({ status: 0, stdout: '[]\n' })
})

test('What failed says why and turns ok once it is healed; what does not rotate is not listed', async () => {
  const account = server.accounts[0]!.accountId
  const AssumeRolePolicyDocument = policy({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await root.query('iam', 'CreateRole', { RoleName: 'rotator', AssumeRolePolicyDocument })
  const PolicyDocument = policy({ Action: ['secretsmanager:*', 'iam:*AccessKey*'], Resource: '*' })
  await root.query('iam', 'PutRolePolicy', { RoleName: 'rotator', PolicyName: 'own', PolicyDocument })
  await root.query('iam', 'CreateUser', { UserName: 'robot' })
  const lambda = new LambdaClient({ endpoint: server.url, region: 'us-east-1', credentials: server.accounts[0]! })
  const { FunctionArn } = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'rotate',
      Role: `arn:aws:iam::${account}:role/rotator`,
      PackageType: 'Image',
      Code: { ImageUri: 'merlon/MerlonIAMAccessKeyRotation' },
    }),
  )
  const Principal = 'secretsmanager.amazonaws.com'
  const permission = { FunctionName: 'rotate', StatementId: 'sm', Action: 'lambda:InvokeFunction', Principal }
  await lambda.send(new AddPermissionCommand(permission))
  const rotation = { RotationLambdaARN: FunctionArn, RotationRules: { AutomaticallyAfterDays: 30 } }
  await secrets('CreateSecret', {
    ClientRequestToken: randomUUID(),
    Name: 'bad',
    SecretString: '{"UserName":"nobody"}',
  })
  await secrets('CreateSecret', {
    ClientRequestToken: randomUUID(),
    Name: 'good',
    SecretString: '{"UserName":"robot"}',
  })
  await secrets('RotateSecret', { ClientRequestToken: randomUUID(), SecretId: 'bad', ...rotation })
  await secrets('RotateSecret', { ClientRequestToken: randomUUID(), SecretId: 'good', ...rotation })

  await expect.poll(async () => (await status()).stdout, { timeout: 60_000 }).not.toMatch(/rotating/)
  const shown = await status()
  expect(shown.status).toBe(1)
  expect(shown.stdout.trim().split('\n')).toHaveLength(2)
  expect(shown.stdout).toMatch(/^good {2}ok {2}last \d{4}-\S+Z {2}next \d{4}-\S+Z$/m)
  expect(shown.stdout).toMatch(/^bad {2}failed {2}last never .*nobody/m)
  const listed = JSON.parse((await status('--json')).stdout) as { name: string; state: string; error?: string }[]
  expect(listed.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(['bad failed', 'good ok'])
  expect(listed.find(({ name }) => name === 'bad')!.error).toMatch(/nobody/)
})
