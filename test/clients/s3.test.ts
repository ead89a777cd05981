/** S3 as other people's clients speak it: `aws s3`, presigned URLs through curl, boto3 in both addressing styles. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kept } from '../kept.ts'
import { type Running, startMerlon, temporaryFolder } from '../process.ts'
import { environmentFor, run } from './command.ts'

let server: Running
const data = join(temporaryFolder(), 'data')

beforeAll(async () => {
  server = await startMerlon(['--data', data])
})
afterAll(() => server?.stop())

async function did(program: string, ...words: readonly string[]): Promise<string> {
  const ended = await run(program, words, {
    ...environmentFor(server.url, server.accounts[0] ?? keys),
    ...configuration,
  })
  if (ended.status !== 0) throw new Error(`${program} ${words.join(' ')}: ${ended.stderr}${ended.stdout}`)
  return ended.stdout
}
const configuration = { AWS_CONFIG_FILE: join(temporaryFolder(), 'config') }
const keys = { accessKeyId: '', secretAccessKey: '' }
const aws = (...words: readonly string[]) => did('aws', ...words)

test('aws s3 makes a bucket, copies files there and back, lists, synchronises and removes', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'tree', 'deep'), { recursive: true })
  const bytes = randomBytes(5_000_000)
  writeFileSync(join(folder, 'tree', 'a.bin'), bytes)
  writeFileSync(join(folder, 'tree', 'deep', 'b c&d.txt'), 'b')
  expect(await aws('s3', 'mb', 's3://by-the-cli')).toContain('make_bucket: by-the-cli')
  await aws('s3', 'sync', join(folder, 'tree'), 's3://by-the-cli/tree')
  expect(await aws('s3', 'ls', 's3://by-the-cli/tree/')).toMatch(/PRE deep\/\n.*5000000 a\.bin\n/)
  expect(await aws('s3', 'ls', '--recursive', 's3://by-the-cli')).toContain('tree/deep/b c&d.txt')
  await aws('s3', 'cp', 's3://by-the-cli/tree/a.bin', join(folder, 'back.bin'))
  expect(readFileSync(join(folder, 'back.bin')).equals(bytes)).toBe(true)
  expect(await aws('s3', 'sync', join(folder, 'tree'), 's3://by-the-cli/tree')).toBe('')
  await aws('s3', 'rm', '--recursive', 's3://by-the-cli/tree')
  await aws('s3', 'rb', 's3://by-the-cli')
  expect(await aws('s3', 'ls')).not.toContain('by-the-cli')
})

test('a presigned URL works for every client that has it, and for none once it was changed', async () => {
  await aws('s3', 'mb', 's3://signed-links')
  const file = join(temporaryFolder(), 'f')
  writeFileSync(file, 'for the holder')
  await aws('s3', 'cp', file, 's3://signed-links/a b.txt')
  // Against a custom endpoint the client signs links by the old version, unless it is configured otherwise.
  const old = (await aws('s3', 'presign', 's3://signed-links/a b.txt')).trim()
  expect(await did('curl', '-sS', old)).toContain('Please use AWS4-HMAC-SHA256')
  await aws('configure', 'set', 'default.s3.signature_version', 's3v4')
  const url = (await aws('s3', 'presign', 's3://signed-links/a b.txt')).trim()
  expect(await did('curl', '-sS', url)).toBe('for the holder')
  const other = url.replace('a%20b.txt', 'c.txt')
  expect(other).not.toBe(url)
  expect(await did('curl', '-sS', other)).toContain('<Code>SignatureDoesNotMatch</Code>')
  expect(await did('curl', '-sS', url.split('?')[0]!)).toContain('<Message>Access Denied</Message>')
})

const python = `
import boto3, botocore, io, socket, sys, urllib.request
from botocore.config import Config
from botocore.exceptions import ClientError
resolve = socket.getaddrinfo # not every machine resolves names below localhost
socket.getaddrinfo = lambda host, *rest, **named: resolve('127.0.0.1' if str(host).endswith('localhost') else host, *rest, **named)
for style in ('path', 'virtual'):
    def client(region): return boto3.client('s3', region_name=region, config=Config(signature_version='s3v4', s3={'addressing_style': style}), endpoint_url=sys.argv[1].replace('127.0.0.1', 'localhost'))
    s3 = client('us-east-1') # it follows to the bucket's Region; a link is signed for that Region alone
    bucket = 'by-boto-' + style
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})
    assert s3.get_bucket_location(Bucket=bucket)['LocationConstraint'] == 'eu-central-1'
    body = bytes(range(256)) * 40
    for algorithm in (None, 'CRC32', 'SHA256', 'CRC32C' if botocore.compat.HAS_CRT else 'SHA1'):
        extra = {'ChecksumAlgorithm': algorithm} if algorithm else {}
        s3.put_object(Bucket=bucket, Key='x/ä+%20.bin', Body=io.BytesIO(body), Metadata={'who': 'boto'}, **extra)
        got = s3.get_object(Bucket=bucket, Key='x/ä+%20.bin', ChecksumMode='ENABLED')
        assert got['Body'].read() == body and got['Metadata'] == {'who': 'boto'}, got
    s3.upload_fileobj(io.BytesIO(b'up'), bucket, 'up')
    out = io.BytesIO(); s3.download_fileobj(bucket, 'up', out); assert out.getvalue() == b'up'
    put = client('eu-central-1').generate_presigned_url('put_object', Params={'Bucket': bucket, 'Key': 'link'})
    urllib.request.urlopen(urllib.request.Request(put, b'by link', method='PUT', headers={'content-type': ''}))
    assert s3.get_object(Bucket=bucket, Key='link', Range='bytes=3-')['Body'].read() == b'link'
    for call, code in (
        (lambda: s3.get_object(Bucket=bucket, Key='none'), 'NoSuchKey'),
        (lambda: s3.head_object(Bucket=bucket, Key='none'), '404'),
        (lambda: s3.get_object(Bucket='nobody-has-this', Key='none'), 'NoSuchBucket'),
        (lambda: s3.delete_bucket(Bucket=bucket), 'BucketNotEmpty'),
        (lambda: s3.create_multipart_upload(Bucket=bucket, Key='big'), 'NotImplemented'),
    ):
        try: call(); raise SystemExit('not refused: ' + code)
        except ClientError as e: assert e.response['Error']['Code'] == code, (code, e.response)
    keys = [o['Key'] for p in s3.get_paginator('list_objects_v2').paginate(Bucket=bucket, PaginationConfig={'PageSize': 1}) for o in p['Contents']]
    assert keys == ['link', 'up', 'x/ä+%20.bin'], keys
    s3.delete_objects(Bucket=bucket, Delete={'Objects': [{'Key': k} for k in keys]})
    s3.delete_bucket(Bucket=bucket)
print('well')
`

test('boto3 says the same in both addressing styles, with every checksum it sends', async () => {
  expect(await did('python3', '-c', python, server.url)).toBe('well\n')
})

test('objects outlive kill -9, and none of their bytes is kept in clear', async () => {
  const text = `plain-${randomBytes(16).toString('hex')}`
  const file = join(temporaryFolder(), 'f')
  writeFileSync(file, text)
  await aws('s3', 'mb', 's3://outlives')
  await aws('s3', 'cp', file, 's3://outlives/f')
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  await server.stop('SIGKILL')
  Object.assign(keys, { accessKeyId, secretAccessKey })
  const all = await kept(data)
  expect(all.some((bytes) => bytes.includes('outlives'))).toBe(true)
  for (const bytes of all) expect(bytes.includes(text)).toBe(false)
  server = await startMerlon(['--data', data])
  expect(await aws('s3', 'cp', 's3://outlives/f', '-')).toBe(text)
})
