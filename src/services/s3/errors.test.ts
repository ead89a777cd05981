/** The documents of S3's errors carry what they are about; lists, parts and tags answer as AWS answers. */
import { describe, expect, it, test } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import { type RawRequest, storage } from './s3.fixture.ts'

const Bucket = 'told-apart'
const other = 'other-bucket'
async function opened() {
  const it = await storage()
  await it.bucket(Bucket)
  await it.put(Bucket, 'k', '0123456789')
  return it
}

const inBucket = (query: string): RawRequest => ({ path: `/${Bucket}`, query })
const put = (headers: readonly string[], key = 'k'): RawRequest => ({
  method: 'PUT',
  path: `/${Bucket}/${key}`,
  headers,
  body: '1',
})
const get = (...headers: readonly string[]): RawRequest => ({ path: `/${Bucket}/k`, headers })
const version = 'v'.repeat(32)

const cases: readonly (readonly [what: string, asked: RawRequest, code: string, elements: Record<string, string>])[] = [
  ['a bucket that is not there', { path: '/no-such/k' }, 'NoSuchBucket', { BucketName: 'no-such' }],
  ['a list of it', { path: '/no-such', query: 'list-type=2' }, 'NoSuchBucket', { BucketName: 'no-such' }],
  ['an object', { path: `/${Bucket}/a%20b` }, 'NoSuchKey', { Key: 'a b' }],
  ['tags of an object', { path: `/${Bucket}/none`, query: 'tagging' }, 'NoSuchKey', { Key: 'none' }],
  [
    'a version',
    { path: `/${Bucket}/k`, query: `versionId=${version}` },
    'NoSuchVersion',
    { Key: 'k', VersionId: version },
  ],
  [
    'tags of a version',
    { path: `/${Bucket}/k`, query: `tagging&versionId=${version}` },
    'NoSuchVersion',
    { VersionId: version },
  ],
  ['no version', { path: `/${Bucket}/k`, query: 'versionId=' }, 'InvalidArgument', { ArgumentName: 'versionId' }],
  ['a word for a version', { path: `/${Bucket}/k`, query: 'versionId=x' }, 'InvalidArgument', { ArgumentValue: 'x' }],
  [
    'deleting one',
    { method: 'DELETE', path: `/${Bucket}/k`, query: 'versionId=x' },
    'InvalidArgument',
    { ArgumentValue: 'x' },
  ],
  ['a policy', inBucket('policy'), 'NoSuchBucketPolicy', { BucketName: Bucket }],
  ['a status of none', inBucket('policyStatus'), 'NoSuchBucketPolicy', { BucketName: Bucket }],
  ['tags', inBucket('tagging'), 'NoSuchTagSet', { BucketName: Bucket }],
  ['rules for origins', inBucket('cors'), 'NoSuchCORSConfiguration', { BucketName: Bucket }],
  ['a lifecycle', inBucket('lifecycle'), 'NoSuchLifecycleConfiguration', { BucketName: Bucket }],
  ['a website', inBucket('website'), 'NoSuchWebsiteConfiguration', { BucketName: Bucket }],
  ['a lock', inBucket('object-lock'), 'ObjectLockConfigurationNotFoundError', { BucketName: Bucket }],
  ['deleting what is not empty', { method: 'DELETE', path: `/${Bucket}` }, 'BucketNotEmpty', { BucketName: Bucket }],
  ['a bad name', { method: 'PUT', path: '/Bad_Name' }, 'InvalidBucketName', { BucketName: 'Bad_Name' }],
  ['a range', get('Range', 'bytes=99-'), 'InvalidRange', { RangeRequested: 'bytes=99-', ActualObjectSize: '10' }],
  ['If-Match', get('If-Match', '"x"'), 'PreconditionFailed', { Condition: 'If-Match' }],
  [
    'a time',
    get('If-Unmodified-Since', 'Thu, 01 Jan 2015 00:00:00 GMT'),
    'PreconditionFailed',
    { Condition: 'If-Unmodified-Since' },
  ],
  ['a write where something is', put(['If-None-Match', '*']), 'PreconditionFailed', { Condition: 'If-None-Match' }],
  ['a write over another', put(['If-Match', '"x"']), 'PreconditionFailed', { Condition: 'If-Match' }],
  ['a write over nothing', put(['If-Match', '*'], 'new'), 'NoSuchKey', { Key: 'new' }],
  ['a write on a tag', put(['If-None-Match', '"x"']), 'NotImplemented', { Header: 'If-None-Match' }],
  [
    'a write on two',
    put(['If-None-Match', '*', 'If-Match', '"x"']),
    'NotImplemented',
    { Header: 'If-Match,If-None-Match' },
  ],
  ['a long key', put([], 'k'.repeat(1_025)), 'KeyTooLongError', { Size: '1025', MaxSizeAllowed: '1024' }],
  ['much metadata', put(['x-amz-meta-a', 'x'.repeat(3_000)]), 'MetadataTooLarge', { MaxSizeAllowed: '2048' }],
  ['a digest that is none', put(['Content-MD5', 'none']), 'InvalidDigest', { 'Content-MD5': 'none' }],
  [
    'another digest',
    put(['Content-MD5', '1B2M2Y8AsgTpgAmy7PhCfg==']),
    'BadDigest',
    { ExpectedDigest: '1B2M2Y8AsgTpgAmy7PhCfg==' },
  ],
  ['two sums', put(['x-amz-checksum-crc32', 'AAAAAA==', 'x-amz-checksum-crc32c', 'AAAAAA==']), 'InvalidRequest', {}],
  ...['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'].map(
    (name) =>
      [
        `a ${name} that is none`,
        put([`x-amz-checksum-${name}`, 'none']),
        'InvalidRequest',
        { Message: `Value for x-amz-checksum-${name} header is invalid.` },
      ] as const,
  ),
  ['tags twice', put(['x-amz-tagging', 'a=1&a=2']), 'InvalidArgument', { ArgumentName: 'x-amz-tagging' }],
  ['tags that are not encoded', put(['x-amz-tagging', 'a=%zz']), 'InvalidArgument', { ArgumentName: 'x-amz-tagging' }],
  ['a tag of the system', put(['x-amz-tagging', 'aws%3Ax=1']), 'InvalidTag', { TagKey: 'aws:x' }],
  ['a tag with a comma', put(['x-amz-tagging', 'a%2Cb=1']), 'InvalidTag', { TagKey: 'a,b' }],
  ['a value with one', put(['x-amz-tagging', 'a=%2C']), 'InvalidTag', { TagKey: 'a', TagValue: ',' }],
  [
    'a part too many',
    { path: `/${Bucket}/k`, query: 'partNumber=2' },
    'InvalidPartNumber',
    { PartNumberRequested: '2', ActualPartCount: '1' },
  ],
  ['a part of a range', { ...get('Range', 'bytes=0-1'), query: 'partNumber=1' }, 'InvalidRequest', {}],
  [
    'a token of no list',
    inBucket('list-type=2&continuation-token=x'),
    'InvalidArgument',
    { ArgumentName: 'continuation-token' },
  ],
  [
    'a skewed clock',
    { ...get(), signing: { nowMs: 0 } },
    'RequestTimeTooSkewed',
    { MaxAllowedSkewMilliseconds: '900000' },
  ],
  [
    'another body',
    { ...put([]), signing: { payload: 'a'.repeat(64) } },
    'XAmzContentSHA256Mismatch',
    { ClientComputedContentSHA256: 'a'.repeat(64) },
  ],
  [
    'a hash that is none',
    { ...put([]), signing: { payload: 'x' } },
    'InvalidArgument',
    { ArgumentName: 'x-amz-content-sha256' },
  ],
]

describe('An error', () => {
  it.each(cases)('about %s says what it is about', async (_what, asked, code, elements) => {
    const { raw } = await opened()
    const answer = await raw(asked)
    expect(answer.element('Code')).toBe(code)
    for (const [name, text] of Object.entries(elements)) expect([name, answer.element(name)]).toEqual([name, text])
    expect(answer.element('RequestId')).toBe(answer.headers['x-amz-request-id'])
    expect(answer.element('HostId')).toBe(answer.headers['x-amz-id-2'])
  })
})

test('what has not changed is answered with its tag', async () => {
  const { raw } = await opened()
  const { headers } = await raw(get())
  const same = await raw(get('If-None-Match', headers['etag']!))
  expect([same.status, same.text, same.headers['etag']]).toEqual([304, '', headers['etag']])
})

test('an object is its own first part', async () => {
  const { raw, put: write } = await opened()
  const part = (method: string, key: string) => raw({ method, path: `/${Bucket}/${key}`, query: 'partNumber=1' })
  for (const method of ['GET', 'HEAD']) {
    const { status, headers } = await part(method, 'k')
    expect([status, headers['content-range']]).toEqual([206, 'bytes 0-9/10'])
  }
  await write(Bucket, 'empty', '')
  expect((await part('GET', 'empty')).status).toBe(200)
})

test('names of lists are encoded, and slashes are not', async () => {
  const { raw, put: write } = await opened()
  for (const key of ['a/b c+(d).txt', 'e/f/ü']) await write(Bucket, key)
  for (const [query, names] of [
    ['list-type=2&encoding-type=url', ['a/b%20c%2B%28d%29.txt', 'e/f/%C3%BC', 'k']],
    ['encoding-type=url', ['a/b%20c%2B%28d%29.txt', 'e/f/%C3%BC', 'k']],
    ['versions&encoding-type=url', ['a/b%20c%2B%28d%29.txt', 'e/f/%C3%BC', 'k']],
  ] as const) {
    const { text } = await raw(inBucket(query))
    expect([...text.matchAll(/<Key>([^<]*)</g)].map(([, key]) => key)).toEqual(names)
  }
  const folded = await raw(inBucket('list-type=2&encoding-type=url&prefix=e%2F&delimiter=%2F'))
  expect([folded.element('Delimiter'), folded.text.includes('<Prefix>e/f/</Prefix>')]).toEqual(['/', true])
})

test('an entry of a list says which sum the object has', async () => {
  const { raw } = await opened()
  await raw(put(['x-amz-checksum-crc32', 'g9zu9w==']))
  const sum = '<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>'
  await raw(put(['x-amz-checksum-sha1', 'NWoZK3kTsExUV00Ywo1G5jlUKKs='], 'sha'))
  for (const query of ['list-type=2&prefix=sha', 'prefix=sha', 'versions&prefix=sha'])
    expect((await raw(inBucket(query))).text).toContain(sum.replace('CRC32', 'SHA1'))
})

describe('Tags of buckets', () => {
  const tagging = (...pairs: readonly (readonly [string, string])[]): RawRequest => ({
    method: 'PUT',
    ...inBucket('tagging'),
    body: `<Tagging><TagSet>${pairs.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join('')}</TagSet></Tagging>`,
  })

  it('are none after an empty set, and differ by case', async () => {
    const { raw } = await opened()
    expect((await raw(tagging(['a', '1'], ['A', '2'], ['ünï code', 'x+y=z@w:/.-_']))).status).toBeLessThan(300)
    expect((await raw(inBucket('tagging'))).text.match(/<Tag>/g)).toHaveLength(3)
    await raw(tagging())
    expect((await raw(inBucket('tagging'))).element('Code')).toBe('NoSuchTagSet')
  })

  it.each([
    ['', 'x'],
    ['a,b', 'x'],
    ['a'.repeat(129), 'x'],
    ['a', 'x;'],
    ['a', 'x'.repeat(257)],
  ])('are not %s = %s', async (key, value) => {
    const { raw } = await opened()
    expect((await raw(tagging([key, value]))).element('Code')).toBe('InvalidTag')
  })
})

describe('A policy', () => {
  const ARN = `arn:aws:s3:::${Bucket}`
  const Principal = { AWS: `arn:aws:iam::${ACCOUNT}:root` }
  const statement = (more: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, ...more }] })
  const [action, resource] = ['Policy has invalid action', 'Policy has invalid resource']
  const apart = 'Action does not apply to any resource(s) in statement'

  it.each([
    ['', 'MissingRequestBodyError', undefined],
    ['[]', 'MalformedPolicy', "Policies must be valid JSON and the first byte must be '{'"],
    ['{', 'MalformedPolicy', 'This policy contains invalid Json'],
    ['{}', 'MalformedPolicy', 'Missing required field Statement'],
    ['{"Statement":[]}', 'MalformedPolicy', 'Could not parse the policy: Statement is empty!'],
    ['{"Statement":[null]}', 'MalformedPolicy', 'This policy contains invalid Json'],
    [statement({ Resource: `${ARN}/*` }), 'MalformedPolicy', 'Missing required field Action'],
    [statement({ Action: 's3:*' }), 'MalformedPolicy', 'Missing required field Resource'],
    [statement({ Action: 'ec2:RunInstances', Resource: `${ARN}/*` }), 'MalformedPolicy', action],
    [statement({ Action: 's3:Nothing', Resource: `${ARN}/*` }), 'MalformedPolicy', action],
    [statement({ Action: ['s3:GetObject', 's3:Nothing*'], Resource: `${ARN}/*` }), 'MalformedPolicy', action],
    [statement({ Action: 's3:ListBucket', Resource: `${ARN}/*` }), 'MalformedPolicy', apart],
    [statement({ Action: 's3:GetObject', Resource: ARN }), 'MalformedPolicy', apart],
    [statement({ Action: ['s3:GetObject', 's3:ListBucket'], Resource: `${ARN}/*` }), 'MalformedPolicy', apart],
    [statement({ Action: 's3:ListAllMyBuckets', Resource: [ARN, `${ARN}/*`] }), 'MalformedPolicy', apart],
    [statement({ Action: 's3:GetObject', Resource: `arn:aws:s3:::${other}/*` }), 'MalformedPolicy', resource],
    [
      statement({ Action: 's3:GetObject', Resource: `${ARN}/*`, Condition: { StringEquals: { 's3:nothing': 'x' } } }),
      'MalformedPolicy',
      'Policy has an invalid condition key',
    ],
    [
      statement({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/none` }, Action: 's3:*', Resource: ARN }),
      'MalformedPolicy',
      'Invalid principal in policy',
    ],
  ] as const)('%s is not put', async (body, code, message) => {
    const { raw } = await opened()
    const answer = await raw({ method: 'PUT', ...inBucket('policy'), body })
    expect(answer.element('Code')).toBe(code)
    if (message) expect(answer.text).toContain(`<Message>${message}</Message>`)
  })

  it.each([
    { Action: '*', Resource: `${ARN}/*` },
    { Action: 's3:*', Resource: ARN },
    { Action: 'S3:getobject', Resource: `${ARN}/*` },
    { Action: ['s3:GetObject', 's3:ListBucket'], Resource: `${ARN}*` },
    { Action: ['s3:GetObject', 's3:ListBucket'], Resource: [ARN, `${ARN}/*`] },
    { Action: 's3:Get*', Resource: ARN, Condition: { StringLike: { 's3:ExistingObjectTag/a': 'x' } } },
  ])('of %j is put', async (more) => {
    const { raw } = await opened()
    expect((await raw({ method: 'PUT', ...inBucket('policy'), body: statement(more) })).status).toBeLessThan(300)
  })
})

test('events have the names of permissions, and policies as objects', async () => {
  const it = await opened()
  const policy = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 's3:ListBucket', Resource: `arn:aws:s3:::${Bucket}` },
    ],
  }
  await it.raw({ method: 'PUT', ...inBucket('policy'), body: JSON.stringify(policy) })
  const block =
    '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>'
  await it.raw({ method: 'PUT', ...inBucket('publicAccessBlock'), body: block })
  await it.raw(inBucket('publicAccessBlock'))
  await it.raw({ method: 'DELETE', ...inBucket('publicAccessBlock') })
  await it.raw(inBucket('lifecycle'))
  const events = (await it.store.evidence(0, 1_000)).map(({ body }) => JSON.parse(body))
  const last = (name: string) => events.findLast(({ eventName }) => eventName === name)
  expect(last('PutBucketPolicy').requestParameters).toEqual({ bucketName: Bucket, bucketPolicy: policy })
  expect(last('PutBucketPublicAccessBlock').requestParameters).toEqual({
    bucketName: Bucket,
    PublicAccessBlockConfiguration: { BlockPublicAcls: true },
  })
  expect(last('GetBucketLifecycle')).toMatchObject({
    errorCode: 'NoSuchLifecycleConfiguration',
    additionalEventData: { SignatureVersion: 'SigV4', AuthenticationMethod: 'AuthHeader' },
  })
  for (const name of ['GetBucketPublicAccessBlock', 'DeleteBucketPublicAccessBlock']) expect(last(name)).toBeDefined()
  expect(events.filter(({ eventName }) => /^(Get|Put|Delete)PublicAccessBlock$/.test(eventName))).toEqual([])
})
