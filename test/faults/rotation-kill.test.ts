/** Secrets §6.5: a server killed in each step of a rotation: the next one takes up the same version, and ends what was begun. */
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { startMerlon, temporaryFolder } from '../process.ts'
import { zipOf } from '../zip.ts'

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const

/** The template's four steps; each says in another secret that it is done, and lingers so long that it can be killed. */
const OWN = `
import time
import boto3
import lambda_function as template
template.set_secret = template.test_secret = lambda client, arn, token: None
def handler(event, context):
    template.lambda_handler(event, context)
    boto3.client('secretsmanager').put_secret_value(
        SecretId='where', SecretString=event['ClientRequestToken'] + ' ' + event['Step'])
    time.sleep(1.5)
`

test('Secrets 5: a kill in each step loses nothing: each rotation ends with the version it began', async () => {
  const folder = temporaryFolder()
  const start = () => startMerlon(['--data', join(folder, 'data'), '--functions', 'process'])
  let server = await start()
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  const root = () =>
    new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(server.url) })
  const ask = <T>(operation: string, input: object) =>
    root().json<T>('secretsmanager', `secretsmanager.${operation}`, input)
  const template = readFileSync(new URL('../clients/rotation-template/lambda_function.py', import.meta.url), 'utf8')
  const file = join(folder, 'template.zip')
  writeFileSync(file, zipOf({ 'lambda_function.py': template, 'own.py': OWN }))
  const lambda = await makeFunction(server.url, { accessKeyId, secretAccessKey }, root(), readFileSync(file))
  await ask('CreateSecret', { ClientRequestToken: randomUUID(), Name: 's', SecretString: 'first' })
  await ask('CreateSecret', { ClientRequestToken: randomUUID(), Name: 'where', SecretString: 'nowhere' })
  const value = async (SecretId: string) =>
    (await ask<{ SecretString: string }>('GetSecretValue', { SecretId })).SecretString

  for (const [n, step] of STEPS.entries()) {
    const before = await value('s')
    const token = `rotation-${n}-`.padEnd(32, 'x')
    await ask('RotateSecret', {
      SecretId: 's',
      ClientRequestToken: token,
      RotationLambdaARN: lambda,
      RotationRules: { AutomaticallyAfterDays: 30 },
    })
    await expect.poll(() => value('where'), { timeout: 120_000, interval: 100 }).toBe(`${token} ${step}`)
    await server.stop('SIGKILL')
    server = await start()
    // As AWS has it: until the last step is done the old value is the current one, and the new one pending.
    if (step !== 'finishSecret') expect(await value('s')).toBe(before)
    const current = async () => {
      const told = await ask<{ VersionIdsToStages: Record<string, string[]> }>('DescribeSecret', { SecretId: 's' })
      return Object.entries(told.VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT'))?.[0]
    }
    await expect.poll(current, { timeout: 120_000, interval: 500 }).toBe(token)
    expect(await value('s')).toHaveLength(32)
    expect(await value('s')).not.toBe(before)
  }
  await server.stop()
})

async function makeFunction(
  url: string,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
  root: Client,
  ZipFile: Buffer,
): Promise<string> {
  const policy = (statement: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] })
  const trust = policy({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' })
  const xml = await root.query('iam', 'CreateRole', { RoleName: 'rotator', AssumeRolePolicyDocument: trust })
  const PolicyDocument = policy({ Action: 'secretsmanager:*', Resource: '*' })
  await root.query('iam', 'PutRolePolicy', { RoleName: 'rotator', PolicyName: 'own', PolicyDocument })
  const { AddPermissionCommand, CreateFunctionCommand, LambdaClient } = await import('@aws-sdk/client-lambda')
  const client = new LambdaClient({ region: 'us-east-1', endpoint: url, credentials })
  const { FunctionArn } = await client.send(
    new CreateFunctionCommand({
      FunctionName: 'template',
      Runtime: 'python3.11',
      Handler: 'own.handler',
      Role: /<Arn>([^<]+)<\/Arn>/.exec(xml)![1]!,
      Code: { ZipFile },
      Timeout: 30,
      Environment: { Variables: { SECRETS_MANAGER_ENDPOINT: 'http://127.0.0.1:4566' } },
    }),
  )
  await client.send(
    new AddPermissionCommand({
      FunctionName: 'template',
      StatementId: 'sm',
      Action: 'lambda:InvokeFunction',
      Principal: 'secretsmanager.amazonaws.com',
    }),
  )
  return FunctionArn!
}
