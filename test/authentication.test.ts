/**
 * Authentication: which callers are accepted, and how each protocol refuses the others: the whole matrix, before any
 * policy is evaluated.
 */
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DeleteUserCommand,
  IAMClient,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleCommand, GetFederationTokenCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCbor } from '../src/wire/cbor.ts'
import type { HttpRequest, HttpResponse } from '../src/wire/http.ts'
import { presign, type SigningOptions, sign } from '../src/wire/sigv4/index.ts'
import { ACCOUNT, allowing, cloud, type Keys, keysOf } from './cloud.ts'

/**
 * A call in its service's own protocol. Most of these operations are not built: an unauthenticated client must not
 * learn even that.
 */
interface Question {
  readonly service: string
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly headers: readonly string[]
  readonly body?: string
}

const form = (service: string, body: string): Question => ({
  service,
  headers: ['Content-Type', 'application/x-www-form-urlencoded'],
  body,
})
const json = (service: string, target: string): Question => ({
  service,
  headers: ['Content-Type', 'application/x-amz-json-1.1', 'X-Amz-Target', target],
  body: '{}',
})
const get = (service: string, path: string): Question => ({
  service,
  method: 'GET',
  path,
  host: `${service}.us-east-1.amazonaws.com`,
  headers: [],
})

const questions = {
  iam: form('iam', 'Action=ListUsers&Version=2010-05-08'),
  sts: form('sts', 'Action=GetCallerIdentity&Version=2011-06-15'),
  kms: json('kms', 'TrentService.ListKeys'),
  cloudtrail: json('cloudtrail', 'CloudTrail_20131101.LookupEvents'),
  monitoring: {
    service: 'monitoring',
    path: '/service/GraniteServiceVersion20100801/operation/ListMetrics',
    headers: ['Smithy-Protocol', 'rpc-v2-cbor', 'Content-Type', 'application/cbor'],
    body: '\xa0',
  },
  lambda: get('lambda', '/2015-03-31/functions'),
  route53: get('route53', '/2013-04-01/hostedzone'),
  s3: get('s3', '/'),
  ec2: form('ec2', 'Action=DescribeVpcs&Version=2016-11-15'),
} as const satisfies Readonly<Record<string, Question>>
type Service = keyof typeof questions
const services = Object.keys(questions) as Service[]

type Family = 'query' | 'json' | 'rest' | 's3' | 'ec2'
const families: Readonly<Record<Service, Family>> = {
  iam: 'query',
  sts: 'query',
  route53: 'query',
  kms: 'json',
  cloudtrail: 'json',
  monitoring: 'json',
  lambda: 'rest',
  s3: 's3',
  ec2: 'ec2',
}

/** As measured on AWS: what each family calls a refusal, and with which status. */
// biome-ignore format: a matrix is read in columns
const refusals = {
  unknown:    { query: ['InvalidClientTokenId', 403],       json: ['UnrecognizedClientException', 400],         rest: ['UnrecognizedClientException', 403],         s3: ['InvalidAccessKeyId', 403],           ec2: ['AuthFailure', 401] },
  mismatch:   { query: ['SignatureDoesNotMatch', 403],      json: ['InvalidSignatureException', 400],           rest: ['InvalidSignatureException', 403],           s3: ['SignatureDoesNotMatch', 403],        ec2: ['AuthFailure', 401] },
  missing:    { query: ['MissingAuthenticationToken', 403], json: ['MissingAuthenticationTokenException', 400], rest: ['MissingAuthenticationTokenException', 403], s3: ['AccessDenied', 403],                 ec2: ['AuthFailure', 401] },
  incomplete: { query: ['IncompleteSignature', 400],        json: ['IncompleteSignatureException', 400],        rest: ['IncompleteSignatureException', 403],        s3: ['AuthorizationHeaderMalformed', 400], ec2: ['AuthFailure', 401] },
  untimely:   { query: ['SignatureDoesNotMatch', 403],      json: ['InvalidSignatureException', 400],           rest: ['InvalidSignatureException', 403],           s3: ['RequestTimeTooSkewed', 403],         ec2: ['RequestExpired', 400] },
  expired:    { query: ['ExpiredToken', 403],               json: ['ExpiredTokenException', 400],               rest: ['ExpiredTokenException', 403],               s3: ['ExpiredToken', 400],                 ec2: ['RequestExpired', 400] },
} as const satisfies Readonly<Record<string, Readonly<Record<Family, readonly [code: string, status: number]>>>>
type Refusal = keyof typeof refusals

function plain({ method = 'POST', path = '/', host = 'localhost', headers, body = '' }: Question): HttpRequest {
  return {
    method,
    path,
    query: '',
    rawHeaders: ['Host', host, ...headers],
    body: Buffer.from(body, 'latin1'),
    remoteAddress: '127.0.0.1',
    secure: false,
  }
}

const credentialOf = ({ accessKeyId, secretAccessKey, sessionToken }: Keys) => ({
  accessKeyId,
  secret: secretAccessKey,
  sessionToken,
})

interface Told {
  readonly status: number
  readonly code: string | undefined
  readonly message: string | undefined
}

/** What a client of the service makes of an answer. */
function told(service: Service, { status, headers, body }: HttpResponse): Told {
  switch (service) {
    case 'kms':
    case 'cloudtrail':
    case 'lambda': {
      const { __type, message, Message } = JSON.parse(Buffer.from(body).toString())
      return { status, code: __type ?? headers['x-amzn-errortype'], message: message ?? Message }
    }
    case 'monitoring': {
      const { __type, message } = parseCbor(Buffer.from(body)) as Readonly<Record<string, string>>
      return { status, code: __type, message }
    }
    default: {
      const text = Buffer.from(body).toString()
      const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
      return { status, code: element('Code'), message: element('Message') }
    }
  }
}

type Change = (request: HttpRequest) => HttpRequest

async function world() {
  const it = await cloud()
  const iam = it.client(IAMClient)
  const made = async (name: string, policy?: string): Promise<Keys> => {
    await iam.send(new CreateUserCommand({ UserName: name }))
    if (policy) await it.permit(name, policy)
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }))
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  }
  const ask = async (
    service: Service,
    keys: Keys,
    change: Change = (request) => request,
    over?: Partial<SigningOptions>,
  ) => {
    const options = { region: 'us-east-1', service, nowMs: it.clock.now(), ...over }
    return told(service, await it.gate.handle(change(sign(plain(questions[service]), credentialOf(keys), options))))
  }
  return { ...it, iam, made, ask }
}
type World = Awaited<ReturnType<typeof world>>

interface Attempt {
  readonly keys: Keys
  readonly change?: Change
  readonly signing?: Partial<SigningOptions>
}

interface Case {
  readonly is: Refusal
  /** Default: all. */
  readonly of?: readonly Service[]
  readonly says?: string | RegExp
  readonly attempt: (world: World) => Promise<Attempt> | Attempt
}

const invalid = 'The security token included in the request is invalid.'
const STRANGER: Keys = { accessKeyId: 'AKIAUNKNOWNUNKNOWN22', secretAccessKey: 'unknown' }
const MINUTE_MS = 60_000

const cases: Readonly<Record<string, Case>> = {
  'no signature': {
    is: 'missing',
    attempt: ({ root }) => ({ keys: root, change: without('authorization', 'x-amz-date') }),
  },
  'a header that is no signature': {
    is: 'incomplete',
    attempt: ({ root }) => ({ keys: root, change: authorization(() => 'AWS4-HMAC-SHA256 nonsense') }),
  },
  'a signature without its signed headers': {
    is: 'incomplete',
    attempt: ({ root }) => ({ keys: root, change: authorization((text) => text.replace(/SignedHeaders=[^,]+, /, '')) }),
  },
  'the header twice': {
    is: 'incomplete',
    attempt: ({ root }) => ({
      keys: root,
      change: (request) => ({
        ...request,
        rawHeaders: [...request.rawHeaders, 'Authorization', headerOf(request, 'authorization')],
      }),
    }),
  },
  'an unknown key': { is: 'unknown', says: invalid, attempt: () => ({ keys: STRANGER }) },
  'a temporary key that was not issued': {
    is: 'unknown',
    says: invalid,
    attempt: () => ({ keys: { accessKeyId: 'ASIAUNKNOWNUNKNOWN22', secretAccessKey: 'x', sessionToken: 'nonsense' } }),
  },
  'an inactive key': {
    is: 'unknown',
    says: invalid,
    attempt: async ({ made, iam }) => {
      const keys = await made('ann')
      await iam.send(new UpdateAccessKeyCommand({ UserName: 'ann', AccessKeyId: keys.accessKeyId, Status: 'Inactive' }))
      return { keys }
    },
  },
  "a deleted user's key": {
    is: 'unknown',
    says: invalid,
    attempt: async ({ made, iam }) => {
      const keys = await made('ann')
      await iam.send(new DeleteAccessKeyCommand({ UserName: 'ann', AccessKeyId: keys.accessKeyId }))
      await iam.send(new DeleteUserCommand({ UserName: 'ann' }))
      return { keys }
    },
  },
  'a wrong secret': {
    is: 'mismatch',
    attempt: ({ root }) => ({ keys: { ...root, secretAccessKey: 'wrong' } }),
  },
  'another service in the scope': {
    is: 'mismatch',
    // Paths of REST services say nothing to another service.
    of: ['iam', 'sts', 'kms', 'cloudtrail', 'monitoring'],
    attempt: ({ root }) => ({
      keys: root,
      change: authorization((text) => text.replace(/us-east-1\/\w+\//, 'us-east-1/elasticloadbalancing/')),
    }),
  },
  'another Region in the scope than was signed for': {
    is: 'mismatch',
    attempt: ({ root }) => ({
      keys: root,
      change: authorization((text) => text.replace('/us-east-1/', '/eu-west-1/')),
    }),
  },
  'a header changed on the way': {
    is: 'mismatch',
    attempt: ({ root }) => ({
      keys: root,
      change: (request) => ({ ...request, rawHeaders: ['Host', 'elsewhere', ...request.rawHeaders.slice(2)] }),
    }),
  },
  'a clock sixteen minutes behind': {
    is: 'untimely',
    attempt: ({ root, clock }) => ({ keys: root, signing: { nowMs: clock.now() - 16 * MINUTE_MS } }),
  },
  'a clock sixteen minutes ahead': {
    is: 'untimely',
    attempt: ({ root, clock }) => ({ keys: root, signing: { nowMs: clock.now() + 16 * MINUTE_MS } }),
  },
  'a clock that is off, with an unknown key': {
    is: 'untimely',
    attempt: ({ clock }) => ({ keys: STRANGER, signing: { nowMs: clock.now() - 16 * MINUTE_MS } }),
  },
  'a session that is over': {
    is: 'expired',
    says: /The security token included in the request is expired|Request has expired|The provided token has expired/,
    attempt: async ({ client, clock }) => {
      const keys = keysOf(await client(STSClient).send(new GetSessionTokenCommand({ DurationSeconds: 900 })))
      clock.advance(900_000)
      return { keys }
    },
  },
  'a session without its token': {
    is: 'unknown',
    says: invalid,
    attempt: async ({ client }) => {
      const { sessionToken: _, ...keys } = keysOf(await client(STSClient).send(new GetSessionTokenCommand({})))
      return { keys }
    },
  },
  "a session with another session's token": {
    is: 'unknown',
    says: invalid,
    attempt: async ({ client }) => {
      const [one, other] = await Promise.all([1, 2].map(() => client(STSClient).send(new GetSessionTokenCommand({}))))
      return { keys: { ...keysOf(one!), sessionToken: keysOf(other!).sessionToken! } }
    },
  },
  'a long-term key with a token': {
    is: 'unknown',
    says: invalid,
    attempt: async ({ root, client }) => {
      const { sessionToken } = keysOf(await client(STSClient).send(new GetSessionTokenCommand({})))
      return { keys: { ...root, sessionToken: sessionToken! } }
    },
  },
  'a session of a key that has been deactivated since': {
    is: 'unknown',
    says: invalid,
    attempt: async ({ made, iam, client }) => {
      const parent = await made('ann')
      const keys = keysOf(await client(STSClient, parent).send(new GetSessionTokenCommand({})))
      await iam.send(
        new UpdateAccessKeyCommand({ UserName: 'ann', AccessKeyId: parent.accessKeyId, Status: 'Inactive' }),
      )
      return { keys }
    },
  },
  'a session of a role that has been deleted since, and made again': {
    is: 'unknown',
    says: invalid,
    attempt: async ({ made, iam, client }) => {
      const ann = await made('ann', allowing({ Action: 'sts:AssumeRole', Resource: '*' }))
      const trust = allowing({ Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' })
      const role = { RoleName: 'r', AssumeRolePolicyDocument: trust }
      const { Role } = await iam.send(new CreateRoleCommand(role))
      const assume = new AssumeRoleCommand({ RoleArn: Role!.Arn!, RoleSessionName: 'one' })
      const keys = keysOf(await client(STSClient, ann).send(assume))
      await iam.send(new DeleteRoleCommand({ RoleName: 'r' }))
      await iam.send(new CreateRoleCommand(role))
      return { keys }
    },
  },
}

function without(...names: readonly string[]): Change {
  return (request) => ({
    ...request,
    rawHeaders: request.rawHeaders.filter((_, i) => !names.includes(request.rawHeaders[i - (i % 2)]!.toLowerCase())),
  })
}

function headerOf({ rawHeaders }: HttpRequest, name: string): string {
  return rawHeaders[rawHeaders.findIndex((each, i) => i % 2 === 0 && each.toLowerCase() === name) + 1]!
}

function authorization(change: (text: string) => string): Change {
  return (request) => {
    const text = headerOf(request, 'authorization')
    return {
      ...without('authorization')(request),
      rawHeaders: [...without('authorization')(request).rawHeaders, 'Authorization', change(text)],
    }
  }
}

describe.each(Object.entries(cases))('%s', (_name, { is, of, says, attempt }) => {
  test('is refused with the error of every protocol', async () => {
    const it = await world()
    const { keys, change, signing } = await attempt(it)

    for (const service of of ?? services) {
      const [code, status] = refusals[is][families[service]]
      const answer = await it.ask(service, keys, change, signing)
      expect({ service, ...answer }).toMatchObject({ service, code, status })
      if (says) expect(answer.message).toMatch(says)
    }
  })
})

describe('a caller that is let in', () => {
  test('reaches every service in its protocol', async () => {
    const it = await world()

    for (const service of services) {
      const { status, code } = await it.ask(service, it.root)
      // Built services answer; the others say that they are not built, and only now.
      expect([service, code ?? status]).toEqual([
        service,
        ['iam', 'sts', 'cloudtrail', 'kms', 'secretsmanager', 'lambda', 's3', 'route53', 'ec2'].includes(service)
          ? 200
          : 'NotImplemented',
      ])
    }
  })

  test('may be up to fifteen minutes off, and for KMS five', async () => {
    const it = await world()
    const off = (minutes: number) => ({ nowMs: it.clock.now() - minutes * MINUTE_MS })

    expect((await it.ask('iam', it.root, undefined, off(14.9))).status).toBe(200)
    expect((await it.ask('kms', it.root, undefined, off(4.9))).status).toBe(200)
    expect((await it.ask('kms', it.root, undefined, off(5.1))).code).toBe('InvalidSignatureException')
  })

  test('may come by a presigned URL, whose time at STS is fifteen minutes whatever it says', async () => {
    const it = await world()
    const question = { service: 'sts', method: 'GET', headers: [] }
    const url = presign(
      { ...plain(question), query: 'Action=GetCallerIdentity&Version=2011-06-15' },
      credentialOf(it.root),
      { region: 'us-east-1', service: 'sts', nowMs: it.clock.now(), expiresSeconds: 60 },
    )

    it.clock.advance(14 * MINUTE_MS)
    const before = await it.gate.handle(url)
    it.clock.advance(2 * MINUTE_MS)
    const after = told('sts', await it.gate.handle(url))

    expect(before.status).toBe(200)
    expect(after).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
      message: expect.stringContaining('Signature expired'),
    })
  })
})

describe('sessions and IAM', () => {
  test('a session without a second factor may not call IAM', async () => {
    const { client, made, ask } = await world()
    const ann = await made('ann', allowing({ Action: '*', Resource: '*' }))
    const keys = keysOf(await client(STSClient, ann).send(new GetSessionTokenCommand({})))

    expect(await ask('iam', keys)).toMatchObject({ status: 403, code: 'InvalidClientTokenId', message: invalid })
    expect((await ask('cloudtrail', keys)).status).toBe(200)
  })

  test('a federated user may not call IAM', async () => {
    const { client, made, ask } = await world()
    const all = allowing({ Action: '*', Resource: '*' })
    const ann = await made('ann', all)
    const keys = keysOf(
      await client(STSClient, ann).send(new GetFederationTokenCommand({ Name: 'guest', Policy: all })),
    )

    expect(await ask('iam', keys)).toMatchObject({ status: 403, code: 'InvalidClientTokenId' })
    expect((await ask('cloudtrail', keys)).status).toBe(200)
  })
})

describe('what an unauthenticated client learns', () => {
  const unsigned = async (it: World, question: Question) => {
    const answer = await it.gate.handle(plain(question))
    return [
      answer.status,
      Buffer.from(answer.body)
        .toString()
        .replace(/[\w-]{36}/g, 'ID'),
    ]
  }

  test('is the same for operations that exist, that are not built, and that are unknown', async () => {
    const it = await world()

    const built = await unsigned(it, form('iam', 'Action=ListUsers&Version=2010-05-08'))
    const unbuilt = await unsigned(it, form('iam', 'Action=ListDelegationRequests&Version=2010-05-08'))
    const unknown = await unsigned(it, form('iam', 'Action=OpenSesame&Version=2010-05-08'))
    const malformed = await unsigned(it, form('iam', 'Action=CreateUser&Version=2010-05-08&UserName='))

    expect([unbuilt, unknown, malformed]).toEqual([built, built, built])
  })

  test('about unknown paths is that they are not signed', async () => {
    const it = await world()

    const answers = await Promise.all(
      ['/', '/.env', '/2015-03-31/functions'].map((path) =>
        unsigned(it, { service: '', method: 'GET', path, headers: [] }),
      ),
    )

    expect(new Set(answers.map(String)).size).toBe(1)
    expect(answers[0]).toEqual([403, expect.stringContaining('Missing Authentication Token')])
    // What could be a bucket is refused as S3 refuses it, whether or not there is one.
    const bucket = await unsigned(it, { service: '', method: 'GET', path: '/admin', headers: [] })
    expect(bucket).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')])
  })

  test('without permission is the same for what exists and for what does not', async () => {
    const { made, gate, clock } = await world()
    const [bob] = [await made('bob'), await made('ann')]
    const about = async (name: string) => {
      const question = form('iam', `Action=GetUser&Version=2010-05-08&UserName=${name}`)
      const options = { region: 'us-east-1', service: 'iam', nowMs: clock.now() }
      const answer = told('iam', await gate.handle(sign(plain(question), credentialOf(bob), options)))
      return { ...answer, message: answer.message?.replace(`user/${name} because`, 'user/NAME because') }
    }

    const [present, absent] = [await about('ann'), await about('eve')]

    expect(present).toMatchObject({
      status: 403,
      code: 'AccessDenied',
      message: expect.stringContaining('user/NAME because'),
    })
    expect(absent).toEqual(present)
  })
})

test('one flipped bit of a signed request never passes', async () => {
  const it = await world()
  const session = keysOf(await it.client(STSClient).send(new GetSessionTokenCommand({})))
  const question = form('sts', 'Action=GetCallerIdentity&Version=2011-06-15')
  const options = { region: 'us-east-1', service: 'sts', nowMs: it.clock.now() }
  const request = sign(plain(question), credentialOf(session), options)
  expect((await it.gate.handle(request)).status).toBe(200)

  /** What the signature covers: every header's value, and the body. */
  const headers: readonly string[] = request.rawHeaders
  const parts: { readonly text: string; readonly put: (text: string) => HttpRequest }[] = headers.flatMap((text, i) =>
    i % 2 === 0 ? [] : [{ text, put: (changed) => ({ ...request, rawHeaders: headers.with(i, changed) }) }],
  )
  parts.push({
    text: request.body.toString('latin1'),
    put: (changed) => ({ ...request, body: Buffer.from(changed, 'latin1') }),
  })

  await fc.assert(
    fc.asyncProperty(fc.nat(parts.length - 1), fc.nat(), fc.nat(7), async (which, at, bit) => {
      const { text, put } = parts[which]!
      const bytes = Buffer.from(text, 'latin1')
      bytes[at % bytes.length]! ^= 1 << bit
      const { status } = await it.gate.handle(put(bytes.toString('latin1')))
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
    }),
    { numRuns: 2_000 },
  )
})
