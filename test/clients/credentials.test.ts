/** Programs find temporary credentials in AWS's own ways: credential_process, the container endpoint, and IMDSv2. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, element, overHttp } from '../../src/kernel/client/client.ts'
import { installation, merlon, merlonScript, type Running, startMerlon, temporaryFolder } from '../process.ts'
import { cleanEnvironment, environmentFor, policy, run } from './command.ts'

let server: Running
let role: string
let ann: { readonly accessKeyId: string; readonly secretAccessKey: string }

beforeAll(async () => {
  server = await startMerlon(installation())
  const { accountId, accessKeyId, secretAccessKey } = server.accounts[0]!
  const root = new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(server.url) })
  role = `arn:aws:iam::${accountId}:role/app/worker`
  await root.query('iam', 'CreateRole', {
    RoleName: 'worker',
    Path: '/app/',
    AssumeRolePolicyDocument: policy({
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:ExternalId': 'blue' } },
    }),
  })
  await root.query('iam', 'CreateUser', { UserName: 'ann' })
  const PolicyDocument = policy({ Action: 'sts:AssumeRole', Resource: '*' })
  await root.query('iam', 'PutUserPolicy', { UserName: 'ann', PolicyName: 'own', PolicyDocument })
  const xml = await root.query('iam', 'CreateAccessKey', { UserName: 'ann' })
  ann = { accessKeyId: element(xml, 'AccessKeyId')!, secretAccessKey: element(xml, 'SecretAccessKey')! }
})
afterAll(() => server?.stop())

const asWorker = () => ['--role-arn', role, '--external-id', 'blue', '--session-name', 'workload']
const WORKER = /:assumed-role\/worker\/workload$/

describe('credential_process', () => {
  test.each(['aws', 'boto3'])('gives %s the role', async (client) => {
    const folder = temporaryFolder()
    const command = [process.execPath, merlonScript, 'credentials', 'process', ...asWorker()].join(' ')
    writeFileSync(
      join(folder, 'config'),
      `[profile app]\nregion = us-east-1\ncredential_process = ${command} --profile ann\n`,
    )
    writeFileSync(
      join(folder, 'credentials'),
      `[other]\naws_access_key_id = AKIAOTHER\n\n[ann]\naws_access_key_id = ${ann.accessKeyId}\naws_secret_access_key=${ann.secretAccessKey}\n`,
    )
    const environment = { ...cleanEnvironment(folder), AWS_ENDPOINT_URL: server.url, AWS_PROFILE: 'app' }
    const script = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"

    const ended =
      client === 'aws'
        ? await run('aws', ['sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text'], environment)
        : await run('python3', ['-c', script], environment)

    expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(/:assumed-role\/worker\/workload\n$/) })
  })

  test('fails with the reason, and prints nothing that looks like credentials', async () => {
    const environment = environmentFor(server.url, ann)
    const refused = await merlon(['credentials', 'process', '--role-arn', role], environment)
    expect(refused).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^merlon: AccessDenied: /) })

    const none = await merlon(['credentials', 'process', '--role-arn', role], {
      ...cleanEnvironment(),
      AWS_PROFILE: '',
    })
    expect(none).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('There are no keys to sign with'),
    })
    const short = await merlon(['credentials', 'process', '--duration', '10'], environment)
    expect(short).toMatchObject({ status: 2, stdout: '' })
  })
})

describe('merlon credentials serve', () => {
  let serving: ChildProcess
  const told: Record<string, string> = {}

  beforeAll(async () => {
    serving = spawn(process.execPath, [merlonScript, 'credentials', 'serve', '--imds', ...asWorker()], {
      env: environmentFor(server.url, ann),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const line of createInterface({ input: serving.stdout! })) {
      told[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1)
      if (Object.keys(told).length === 3) break
    }
  })
  afterAll(async () => {
    serving.kill('SIGTERM')
    if (serving.exitCode === null) await once(serving, 'exit')
  })

  const ways = {
    'the container endpoint': () => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: told['AWS_CONTAINER_CREDENTIALS_FULL_URI']!,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: told['AWS_CONTAINER_AUTHORIZATION_TOKEN']!,
    }),
    IMDSv2: () => ({
      AWS_EC2_METADATA_SERVICE_ENDPOINT: told['AWS_EC2_METADATA_SERVICE_ENDPOINT']!,
      AWS_EC2_METADATA_DISABLED: 'false',
    }),
  }
  const scripts = {
    aws: ['aws', 'sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text'],
    boto3: ['python3', '-c', "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"],
    'the SDK for JavaScript': [
      process.execPath,
      '--input-type=module',
      '-e',
      "import { STSClient, GetCallerIdentityCommand as C } from '@aws-sdk/client-sts'; console.log((await new STSClient().send(new C())).Arn)",
    ],
  }
  const cases = Object.keys(ways).flatMap((way) => Object.keys(scripts).map((client) => [way, client] as const))

  test.each(cases)('by %s gives %s the role', async (way, client) => {
    const [program, ...words] = scripts[client as keyof typeof scripts] as [string, ...string[]]
    const environment = {
      ...cleanEnvironment(),
      AWS_ENDPOINT_URL: server.url,
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      ...ways[way as keyof typeof ways](),
    }

    const ended = await run(program, words, environment)

    expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(/:assumed-role\/worker\/workload\n$/) })
  })

  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(told['AWS_EC2_METADATA_SERVICE_ENDPOINT'] + path, init)
    return { status: answer.status, body: await answer.text() }
  }
  const container = () => new URL(told['AWS_CONTAINER_CREDENTIALS_FULL_URI']!).pathname
  const put = (ttl: string) =>
    ask('/latest/api/token', { method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': ttl } })

  test('serves the metadata that SDKs look for, to clients with a token', async () => {
    const { body: token } = await put('60')
    const headers = { 'x-aws-ec2-metadata-token': token }
    expect(await ask('/latest/meta-data/iam/security-credentials/', { headers })).toEqual({
      status: 200,
      body: 'worker',
    })
    expect(await ask('/latest/meta-data/placement/region', { headers })).toEqual({ status: 200, body: 'us-east-1' })
    const held = JSON.parse((await ask('/latest/meta-data/iam/security-credentials/worker', { headers })).body)
    expect(held).toMatchObject({ Code: 'Success', Type: 'AWS-HMAC', AccessKeyId: expect.stringMatching(/^ASIA/) })
    expect((await ask('/latest/meta-data/iam/security-credentials/other', { headers })).status).toBe(404)
  })

  test.each([
    ['without a token', '/latest/meta-data/iam/security-credentials/worker', {}, 401],
    [
      'with a token of its own making',
      '/latest/meta-data/iam/info',
      { 'x-aws-ec2-metadata-token': '9999999999999.AAAA' },
      401,
    ],
    ['through a proxy', '/latest/meta-data/iam/info', { 'x-forwarded-for': '10.0.0.1' }, 403],
    ['without the authorization of the container', container, {}, 401],
    ['with another authorization', container, { authorization: 'A'.repeat(43) }, 401],
    ['for somewhere else', '/v2/credentials/guess', {}, 401],
  ])('refuses a client %s', async (_who, path, headers, status) => {
    const answer = await ask(typeof path === 'string' ? path : path(), { headers })
    expect(answer.status).toBe(status)
    expect(answer.body).not.toMatch(/ASIA|SecretAccessKey/)
  })

  test.each(['0', '21601', 'x', ''])('makes no token for %j seconds', async (ttl) => {
    expect((await put(ttl)).status).toBe(400)
  })

  test('answers no page that renamed itself to this machine', async () => {
    const { port } = new URL(told['AWS_EC2_METADATA_SERVICE_ENDPOINT']!)
    const ended = await run(
      'curl',
      [
        '-s',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        '-X',
        'PUT',
        '-H',
        'Host: evil.example',
        `http://127.0.0.1:${port}/latest/api/token`,
      ],
      cleanEnvironment(),
    )
    expect(ended.stdout).toBe('403')
  })

  test('runs one program with the role and without the keys, and ends as it ends', async () => {
    const words = ['credentials', 'serve', ...asWorker(), '--']
    const environment = environmentFor(server.url, ann)
    const told = await merlon(
      [...words, 'aws', 'sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text'],
      environment,
    )
    expect(told).toMatchObject({ status: 0, stdout: expect.stringMatching(WORKER.source.replace('$', '\n$')) })
    expect(await merlon([...words, 'sh', '-c', 'echo "$AWS_SECRET_ACCESS_KEY"; exit 7'], environment)).toMatchObject({
      status: 7,
      stdout: '\n',
    })
    expect((await merlon([...words, 'no-such-program'], environment)).status).toBe(2)
  })
})
