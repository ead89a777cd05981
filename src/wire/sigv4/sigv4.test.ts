/** What the verifier accepts and refuses, with AWS's error texts. */
import { describe, expect, it } from 'vitest'
import { Fault } from '../fault.ts'
import type { HttpRequest } from '../http.ts'
import { present, presign, SigningKeys, type SigningOptions, sign, verify } from './index.ts'

const NOW = Date.UTC(2026, 2, 14, 9, 26, 53)
const MINUTE = 60_000
const credential = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const iam: SigningOptions = { region: 'us-east-1', service: 'iam', nowMs: NOW }
const s3: SigningOptions = { region: 'eu-west-1', service: 's3', nowMs: NOW }

function request(over: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'POST',
    path: '/',
    query: '',
    rawHeaders: ['Host', 'iam.example.com', 'Content-Type', 'application/x-www-form-urlencoded'],
    body: Buffer.from('Action=ListUsers&Version=2010-05-08'),
    remoteAddress: '192.0.2.1',
    secure: true,
    ...over,
  }
}

function check(signed: HttpRequest, nowMs = NOW, serviceNames = ['iam'], region?: string): Buffer {
  const presented = present(signed)
  if (!presented) throw new Error('anonymous')
  const keys = new SigningKeys(10)
  return verify(signed, presented, { secret: credential.secret, version: '1' }, keys, nowMs, {
    skewMs: 15 * MINUTE,
    serviceNames,
    region,
  }).body
}

function refusal(run: () => unknown): { code: string; message: string; status: number | undefined } {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return { code: error.code, message: error.message, status: error.details.status }
    throw error
  }
  throw new Error('accepted')
}

const withHeader = (signed: HttpRequest, name: string, value: string): HttpRequest => ({
  ...signed,
  rawHeaders: [...signed.rawHeaders, name, value],
})
const changed = (signed: HttpRequest, name: string, change: (value: string) => string): HttpRequest => ({
  ...signed,
  rawHeaders: signed.rawHeaders.map((text, i) =>
    i % 2 === 1 && signed.rawHeaders[i - 1]!.toLowerCase() === name ? change(text) : text,
  ),
})

describe('a signed request', () => {
  it('is accepted and gives its body back', () => {
    expect(check(sign(request(), credential, iam)).toString()).toBe('Action=ListUsers&Version=2010-05-08')
  })

  it('without any signature is anonymous, as is one of another scheme', () => {
    expect(present(request())).toBeUndefined()
    expect(present(withHeader(request(), 'Authorization', 'Bearer abc'))).toBeUndefined()
  })

  it('presents its claims before any key is known', () => {
    const signed = sign(request(), { ...credential, sessionToken: 'TOK/+=' }, iam)

    expect(present(signed)).toMatchObject({
      algorithm: 'AWS4-HMAC-SHA256',
      accessKeyId: credential.accessKeyId,
      sessionToken: 'TOK/+=',
      date: '20260314',
      region: 'us-east-1',
      service: 'iam',
      amzDate: '20260314T092653Z',
      presigned: false,
      payload: 'hashed',
      signedHeaders: ['content-type', 'host', 'x-amz-date', 'x-amz-security-token'],
    })
  })

  it.each<[string, (signed: HttpRequest) => HttpRequest]>([
    ['the body', (signed) => ({ ...signed, body: Buffer.from('Action=DeleteUser') })],
    ['the method', (signed) => ({ ...signed, method: 'GET' })],
    ['the path', (signed) => ({ ...signed, path: '/admin' })],
    ['the query', (signed) => ({ ...signed, query: 'Action=DeleteUser' })],
    ['a signed header', (signed) => changed(signed, 'host', () => 'sts.example.com')],
    ['the date', (signed) => changed(signed, 'x-amz-date', () => '20260314T092654Z')],
    ['the token', (signed) => changed(signed, 'x-amz-security-token', () => 'other')],
    ['a second value of a signed header', (signed) => withHeader(signed, 'content-type', 'text/plain')],
    ['the signature', (signed) => changed(signed, 'authorization', (value) => value.slice(0, -1) + 'g')],
    ['the signature cut short', (signed) => changed(signed, 'authorization', (value) => value.slice(0, -2))],
    ['the Region', (signed) => changed(signed, 'authorization', (value) => value.replace('us-east-1', 'us-east-2'))],
  ])('does not survive a change of %s', (_what, tamper) => {
    const signed = tamper(sign(request(), { ...credential, sessionToken: 'T' }, iam))

    expect(refusal(() => check(signed))).toEqual({
      code: 'SignatureDoesNotMatch',
      message:
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      status: 403,
    })
  })

  it('must cover every x-amz header and the host', () => {
    expect(refusal(() => check(withHeader(sign(request(), credential, iam), 'X-Amz-Target', 'x'))).code).toBe(
      'AccessDenied',
    )

    const hostless = sign(request({ rawHeaders: [] }), credential, iam)
    expect(refusal(() => check(withHeader(hostless, 'Host', 'a'))).message).toMatch(/'Host' or ':authority' must be/)
  })

  it('may be off by the skew but not by a second more, in either direction', () => {
    const signed = sign(request(), credential, iam)

    expect(check(signed, NOW + 15 * MINUTE)).toBeDefined()
    expect(check(signed, NOW - 15 * MINUTE)).toBeDefined()
    expect(refusal(() => check(signed, NOW + 15 * MINUTE + 1_000)).message).toBe(
      'Signature expired: 20260314T092653Z is now earlier than 20260314T092654Z (20260314T094154Z - 15 min.)',
    )
    expect(refusal(() => check(signed, NOW - 15 * MINUTE - 1_000)).message).toBe(
      'Signature not yet current: 20260314T092653Z is still later than 20260314T092652Z (20260314T091152Z + 15 min.)',
    )
  })

  it('is scoped to one service, one Region and the date it bears', () => {
    const signed = sign(request(), credential, iam)

    expect(refusal(() => check(signed, NOW, ['sts'])).message).toBe(
      "Credential should be scoped to correct service: 'sts'.",
    )
    expect(refusal(() => check(signed, NOW, ['iam'], 'eu-west-1')).code).toBe('SignatureDoesNotMatch')
    expect(check(signed, NOW, ['iam'], 'us-east-1')).toBeDefined()
    const yesterday = changed(signed, 'authorization', (value) => value.replace('/20260314/', '/20260313/'))
    expect(refusal(() => check(yesterday)).message).toMatch(/^Date in Credential scope does not match YYYYMMDD/)
  })

  it('may use the Date header when there is no X-Amz-Date', () => {
    const dated = request({
      rawHeaders: [
        'Host',
        'h',
        'Date',
        'Sat, 14 Mar 2026 09:26:53 GMT',
        'Authorization',
        'AWS4-HMAC-SHA256 Credential=A/20260314/us-east-1/iam/aws4_request, SignedHeaders=date;host, Signature=00',
      ],
    })

    expect(present(dated)?.amzDate).toBe('20260314T092653Z')
    expect(refusal(() => present(changed(dated, 'date', () => 'yesterday'))).code).toBe('IncompleteSignature')
  })
})

describe('a malformed claim', () => {
  const bad = (authorization: string) => () =>
    present(request({ rawHeaders: ['Host', 'h', 'X-Amz-Date', '20260314T092653Z', 'Authorization', authorization] }))

  it('gets an error with the missing parts, without its text being repeated', () => {
    const { code, message } = refusal(bad('AWS4-HMAC-SHA256 Credential=A/20260314/us-east-1/iam/aws4_request'))

    expect(code).toBe('IncompleteSignature')
    expect(message).toMatch(
      /^Authorization header requires 'Signature' parameter\. Authorization header requires 'SignedHeaders' parameter\. \(Hashed/,
    )
  })

  it.each([
    ['another algorithm', 'AWS4-HMAC-SHA512 Credential=x', "Unsupported AWS 'algorithm'"],
    ['SigV2', 'AWS AKIA:sig', "Unsupported AWS 'algorithm'"],
    ['a short scope', 'AWS4-HMAC-SHA256 Credential=A/iam/aws4_request, SignedHeaders=host, Signature=0', 'exactly 5'],
    [
      'a wrong ending',
      'AWS4-HMAC-SHA256 Credential=A/20260314/r/iam/aws3, SignedHeaders=host, Signature=0',
      'valid terminator',
    ],
    ['a repeated field', 'AWS4-HMAC-SHA256 Signature=0, Signature=1', 'repeated key'],
    [
      'broken header names',
      'AWS4-HMAC-SHA256 Credential=A/20260314/r/iam/aws4_request, SignedHeaders=a;;b, Signature=0',
      'SignedHeaders',
    ],
  ])('with %s is refused', (_what, authorization, words) => {
    expect(refusal(bad(authorization)).message).toContain(words)
  })

  it.each([
    ['capitals among the signed headers', 'host;', 'Host;'],
    ['a no-break space between its parts', ', SignedHeaders', ',\u00a0SignedHeaders'],
  ])('is refused for %s, though a lenient reader would see the same', (_what, from, to) => {
    const signed = changed(sign(request(), credential, iam), 'authorization', (text) => {
      expect(text).toContain(from)
      return text.replace(from, to)
    })

    expect(refusal(() => present(signed)).code).toBe('IncompleteSignature')
  })

  it('must not sign in header and query at once', () => {
    const both = presign(sign(request(), credential, iam), credential, { ...iam, expiresSeconds: 60 })
    const bothS3 = presign(sign(request(), credential, s3), credential, { ...s3, expiresSeconds: 60 })

    expect(refusal(() => present(both)).message).toMatch(/^Only one auth mechanism allowed/)
    expect(refusal(() => present(bothS3)).code).toBe('InvalidArgument')
  })

  it('must not send a steering header twice', () => {
    const signed = sign(request(), credential, iam)

    for (const name of ['authorization', 'x-amz-date', 'X-Amz-Security-Token']) {
      const twice = withHeader(withHeader(signed, name, 'x'), name, 'y')
      expect(refusal(() => present(twice)).code).toBe('IncompleteSignature')
    }
  })
})

describe('a presigned URL', () => {
  const get = request({
    method: 'GET',
    path: '/bucket/a//b',
    body: Buffer.alloc(0),
    rawHeaders: ['Host', 's3.example.com'],
  })
  const s3Only = (signed: HttpRequest, nowMs = NOW) => check(signed, nowMs, ['s3'])

  it('is good until it expires', () => {
    const url = presign(get, credential, { ...s3, expiresSeconds: 3600 })

    expect(s3Only(url, NOW + 3_600_000)).toBeDefined()
    expect(refusal(() => s3Only(url, NOW + 3_601_000))).toEqual({
      code: 'AccessDenied',
      message: 'Request has expired',
      status: 403,
    })
    expect(refusal(() => s3Only(url, NOW - 16 * MINUTE)).message).toBe('Request is not yet valid')
  })

  it('lives a week at most', () => {
    expect(s3Only(presign(get, credential, { ...s3, expiresSeconds: 604_800 }))).toBeDefined()
    const longer = presign(get, credential, { ...s3, expiresSeconds: 604_801 })
    expect(refusal(() => present(longer))).toMatchObject({ code: 'AuthorizationQueryParametersError', status: 400 })
  })

  it.each(['', '-1', '1e3', 'soon'])('with the term %j is refused', (term) => {
    const url = presign(get, credential, { ...s3, expiresSeconds: 60 })
    const odd = { ...url, query: url.query.replace('Expires=60', `Expires=${term}`) }
    expect(refusal(() => s3Only(odd)).code).toBe('AuthorizationQueryParametersError')
  })

  it('for STS lives as long as a signed request, whatever its term says, and for others as long as it says', () => {
    const sts = presign(get, credential, { ...iam, service: 'sts', expiresSeconds: 60 })
    const other = presign(get, credential, { ...iam, expiresSeconds: 60 })

    expect(check(sts, NOW + 14 * MINUTE, ['sts'])).toBeDefined()
    expect(refusal(() => check(sts, NOW + 16 * MINUTE, ['sts'])).message).toMatch(/^Signature expired/)
    expect(refusal(() => check(other, NOW + 61_000)).message).toMatch(/\(20260314T092754Z - 60 sec\.\)$/)
  })

  it('carries its token in the query', () => {
    const url = presign(get, { ...credential, sessionToken: 'a/b+c==' }, { ...s3, expiresSeconds: 60 })

    expect(present(url)?.sessionToken).toBe('a/b+c==')
    expect(s3Only(url)).toBeDefined()
    expect(refusal(() => s3Only({ ...url, query: url.query.replace('a%2Fb', 'a%2Fc') })).code).toBe(
      'SignatureDoesNotMatch',
    )
  })

  it('must not repeat a signing parameter or gain one', () => {
    const url = presign(get, credential, { ...s3, expiresSeconds: 60 })

    expect(refusal(() => present({ ...url, query: `${url.query}&x-amz-signature=0` })).code).toBe('IncompleteSignature')
    expect(refusal(() => s3Only({ ...url, query: `${url.query}&versionId=1` })).code).toBe('SignatureDoesNotMatch')
  })

  it('lets the holder state a body hash, which then must be right', () => {
    const put = presign({ ...get, method: 'PUT', body: Buffer.from('x') }, credential, { ...s3, expiresSeconds: 60 })
    const hashOfX = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'

    expect(s3Only(withHeader(put, 'x-amz-content-sha256', hashOfX))).toBeDefined()
    expect(refusal(() => s3Only(withHeader(put, 'x-amz-content-sha256', hashOfX.replace('2', '3')))).code).toBe(
      'XAmzContentSHA256Mismatch',
    )
  })
})

describe('an unsigned body', () => {
  it('is for S3 alone', () => {
    const toS3 = sign(request(), credential, { ...s3, payload: 'UNSIGNED-PAYLOAD' })
    const toIam = sign(request({ rawHeaders: ['Host', 'h', 'x-amz-content-sha256', 'UNSIGNED-PAYLOAD'] }), credential, {
      ...iam,
      payload: 'UNSIGNED-PAYLOAD',
    })

    expect(check({ ...toS3, body: Buffer.from('anything') }, NOW, ['s3']).toString()).toBe('anything')
    expect(refusal(() => check(toIam)).code).toBe('SignatureDoesNotMatch')
  })

  it('cannot be smuggled in under a hash that was signed for another', () => {
    const signed = sign(request(), credential, s3)
    expect(refusal(() => check({ ...signed, body: Buffer.from('other') }, NOW, ['s3'])).code).toBe(
      'XAmzContentSHA256Mismatch',
    )
  })
})

describe('SigV4a', () => {
  const a = { algorithm: 'AWS4-ECDSA-P256-SHA256', region: 'us-east-1,eu-*' } as const

  it.each(['header', 'query'])('is verified in the %s', (form) => {
    const options = { ...iam, ...a, expiresSeconds: 60 }
    const signed = form === 'header' ? sign(request(), credential, options) : presign(request(), credential, options)

    expect(present(signed)?.region).toBe('*')
    expect(check(signed, NOW, ['iam'], 'eu-central-1')).toBeDefined()
    expect(refusal(() => check(signed, NOW, ['iam'], 'ap-south-1')).message).toMatch(/valid region/)
    expect(refusal(() => check({ ...signed, method: 'PUT' })).code).toBe('SignatureDoesNotMatch')
  })

  it('without a set of Regions is refused', () => {
    const signed = sign(request(), credential, { ...iam, ...a })
    const bare = {
      ...signed,
      rawHeaders: signed.rawHeaders.filter((_, i, all) => !/region-set/i.test(all[i - (i % 2)]!)),
    }
    expect(refusal(() => check(bare)).message).toMatch(/valid region/)
  })
})

describe('the memory of keys', () => {
  it('never lets an old secret in, even when its version was not changed', () => {
    const keys = new SigningKeys(10)
    const signed = sign(request(), credential, iam)
    const options = { skewMs: MINUTE, serviceNames: ['iam'] }
    const presented = present(signed)!

    verify(signed, presented, { secret: credential.secret, version: '' }, keys, NOW, options)

    expect(keys.size).toBe(1)
    expect(refusal(() => verify(signed, presented, { secret: 'rotated', version: '' }, keys, NOW, options)).code).toBe(
      'SignatureDoesNotMatch',
    )
  })

  it('keeps only keys that verified, and only so many', () => {
    const keys = new SigningKeys(2)
    const options = { skewMs: MINUTE, serviceNames: ['iam'] }
    for (const region of ['a', 'b', 'c']) {
      const signed = sign(request(), credential, { ...iam, region })
      verify(signed, present(signed)!, { secret: credential.secret, version: '1' }, keys, NOW, options)
      refusal(() =>
        verify(
          { ...signed, method: 'PUT' },
          { ...present(signed)!, region: 'z' },
          { secret: credential.secret, version: '1' },
          keys,
          NOW,
          options,
        ),
      )
    }
    expect(keys.size).toBe(2)
  })
})
