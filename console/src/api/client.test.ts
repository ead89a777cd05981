/** The console's client against a whole server in memory: each protocol, errors, pages, reasons and the clock. */
import { DOMParser } from '@xmldom/xmldom'
import { expect, test } from 'vitest'
import { allowing, cloud } from '../../../test/cloud.ts'
import { Client } from './client.ts'
import type { ApiError } from './protocol.ts'
import type { XmlElement } from './xml.ts'

const parseXml = (text: string) =>
  new DOMParser().parseFromString(text, 'text/xml').documentElement as unknown as XmlElement

/** Clients over no socket; `skewMs`: how far their clock is ahead of the server's. */
async function openClient({ skewMs = 0 } = {}) {
  const opened = await cloud()
  const send = (async (url: string, { method = 'GET', headers, body }: RequestInit = {}) => {
    const { pathname, search, host } = new URL(url)
    const answer = await opened.handle({
      method,
      path: pathname,
      query: search.slice(1),
      rawHeaders: [...new Headers(headers).entries(), ['host', host] as const].flat(),
      body: Buffer.from((body as string | Uint8Array | undefined) ?? ''),
      remoteAddress: '127.0.0.1',
      secure: false,
    })
    return new Response([204, 304].includes(answer.status) ? null : Buffer.from(answer.body), {
      status: answer.status,
      headers: { date: new Date(opened.clock.now()).toUTCString(), ...answer.headers },
    })
  }) as typeof fetch
  const clientOf = ({
    accessKeyId,
    secretAccessKey,
  }: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
  }) =>
    new Client({
      endpoint: 'http://localhost',
      region: () => 'us-east-1',
      credentials: async () => ({ accessKeyId, secretAccessKey, sessionToken: '' }),
      fetch: send,
      parseXml,
      now: () => opened.clock.now() + skewMs,
    })
  return { opened, clientOf, client: clientOf(opened.root) }
}

test('AWS Query: names, lists, times and maps', async () => {
  const { client } = await openClient()
  const tags = [
    { Key: 'team = co', Value: 'blue/é +' },
    { Key: 'empty', Value: '' },
  ]
  await client.call('iam', 'CreateUser', { UserName: 'ann', Path: '/people/', Tags: tags })
  const { User } = await client.call('iam', 'GetUser', { UserName: 'ann' })
  expect(User).toMatchObject({ UserName: 'ann', Path: '/people/', Tags: expect.arrayContaining(tags) })
  expect(User!.CreateDate).toBeInstanceOf(Date)
  const { SummaryMap } = await client.call('iam', 'GetAccountSummary', {})
  expect(SummaryMap).toMatchObject({ Users: 1 })
})

test('AWS JSON: bytes go there and come back', async () => {
  const { client } = await openClient()
  const { KeyMetadata } = await client.call('kms', 'CreateKey', { Description: 'orders' })
  const Plaintext = new TextEncoder().encode('hello ☂')
  const { CiphertextBlob } = await client.call('kms', 'Encrypt', { KeyId: KeyMetadata!.KeyId!, Plaintext })
  const opened = await client.call('kms', 'Decrypt', { CiphertextBlob: CiphertextBlob! })
  expect(opened.Plaintext).toEqual(Plaintext)
  expect(KeyMetadata!.CreationDate).toBeInstanceOf(Date)
})

test('REST JSON: members of the path, the query and the body', async () => {
  const { client } = await openClient()
  const { findings } = await client.call('accessanalyzer', 'ValidatePolicy', {
    policyDocument:
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:NoSuchThing","Resource":"*"}]}',
    policyType: 'IDENTITY_POLICY',
    maxResults: 5,
  })
  expect(findings!.map(({ issueCode }) => issueCode)).toContain('INVALID_ACTION')
  expect(findings![0]!.locations![0]!.span!.start!.line).toBe(1)
})

test('REST XML: keys with any character, headers and streams', async () => {
  const { client } = await openClient()
  await client.callByName('s3', 'CreateBucket', { Bucket: 'reports' })
  const Key = "a folder/it's (1) +é*.txt"
  await client.callByName('s3', 'PutObject', { Bucket: 'reports', Key, Body: 'text', ContentType: 'text/plain' })
  const got = await client.callByName('s3', 'GetObject', { Bucket: 'reports', Key })
  expect(got).toMatchObject({ ContentType: 'text/plain' })
  expect(new TextDecoder().decode((got as { readonly Body: Uint8Array }).Body)).toBe('text')
  const { items } = await client.listByName('s3', 'ListObjectsV2', { Bucket: 'reports' })
  expect(items).toMatchObject([{ Key, Size: 4 }])
})

test('lists are read to the end, page by page', async () => {
  const { client } = await openClient()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await client.call('iam', 'CreateUser', { UserName: name })
  const users = await client.list('iam', 'ListUsers', { MaxItems: 2 }, 'Users')
  expect(users.map(({ UserName }) => UserName)).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(await client.listByName('iam', 'ListUsers', { MaxItems: 2 }, 3)).toMatchObject({ isWhole: false })
})

test('a denial says which call it was, in each protocol', async () => {
  const { opened, clientOf } = await openClient()
  const ann = clientOf(await opened.user('ann', allowing({ Effect: 'Allow', Action: 'kms:ListKeys', Resource: '*' })))
  const errors = await Promise.all(
    [
      ann.callByName('iam', 'ListUsers', {}),
      ann.callByName('kms', 'CreateKey', {}),
      ann.callByName('lambda', 'ListFunctions', {}),
      ann.callByName('s3', 'ListBuckets', {}),
    ].map((call) => call.catch((error: ApiError) => error)),
  )
  expect(errors).toMatchObject([
    { code: 'AccessDenied', isDenial: true },
    { code: 'AccessDeniedException', isDenial: true },
    { code: 'AccessDeniedException', isDenial: true },
    { code: 'AccessDenied', isDenial: true },
  ])
  for (const error of errors as ApiError[]) {
    expect(error.requestId).toMatch(/\w{8,}/)
    expect(error.message).toContain('is not authorized to perform')
  }
})

test('what is not built says so', async () => {
  const { client } = await openClient()
  await expect(client.callByName('shield', 'ListProtections', {})).rejects.toMatchObject({ isNotBuilt: true })
})

test('a reason is recorded with the call', async () => {
  const { client } = await openClient()
  await client.call('secretsmanager', 'CreateSecret', { Name: 'db', SecretString: 'x' })
  await client.withReason('Incident 7: the é job fails').call('secretsmanager', 'GetSecretValue', { SecretId: 'db' })
  const events = await client.list(
    'cloudtrail',
    'LookupEvents',
    { LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'GetSecretValue' }] },
    'Events',
  )
  expect(JSON.parse(events[0]!.CloudTrailEvent!).additionalEventData).toMatchObject({
    merlonReason: 'Incident 7: the é job fails',
  })
})

test('a wrong clock is corrected by the time of the server', async () => {
  const late = await openClient({ skewMs: -3_600_000 })
  expect((await late.client.call('sts', 'GetCallerIdentity', {})).Account).toBe('111122223333')
})
