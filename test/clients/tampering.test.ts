/**
 * An attacker between a client and the server can flip bits; no such request may pass. A request that the SDK signed is
 * caught on its way, and sent byte by byte with one bit changed.
 */
import { connect } from 'node:net'
import { join } from 'node:path'
import {
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  ListGroupsCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import type { HttpRequest } from '@smithy/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MadeAccount, type Running, startMerlon, temporaryFolder } from '../process.ts'
import { type Keys, policy } from './command.ts'

/** As it goes over the wire; every part that a signature covers can be found in it. */
interface Signed {
  readonly head: string
  readonly body: string
}

let server: Running
let account: MadeAccount
let session: Keys
/** CreateGroup by a role session: a method, a path, headers, a token, a body; none of it ever sent as it is, but once. */
let signed: Signed

beforeAll(async () => {
  server = await startMerlon(['--data', join(temporaryFolder(), 'data'), '--log', 'error'])
  account = server.accounts[0]!
  session = await roleSession()
  signed = await caught(session, 'tampered')
})
afterAll(() => server?.stop('SIGKILL'))

const as = ({ accessKeyId, secretAccessKey, sessionToken }: Keys) => ({
  endpoint: server.url,
  region: 'us-east-1',
  credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
})

async function roleSession(): Promise<Keys> {
  const root = new IAMClient(as(account))
  await root.send(new CreateUserCommand({ UserName: 'ann' }))
  const { AccessKey } = await root.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
  const ann = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  const trust = policy({ Action: 'sts:AssumeRole', Principal: { AWS: `arn:aws:iam::${account.accountId}:user/ann` } })
  const { Role } = await root.send(new CreateRoleCommand({ RoleName: 'maker', AssumeRolePolicyDocument: trust }))
  const PolicyDocument = policy({ Action: 'iam:*', Resource: '*' })
  await root.send(new PutRolePolicyCommand({ RoleName: 'maker', PolicyName: 'all', PolicyDocument }))
  const { Credentials } = await new STSClient(as(ann)).send(
    new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: 'maker' }),
  )
  return {
    accessKeyId: Credentials!.AccessKeyId!,
    secretAccessKey: Credentials!.SecretAccessKey!,
    sessionToken: Credentials!.SessionToken!,
  }
}

/** What the SDK would have sent. */
async function caught(keys: Keys, GroupName: string): Promise<Signed> {
  let found: Signed | undefined
  const client = new IAMClient({
    ...as(keys),
    maxAttempts: 1,
    requestHandler: {
      handle: async ({ method, path, headers, body }: HttpRequest) => {
        // One answer a connection, so that the end of the answer is the end of the stream.
        const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`)
        found = { head: `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, body: String(body) }
        throw new Error('caught')
      },
    },
  })
  await client.send(new CreateGroupCommand({ GroupName })).catch(() => undefined)
  if (!found) throw new Error('the SDK sent nothing')
  return found
}

/** Everything the server says until it hangs up; nothing at all is an answer too. */
function send(bytes: Buffer): Promise<string> {
  const { hostname, port } = new URL(server.url)
  return new Promise((resolve) => {
    let answer = ''
    // Not ended from here: Node's server drops the response to a client that has disconnected.
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes))
    socket.on('data', (chunk) => (answer += chunk))
    // A reset is one more way to refuse.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(answer))
  })
}

const bytesOf = ({ head, body }: Signed) => Buffer.from(head + body, 'latin1')

/** The bits of `text` in the request: [first, last) bit. */
function bitsOf(text: string): readonly number[] {
  const whole = signed.head + signed.body
  const at = whole.indexOf(text)
  if (at < 0 || text === '') throw new Error(`not in the request: ${text}`)
  return Array.from({ length: text.length * 8 }, (_, i) => at * 8 + i)
}

function flipped(bit: number): Buffer {
  const bytes = bytesOf(signed)
  bytes[bit >> 3]! ^= 1 << (bit & 7)
  return bytes
}

/** Sends one copy a bit, sixteen at a time; returns those that were let through. */
async function passing(bits: readonly number[]): Promise<readonly string[]> {
  const through: string[] = []
  const waiting = [...bits]
  const worker = async () => {
    for (let bit = waiting.pop(); bit !== undefined; bit = waiting.pop()) {
      const bytes = flipped(bit)
      // A group that is there already is an answer to a caller who was believed.
      if (/^HTTP\/1\.1 2|AlreadyExists/m.test(await send(bytes))) through.push(bytes.toString('latin1'))
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  return through
}

const headerValue = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'im').exec(signed.head)![1]!
const authorization = () => headerValue('authorization')
const signature = () => authorization().slice(authorization().indexOf('Signature=') + 'Signature='.length)
const signedNames = () => /SignedHeaders=([^,]+)/.exec(authorization())![1]!.split(';')

describe('one flipped bit', () => {
  test('in the signature, any of its 512, is refused', async () => {
    expect(signature()).toMatch(/^[0-9a-f]{64}$/)

    expect(await passing(bitsOf(signature()))).toEqual([])
  })

  test('in the rest of the Authorization header is refused', async () => {
    expect(await passing(bitsOf(authorization().replace(signature(), '')))).toEqual([])
  })

  test('in the body is refused', async () => {
    expect(signed.body).toContain('GroupName=tampered')

    expect(await passing(bitsOf(signed.body))).toEqual([])
  })

  test('in the session token is refused', async () => {
    expect(await passing(bitsOf(headerValue('x-amz-security-token')))).toEqual([])
  })

  test('in the value of any other signed header is refused', async () => {
    // A content-length that promises more than comes is an unfinished request; less of the body is below.
    const names = signedNames().filter((name) => !['x-amz-security-token', 'content-length'].includes(name))
    expect(names).toEqual(expect.arrayContaining(['host', 'x-amz-date', 'content-type']))

    for (const name of names)
      expect(await passing(bitsOf(`${name}: ${headerValue(name)}`).slice((name.length + 2) * 8))).toEqual([])
  })

  test('in the method or the path is refused', async () => {
    expect(await passing(bitsOf('POST / '))).toEqual([])
  })
})

test('the session of another, spliced in whole, is refused', async () => {
  const other = await caught({ ...session, sessionToken: `${session.sessionToken}A` }, 'tampered')
  const token = headerValue('x-amz-security-token')

  const answer = await send(bytesOf({ ...other, head: other.head.replace(`${token}A`, token) }))

  expect(answer).toMatch(/^HTTP\/1\.1 403 /)
})

test('less of the body than was signed, more of it, or a second copy of a signed header, is refused', async () => {
  const withBody = (body: string) => ({
    head: signed.head.replace(/^content-length: .*\r$/im, `content-length: ${body.length}\r`),
    body,
  })
  const doubled = signed.head.replace(/^x-amz-date: .*\r\n/im, (line) => line + line)

  expect(await send(bytesOf(withBody(signed.body.slice(0, -1))))).toMatch(/^HTTP\/1\.1 403 /)
  expect(await send(bytesOf(withBody(`${signed.body}&Path=/x/`)))).toMatch(/^HTTP\/1\.1 403 /)
  expect(await send(bytesOf({ head: doubled, body: signed.body }))).toMatch(/^HTTP\/1\.1 4\d\d /)
})

test('after all that nothing was made; the request as it was signed still passes', async () => {
  const groups = async () => (await new IAMClient(as(account)).send(new ListGroupsCommand({}))).Groups!

  expect(await groups()).toEqual([])
  expect(await send(bytesOf(signed))).toMatch(/^HTTP\/1\.1 200 /)
  expect((await groups()).map(({ GroupName }) => GroupName)).toEqual(['tampered'])
})
