/** What the official signers produce, our verifier accepts; with one bit flipped, it does not. */
import { execFileSync } from 'node:child_process'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { SignatureV4a } from '@smithy/signature-v4a'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HttpRequest } from '../src/wire/http.ts'
import { present, presign, SigningKeys, sign, verify } from '../src/wire/sigv4/index.ts'

const NOW = Date.UTC(2026, 2, 14, 9, 26, 53)
const REGION = 'eu-west-1'
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const ours = { accessKeyId: credentials.accessKeyId, secret: credentials.secretAccessKey }
const keys = new SigningKeys(100)

interface Plain {
  readonly service: 's3' | 'iam'
  readonly method: string
  /** Decoded; clients encode it their own way. */
  readonly segments: readonly string[]
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly token: string | undefined
  readonly presigned: boolean
}

const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase())
const pathOf = (plain: Plain) => '/' + plain.segments.map(encoded).join('/')
const queryOf = (query: object) =>
  Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(String(value))}`)
    .join('&')

function received(plain: Plain, query: string, headers: Readonly<Record<string, string>>): HttpRequest {
  return {
    method: plain.method,
    path: pathOf(plain),
    query,
    // On the wire a header is bytes, which Node shows as latin1.
    rawHeaders: Object.entries(headers).flatMap(([name, value]) => [name, Buffer.from(value).toString('latin1')]),
    body: Buffer.from(plain.body),
    remoteAddress: '192.0.2.1',
    secure: true,
  }
}

function accepts(request: HttpRequest, service: string): void {
  const presented = present(request)
  if (!presented) throw new Error('anonymous')
  verify(request, presented, { secret: ours.secret, version: '1' }, keys, NOW, {
    skewMs: 900_000,
    serviceNames: [service],
    region: REGION,
  })
}

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const headerText = fc
  .string({ unit: fc.constantFrom(...'ab ,;:=/+"\'(é語  '), maxLength: 12 })
  .map((text) => text.trim())
const names = fc.string({ unit: fc.constantFrom(...'abcXYZ019-._~'), minLength: 1, maxLength: 8 })
const plainRequest: fc.Arbitrary<Plain> = fc.record({
  service: fc.constantFrom('s3' as const, 'iam' as const),
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE'),
  segments: fc.array(
    words.filter((text) => text !== '.' && text !== '..'),
    { maxLength: 4 },
  ),
  query: fc
    .dictionary(fc.oneof(names, words), fc.oneof(fc.string({ maxLength: 8 }), words), {
      maxKeys: 4,
      noNullPrototype: true,
    })
    .map((query) => Object.fromEntries(Object.entries(query).filter(([name]) => !/^x-amz-|^__proto__$/i.test(name)))),
  headers: fc.dictionary(
    names.map((name) => `x-amz-meta-${name.toLowerCase().replaceAll('~', '')}`),
    headerText,
    { maxKeys: 3, noNullPrototype: true },
  ),
  body: fc.string({ maxLength: 40 }),
  token: fc.option(fc.base64String({ minLength: 4, maxLength: 40 }), { nil: undefined }),
  presigned: fc.boolean(),
})

async function bySmithy(plain: Plain, version: 'v4' | 'v4a'): Promise<HttpRequest> {
  const options = {
    credentials: { ...credentials, ...(plain.token !== undefined && { sessionToken: plain.token }) },
    region: REGION,
    service: plain.service,
    sha256: Sha256,
    uriEscapePath: plain.service !== 's3',
    applyChecksum: true,
  }
  const request = {
    method: plain.method,
    protocol: 'https:',
    hostname: 'example.com',
    path: pathOf(plain),
    query: { ...plain.query },
    headers: { host: 'example.com', ...plain.headers } as Record<string, string>,
    body: plain.body,
  }
  const at = { signingDate: new Date(NOW) }
  if (version === 'v4a') return sent(plain, await new SignatureV4a(options).sign(request, at))
  const signer = new SignatureV4(options)
  if (!plain.presigned) return sent(plain, await signer.sign(request, at))
  // As the S3 presigner does; the signer hoists it into the query.
  if (plain.service === 's3') request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
  return sent(plain, await signer.presign(request, { ...at, expiresIn: 60 }))
}

function sent(
  plain: Plain,
  signed: { readonly query?: object; readonly headers: Readonly<Record<string, string>> },
): HttpRequest {
  return received(plain, queryOf(signed.query ?? {}), signed.headers)
}

describe('requests signed by the official JavaScript signers', () => {
  it('pass, in header and query', async () => {
    await fc.assert(
      fc.asyncProperty(plainRequest, async (plain) => {
        accepts(await bySmithy(plain, 'v4'), plain.service)
      }),
      { numRuns: 300 },
    )
  })

  it('pass with SigV4a', async () => {
    await fc.assert(
      fc.asyncProperty(plainRequest, async (plain) => accepts(await bySmithy(plain, 'v4a'), plain.service)),
      { numRuns: 60 },
    )
  })
})

const PYTHON = `
import sys, json, datetime
import botocore.auth as auth, botocore.awsrequest as awsrequest
from botocore.credentials import Credentials
now = datetime.datetime(2026, 3, 14, 9, 26, 53, tzinfo=datetime.timezone.utc)
class Fixed(datetime.datetime):
    @classmethod
    def utcnow(cls): return now.replace(tzinfo=None)
    @classmethod
    def now(cls, tz=None): return now
auth.datetime = Fixed if hasattr(auth.datetime, 'utcnow') else auth.datetime
if hasattr(auth, 'get_current_datetime'): auth.get_current_datetime = lambda *a, **k: now.replace(tzinfo=None)
out = []
for case in json.load(sys.stdin):
    creds = Credentials(case['id'], case['secret'], case.get('token'))
    request = awsrequest.AWSRequest(method=case['method'], url=case['url'], headers=case['headers'], data=case['body'].encode())
    s3, query = case['service'] == 's3', case['presigned']
    kind = (auth.S3SigV4QueryAuth if s3 else auth.SigV4QueryAuth) if query else (auth.S3SigV4Auth if s3 else auth.SigV4Auth)
    signer = kind(creds, case['service'], case['region'], 60) if query else kind(creds, case['service'], case['region'])
    signer.add_auth(request)
    out.append({'url': request.url, 'headers': {k: v for k, v in request.headers.items()}})
json.dump(out, sys.stdout)
`

function botocore(): boolean {
  try {
    execFileSync('python3', ['-c', 'import botocore'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!botocore())('requests signed by botocore', () => {
  it('pass, in header and query', () => {
    const ascii = (text: string) => text.replace(/[^\x20-\x7e]/g, '')
    const plains = fc.sample(plainRequest, { numRuns: 200, seed: 7 }).map((plain) => ({
      ...plain,
      // Its presigner moves a body into the query, as a browser could not send one.
      body: plain.presigned ? '' : plain.body,
      headers: Object.fromEntries(Object.entries(plain.headers).map(([name, value]) => [name, ascii(value).trim()])),
    }))
    const cases = plains.map((plain) => ({
      ...plain,
      id: credentials.accessKeyId,
      secret: credentials.secretAccessKey,
      region: REGION,
      url: `https://example.com${pathOf(plain)}${Object.keys(plain.query).length > 0 ? '?' + queryOf(plain.query) : ''}`,
    }))

    const signed: { url: string; headers: Record<string, string> }[] = JSON.parse(
      execFileSync('python3', ['-c', PYTHON], { input: JSON.stringify(cases), encoding: 'utf8' }),
    )

    expect(signed).toHaveLength(200)
    signed.forEach(({ url, headers }, i) => {
      const [, query = ''] = url.split(/\?(.*)/s)
      accepts(received(plains[i]!, query, { Host: 'example.com', ...headers }), plains[i]!.service)
    })
  })
})

/** A request in which every byte means something: no escapes whose case could change, no white space that collapses. */
const dense: HttpRequest = {
  method: 'POST',
  path: '/hostedzone/Z123456/rrset',
  query: 'name=example&type=MX',
  rawHeaders: ['Host', 'example.com', 'Content-Type', 'text/xml', 'X-Amz-Meta', 'value'],
  body: Buffer.from('Action=CreateUser&UserName=alice'),
  remoteAddress: '192.0.2.1',
  secure: true,
}

function flip(text: string, bit: number): string {
  const raw = Buffer.from(text, 'latin1')
  raw[Math.floor(bit / 8) % raw.length]! ^= 1 << (bit % 8)
  return raw.toString('latin1')
}

const PLACES: readonly (readonly [string, (request: HttpRequest, bit: number) => HttpRequest])[] = [
  ['method', (request, bit) => ({ ...request, method: flip(request.method, bit) })],
  ['path', (request, bit) => ({ ...request, path: flip(request.path, bit) })],
  ['query', (request, bit) => ({ ...request, query: flip(request.query, bit) })],
  ['body', (request, bit) => ({ ...request, body: Buffer.from(flip(request.body.toString('latin1'), bit), 'latin1') })],
  ['host', (request, bit) => flipHeader(request, 'host', bit)],
  ['a header', (request, bit) => flipHeader(request, 'x-amz-meta', bit)],
  ['the token', (request, bit) => flipHeader(request, 'x-amz-security-token', bit)],
  ['the date', (request, bit) => flipHeader(request, 'x-amz-date', bit)],
  [
    'the signature',
    (request, bit) =>
      mapHeader(request, 'authorization', (value) => {
        const at = value.indexOf('Signature=') + 'Signature='.length
        return value.slice(0, at) + flip(value.slice(at), bit)
      }),
  ],
]

function flipHeader(request: HttpRequest, name: string, bit: number): HttpRequest {
  return mapHeader(request, name, (value) => flip(value, bit))
}

function mapHeader(request: HttpRequest, name: string, change: (value: string) => string): HttpRequest {
  const { rawHeaders } = request
  return {
    ...request,
    rawHeaders: rawHeaders.map((text, i) =>
      i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name ? change(text) : text,
    ),
  }
}

describe.each(['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'] as const)('one flipped bit, %s', (algorithm) => {
  const options = { region: REGION, service: 'iam', nowMs: NOW, algorithm }
  const credential = { ...ours, sessionToken: 'FwoGZXIvYXdzEBY' }
  const signed = sign(dense, credential, options)
  const runs = algorithm === 'AWS4-HMAC-SHA256' ? 300 : 60

  it('is on a request that passes', () => {
    expect(() => accepts(signed, 'iam')).not.toThrow()
  })

  it.each(PLACES)('in %s never passes', (_place, tamper) => {
    fc.assert(
      fc.property(fc.nat({ max: 4_000 }), (bit) => {
        expect(() => accepts(tamper(signed, bit), 'iam')).toThrow()
      }),
      { numRuns: runs },
    )
  })

  it('in the query of a presigned URL never passes', () => {
    const url = presign(dense, credential, { ...options, expiresSeconds: 60 })
    expect(() => accepts(url, 'iam')).not.toThrow()
    fc.assert(
      fc.property(fc.nat({ max: url.query.length * 8 - 1 }), (bit) => {
        const query = flip(url.query, bit)
        // `%2F` and `%2f` are one and the same byte, as are the cases of a parameter's own name.
        fc.pre(query.toLowerCase() !== url.query.toLowerCase())
        expect(() => accepts({ ...url, query }, 'iam')).toThrow()
      }),
      { numRuns: runs },
    )
  })
})
