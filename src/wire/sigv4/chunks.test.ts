/** Bodies in signed chunks, against the two examples of the S3 documentation and against everyone who tampers. */
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Fault } from '../fault.ts'
import type { HttpRequest } from '../http.ts'
import { sha256Hex } from './canonical.ts'
import { present, SigningKeys, sign, verify } from './index.ts'
import { hmacKey } from './keys.ts'

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html
const CREDENTIAL = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const NOW = Date.UTC(2013, 4, 24)
const BIG = 'a'.repeat(65_536)
const SMALL = 'a'.repeat(1_024)

function upload(body: string, payload: string, signature: string, extra: readonly string[] = []): HttpRequest {
  const names = [
    'content-encoding',
    'host',
    'x-amz-content-sha256',
    'x-amz-date',
    'x-amz-decoded-content-length',
    'x-amz-storage-class',
  ]
  if (extra.length > 0) names.push('x-amz-trailer')
  else names.splice(1, 0, 'content-length')
  return {
    method: 'PUT',
    path: '/examplebucket/chunkObject.txt',
    query: '',
    rawHeaders: [
      'Host',
      's3.amazonaws.com',
      'x-amz-date',
      '20130524T000000Z',
      'x-amz-storage-class',
      'REDUCED_REDUNDANCY',
      'Authorization',
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names.join(';')},Signature=${signature}`,
      'x-amz-content-sha256',
      payload,
      'Content-Encoding',
      'aws-chunked',
      'x-amz-decoded-content-length',
      '66560',
      'Content-Length',
      '66824',
      ...extra,
    ],
    body: Buffer.from(body, 'latin1'),
    remoteAddress: '192.0.2.1',
    secure: true,
  }
}

const chunk = (data: string, signature: string) =>
  `${data.length.toString(16)};chunk-signature=${signature}\r\n${data}\r\n`

const documented = upload(
  chunk(BIG, 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648') +
    chunk(SMALL, '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497') +
    chunk('', 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'),
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
)
const trailed = upload(
  chunk(BIG, 'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2') +
    chunk(SMALL, '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7') +
    '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n' +
    'x-amz-checksum-crc32c:sOO8/Q==\n\r\n' +
    'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
  ['x-amz-trailer', 'x-amz-checksum-crc32c'],
)

function open(request: HttpRequest): Buffer {
  const presented = present(request)!
  return verify(request, presented, { secret: CREDENTIAL.secret, version: '1' }, new SigningKeys(1), NOW, {
    skewMs: 60_000,
    serviceNames: ['s3'],
  }).body
}

function code(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return error.code
    throw error
  }
  return 'accepted'
}

const edited = (request: HttpRequest, edit: (body: string) => string): HttpRequest => ({
  ...request,
  body: Buffer.from(edit(request.body.toString('latin1')), 'latin1'),
})

/** A fresh upload of these chunks, signed here link by link. */
function signedUpload(chunks: readonly string[]): HttpRequest {
  const payload = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
  const options = { region: 'us-east-1', service: 's3', nowMs: NOW, payload }
  const decoded = Buffer.byteLength(chunks.join(''))
  const bare = { ...documented, rawHeaders: ['Host', 'h', 'x-amz-decoded-content-length', String(decoded)] }
  const request = sign(bare, CREDENTIAL, options)
  const presented = present(request)!
  const key = hmacKey(presented, CREDENTIAL.secret)
  let previous = presented.signature
  const lines = [...chunks, ''].map((data) => {
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n${previous}\n${sha256Hex('')}\n${sha256Hex(data)}`
    previous = createHmac('sha256', key).update(text).digest('hex')
    return chunk(data, previous)
  })
  return { ...request, body: Buffer.from(lines.join('')) }
}

describe('a body in signed chunks', () => {
  it("is AWS's documented example, decoded", () => {
    expect(open(documented).toString()).toBe(BIG + SMALL)
  })

  it("with a trailer is AWS's documented example, decoded", () => {
    expect(open(trailed).toString()).toBe(BIG + SMALL)
  })

  it('may be empty', () => {
    expect(open(signedUpload([])).length).toBe(0)
  })

  it('does not survive a changed, moved or repeated chunk', () => {
    // Only the last chunk may be small.
    const full = '.'.repeat(8_192)
    const upload = signedUpload([`${full}first`, `${full}other`])
    const [first, other, last] = upload.body.toString().split(/(?<=first\r\n|other\r\n)/)

    expect(open(upload).toString()).toBe(`${full}first${full}other`)
    for (const body of [
      upload.body.toString().replace('.other', '.Other'),
      `${other}${first}${last}`,
      `${first}${first}${last}`,
      `${first}${last}`,
    ]) {
      expect(code(() => open({ ...upload, body: Buffer.from(body) }))).toBe('SignatureDoesNotMatch')
    }
  })

  it.each<[string, (body: string) => string]>([
    ['the last chunk is missing', (body) => body.slice(0, body.lastIndexOf('0;chunk'))],
    ['a chunk is cut', (body) => body.slice(0, 40_000)],
    ['a size is no number', (body) => body.replace('10000;', '1000x;')],
    ['a signature is missing', (body) => body.replace(/;chunk-signature=[0-9a-f]+/, '')],
    ['something follows the end', (body) => `${body}GET / HTTP/1.1\r\n`],
    ['nothing is there', () => ''],
  ])('is incomplete when %s', (_what, edit) => {
    expect(code(() => open(edited(documented, edit)))).toBe('IncompleteBody')
  })

  it('has the length it announced, and announces one', () => {
    const upload = signedUpload(['four'])
    expect(code(() => open(upload))).toBe('accepted')
    const silent = { ...documented, rawHeaders: ['Host', 'h'] }
    const framed = { region: 'us-east-1', service: 's3', nowMs: NOW, payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }
    expect(code(() => open(sign(silent, CREDENTIAL, framed)))).toBe('MissingContentLength')
    const options = { region: 'us-east-1', service: 's3', nowMs: NOW, payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }
    const plain = (announced: string) =>
      sign(
        {
          ...upload,
          rawHeaders: ['Host', 'h', 'x-amz-decoded-content-length', announced],
          body: Buffer.from('4\r\nfour\r\n0\r\n\r\n'),
        },
        CREDENTIAL,
        options,
      )
    expect(open(plain('4')).toString()).toBe('four')
    expect(code(() => open(plain('5')))).toBe('IncompleteBody')
  })

  it('has chunks of 8 KiB at least, but for the last one', () => {
    const full = '.'.repeat(8_192)
    expect(open(signedUpload([full, full, 'x'])).toString()).toBe(`${full}${full}x`)
    expect(code(() => open(signedUpload([full, full.slice(1), 'x'])))).toBe('InvalidChunkSizeError')
    expect(code(() => open(signedUpload(['x', 'y'])))).toBe('InvalidChunkSizeError')
  })

  it('is read without being changed', () => {
    const full = '.'.repeat(8_192)
    const upload = signedUpload([`${full}first`, `${full}other`])
    expect(open(upload).equals(open(upload))).toBe(true)
  })

  it('has the trailer it announced, signed', () => {
    expect(code(() => open(edited(trailed, (body) => body.replace('sOO8', 'sOO9'))))).toBe('SignatureDoesNotMatch')
    expect(code(() => open(edited(trailed, (body) => body.replace('crc32c:', 'crc32:'))))).toBe('MalformedTrailerError')
    expect(code(() => open(edited(trailed, (body) => body.replace(/x-amz-trailer-signature.*\r\n/, ''))))).toBe(
      'SignatureDoesNotMatch',
    )
  })
})

describe('an unsigned body with a trailer', () => {
  const plain = (body: string, trailer = 'x-amz-checksum-sha256') =>
    sign(
      {
        ...documented,
        rawHeaders: ['Host', 'h', 'x-amz-trailer', trailer, 'x-amz-decoded-content-length', '5'],
        body: Buffer.from(body),
      },
      CREDENTIAL,
      { region: 'us-east-1', service: 's3', nowMs: NOW, payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
    )
  const sum = Buffer.from(sha256Hex('hello'), 'hex').toString('base64')

  it('is checked against the sum in its trailer', () => {
    expect(open(plain(`5\r\nhello\r\n0\r\nx-amz-checksum-sha256:${sum}\r\n\r\n`)).toString()).toBe('hello')
    expect(code(() => open(plain(`5\r\nHello\r\n0\r\nx-amz-checksum-sha256:${sum}\r\n\r\n`)))).toBe('BadDigest')
    expect(code(() => open(plain('5\r\nhello\r\n0\r\n\r\n')))).toBe('MalformedTrailerError')
  })

  it('has chunks of 8 KiB at least, but for the last one', () => {
    const pieces = '2\r\nhe\r\n3\r\nllo\r\n'
    expect(code(() => open(plain(`${pieces}0\r\nx-amz-checksum-sha256:${sum}\r\n\r\n`)))).toBe('InvalidChunkSizeError')
  })
})
