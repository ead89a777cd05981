/** A bucket is in one Region: where it may be reached, and what policies see of it. */
import {
  CreateBucketCommand,
  GetBucketLocationCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { type RawRequest, storage } from './s3.fixture.ts'
import { s3 } from './words.ts'

const Bucket = 'in-frankfurt'
async function abroad() {
  const it = await storage()
  const there = it.s3(it.root, 'eu-central-1')
  await there.send(
    new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
  )
  await there.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '1' }))
  return { ...it, there }
}

const everyOperation: readonly RawRequest[] = [
  { path: `/${Bucket}/k` },
  { method: 'PUT', path: `/${Bucket}/k`, body: '2' },
  { path: `/${Bucket}`, query: 'list-type=2' },
  { path: `/${Bucket}`, query: 'policy' },
  { path: '/k', host: `${Bucket}.localhost` },
  { method: 'DELETE', path: `/${Bucket}/k` },
  { method: 'DELETE', path: `/${Bucket}` },
]

describe('A bucket of another Region', () => {
  it('is not reached, and the answer says where it is', async () => {
    const { raw } = await abroad()
    for (const asked of everyOperation) {
      const answer = await raw(asked)
      expect([answer.status, answer.element('Code'), answer.element('Region')]).toEqual([
        400,
        'AuthorizationHeaderMalformed',
        'eu-central-1',
      ])
      expect(answer.element('Message')).toBe(
        "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'",
      )
      expect(answer.headers['x-amz-bucket-region']).toBe('eu-central-1')
      expect((await raw({ ...asked, signing: { region: 'eu-central-1' } })).status).toBeLessThan(500)
    }
  })

  it('is not reached by a link', async () => {
    const { raw } = await abroad()
    const answer = await raw({ path: `/${Bucket}/k`, presigned: true })
    expect([answer.status, answer.element('Code'), answer.element('Region')]).toEqual([
      400,
      'AuthorizationQueryParametersError',
      'eu-central-1',
    ])
    expect((await raw({ path: `/${Bucket}/k`, presigned: true, signing: { region: 'eu-central-1' } })).text).toBe('1')
  })

  it('is where HEAD says it is, which has no body', async () => {
    const { raw } = await abroad()
    const answer = await raw({ method: 'HEAD', path: `/${Bucket}` })
    expect([answer.status, answer.text, answer.headers['x-amz-bucket-region']]).toEqual([400, '', 'eu-central-1'])
  })

  it('is redirected to from another Region’s own endpoint', async () => {
    const { raw } = await abroad()
    const answer = await raw({ path: '/k', host: `${Bucket}.s3.us-east-1.amazonaws.com` })
    expect([answer.status, answer.element('Code'), answer.element('Bucket')]).toEqual([
      301,
      'PermanentRedirect',
      Bucket,
    ])
    expect(answer.element('Endpoint')).toBe(`${Bucket}.s3.eu-central-1.amazonaws.com`)
    expect(answer.headers['x-amz-bucket-region']).toBe('eu-central-1')
  })

  it('is located from the first Region', async () => {
    const { owner, s3, root } = await abroad()
    const locate = new GetBucketLocationCommand({ Bucket })
    expect((await owner.send(locate)).LocationConstraint).toBe('eu-central-1')
    await expect(s3(root, 'eu-west-1').send(locate)).rejects.toMatchObject({ name: 'AuthorizationHeaderMalformed' })
  })
})

describe('A signature for a set of Regions', () => {
  const sign4a = (region: string) => ({ region, algorithm: 'AWS4-ECDSA-P256-SHA256' as const })

  it.each([
    ['*', 200],
    ['eu-*', 200],
    ['us-east-1,eu-central-1', 200],
    ['us-east-1', 400],
    ['us-*,eu-west-*', 400],
  ])('%s acts only in it', async (set, status) => {
    const { raw, store } = await abroad()
    const answer = await raw({ path: `/${Bucket}/k`, signing: sign4a(set) })
    expect(answer.status).toBe(status)
    if (status !== 200) return expect(answer.element('Region')).toBe('eu-central-1')
    const events = (await store.evidence(0, 1_000)).map(({ body }) => JSON.parse(body))
    expect(events.findLast(({ eventName }) => eventName === 'GetObject')).toMatchObject({
      awsRegion: 'eu-central-1',
      additionalEventData: { SignatureVersion: 'SigV4A', AuthenticationMethod: 'AuthHeader' },
    })
  })

  it('lists and makes buckets only where it names a Region', async () => {
    const { raw } = await abroad()
    expect((await raw({ path: '/', signing: sign4a('eu-west-1') })).status).toBe(200)
    expect((await raw({ path: '/', signing: sign4a('eu-*') })).status).toBe(400)
    expect((await raw({ method: 'PUT', path: '/made-nowhere', signing: sign4a('eu-*') })).status).toBe(400)
  })

  it('acts nowhere that it does not name, in no other service either', async () => {
    const { raw } = await abroad()
    const identity = (set: string) =>
      raw({
        method: 'POST',
        path: '/',
        body: '{}',
        headers: ['X-Amz-Target', 'TrentService.ListKeys', 'Content-Type', 'application/x-amz-json-1.1'],
        signing: { ...sign4a(set), service: 'kms' },
      })
    expect((await identity('*')).status).toBe(200)
    expect((await identity('eu-central-1')).status).toBe(200)
    expect((await identity('eu-*')).text).toContain('scoped to a valid region')
  })
})

describe('A guardrail for Regions', () => {
  const guarded = (region: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: '*', Resource: '*' },
        {
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: { StringNotEquals: { 'aws:RequestedRegion': region } },
        },
      ],
    })

  it('goes by the Region of the bucket, whatever the signature names', async () => {
    const it = await abroad()
    const everywhere = { region: '*', algorithm: 'AWS4-ECDSA-P256-SHA256' as const }
    for (const [name, region, status] of [
      ['home', 'us-east-1', 403],
      ['away', 'eu-central-1', 200],
    ] as const) {
      const keys = await it.user(name, guarded(region))
      const asked = { path: `/${Bucket}/k`, keys }
      expect((await it.raw({ ...asked, signing: { region: 'eu-central-1' } })).status).toBe(status)
      expect((await it.raw({ ...asked, signing: everywhere })).status).toBe(status)
      expect((await it.raw(asked)).status).toBe(400)
    }
  })
})

test('a service reaches the buckets of every Region, which is the one its call is recorded and decided in', async () => {
  const it = await abroad()
  const { PutBucketPolicyCommand } = await import('@aws-sdk/client-s3')
  const Condition = { StringEquals: { 'aws:RequestedRegion': 'eu-central-1', 's3:authType': 'REST-HEADER' } }
  const Policy = allowing({
    Principal: { Service: 'cloudtrail.amazonaws.com' },
    Action: 's3:PutObject',
    Resource: `arn:aws:s3:::${Bucket}/*`,
    Condition,
  })
  await it.there.send(new PutBucketPolicyCommand({ Bucket, Policy }))
  const acting = { service: 'cloudtrail.amazonaws.com', account: ACCOUNT, region: 'us-east-1', source: 'arn:aws:x' }
  await it.gate.actAs(acting, s3.api, 'PutObject', { Bucket, Key: 'log', Body: Buffer.from('x') as never })
  const { Contents } = await it.there.send(new ListObjectsV2Command({ Bucket }))
  expect(Contents!.map(({ Key }) => Key)).toEqual(['k', 'log'])
})
