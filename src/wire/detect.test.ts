/** Which service, protocol and operation a request speaks to. */
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { HttpRequest } from './http.ts'
import { serviceById } from './services.ts'
import { decode, detect, loadService } from './wire.ts'

const scope = (name: string) => [
  'Authorization',
  `AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/${name}/aws4_request, SignedHeaders=host, Signature=0`,
]
const form = ['Content-Type', 'application/x-www-form-urlencoded']
const ask = (rawHeaders: readonly string[], more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  path: '/',
  query: '',
  body: Buffer.alloc(0),
  remoteAddress: '127.0.0.1',
  secure: false,
  ...more,
  rawHeaders,
})

async function found(request: HttpRequest): Promise<string> {
  const { service, protocol, operation } = await detect(request)
  return `${service.id} ${protocol} ${operation}`
}

const body = Buffer.from('Action=GetCallerIdentity&Version=2011-06-15')

describe('detect finds', () => {
  it.each<[what: string, request: HttpRequest, answer: string]>([
    ['a form by its credential scope', ask([...form, ...scope('sts')], { body }), 'sts query GetCallerIdentity'],
    ['an unsigned form by its version', ask(form, { body }), 'sts query GetCallerIdentity'],
    [
      'a form in a presigned GET',
      ask([], { method: 'GET', query: `${body}&X-Amz-Credential=AK%2F20260101%2Fus-east-1%2Fsts%2Faws4_request` }),
      'sts query GetCallerIdentity',
    ],
    [
      'EC2 by its scope',
      ask([...form, ...scope('ec2')], { body: Buffer.from('Action=DescribeVpcs&Version=2016-11-15') }),
      'ec2 ec2 DescribeVpcs',
    ],
    [
      'awsJson by its target',
      ask(['X-Amz-Target', 'TrentService.Encrypt', 'Content-Type', 'application/x-amz-json-1.1']),
      'kms json11 Encrypt',
    ],
    [
      "both of CloudTrail's targets",
      ask(['X-Amz-Target', 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents']),
      'cloudtrail json11 LookupEvents',
    ],
    [
      'CloudWatch in JSON',
      ask([
        'X-Amz-Target',
        'GraniteServiceVersion20100801.PutMetricData',
        'Content-Type',
        'application/x-amz-json-1.0',
      ]),
      'monitoring json10 PutMetricData',
    ],
    [
      'CloudWatch in CBOR',
      ask(['smithy-protocol', 'rpc-v2-cbor'], {
        path: '/service/GraniteServiceVersion20100801/operation/PutMetricData',
      }),
      'monitoring cbor PutMetricData',
    ],
    [
      'CloudWatch in a compressed form',
      ask([...form, 'Content-Encoding', 'gzip', ...scope('monitoring')], {
        body: gzipSync('Action=PutMetricData&Version=2010-08-01'),
      }),
      'monitoring query PutMetricData',
    ],
    [
      'a REST operation by scope and path',
      ask(scope('guardduty'), { method: 'GET', path: '/detector/abc' }),
      'guardduty restjson GetDetector',
    ],
    [
      'the same path of another service',
      ask(scope('inspector2'), { method: 'GET', path: '/tags/arn' }),
      'inspector2 restjson ListTagsForResource',
    ],
    [
      'an unsigned portal by its path',
      ask([], { method: 'GET', path: '/federation/credentials' }),
      'sso restjson GetRoleCredentials',
    ],
    ['a named operation that does not exist', ask(['X-Amz-Target', 'TrentService.Nothing']), 'kms json11 Nothing'],
    ['no operation where REST has none', ask(scope('guardduty'), { path: '/nowhere' }), 'guardduty restjson undefined'],
    [
      'a SigV4a scope, which has no region',
      ask(
        [
          'Authorization',
          'AWS4-ECDSA-P256-SHA256 Credential=AK/20260101/guardduty/aws4_request, SignedHeaders=host, Signature=0',
        ],
        { method: 'GET', path: '/detector' },
      ),
      'guardduty restjson ListDetectors',
    ],
    ['the service without a bucket', ask(scope('s3'), { method: 'GET' }), 's3 restxml ListBuckets'],
    [
      'a bucket in the path',
      ask(scope('s3'), { method: 'GET', path: '/bucket', query: 'list-type=2' }),
      's3 restxml ListObjectsV2',
    ],
    [
      'a bucket in the host',
      ask([...scope('s3'), 'Host', 'bucket.s3.localhost'], { method: 'PUT', path: '/a/b' }),
      's3 restxml PutObject',
    ],
    [
      'a copy by its header',
      ask([...scope('s3'), 'x-amz-copy-source', 'b/k'], { method: 'PUT', path: '/bucket/key' }),
      's3 restxml CopyObject',
    ],
    [
      'a part by its parameters',
      ask(scope('s3'), { method: 'PUT', path: '/bucket/key', query: 'partNumber=1&uploadId=x' }),
      's3 restxml UploadPart',
    ],
  ])('%s', async (_, request, answer) => {
    expect(await found(request)).toBe(answer)
  })
})

describe('detect refuses', () => {
  it.each<[what: string, request: HttpRequest, code: string]>([
    ['an unknown target', ask(['X-Amz-Target', 'Nobody.Nothing']), 'UnknownOperation'],
    [
      'an unknown version without a scope',
      ask(form, { body: Buffer.from('Action=X&Version=1999-01-01') }),
      'UnknownOperation',
    ],
    ['a form without version, scope or host', ask(form, { body: Buffer.from('Action=X') }), 'UnknownOperation'],
    [
      'a form for a service that speaks JSON',
      ask([...form, ...scope('kms')], { body: Buffer.from('Action=ListKeys') }),
      'UnknownOperation',
    ],
    [
      'CBOR for a service that does not speak it',
      ask(['smithy-protocol', 'rpc-v2-cbor'], { path: '/service/TrentService/operation/Encrypt' }),
      'UnknownOperation',
    ],
    ['a form without an action', ask(form, { body: Buffer.from('Version=2011-06-15') }), 'MissingAction'],
    ['nothing', ask([], { method: 'GET' }), 'MissingAuthenticationToken'],
  ])('%s', async (_, request, code) => {
    await expect(detect(request)).rejects.toMatchObject({ name: 'Fault', code })
  })
})

it('the bucket and the greedy key are decoded once', async () => {
  const request = ask(scope('s3'), { method: 'GET', path: '/my%2Dbucket/a%252F/b%20c' })
  const { input } = decode(await detect(request), await loadService(serviceById.get('s3')!), request)

  expect(input).toEqual({ Bucket: 'my-bucket', Key: 'a%2F/b c' })
})
