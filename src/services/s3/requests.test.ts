/** What S3 insists on in a request, as other signers and attackers write them. */
import { createHash } from 'node:crypto'
import { HeadObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it, test } from 'vitest'
import { storage } from './s3.fixture.ts'

const Bucket = 'by-hand'
async function opened() {
  const it = await storage()
  await it.bucket(Bucket)
  return it
}

describe('The path of a request', () => {
  it.each([
    ["a'(b)!*", 'a%27%28b%29%21%2A'],
    ['a+b', 'a%2Bb'],
    ['%c3%a4', '%C3%A4'],
    ['%7e%41', '~A'],
    ['a=b;c,d:e@f$g', 'a%3Db%3Bc%2Cd%3Ae%40f%24g'],
    ['x//../y/', 'x//../y/'],
  ])('%s is signed as %s', async (sent, signed) => {
    const { raw, owner } = await opened()
    const put = await raw({ method: 'PUT', path: `/${Bucket}/${sent}`, signedPath: `/${Bucket}/${signed}`, body: '1' })
    expect(put.status).toBe(200)
    await owner.send(new HeadObjectCommand({ Bucket, Key: decodeURIComponent(sent) }))
  })

  it('is not signed by another one', async () => {
    const { raw } = await opened()
    for (const [path, signedPath] of [
      [`/${Bucket}/a%252Fb`, `/${Bucket}/a%2Fb`],
      [`/${Bucket}/b`, `/${Bucket}/./b`],
      [`/${Bucket}%2Fk`, `/${Bucket}/k`],
      [`/${Bucket}/a b`, `/${Bucket}/a+b`],
    ] as const)
      expect((await raw({ method: 'PUT', path, signedPath, body: '1' })).element('Code')).toBe('SignatureDoesNotMatch')
  })
})

test('a signature that does not match is answered with what was signed here', async () => {
  const { raw, root } = await opened()
  const answer = await raw({ path: `/${Bucket}/k`, signedPath: `/${Bucket}/other` })
  expect(answer.status).toBe(403)
  expect(answer.element('AWSAccessKeyId')).toBe(root.accessKeyId)
  expect(answer.element('CanonicalRequest')).toContain(`GET\n/${Bucket}/k\n`)
  expect(answer.element('StringToSign')).toMatch(/^AWS4-HMAC-SHA256\n/)
  expect(answer.element('CanonicalRequestBytes')).toMatch(/^47 45 54 0a /)
})

test('without x-amz-content-sha256 a signed header is not enough', async () => {
  const { raw } = await opened()
  const bare = await raw({
    path: `/${Bucket}/k`,
    unsigned: true,
    unsignedHeaders: [
      'x-amz-date',
      '20260101T000000Z',
      'Authorization',
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00',
    ],
  })
  expect([bare.status, bare.element('Code'), bare.element('Message')]).toEqual([
    400,
    'InvalidRequest',
    'Missing required header for this request: x-amz-content-sha256',
  ])
})

test('a body of unknown length is not taken', async () => {
  const { raw } = await opened()
  const chunked = { method: 'PUT', path: `/${Bucket}/k`, body: 'abc', signing: { payload: 'UNSIGNED-PAYLOAD' } }
  const answer = await raw({ ...chunked, unsignedHeaders: ['Transfer-Encoding', 'chunked'] })
  expect([answer.status, answer.element('Code')]).toEqual([411, 'MissingContentLength'])
  expect((await raw(chunked)).status).toBe(200)
})

describe('A presigned link', () => {
  const link = { method: 'PUT', path: `/${Bucket}/linked`, body: '1', presigned: true }

  it('carries in its query the headers that its signer moved there', async () => {
    const { raw, owner } = await opened()
    const sum = createHash('sha256').update('1').digest('base64')
    const query = `x-amz-meta-foo=bar%20baz&X-Amz-Meta-Big=1&x-amz-tagging=a%3D1&x-amz-checksum-sha256=${encodeURIComponent(sum)}`
    expect((await raw({ ...link, query })).status).toBe(200)
    const kept = await owner.send(new HeadObjectCommand({ Bucket, Key: 'linked', ChecksumMode: 'ENABLED' }))
    expect(kept).toMatchObject({ Metadata: { foo: 'bar baz', big: '1' }, TagCount: 1, ChecksumSHA256: sum })
  })

  it('is held to them', async () => {
    const { raw } = await opened()
    const wrong = await raw({ ...link, query: `x-amz-checksum-sha256=${encodeURIComponent('A'.repeat(43))}%3D` })
    expect(wrong.element('Code')).toBe('BadDigest')
    const listed = await raw({ ...link, query: 'x-amz-acl=public-read' })
    expect(listed.element('Code')).toBe('AccessControlListNotSupported')
  })

  it('takes no other header of S3, and says which it was', async () => {
    const { raw } = await opened()
    const answer = await raw({ ...link, unsignedHeaders: ['x-amz-meta-foo', 'other', 'x-amz-acl', 'private'] })
    expect([answer.status, answer.element('Code')]).toEqual([403, 'AccessDenied'])
    expect(answer.element('HeadersNotSigned')).toBe('x-amz-meta-foo, x-amz-acl')
  })

  it('says when it expired', async () => {
    const { raw, clock } = await opened()
    const answer = await raw({ ...link, signing: { nowMs: clock.now() - 601_000 } })
    expect([answer.element('Message'), answer.element('X-Amz-Expires')]).toEqual(['Request has expired', '600'])
    expect(answer.element('Expires')).toMatch(/^\d{4}-.*Z$/)
    expect(answer.element('ServerTime')).toMatch(/^\d{4}-.*Z$/)
  })
})

test('an upload by form is named as not built, in XML', async () => {
  const { raw } = await opened()
  const answer = await raw({
    method: 'POST',
    path: `/${Bucket}`,
    unsigned: true,
    headers: ['Content-Type', 'multipart/form-data; boundary=x'],
    body: '--x--',
  })
  expect([answer.status, answer.element('Code')]).toEqual([501, 'NotImplemented'])
  expect(answer.element('Message')).toContain('PostObject')
})

test('a request without a signature is refused in XML, whatever it is for', async () => {
  const { raw } = await opened()
  for (const asked of [
    { path: `/${Bucket}/k` },
    { path: `/${Bucket}` },
    { path: '/never-made/k' },
    { method: 'PUT', path: `/${Bucket}/k`, body: '1' },
    { path: '/k', host: `${Bucket}.s3.us-east-1.amazonaws.com` },
  ]) {
    const answer = await raw({ ...asked, unsigned: true })
    expect([answer.status, answer.element('Code'), answer.element('Message')]).toEqual([
      403,
      'AccessDenied',
      'Access Denied',
    ])
  }
})

describe('DeleteObjects', () => {
  const body = '<Delete><Object><Key>k</Key></Object></Delete>'
  const batch = { method: 'POST', path: `/${Bucket}`, query: 'delete', body }
  const md5 = (text: string) => createHash('md5').update(text).digest('base64')
  const sha256 = (text: string) => createHash('sha256').update(text).digest('base64')

  it('needs a digest of its document, and is held to it', async () => {
    const { raw } = await opened()
    const code = async (...headers: string[]) => {
      const answer = await raw({ ...batch, headers })
      return answer.element('Code') ?? answer.status
    }
    expect(await code()).toBe('InvalidRequest')
    expect((await raw(batch)).element('Message')).toBe(
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    )
    expect(await code('Content-MD5', 'none')).toBe('InvalidDigest')
    expect(await code('Content-MD5', md5('other'))).toBe('BadDigest')
    expect(await code('x-amz-checksum-sha256', 'none')).toBe('InvalidRequest')
    expect(await code('x-amz-checksum-sha256', sha256('other'))).toBe('BadDigest')
    expect(await code('Content-MD5', md5(body))).toBe(200)
    expect(await code('x-amz-checksum-sha256', sha256(body))).toBe(200)
  })
})

describe('No answer is run as a page', () => {
  const nosniff = { 'x-content-type-options': 'nosniff' }

  it('of an object, nor an error', async () => {
    const { raw } = await opened()
    const html = ['Content-Type', 'text/html']
    await raw({ method: 'PUT', path: `/${Bucket}/page`, headers: html, body: '<script>alert(1)</script>' })
    const page = await raw({ path: `/${Bucket}/page` })
    expect(page.headers).toMatchObject({
      ...nosniff,
      'content-type': 'text/html',
      'content-security-policy': 'sandbox',
    })
    expect((await raw({ method: 'HEAD', path: `/${Bucket}/page` })).headers).toMatchObject(nosniff)
    expect((await raw({ path: `/${Bucket}/missing` })).headers).toMatchObject(nosniff)
    expect((await raw({ path: `/${Bucket}/page`, unsigned: true })).headers).toMatchObject(nosniff)
    expect((await raw({ path: `/${Bucket}`, query: 'list-type=2' })).headers).toMatchObject(nosniff)
  })
})

describe('What a header or a document may say', () => {
  it.each([
    ['PUT', `/${Bucket}/k`, '', ['x-amz-storage-class', 'SLOW'], '', 'InvalidStorageClass', 'StorageClassRequested'],
    ['PUT', `/${Bucket}/k`, '', ['x-amz-acl', 'all'], '', 'InvalidArgument', 'ArgumentValue'],
    ['PUT', `/${Bucket}/k`, '', ['x-amz-server-side-encryption', 'rot13'], '', 'InvalidArgument', 'ArgumentName'],
    ['PUT', `/${Bucket}/k`, '', ['x-amz-sdk-checksum-algorithm', 'CRC1'], '', 'InvalidRequest', 'Message'],
    ['PUT', `/${Bucket}/k`, '', ['If-None-Match', '"tag"'], '', 'NotImplemented', 'additionalMessage'],
    ['GET', `/${Bucket}`, 'encoding-type=base64', [], '', 'InvalidArgument', 'ArgumentValue'],
    ['GET', `/${Bucket}`, 'list-type=2&max-keys=-1', [], '', 'InvalidArgument', 'ArgumentName'],
    [
      'PUT',
      `/${Bucket}`,
      'tagging',
      [],
      '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>',
      'MalformedXML',
      'Message',
    ],
    ['PUT', `/${Bucket}`, 'tagging', [], '', 'MissingRequestBodyError', 'Message'],
    ['PUT', `/${Bucket}`, 'policy', [], '', 'MissingRequestBodyError', 'Message'],
  ] as const)('%s %s?%s %s %s is %s', async (method, path, query, headers, body, code, element) => {
    const { raw } = await opened()
    const answer = await raw({ method, path, query, headers, body })
    expect(answer.element('Code')).toBe(code)
    expect(answer.element(element)).toMatch(/./)
    expect(answer.text).not.toContain('validation error')
  })

  it('writes the mode of checksums in any case', async () => {
    const { raw } = await opened()
    const sum = createHash('sha256').update('1').digest('base64')
    await raw({ method: 'PUT', path: `/${Bucket}/k`, headers: ['x-amz-checksum-sha256', sum], body: '1' })
    for (const mode of ['enabled', 'ENABLED', 'Enabled']) {
      const { headers } = await raw({ path: `/${Bucket}/k`, headers: ['x-amz-checksum-mode', mode] })
      expect(headers['x-amz-checksum-sha256']).toBe(sum)
    }
  })
})

test.each([
  ['us-east-1', 'foo', 'InvalidLocationConstraint'],
  ['us-east-1', 'us-east-1', 'InvalidLocationConstraint'],
  ['eu-west-1', 'foo', 'IllegalLocationConstraintException'],
  ['eu-west-1', '', 'IllegalLocationConstraintException'],
])('from %s no bucket is made in %s', async (region, location, code) => {
  const { raw } = await storage()
  const constraint = `<LocationConstraint>${location}</LocationConstraint>`
  const body = location && `<CreateBucketConfiguration>${constraint}</CreateBucketConfiguration>`
  const answer = await raw({ method: 'PUT', path: `/${Bucket}`, body, signing: { region } })
  expect([answer.status, answer.element('Code')]).toEqual([400, code])
  if (region === 'us-east-1') expect(answer.element('LocationConstraint')).toBe(location)
})
