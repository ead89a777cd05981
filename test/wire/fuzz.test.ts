/** Hostile bytes in every protocol: whatever arrives is understood or refused with a 4xx, never crashed upon. */
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Fault } from '../../src/wire/fault.ts'
import type { HttpRequest } from '../../src/wire/http.ts'
import { services } from '../../src/wire/services.ts'
import { type Detected, decode, detect, encodeFault, loadService, validate } from '../../src/wire/wire.ts'
import { type Random, randomOf, randomStruct } from './random.ts'
import { sdkCodecs } from './sdk.ts'

const MUTATIONS_PER_OPERATION = Number(process.env['ROUNDS'] ?? 2)
const random = randomOf()
console.log(`hostile bytes with SEED=${random.seed}`)

/** What the kernel would do, without a kernel. 200, or the refusal's status; anything else than a Fault escapes. */
async function statusOf(request: HttpRequest): Promise<number> {
  let detected: Detected | undefined
  try {
    detected = await detect(request)
    const model = await loadService(detected.service)
    const { operation, input } = decode(detected, model, request)
    validate(model, operation, input)
    return 200
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const model = detected && (await loadService(detected.service))
    return encodeFault(request, detected, model, error, 'request-id').status
  }
}

const harmless = (status: number) => status === 200 || (status >= 400 && status < 500)

const NASTY = [
  '__proto__',
  'constructor',
  '\0',
  '\ufffd',
  '%',
  '%zz',
  '%c3',
  '&',
  '=',
  '.',
  '..',
  '/',
  '//',
  '<',
  ']]>',
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '&b;',
  '&#x110000;',
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  '\\ud800',
  'null',
  'true',
  'NaN',
  '-Infinity',
  '1e999',
  '9'.repeat(400),
  '-0',
  '0x10',
  'A'.repeat(70_000),
  'member',
  'member.1',
  'entry.1.key=a',
  '1',
  '2147483648',
  '18446744073709551616',
  '2026-13-45T99:99:99Z',
]

const mutations: Readonly<Record<string, (body: Buffer, random: Random) => Buffer>> = {
  truncated: (body, { below }) => body.subarray(0, below(body.length + 1)),
  'with a flipped bit': (body, { below }) => {
    const copy = Buffer.from(body)
    if (copy.length > 0) copy[below(copy.length)]! ^= 1 << below(8)
    return copy
  },
  'with something nasty inside': (body, { below, pick }) => {
    const at = below(body.length + 1)
    return Buffer.concat([body.subarray(0, at), Buffer.from(pick(NASTY)), body.subarray(at)])
  },
  'with a part twice': (body, { below }) => {
    const from = below(body.length + 1)
    const to = from + below(body.length - from + 1)
    return Buffer.concat([body.subarray(0, to), body.subarray(from)])
  },
  'with invalid UTF-8': (body, { below }) => {
    const at = below(body.length + 1)
    return Buffer.concat([body.subarray(0, at), Buffer.from([0xc3, 0x28, 0xff]), body.subarray(at)])
  },
  'of random bytes': (body, { below }) => Buffer.from(Array.from({ length: body.length }, () => below(256))),
}

describe('a spoiled request is refused with a 4xx or understood', () => {
  for (const service of services) {
    it(service.id, async () => {
      const model = await loadService(service)
      for (const codec of await sdkCodecs(service)) {
        for (const operation of model.operations.values()) {
          for (let i = 0; i < MUTATIONS_PER_OPERATION; i++) {
            const input = randomStruct(operation.input, random)
            const request = await codec.request(operation.name, input).catch(() => undefined)
            if (!request) continue
            const kind = random.pick(Object.keys(mutations))
            const body = mutations[kind]!(request.body, random)
            const target = mutations[kind]!(Buffer.from(request.query), random).toString('latin1')
            const path = random.chance(0.3)
              ? mutations[kind]!(Buffer.from(request.path), random).toString('latin1')
              : request.path
            const spoiled = { ...request, body, path, query: random.chance(0.3) ? target : request.query }

            expect(
              await statusOf(spoiled),
              `${operation.name} ${kind}: ${body.toString('latin1').slice(0, 200)}`,
            ).toSatisfy(harmless)
          }
        }
      }
    })
  }
})

const base = { method: 'POST', path: '/', query: '', remoteAddress: '127.0.0.1', secure: false }
const scope = (name: string) => [
  'Authorization',
  `AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/${name}/aws4_request, SignedHeaders=host, Signature=0`,
]
const json = (body: string | Buffer, target = 'TrentService.Encrypt', ...more: string[]): HttpRequest => ({
  ...base,
  rawHeaders: ['X-Amz-Target', target, 'Content-Type', 'application/x-amz-json-1.1', ...more],
  body: Buffer.from(body),
})
const form = (body: string | Buffer, name = 'iam', ...more: string[]): HttpRequest => ({
  ...base,
  rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8', ...scope(name), ...more],
  body: Buffer.from(body),
})
const rest = (method: string, path: string, body: string | Buffer, name: string, query = ''): HttpRequest => ({
  ...base,
  method,
  path,
  query,
  rawHeaders: scope(name),
  body: Buffer.from(body),
})
const cbor = (body: Buffer): HttpRequest => ({
  ...base,
  path: '/service/GraniteServiceVersion20100801/operation/PutMetricData',
  rawHeaders: ['Smithy-Protocol', 'rpc-v2-cbor', 'Content-Type', 'application/cbor', ...scope('monitoring')],
  body,
})
const deep = 100_000
const IAM = 'Version=2010-05-08&Action='

/** Each is refused, and with this status. */
const refused: Readonly<Record<string, readonly [request: HttpRequest, status: number]>> = {
  'JSON nested a hundred thousand times': [json('{"Tags":'.repeat(deep)), 400],
  'closed JSON nested a hundred thousand times': [json(`${'['.repeat(deep)}${']'.repeat(deep)}`), 400],
  'a JSON document nested too deeply': [
    json(
      `{"ManagedLoginBrandingId":"a","UserPoolId":"b","Settings":${'['.repeat(deep)}${']'.repeat(deep)}}`,
      'AWSCognitoIdentityProviderService.UpdateManagedLoginBranding',
    ),
    400,
  ],
  'JSON of the wrong type': [json('{"KeyId":5,"Plaintext":"YQ=="}'), 400],
  'a JSON list where a structure belongs': [json('[]'), 400],
  'JSON null': [json('null'), 400],
  'a number in quotes': [json('{"KeyId":"a","PendingWindowInDays":"7"}', 'TrentService.ScheduleKeyDeletion'), 400],
  'a fraction where an integer belongs': [
    json('{"KeyId":"a","PendingWindowInDays":7.5}', 'TrentService.ScheduleKeyDeletion'),
    400,
  ],
  'a number beyond all bounds': [
    json('{"KeyId":"a","PendingWindowInDays":1e999}', 'TrentService.ScheduleKeyDeletion'),
    400,
  ],
  'a blob that is not base64': [json('{"KeyId":"a","Plaintext":"!!"}'), 400],
  'JSON that is not UTF-8': [json(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), 400],
  'an unknown target': [json('{}', 'Nothing.Here'), 400],
  'an operation the model lacks': [json('{}', 'TrentService.Nothing'), 400],
  'an operation named like a prototype': [json('{}', 'TrentService.__proto__'), 400],
  'an encryption context that would lose a pair': [
    json('{"KeyId":"a","Plaintext":"YQ==","EncryptionContext":{"__proto__":"x"}}', 'TrentService.Encrypt'),
    400,
  ],
  'a target without a dot': [json('{}', 'TrentService'), 400],
  'broken gzip': [json('not gzip', 'TrentService.Encrypt', 'Content-Encoding', 'gzip'), 400],
  // Nothing is inflated for an operation whose model knows no compression.
  'gzip where the model has none': [
    json(gzipSync(Buffer.alloc(20 * 1024 * 1024, 32)), 'TrentService.Encrypt', 'Content-Encoding', 'gzip'),
    400,
  ],
  'a form that grows beyond the cap': [
    form(gzipSync(Buffer.alloc(2 * 1024 * 1024, 65)), 'monitoring', 'Content-Encoding', 'gzip'),
    413,
  ],
  'an unknown action': [form(`${IAM}Nothing`), 400],
  'a form without action': [form('Version=2010-05-08'), 400],
  'a form with a broken percent encoding': [form(`${IAM}CreateUser&UserName=%zz`), 400],
  'a form nested a hundred thousand times': [form(`${IAM}CreateUser&Tags${'.member.1'.repeat(deep)}=x`), 400],
  'a structure where a text belongs': [form(`${IAM}CreateUser&UserName.member.1=x`), 400],
  'a text where a list belongs': [form(`${IAM}CreateUser&UserName=a&Tags=x`), 400],
  'a boolean that is neither': [form(`${IAM}UpdateAccountPasswordPolicy&RequireSymbols=yes`), 400],
  'a hexadecimal number': [form(`${IAM}ListUsers&MaxItems=0x10`), 400],
  'an action of a service that speaks no forms': [form('Version=2014-11-01&Action=ListKeys', 'kms'), 400],
  'a REST path that is no operation': [rest('GET', '/nowhere', '', 'guardduty'), 404],
  'a REST path with a broken percent encoding': [rest('GET', '/detector/%zz', '', 'guardduty'), 400],
  'a REST body that is no JSON': [rest('POST', '/detector', '{', 'guardduty'), 400],
  'XML nested a hundred thousand times': [rest('POST', '/2013-04-01/hostedzone', '<a>'.repeat(deep), 'route53'), 400],
  'closed XML nested a hundred thousand times': [
    rest('POST', '/2013-04-01/hostedzone', `${'<a>'.repeat(deep)}${'</a>'.repeat(deep)}`, 'route53'),
    400,
  ],
  'XML with a document type': [
    rest(
      'POST',
      '/2013-04-01/hostedzone',
      '<!DOCTYPE a [<!ENTITY b "cccc">]><CreateHostedZoneRequest><Name>&b;</Name></CreateHostedZoneRequest>',
      'route53',
    ),
    400,
  ],
  'XML without a root': [rest('POST', '/2013-04-01/hostedzone', 'text', 'route53'), 400],
  'CBOR nested a hundred thousand times': [cbor(Buffer.alloc(deep, 0x81)), 400],
  'CBOR that ends early': [cbor(Buffer.from([0xbf, 0x69, 0x4e])), 400],
  'CBOR that claims a petabyte': [cbor(Buffer.from([0x5b, 0x00, 0x04, 0, 0, 0, 0, 0, 0, 1])), 400],
  'CBOR that claims four thousand million entries': [cbor(Buffer.from([0x9a, 0xff, 0xff, 0xff, 0xff])), 400],
  'CBOR of the wrong type': [cbor(Buffer.from([0xa1, 0x69, ...Buffer.from('Namespace'), 0x01])), 400],
  'nothing at all': [{ ...base, method: 'GET', rawHeaders: [], body: Buffer.alloc(0) }, 403],
}

describe('is refused', () => {
  for (const [name, [request, status]] of Object.entries(refused)) {
    it(name, async () => {
      expect(await statusOf(request)).toBe(status)
    })
  }
})

describe('prototypes stay as they are', () => {
  for (const [name, request] of Object.entries({
    JSON: json('{"KeyId":"a","Plaintext":"YQ==","EncryptionContext":{"constructor":"y"},"__proto__":{"polluted":1}}'),
    form: form(`${IAM}CreateUser&UserName=a&__proto__.polluted=1&constructor.prototype.polluted=1`),
    XML: rest(
      'POST',
      '/2013-04-01/hostedzone',
      '<R><__proto__><polluted>1</polluted></__proto__><Name>a</Name><CallerReference>b</CallerReference></R>',
      'route53',
    ),
    query: rest('PUT', '/bucket/key', '', 's3', '__proto__=1&__proto__[polluted]=1'),
  })) {
    it(`under ${name}`, async () => {
      expect(await statusOf(request)).toBe(200)
      expect(Object.prototype).not.toHaveProperty('polluted')

      const detected = await detect(request)
      const { input } = decode(detected, await loadService(detected.service), request)
      expect(Object.getPrototypeOf(input)).toBe(Object.prototype)
      expect((input as Record<string, unknown>)['polluted']).toBeUndefined()
    })
  }
})
