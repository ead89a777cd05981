/** `merlon demo`: the first minute with Merlon, on a real server of its own: a denial, an allowance, a crash, the record. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ApiError, Client, element, overHttp } from '../kernel/client/client.ts'
import { type Command, readOptions } from './command.ts'

const options = {
  keep: { type: 'string', value: 'DIR', about: 'use and keep this data directory (default: a temporary one)' },
} as const

interface Server {
  readonly url: string
  readonly accounts: readonly { accountId: string; accessKeyId: string; secretAccessKey: string }[]
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

const say = (text = '') => void process.stdout.write(`${text}\n`)
const heading = (text: string) => say(`\n── ${text}`)

export const demo: Command = {
  name: 'demo',
  about: 'A guided first run: a user is denied, then allowed; the server is killed; the record is still there.',
  options,
  async run(words) {
    const { keep } = readOptions(options, words)
    const data = keep ?? mkdtempSync(join(tmpdir(), 'merlon-demo-'))
    try {
      await runDemo(data)
    } finally {
      if (keep === undefined) rmSync(data, { recursive: true, force: true })
    }
    say(`\nThat was a real server. Start your own:\n\n  merlon start --data ${keep ?? '.merlon'}\n`)
    return 0
  },
}

async function runDemo(data: string): Promise<void> {
  heading('A new installation, on disk, listening on this machine only')
  let server = await startServer(data)
  try {
    const { accountId, accessKeyId, secretAccessKey } = server.accounts[0]!
    say(`Account ${accountId}, root access key ${accessKeyId} (its secret was shown once, to us).`)
    const root = new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(server.url) })

    heading('The root user creates a user who may read her own user, and nothing else')
    const arn = `arn:aws:iam::${accountId}:user/ann`
    show('aws iam create-user --user-name ann')
    await root.query('iam', 'CreateUser', { UserName: 'ann' })
    show('aws iam put-user-policy --user-name ann --policy-name herself --policy-document …')
    await root.query('iam', 'PutUserPolicy', {
      UserName: 'ann',
      PolicyName: 'herself',
      PolicyDocument: allow('iam:GetUser', arn),
    })
    show('aws iam create-access-key --user-name ann')
    const made = await root.query('iam', 'CreateAccessKey', { UserName: 'ann' })
    const credential = { accessKeyId: element(made, 'AccessKeyId')!, secret: element(made, 'SecretAccessKey')! }
    const ann = new Client({ credential, transport: overHttp(server.url) })

    heading('Ann calls')
    show('aws iam get-user')
    say(`  allowed: ${element(await ann.query('iam', 'GetUser'), 'Arn')}`)
    show('aws iam list-users')
    say(`  ${await refusal(ann)}`)

    heading('The root user puts her into a group that may list users')
    await root.query('iam', 'CreateGroup', { GroupName: 'auditors' })
    await root.query('iam', 'PutGroupPolicy', {
      GroupName: 'auditors',
      PolicyName: 'list',
      PolicyDocument: allow('iam:ListUsers', '*'),
    })
    await root.query('iam', 'AddUserToGroup', { GroupName: 'auditors', UserName: 'ann' })
    show('aws iam list-users')
    say(`  allowed: ${element(await ann.query('iam', 'ListUsers'), 'UserName')}`)

    heading('The power goes out')
    show('kill -9')
    await server.kill('SIGKILL')
    server = await startServer(data)
    say('Started again, from the same folder.')

    heading('Everything is recorded')
    show('aws cloudtrail lookup-events')
    for (const line of await history(accessKeyId, secretAccessKey, server.url)) say(`  ${line}`)
  } finally {
    await server.kill('SIGTERM')
  }
}

const show = (command: string) => say(`$ ${command}`)

function allow(action: string, resource: string): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: resource }] })
}

async function refusal(client: Client): Promise<string> {
  try {
    await client.query('iam', 'ListUsers')
  } catch (error) {
    if (error instanceof ApiError) return `${error.code}: ${error.message}`
    throw error
  }
  throw new Error('ListUsers was allowed, and no policy allows it')
}

interface Event {
  readonly EventTime: number
  readonly EventName: string
  readonly Username?: string
  readonly CloudTrailEvent: string
}

async function history(accessKeyId: string, secret: string, url: string): Promise<string[]> {
  const root = new Client({ credential: { accessKeyId, secret }, transport: overHttp(url) })
  const target = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents'
  const { Events } = await root.json<{ Events: readonly Event[] }>('cloudtrail', target)
  return [...Events].reverse().map(({ EventTime, EventName, Username, CloudTrailEvent }) => {
    const time = new Date(EventTime * 1000).toISOString()
    const { errorCode } = JSON.parse(CloudTrailEvent)
    return `${time}  ${(Username ?? '').padEnd(6)} ${EventName.padEnd(18)} ${errorCode ?? ''}`.trimEnd()
  })
}

/** This very program, in a process of its own, so that it can be killed. */
async function startServer(data: string): Promise<Server> {
  const words = [
    process.argv[1]!,
    'start',
    '--data',
    data,
    '--port',
    '0',
    '--json',
    '--log',
    'error',
    '--exit-with-parent',
  ]
  const child = spawn(process.execPath, [...process.execArgv, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, 'line'), exited.then(() => undefined)])
  if (!first) throw new Error('the server ended before it was ready')
  return {
    ...(JSON.parse(first[0] as string) as Pick<Server, 'url' | 'accounts'>),
    kill: async (signal) => {
      child.kill(signal)
      await exited
    },
  }
}
