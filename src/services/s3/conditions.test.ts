/** Every condition key that the authorization reference lists for a built operation is supplied, or absent with a reason. */
import { readFileSync } from 'node:fs'
import * as S3 from '@aws-sdk/client-s3'
import { describe, expect, it, test } from 'vitest'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { absentKeys, absentKeysOfOperations } from './conditions.ts'
import { s3 as service } from './index.ts'
import { storage } from './s3.fixture.ts'

const Bucket = 'keyed'
const Key = 'k'
const reference = JSON.parse(readFileSync(new URL('../../../models/iam-reference.json', import.meta.url), 'utf8'))
  .services.s3

const fixed = (key: string) => key.replace(/\$\{.*|<.*/, '').toLowerCase()

/** Of the action, and of buckets and objects. */
function keysOf(action: string): readonly string[] {
  const { on = [], keys = [] } = reference.actions[action.slice('s3:'.length)]
  const types = on.map((type: string) => type.replace('*', '')).filter((type: string) => /^(bucket|object)$/.test(type))
  return [...new Set<string>([...keys, ...types.flatMap((type: string) => reference.resources[type].keys ?? [])])]
}

/** With whatever a request may say of conditions. */
const input: Readonly<Record<string, unknown>> = {
  Bucket,
  Key,
  VersionId: 'null',
  Prefix: 'p',
  Delimiter: '/',
  MaxKeys: 3,
  IfMatch: '"a"',
  IfNoneMatch: '*',
  Tagging: 'a=1',
  ACL: 'private',
  GrantFullControl: 'id=1',
  GrantRead: 'id=1',
  GrantReadACP: 'id=1',
  GrantWrite: 'id=1',
  GrantWriteACP: 'id=1',
  ServerSideEncryption: 'aws:kms',
  SSEKMSKeyId: 'arn:aws:kms:us-east-1:111122223333:key/k',
  SSECustomerAlgorithm: 'AES256',
  StorageClass: 'STANDARD',
  WebsiteRedirectLocation: '/',
  ObjectLockMode: 'GOVERNANCE',
  ObjectLockRetainUntilDate: new Date('2030-01-01T00:00:00Z'),
  ObjectLockLegalHoldStatus: 'ON',
}
const inputs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  CreateBucket: {
    ...input,
    Bucket: 'coming',
    ObjectOwnership: 'BucketOwnerEnforced',
    BucketNamespace: 'global',
    CreateBucketConfiguration: { LocationConstraint: 'eu-west-1', Tags: [{ Key: 'a', Value: '1' }] },
  },
  DeleteObjects: { Bucket, Delete: { Objects: [{ Key, VersionId: 'null', ETag: '"a"' }] } },
  PutBucketTagging: { Bucket, Tagging: { TagSet: [{ Key: 'a', Value: '1' }] } },
  PutObjectTagging: { Bucket, Key, VersionId: 'null', Tagging: { TagSet: [{ Key: 'a', Value: '1' }] } },
  PutBucketPolicy: { Bucket, Policy: '{}' },
  PutPublicAccessBlock: { Bucket, PublicAccessBlockConfiguration: {} },
}

test('each key is supplied, or listed as absent, and no line of that list is stale', async () => {
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }
  const it = await storage({ tamper: (request) => ({ ...request, secure: true, tls }) })
  await it.bucket(Bucket)
  await it.owner.send(new S3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: 'team', Value: 'a' }] } }))
  await it.owner.send(new S3.PutObjectCommand({ Bucket, Key, Body: 'k', Tagging: 'class=open' }))
  const nobody = it.s3(await it.user('nobody'))
  const commands = S3 as unknown as Readonly<Record<string, new (input: object) => never>>
  for (const { name } of service.operations) {
    const Command = commands[`${name}Command`]!
    await nobody.send(new Command(inputs[name] ?? input)).catch(() => undefined)
  }

  const missing: string[] = []
  const asked = new Set<string>()
  const absent = new Set(Object.keys(absentKeys).map(fixed))
  for (const { body } of await it.store.evidence(0, 10_000)) {
    const event = JSON.parse(body)
    if (event.eventSource !== 's3.amazonaws.com' || event.userIdentity.userName !== 'nobody') continue
    for (const { action, context } of event.additionalEventData?.merlonDecisions ?? []) {
      asked.add(event.eventName)
      const supplied = Object.keys(context).map((key) => key.toLowerCase())
      for (const key of keysOf(action)) {
        const known = supplied.some((each) => (/[$<]/.test(key) ? each.startsWith(fixed(key)) : each === fixed(key)))
        const listed = absentKeysOfOperations[event.eventName]?.[key] !== undefined
        if (known === listed && !absent.has(fixed(key))) missing.push(`${event.eventName} ${action} ${key}`)
        if (known && absent.has(fixed(key))) missing.push(`${key} is supplied and listed as absent`)
      }
    }
  }

  expect(missing).toEqual([])
  expect(asked.size).toBeGreaterThan(30)
  const ofBuilt = new Set(
    service.operations
      .flatMap(({ actions, choice }) => [...actions, ...(choice?.among ?? [])])
      .flatMap((action) => reference.actions[action.slice(3)].keys ?? []),
  )
  const ofTypes = Object.keys(reference.keys).filter((key) => /AccessPoint/.test(key))
  expect(Object.keys(absentKeys).filter((key) => !ofBuilt.has(key) && !ofTypes.includes(key))).toEqual([])
})

describe('A Deny binds', () => {
  const denying = (Condition: object) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:*', Resource: '*' },
        { Effect: 'Deny', Action: 's3:*', Resource: '*', Condition },
      ],
    })
  const put = (more: object) => new S3.PutObjectCommand({ Bucket, Key, Body: 'x', ...more })
  const read = new S3.GetObjectCommand({ Bucket, Key })

  it.each([
    ['s3:authType', { StringEquals: { 's3:authType': 'REST-HEADER' } }, read],
    ['s3:signatureversion', { StringEquals: { 's3:signatureversion': 'AWS4-HMAC-SHA256' } }, read],
    ['s3:signatureAge', { NumericGreaterThanEquals: { 's3:signatureAge': '0' } }, read],
    ['s3:x-amz-content-sha256', { StringNotEquals: { 's3:x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }, read],
    ['s3:ResourceAccount', { StringEquals: { 's3:ResourceAccount': ACCOUNT } }, read],
    ['s3:BucketTag', { StringEquals: { 's3:BucketTag/team': 'a' } }, read],
    ['aws:ResourceTag', { StringEquals: { 'aws:ResourceTag/team': 'a' } }, read],
    [
      's3:versionid',
      { Null: { 's3:versionid': 'false' } },
      new S3.GetObjectCommand({ Bucket, Key, VersionId: 'null' }),
    ],
    ['s3:if-match', { Null: { 's3:if-match': 'false' } }, put({ IfMatch: '*' })],
    ['s3:if-none-match', { Null: { 's3:if-none-match': 'false' } }, put({ IfNoneMatch: '*' })],
    ['s3:object-lock-mode', { Null: { 's3:object-lock-mode': 'false' } }, put({ ObjectLockMode: 'GOVERNANCE' })],
    ['s3:x-amz-grant-read', { Null: { 's3:x-amz-grant-read': 'false' } }, put({ GrantRead: 'id=1' })],
    [
      's3:x-amz-object-ownership',
      { StringEquals: { 's3:x-amz-object-ownership': 'ObjectWriter' } },
      new S3.CreateBucketCommand({ Bucket: 'other-owner', ObjectOwnership: 'ObjectWriter' }),
    ],
    [
      's3:ResourceAccount of a list',
      { StringEquals: { 's3:ResourceAccount': ACCOUNT } },
      new S3.ListBucketsCommand({}),
    ],
  ])('by %s', async (_key, condition, command) => {
    const it = await storage()
    await it.bucket(Bucket)
    await it.owner.send(new S3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: 'team', Value: 'a' }] } }))
    const keys = await it.user('held', denying(condition))
    await expect(it.s3(keys).send(command as never)).rejects.toMatchObject({ name: 'AccessDenied' })
    const free = await it.user('free', denying({ StringEquals: { 's3:ResourceAccount': OTHER_ACCOUNT } }))
    const answer = it.s3(free).send(command as never)
    await answer.catch((error: Error) => expect(error.name).not.toBe('AccessDenied'))
  })

  it('to links alone', async () => {
    const it = await storage()
    await it.bucket(Bucket)
    await it.put(Bucket, Key, 'inside')
    const keys = await it.user('held', denying({ StringEquals: { 's3:authType': 'REST-QUERY-STRING' } }))
    const asked = { path: `/${Bucket}/${Key}`, keys }
    expect((await it.raw({ ...asked, presigned: true })).element('Code')).toBe('AccessDenied')
    expect((await it.raw(asked)).text).toBe('inside')
  })
})
