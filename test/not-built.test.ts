/** What is not built says so by name: every service of AWS, in its own protocol, with a signature and without one. */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { HttpRequest, HttpResponse } from '../src/wire/http.ts'
import { sign } from '../src/wire/sigv4/index.ts'
import { cloud } from './cloud.ts'

const table = (name: string) => JSON.parse(readFileSync(new URL(`../models/${name}`, import.meta.url), 'utf8'))
const services: [id: string, protocol: string, host: string, signs: string, target: string, version: string][] =
  table('unbuilt-services.json')
const routes: Record<string, string[]> = table('unbuilt-routes.json')

let opened: Awaited<ReturnType<typeof cloud>>
beforeAll(async () => {
  opened = await cloud()
})

const request = (rawHeaders: readonly string[], more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  path: '/',
  query: '',
  rawHeaders,
  body: Buffer.alloc(0),
  remoteAddress: '127.0.0.1',
  secure: false,
  ...more,
})

const text = ({ body }: HttpResponse) => Buffer.from(body).toString('latin1')
const scope = (service: string) => [
  'Authorization',
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
]

/** One request of a service, as its clients write it, and what it is called. */
function sample([id, protocol, , , target, version]: (typeof services)[number]) {
  const form = ['Content-Type', 'application/x-www-form-urlencoded']
  switch (protocol) {
    case 'query':
      return {
        headers: form,
        body: Buffer.from(`Action=DoIt&Version=${version}`),
        path: '/',
        query: '',
        method: 'POST',
        name: 'DoIt',
      }
    case 'json11':
      return { headers: ['X-Amz-Target', `${target}.DoIt`], path: '/', query: '', method: 'POST', name: 'DoIt' }
    case 'cbor':
      return {
        headers: ['smithy-protocol', 'rpc-v2-cbor'],
        path: `/service/${target}/operation/DoIt`,
        query: '',
        method: 'POST',
        name: 'DoIt',
      }
    default: {
      const [method = '', uri = '', name = ''] = routes[id]![0]!.split(' ')
      const [path = '', query = ''] = uri.replaceAll(/\{[^}]+\}/g, 'x').split('?')
      return { headers: [], method, path, query, name }
    }
  }
}

test('The table has every service that clients know and no row has', () => {
  expect(services.length).toBeGreaterThan(380)
})

test.each(services.map((entry) => [entry[0], entry] as const))('%s', async (id, entry) => {
  const [, , host, signs] = entry
  const { headers, name, ...more } = sample(entry)
  const control = id === 's3control' ? ['x-amz-account-id', '111122223333'] : []
  const signed = await opened.gate.handle(request([...headers, ...control, ...scope(signs)], more))
  const unsigned = await opened.gate.handle(request([...headers, 'Host', `${host}.us-east-1.amazonaws.com`], more))

  for (const response of [signed, unsigned]) {
    expect(response.status).toBe(400)
    // restJson has the code in a header.
    expect(response.headers['x-amzn-errortype'] ?? text(response)).toContain('NotImplemented')
    expect(text(response)).toContain(name)
  }
})

describe('Its protocol is that of the question:', () => {
  test.each<[what: string, it: HttpRequest, type: string, shape: RegExp]>([
    [
      'awsJson',
      request(['X-Amz-Target', 'DynamoDB_20120810.ListTables', 'Content-Type', 'application/x-amz-json-1.0']),
      'application/x-amz-json-1.0',
      /^\{"message":"Merlon does not implement dynamodb:ListTables\.","__type":"NotImplemented"\}$/,
    ],
    [
      'awsQuery',
      request(['Content-Type', 'application/x-www-form-urlencoded'], {
        body: Buffer.from('Action=ListStacks&Version=2010-05-15'),
      }),
      'text/xml',
      /^<ErrorResponse xmlns="http:\/\/cloudformation.*<Code>NotImplemented<\/Code><Message>Merlon does not implement cloudformation:ListStacks\./,
    ],
    [
      'restJson',
      request(scope('batch'), { path: '/v1/submitjob' }),
      'application/json',
      /^\{"message":"Merlon does not implement batch:SubmitJob\."\}$/,
    ],
    [
      'restXml',
      request([], { method: 'GET', path: '/2020-05-31/distribution' }),
      'application/xml',
      /<Code>NotImplemented<\/Code><Message>Merlon does not implement cloudfront:ListDistributions/,
    ],
    [
      'classic load balancers beside those with a row',
      request(['Content-Type', 'application/x-www-form-urlencoded', ...scope('elasticloadbalancing')], {
        body: Buffer.from('Action=DescribeLoadBalancers&Version=2012-06-01'),
      }),
      'text/xml',
      /does not implement elasticloadbalancing:DescribeLoadBalancers \(elb\)/,
    ],
  ])('%s', async (_, it, type, shape) => {
    const response = await opened.gate.handle(it)
    expect(response.status).toBe(400)
    expect(text(response)).toMatch(shape)
    expect(response.headers['content-type']).toBe(type)
  })
})

// Every unsigned operation of a service with a row is built: there is none that could be refused by name.
test('An operation that needs a signature does not say without one whether it is built', async () => {
  for (const target of ['TrentService.ListKeys', 'AWSCognitoIdentityProviderService.ListUserPoolReplicas']) {
    expect(text(await opened.gate.handle(request(['X-Amz-Target', target])))).toContain('MissingAuthenticationToken')
  }
})

test('An API version that does not exist is named, and a missing one, too', async () => {
  for (const [version, told] of [
    ['&Version=2010-05-09', '2010-05-09'],
    ['', 'NO_VERSION_SPECIFIED'],
  ]) {
    const { accessKeyId, secretAccessKey } = opened.root
    const it = sign(
      request(['Host', 'localhost', 'Content-Type', 'application/x-www-form-urlencoded'], {
        body: Buffer.from(`Action=ListUsers${version}`),
      }),
      { accessKeyId, secret: secretAccessKey },
      { region: 'us-east-1', service: 'iam', nowMs: opened.clock.now() },
    )
    const response = await opened.gate.handle(it)
    expect(response.status).toBe(400)
    expect(text(response)).toContain(
      `<Code>InvalidAction</Code><Message>Could not find operation ListUsers for version ${told}</Message>`,
    )
  }
})
