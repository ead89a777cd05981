/** The example of CONTRIBUTING.md: compiled, served by the real gate, and the same as on the page. */
import { readFileSync } from 'node:fs'
import {
  ACMClient,
  AddTagsToCertificateCommand,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  ImportCertificateCommand,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
  RemoveTagsFromCertificateCommand,
  RenewCertificateCommand,
  RequestCertificateCommand,
} from '@aws-sdk/client-acm'
import { beforeEach, describe, expect, test } from 'vitest'
import { services } from '../src/server/compose/services.ts'
import { key } from '../src/store/store.ts'
import type { HttpRequest } from '../src/wire/http.ts'
import { ACCOUNT, allowing, cloud, OTHER_ACCOUNT } from './cloud.ts'
import { acm as withPage } from './example-port/index.ts'
import { certificate as renewable } from './example-port/resources.ts'
import { acm } from './example-service/index.ts'
import { certificate } from './example-service/resources.ts'

type Cloud = Awaited<ReturnType<typeof cloud>>

const arnIn = (account: string, region = 'us-east-1', id = '0b4c') =>
  `arn:aws:acm:${region}:${account}:certificate/${id}`
const DomainName = 'example.com'
const imported = { Certificate: Buffer.from('c'), PrivateKey: Buffer.from('k') }

let it: Cloud
let root: ACMClient
beforeEach(async () => {
  it = await cloud({ services: [...services.filter(({ api }) => api.id !== 'acm'), acm] })
  root = it.client(ACMClient)
})

const request = async (more: object = {}) =>
  (await root.send(new RequestCertificateCommand({ DomainName, ...more }))).CertificateArn!
const describeBy = (client: ACMClient, CertificateArn: string) =>
  client.send(new DescribeCertificateCommand({ CertificateArn }))

/** A user with these permissions. */
const as = async (name: string, ...statements: readonly object[]) =>
  it.client(ACMClient, await it.user(name, allowing(...statements)))

async function lastEvent(name: string, account = ACCOUNT) {
  const entries = await it.store.log({ account, limit: 50 })
  return entries.map(({ body }) => JSON.parse(body)).find(({ eventName }) => eventName === name)
}

describe('A certificate', () => {
  test('is created with a generated ID, which the audit log names', async () => {
    const arn = await request()

    expect(arn).toMatch(/^arn:aws:acm:us-east-1:111122223333:certificate\/[0-9a-f-]{36}$/)
    expect((await describeBy(root, arn)).Certificate).toMatchObject({ CertificateArn: arn, DomainName })
    expect((await lastEvent('RequestCertificate')).resources).toEqual([
      { accountId: ACCOUNT, type: 'AWS::CertificateManager::Certificate', ARN: arn },
    ])
  })

  test('is authorized on the pattern of its type before it has an ID', async () => {
    const one = await as('one', { Action: 'acm:*', Resource: arnIn(ACCOUNT) })
    const every = await as('every', { Action: 'acm:*', Resource: arnIn(ACCOUNT, '*', '*') })

    await expect(one.send(new RequestCertificateCommand({ DomainName }))).rejects.toThrow(
      `on resource: ${arnIn(ACCOUNT, 'us-east-1', '*')} because`,
    )
    await every.send(new RequestCertificateCommand({ DomainName }))
  })

  test('is replaced by an import that names it, with the permission on it alone, and keeps its tags', async () => {
    const arn = await request({ Tags: [{ Key: 'team', Value: 'a' }] })
    const one = await as('one', { Action: 'acm:ImportCertificate', Resource: arn })

    await one.send(new ImportCertificateCommand({ CertificateArn: arn, ...imported }))
    await expect(one.send(new ImportCertificateCommand(imported))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })

    expect((await describeBy(root, arn)).Certificate).toMatchObject({ DomainName: 'imported' })
    const { Tags } = await root.send(new ListTagsForCertificateCommand({ CertificateArn: arn }))
    expect(Tags).toEqual([{ Key: 'team', Value: 'a' }])
  })

  test('is gone once deleted; listed by page until then', async () => {
    const arns = [await request(), await request(), await request()].sort()
    const page = (NextToken?: string) => root.send(new ListCertificatesCommand({ MaxItems: 2, NextToken }))

    const first = await page()
    const second = await page(first.NextToken)
    const listed = [...first.CertificateSummaryList!, ...second.CertificateSummaryList!]
    expect(listed.map(({ CertificateArn }) => CertificateArn)).toEqual(arns)
    expect(second.NextToken).toBeUndefined()
    await root.send(new DeleteCertificateCommand({ CertificateArn: arns[0]! }))
    await expect(describeBy(root, arns[0]!)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  test('is stored where its key says', () => {
    const here = { account: ACCOUNT, region: 'us-east-1' }
    expect(certificate.key(here, { CertificateId: 'c' })).toBe(key('acm', 'certificate', ACCOUNT, 'us-east-1', 'c'))
  })
})

describe('The order of answers', () => {
  test('is syntax, permission, existence', async () => {
    const none = await as('none', { Action: 's3:*', Resource: '*' })
    const answer = async (client: ACMClient, arn: string) =>
      (await describeBy(client, arn).catch((e: Error) => e)) as Error
    const there = await request()

    const invalid = 'arn:aws:acm:us-east-1:111122223333:account/c'
    expect((await answer(none, invalid)).name).toBe('InvalidArnException')
    expect((await answer(none, there)).message.replaceAll(there, 'X')).toBe(
      (await answer(none, arnIn(ACCOUNT))).message.replaceAll(arnIn(ACCOUNT), 'X'),
    )
    expect((await answer(none, there)).name).toBe('AccessDeniedException')
    expect((await answer(root, arnIn(ACCOUNT))).name).toBe('ResourceNotFoundException')
  })

  test('for the ARN of another account is a denial, on that ARN, even for the root user', async () => {
    await expect(describeBy(root, arnIn(OTHER_ACCOUNT))).rejects.toMatchObject({ name: 'AccessDeniedException' })

    expect((await lastEvent('DescribeCertificate')).resources).toEqual([
      { accountId: OTHER_ACCOUNT, type: 'AWS::CertificateManager::Certificate', ARN: arnIn(OTHER_ACCOUNT) },
    ])
  })

  test('for the ARN of another Region reads no row of that Region', async () => {
    const west = it.client(ACMClient, it.root, 'eu-west-1')
    const { CertificateArn } = await west.send(new RequestCertificateCommand({ DomainName }))

    await expect(describeBy(root, CertificateArn!)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

describe('Tags', () => {
  const Tags = [{ Key: 'team', Value: 'a' }]
  const tagging = { Action: 'acm:AddTagsToCertificate', Resource: '*' }
  const requesting = { Action: ['acm:RequestCertificate', 'acm:ImportCertificate'], Resource: '*' }

  test('on creation need the permission to tag, with the tags as conditions', async () => {
    const none = await as('none', requesting)
    const both = await as('both', requesting, {
      ...tagging,
      Condition: {
        StringEquals: { 'aws:RequestTag/team': 'a' },
        'ForAllValues:StringEquals': { 'aws:TagKeys': 'team' },
      },
    })

    const creating = [
      (client: ACMClient, tags?: typeof Tags) => client.send(new RequestCertificateCommand({ DomainName, Tags: tags })),
      (client: ACMClient, tags?: typeof Tags) => client.send(new ImportCertificateCommand({ ...imported, Tags: tags })),
    ]
    for (const send of creating) {
      await expect(send(none, Tags)).rejects.toThrow('is not authorized to perform: acm:AddTagsToCertificate')
      await send(none)
      await send(both, Tags)
      await expect(send(both, [{ Key: 'team', Value: 'b' }])).rejects.toThrow('acm:AddTagsToCertificate')
      await expect(send(both, [...Tags, { Key: 'b', Value: 'b' }])).rejects.toThrow('acm:AddTagsToCertificate')
    }
    expect((await lastEvent('RequestCertificate')).errorCode).toBe('AccessDenied')
  })

  test('are conditions of the creating action, too', async () => {
    const onlyA = await as('only-a', tagging, {
      ...requesting,
      Condition: { StringEquals: { 'aws:RequestTag/team': 'a' } },
    })

    await onlyA.send(new RequestCertificateCommand({ DomainName, Tags }))
    await expect(onlyA.send(new RequestCertificateCommand({ DomainName }))).rejects.toThrow('acm:RequestCertificate')
  })

  test('that break a rule are a fault after authorization, and nothing is created', async () => {
    const none = await as('none', requesting)
    const twice = new RequestCertificateCommand({ DomainName, Tags: [...Tags, { Key: 'TEAM', Value: 'b' }] })

    await expect(none.send(twice)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    await expect(root.send(twice)).rejects.toMatchObject({ name: 'InvalidTagException' })
    await expect(request({ Tags: [{ Key: 'aws:x', Value: '' }] })).rejects.toMatchObject({
      name: 'InvalidTagException',
    })
    expect((await root.send(new ListCertificatesCommand({}))).CertificateSummaryList).toEqual([])
  })

  test('are added, listed and removed, and decide as aws:ResourceTag', async () => {
    const arn = await request({ Tags })
    const teamA = await as('team-a', {
      Action: 'acm:*',
      Resource: '*',
      Condition: { StringEquals: { 'aws:ResourceTag/team': 'a' } },
    })

    await teamA.send(new AddTagsToCertificateCommand({ CertificateArn: arn, Tags: [{ Key: 'stage', Value: 'b' }] }))
    const tags = async () =>
      (await root.send(new ListTagsForCertificateCommand({ CertificateArn: arn }))).Tags?.map(({ Key }) => Key)
    expect(await tags()).toEqual(['stage', 'team'])
    await teamA.send(
      new RemoveTagsFromCertificateCommand({ CertificateArn: arn, Tags: [{ Key: 'stage', Value: 'other' }, Tags[0]!] }),
    )
    expect(await tags()).toEqual(['stage'])
    await expect(describeBy(teamA, arn)).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
})

test('A job, a port and a page: a certificate is renewed a day later, and its page finds it by the port', async () => {
  const arn = await request()
  const more = await cloud({ services: [...services, withPage] })
  await more.store.run(async (unit) => {
    const id = arn.split('/')[1]!
    const scope = { partition: 'aws', region: 'us-east-1', account: ACCOUNT }
    renewable.put(unit, scope, { id, domain: DomainName, createdAt: 0, tags: {} })
  })
  const page = async () =>
    (await more.handle(webRequest(`/certificates/${ACCOUNT}/${DomainName}`))) as { status: number; body: string }
  await more.client(ACMClient).send(new RenewCertificateCommand({ CertificateArn: arn }))

  expect(await page()).toMatchObject({ status: 404 })
  await more.pass(24 * 60 * 60_000)
  expect(await page()).toMatchObject({ status: 200, body: expect.stringContaining(arn.split('/')[1]!) })
})

const webRequest = (path: string): HttpRequest => ({
  method: 'GET',
  path,
  query: '',
  rawHeaders: ['Host', 'localhost'],
  body: Buffer.alloc(0),
  remoteAddress: '203.0.113.7',
  secure: true,
})

test('The code in CONTRIBUTING.md is this code', () => {
  const page = readFileSync(new URL('../CONTRIBUTING.md', import.meta.url), 'utf8')
  const blocks = [...page.matchAll(/^( *)```ts\n(.*?)^\1```$/gms)].map(([, indent, code]) =>
    code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  )
  const names = [
    ...['resources', 'certificates', 'index'].map((name) => `example-service/${name}`),
    ...['port', 'renewals', 'page', 'index'].map((name) => `example-port/${name}`),
  ]
  const files = names.map((name) =>
    readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8').replaceAll('../../src/', '../../'),
  )

  expect(blocks).toEqual(files)
})
