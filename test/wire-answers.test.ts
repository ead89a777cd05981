/** What AWS answers on the wire, whatever the operation: JSON on request, Regions that exist, paths as they were signed. */
import { LambdaClient, TagResourceCommand } from '@aws-sdk/client-lambda'
import { beforeAll, describe, expect, test } from 'vitest'
import { listen } from '../src/server/listen/listener.ts'
import type { HttpRequest, HttpResponse } from '../src/wire/http.ts'
import { presign, sign } from '../src/wire/sigv4/index.ts'
import { ACCOUNT, cloud } from './cloud.ts'

let opened: Awaited<ReturnType<typeof cloud>>
beforeAll(async () => {
  opened = await cloud()
})

const text = ({ body }: HttpResponse) => Buffer.from(body).toString()
const form = ['Host', 'localhost', 'Content-Type', 'application/x-www-form-urlencoded']

function signed(service: string, more: Partial<HttpRequest>, region = 'us-east-1'): Promise<HttpResponse> {
  const bare = { method: 'POST', path: '/', query: '', rawHeaders: form, body: Buffer.alloc(0), ...more }
  const { accessKeyId, secretAccessKey } = opened.root
  const options = { region, service, nowMs: opened.clock.now() }
  const request = sign(bare, { accessKeyId, secret: secretAccessKey }, options)
  return opened.gate.handle({ remoteAddress: '127.0.0.1', secure: false, ...request })
}

describe('A query call whose caller accepts JSON', () => {
  const json = [...form, 'Accept', 'application/json']
  const body = Buffer.from('Action=GetCallerIdentity&Version=2011-06-15')

  test('is answered in JSON', async () => {
    const response = await signed('sts', { rawHeaders: json, body })

    expect(response.headers['content-type']).toBe('application/json')
    expect(JSON.parse(text(response))).toEqual({
      GetCallerIdentityResponse: {
        GetCallerIdentityResult: { Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:root`, UserId: ACCOUNT },
        ResponseMetadata: { RequestId: expect.any(String) },
      },
    })
  })

  test('is answered in JSON when it is presigned, and in XML without the header', async () => {
    for (const [headers, start] of [
      [['Accept', 'application/json'], '{"GetCallerIdentityResponse":'],
      [['Accept', '*/*'], '<GetCallerIdentityResponse '],
      [[], '<GetCallerIdentityResponse '],
    ] as const) {
      const bare = {
        method: 'GET',
        path: '/',
        query: body.toString(),
        rawHeaders: ['Host', 'localhost'],
        body: Buffer.alloc(0),
      }
      const { accessKeyId, secretAccessKey } = opened.root
      const options = { region: 'us-east-1', service: 'sts', nowMs: opened.clock.now(), expiresSeconds: 60 }
      const request = presign(bare, { accessKeyId, secret: secretAccessKey }, options)
      const rawHeaders = [...request.rawHeaders, ...headers]
      const response = await opened.gate.handle({ ...request, rawHeaders, remoteAddress: '127.0.0.1', secure: false })
      expect(text(response).startsWith(start)).toBe(true)
    }
  })

  test('is refused in JSON', async () => {
    const asked = Buffer.from('Action=GetUser&Version=2010-05-08&UserName=missing')
    const response = await signed('iam', { rawHeaders: json, body: asked })

    expect(response.status).toBe(404)
    expect(JSON.parse(text(response))).toEqual({
      Error: { Code: 'NoSuchEntity', Message: 'The user with name missing cannot be found.', Type: 'Sender' },
      RequestId: expect.any(String),
    })
  })
})

describe('A Region that does not exist', () => {
  test.each(['sts', 'iam'])('is refused by %s', async (service) => {
    const body = Buffer.from('Action=GetCallerIdentity&Version=2011-06-15')
    const version = service === 'sts' ? body : Buffer.from('Action=ListUsers&Version=2010-05-08')
    const response = await signed(service, { body: version }, 'us-east-9')

    expect(response.status).toBe(403)
    expect(text(response)).toContain(
      '<Code>SignatureDoesNotMatch</Code><Message>Credential should be scoped to a valid region.</Message>',
    )
  })

  test('is refused by services of awsJson', async () => {
    const rawHeaders = ['Host', 'localhost', 'X-Amz-Target', 'TrentService.ListKeys']
    const response = await signed('kms', { rawHeaders, body: Buffer.from('{}') }, 'moon-1')
    expect(text(response)).toContain('"__type":"InvalidSignatureException"')
  })

  test('is refused by S3, which names the Region to use', async () => {
    const response = await signed('s3', { method: 'GET', rawHeaders: ['Host', 'localhost'] }, 'us-east-9')
    expect(response.status).toBe(400)
    expect(text(response)).toContain(
      "<Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region 'us-east-9' is wrong; expecting 'us-east-1'</Message><Region>us-east-1</Region>",
    )
  })

  test('is refused to callers that do not exist as other callers that do not exist are', async () => {
    const bare = {
      method: 'POST',
      path: '/',
      query: '',
      rawHeaders: form,
      body: Buffer.from('Action=GetCallerIdentity&Version=2011-06-15'),
    }
    const options = { region: 'us-east-9', service: 'sts', nowMs: opened.clock.now() }
    const request = sign(bare, { accessKeyId: 'AKIAIOSFODNN7NOTHERE', secret: 'x' }, options)
    const response = await opened.gate.handle({ remoteAddress: '127.0.0.1', secure: false, ...request })
    expect(text(response)).toContain('InvalidClientTokenId')
  })
})

test.each(['/2015-03-31/functions/x/../../functions/', '/2015-03-31//functions/', '/./2015-03-31/functions/'])(
  'The path that is signed is the path that is routed: %s',
  async (path) => {
    const response = await signed('lambda', { method: 'GET', path, rawHeaders: ['Host', 'localhost'] })
    expect(response.status).toBe(200)
    expect(JSON.parse(text(response))).toEqual({ Functions: [] })
  },
)

test('An answer without content has neither a body nor a length', async () => {
  const listener = await listen(async () => ({ status: 204, headers: { 'x-a': 'b' }, body: '{}' }), {
    host: '127.0.0.1',
    port: 0,
  })
  const response = await fetch(listener.url)
  await listener.close()

  expect(response.status).toBe(204)
  expect(response.headers.get('content-length')).toBeNull()
  expect(response.headers.get('transfer-encoding')).toBeNull()
  expect(await response.text()).toBe('')
})

test('TagResource of Lambda, whose answer has no content, is understood by its client', async () => {
  const client = opened.client(LambdaClient)
  const Resource = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:missing`
  await expect(client.send(new TagResourceCommand({ Resource, Tags: { a: 'b' } }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
})
