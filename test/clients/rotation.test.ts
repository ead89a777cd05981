/** A secret rotated by AWS's own template, made with the stock aws command, in the sandbox. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, startMerlon, temporaryFolder } from '../process.ts'
import { zipOf } from '../zip.ts'
import { environmentFor, policy, run } from './command.ts'

/** What the template leaves to its user: how the password gets to the service. Here there is no service. */
const OWN = `
import lambda_function as template
template.set_secret = template.test_secret = lambda client, arn, token: None
handler = template.lambda_handler
`

let server: Running
const folder = temporaryFolder()

beforeAll(async () => {
  server = await startMerlon(['--data', join(folder, 'data'), '--functions', 'process'])
  const template = readFileSync(new URL('./rotation-template/lambda_function.py', import.meta.url), 'utf8')
  writeFileSync(join(folder, 'template.zip'), zipOf({ 'lambda_function.py': template, 'own.py': OWN }))
})
afterAll(() => server?.stop())

async function aws(...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run(
    'aws',
    [...words, '--output', 'text'],
    environmentFor(server.url, server.accounts[0]!),
  )
  if (status !== 0) throw new Error(stderr)
  return stdout.trim()
}

test('Secrets 4: a function of the template rotates a secret, and a missing permission is reported before anything changes', async () => {
  const trust = policy({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' })
  const role = await aws(
    'iam',
    'create-role',
    '--role-name',
    'rotator',
    '--assume-role-policy-document',
    trust,
    '--query',
    'Role.Arn',
  )
  const may = policy({ Action: 'secretsmanager:*', Resource: '*' })
  await aws('iam', 'put-role-policy', '--role-name', 'rotator', '--policy-name', 'own', '--policy-document', may)
  const made = ['--function-name', 'template', '--runtime', 'python3.11', '--handler', 'own.handler', '--role', role]
  const environment = 'Variables={SECRETS_MANAGER_ENDPOINT=http://127.0.0.1:4566}'
  const arn = await aws(
    ...[
      'lambda',
      'create-function',
      ...made,
      '--timeout',
      '30',
      '--zip-file',
      `fileb://${join(folder, 'template.zip')}`,
    ],
    ...['--environment', environment, '--query', 'FunctionArn'],
  )
  await aws('secretsmanager', 'create-secret', '--name', 'app', '--secret-string', 'by hand')
  const rotate = () =>
    aws(
      'secretsmanager',
      'rotate-secret',
      '--secret-id',
      'app',
      '--rotation-lambda-arn',
      arn,
      '--rotation-rules',
      'AutomaticallyAfterDays=30',
    )
  const value = () => aws('secretsmanager', 'get-secret-value', '--secret-id', 'app', '--query', 'SecretString')

  await expect(rotate()).rejects.toThrow(/AccessDeniedException.*cannot invoke the specified Lambda function/s)
  expect(await value()).toBe('by hand')
  const who = [
    '--principal',
    'secretsmanager.amazonaws.com',
    '--action',
    'lambda:InvokeFunction',
    '--statement-id',
    'sm',
  ]
  await aws('lambda', 'add-permission', '--function-name', 'template', ...who)
  await rotate()

  await expect.poll(value, { timeout: 60_000, interval: 500 }).toMatch(/^.{32}$/)
  const stages = await aws(
    'secretsmanager',
    'describe-secret',
    '--secret-id',
    'app',
    '--query',
    'VersionIdsToStages.*[]',
  )
  expect(stages.split(/\s+/).sort()).toEqual(['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'])
})
