/** Functions: made, shown, changed, permitted and run, through the gate; packages in a real sandbox. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetPolicyCommand,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  ListFunctionsCommand,
  RemovePermissionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { beforeAll, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'
import { zipOf } from '../../../test/zip.ts'

const ROLE = `arn:aws:iam::${ACCOUNT}:role/worker`
const hasSandbox = existsSync('/usr/bin/bwrap')

async function world(packages = true) {
  const it = await cloud({ packages })
  const iam = it.client(IAMClient)
  const lambda = it.client(LambdaClient)
  const trust = allowing({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await iam.send(new CreateRoleCommand({ RoleName: 'worker', AssumeRolePolicyDocument: trust }))
  const create = (input: Partial<CreateFunctionCommandInput> = {}) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName: 'f',
        Role: ROLE,
        PackageType: 'Image',
        Code: { ImageUri: 'merlon/Echo' },
        ...input,
      }),
    )
  const pack = (Runtime: 'python3.11' | 'nodejs20.x', text: string, more: Partial<CreateFunctionCommandInput> = {}) =>
    create({
      PackageType: 'Zip',
      Runtime,
      Handler: 'index.handler',
      Code: { ZipFile: zipOf({ [Runtime === 'python3.11' ? 'index.py' : 'index.mjs']: text }) },
      Timeout: 20,
      ...more,
    })
  const invoke = async (event: unknown = {}, more: Partial<InvokeCommandInput> = {}) => {
    const Payload = Buffer.from(JSON.stringify(event))
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'f', Payload, LogType: 'Tail', ...more }))
    const text = Buffer.from(answer.Payload ?? []).toString()
    return {
      error: answer.FunctionError,
      status: answer.StatusCode,
      payload: text === '' ? undefined : JSON.parse(text),
      log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
    }
  }
  return { ...it, iam, lambda, create, pack, invoke }
}

describe('A function', () => {
  test('that is part of Merlon is named by its image, and answers', async () => {
    const it = await world(false)
    expect(await it.create()).toMatchObject({
      FunctionArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`,
      PackageType: 'Image',
      State: 'Pending',
      StateReasonCode: 'Creating',
      Version: '$LATEST',
    })
    expect(await it.invoke({ said: 'hello' })).toMatchObject({ status: 200, payload: { said: 'hello' } })
    expect((await it.invoke({}, { InvocationType: 'DryRun' })).status).toBe(204)
  })

  test('is shown, listed, changed and gone', async () => {
    const it = await world()
    await it.create()
    await it.lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Timeout: 30, Description: 'said' }),
    )
    const { Configuration } = await it.lambda.send(new GetFunctionCommand({ FunctionName: 'f' }))
    expect(Configuration).toMatchObject({ Timeout: 30, Description: 'said', Role: ROLE })
    expect((await it.lambda.send(new ListFunctionsCommand({}))).Functions).toHaveLength(1)
    await expect(it.create()).rejects.toMatchObject({ name: 'ResourceConflictException' })
    await it.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f' }))
    await expect(it.invoke()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  test.each<[string, Partial<CreateFunctionCommandInput>, string]>([
    ['an unknown built-in', { Code: { ImageUri: 'merlon/Nothing' } }, 'InvalidParameterValueException'],
    ['an address without TLS', { Code: { ImageUri: 'http://x.example' } }, 'InvalidParameterValueException'],
    ['a role that is not there', { Role: `${ROLE}x` }, 'InvalidParameterValueException'],
    [
      'a zip that is none',
      { PackageType: 'Zip', Runtime: 'python3.11', Handler: 'a.b', Code: { ZipFile: Buffer.from('no') } },
      'InvalidParameterValueException',
    ],
    [
      'a name that leads out',
      { PackageType: 'Zip', Runtime: 'python3.11', Handler: 'a.b', Code: { ZipFile: zipOf({ '../x.py': '' }) } },
      'InvalidParameterValueException',
    ],
    ['layers', { Layers: ['arn:aws:lambda:us-east-1:123456789012:layer:x:1'] }, 'NotImplemented'],
  ])('is not made with %s', async (_what, input, name) => {
    const it = await world()
    await expect(it.create(input)).rejects.toMatchObject({ name })
    expect((await it.lambda.send(new ListFunctionsCommand({}))).Functions).toEqual([])
  })

  test('of a package does not run where packages are off, which is reported before a function relies on it', async () => {
    const it = await world(false)
    await expect(it.pack('python3.11', 'def handler(e, c): return 1')).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringContaining('--functions process'),
    })
  })

  test('takes a role only from a caller that may pass it, and only one that trusts Lambda', async () => {
    const it = await world()
    const may = allowing({ Action: 'lambda:*', Resource: '*' })
    const ann = it.client(LambdaClient, await it.user('ann', may))
    const input = { FunctionName: 'g', Role: ROLE, PackageType: 'Image' as const, Code: { ImageUri: 'merlon/Echo' } }
    await expect(ann.send(new CreateFunctionCommand(input))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('iam:PassRole'),
    })
    const trust = allowing({ Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' })
    await it.iam.send(new CreateRoleCommand({ RoleName: 'other', AssumeRolePolicyDocument: trust }))
    await expect(it.create({ Role: `arn:aws:iam::${ACCOUNT}:role/other` })).rejects.toMatchObject({
      message: 'The role defined for the function cannot be assumed by Lambda.',
    })
  })

  test('is opened to others statement by statement', async () => {
    const it = await world()
    await it.create()
    const stranger = it.client(LambdaClient, await it.account())
    const FunctionName = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`
    const call = () => stranger.send(new InvokeCommand({ FunctionName }))
    await expect(call()).rejects.toMatchObject({ name: 'AccessDeniedException' })
    const permission = {
      FunctionName: 'f',
      StatementId: 'one',
      Action: 'lambda:InvokeFunction',
      Principal: '444455556666',
    }
    await it.lambda.send(new AddPermissionCommand(permission))
    expect((await call()).StatusCode).toBe(200)
    await expect(it.lambda.send(new AddPermissionCommand(permission))).rejects.toMatchObject({
      name: 'ResourceConflictException',
    })
    const { Policy } = await it.lambda.send(new GetPolicyCommand({ FunctionName: 'f' }))
    expect(JSON.parse(Policy!).Statement[0]).toMatchObject({ Sid: 'one', Effect: 'Allow', Resource: FunctionName })
    await it.lambda.send(new RemovePermissionCommand({ FunctionName: 'f', StatementId: 'one' }))
    await expect(call()).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
})

describe.runIf(hasSandbox)('A package in its sandbox', () => {
  let it: Awaited<ReturnType<typeof world>>
  beforeAll(async () => {
    it = await world()
  })
  const fresh = async (...words: Parameters<typeof it.pack>) => {
    await it.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f' })).catch(() => undefined)
    await it.pack(...words)
  }

  test.each([
    [
      'python3.11',
      "def handler(event, context):\n    print('working')\n    return {'got': event['n'] + 1, 'id': len(context.aws_request_id)}",
    ],
    [
      'nodejs20.x',
      "export const handler = async (event, context) => { console.log('working'); return { got: event.n + 1, id: context.awsRequestId.length } }",
    ],
  ] as const)('runs %s, and what it prints is its log', async (runtime, text) => {
    await fresh(runtime, text)
    const { error, payload, log } = await it.invoke({ n: 41 })
    expect([error, payload]).toEqual([undefined, { got: 42, id: 36 }])
    expect(log).toMatch(/START RequestId: .*working.*END RequestId/s)
  })

  test.each([
    ['python3.11', "def handler(event, context):\n    raise ValueError('not today')", 'ValueError'],
    ['nodejs20.x', "export const handler = async () => { throw new TypeError('not today') }", 'TypeError'],
  ] as const)('of %s says what it throws', async (runtime, text, errorType) => {
    await fresh(runtime, text)
    expect(await it.invoke()).toMatchObject({ error: 'Unhandled', payload: { errorMessage: 'not today', errorType } })
  })

  test('that does not end in its time is ended', async () => {
    await fresh('python3.11', 'import time\ndef handler(event, context): time.sleep(60)', { Timeout: 2 })
    const { error, payload } = await it.invoke()
    expect(error).toBe('Unhandled')
    expect(payload.errorMessage).toMatch(/Task timed out after 2\.00 seconds$/)
  })

  test('that ends itself, or is no module, has failed', async () => {
    await fresh('python3.11', 'import os\ndef handler(event, context): os._exit(3)')
    expect(await it.invoke()).toMatchObject({ error: 'Unhandled', payload: { errorType: 'Runtime.ExitError' } })
    await fresh('python3.11', 'def other(): pass')
    // The name that AWS's own runtime for Python gives it.
    expect((await it.invoke()).payload.errorType).toBe('Runtime.HandlerNotFound')
  })

  test('sees nothing of the machine, reaches no host, and writes nowhere but in its /tmp', async () => {
    const probe = `
import os, socket
def tried(act):
    try: return act() or 'done'
    except Exception as error: return type(error).__name__
def reach(host, port):
    socket.create_connection((host, port), 2)
def write(path):
    open(path, 'w').write('x')
def handler(event, context):
    return {
        'home': tried(lambda: os.listdir(event['folder'])),
        'root': tried(lambda: os.listdir('/root/.ssh')),
        'shadow': tried(lambda: open('/etc/shadow').read()),
        'internet': tried(lambda: reach('1.1.1.1', 53)),
        'host': tried(lambda: reach('127.0.0.1', event['port'])),
        'task': tried(lambda: write('/var/task/x')),
        'usr': tried(lambda: write('/usr/x')),
        'tmp': tried(lambda: write('/tmp/x')),
        'uid': os.getuid(),
        'processes': len([p for p in os.listdir('/proc') if p.isdigit()]) < 10,
    }`
    await fresh('python3.11', probe)
    const listener = createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as { port: number }
    const { payload } = await it.invoke({ folder: process.cwd(), port })
    listener.close()
    expect(payload).toEqual({
      home: 'FileNotFoundError',
      root: expect.stringMatching(/FileNotFoundError|PermissionError/),
      shadow: expect.stringMatching(/FileNotFoundError|PermissionError/),
      internet: 'OSError',
      host: 'ConnectionRefusedError',
      task: 'OSError',
      usr: 'OSError',
      tmp: 'done',
      uid: 65534,
      processes: true,
    })
  })

  test('calls Merlon as its role, with what the role may and nothing else', async () => {
    const script = `
import boto3
def handler(event, context):
    who = boto3.client('sts').get_caller_identity()['Arn']
    try: return [who, len(boto3.client('iam').list_users()['Users'])]
    except Exception as error: return [who, error.response['Error']['Code']]`
    await fresh('python3.11', script)
    const who = `arn:aws:sts::${ACCOUNT}:assumed-role/worker/f_`
    expect((await it.invoke()).payload).toEqual([who, 'AccessDenied'])
    const may = allowing({ Action: 'iam:ListUsers', Resource: '*' })
    await it.iam.send(new PutRolePolicyCommand({ RoleName: 'worker', PolicyName: 'list', PolicyDocument: may }))
    expect((await it.invoke()).payload).toEqual([who, 0])
  })
})
