/** The examples of docs/kernel: compiled, served by the real gate, and the same as on the pages. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import {
  ACMClient,
  AddTagsToCertificateCommand,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  GetAccountConfigurationCommand,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
  RequestCertificateCommand,
  ResendValidationEmailCommand,
} from '@aws-sdk/client-acm'
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import { expect, onTestFinished, test, vi } from 'vitest'
import { findings } from '../src/kernel/events/findings.ts'
import { SnapshotPublisher } from '../src/kernel/planes/snapshot.ts'
import { type MailPort, mail } from '../src/kernel/ports/mail.ts'
import { provide } from '../src/kernel/ports/port.ts'
import { services } from '../src/server/compose/services.ts'
import { openListeners } from '../src/server/listen/plane-listeners.ts'
import { ACCOUNT, allowing, type CloudOptions, cloud } from './cloud.ts'
import { statusPlane } from './kernel-words/plane.ts'
import { issuedDomains } from './kernel-words/port.ts'
import { certificate } from './kernel-words/resource.ts'
import { acm } from './kernel-words/service.ts'
import { credentialsFor } from './kernel-words/service-caller.ts'
import { statusSnapshot } from './kernel-words/snapshot.ts'

const HOUR_MS = 60 * 60_000
const REGION = 'us-east-1'
const DomainName = 'example.com'
const here = { account: ACCOUNT, region: REGION }

async function serving(options: CloudOptions = {}) {
  const mails: string[] = []
  const deliver: MailPort['deliver'] = async ({ text }) => void mails.push(text)
  const it = await cloud({
    services: [...services.filter(({ api }) => api.id !== 'acm'), acm],
    provides: [provide(mail, { deliver })],
    ...options,
  })
  /** Signs with the present time. */
  const root = { send: ((command: never) => it.client(ACMClient).send(command)) as ACMClient['send'] }
  const request = async (more: object = {}) =>
    (await root.send(new RequestCertificateCommand({ DomainName, ...more }))).CertificateArn!
  const describe = async (CertificateArn: string) =>
    (await root.send(new DescribeCertificateCommand({ CertificateArn }))).Certificate

  /** Opens the approval page, and sends the code by its form. */
  async function approve(arn: string, code: string) {
    const path = `/approvals/${ACCOUNT}/${REGION}/${arn.split('/')[1]}`
    const headers = { host: 'merlon.test', 'content-type': 'application/x-www-form-urlencoded' }
    const send = (method: string, more: object = {}, body = '') =>
      it.handle({
        method,
        path,
        query: '',
        rawHeaders: Object.entries({ ...headers, ...more }).flat(),
        body: Buffer.from(body),
        remoteAddress: '192.0.2.1',
        secure: false,
      })
    const page = await send('GET')
    const csrf = /value="([\w-]+)"/.exec(String(page.body))![1]!
    const cookie = page.headers['set-cookie']!.split(';')[0]
    return send('POST', { cookie }, new URLSearchParams({ csrf, code }).toString())
  }

  /** The code of the last mail. */
  async function mailedCode(arn: string) {
    await root.send(
      new ResendValidationEmailCommand({ CertificateArn: arn, Domain: DomainName, ValidationDomain: DomainName }),
    )
    await it.pass(0)
    return /\d{6}/.exec(mails.at(-1)!)![0]
  }
  return { ...it, root, request, describe, approve, mailedCode }
}

test('The code in docs/kernel is this code, and every example has a page', () => {
  const folder = new URL('../docs/kernel/', import.meta.url)
  const blocks = readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => [...readFileSync(new URL(name, folder), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)])
    .map(([, code]) => code!)
  const examples = new URL('./kernel-words/', import.meta.url)
  const files = readdirSync(examples).map((name) =>
    readFileSync(new URL(name, examples), 'utf8').replaceAll('../../src/', '../../'),
  )

  expect(blocks.toSorted()).toEqual(files.toSorted())
})

test('Resource, target, operation, tags and page: a certificate is requested, shown, tagged, listed and deleted', async () => {
  const { root, request, describe } = await serving()
  const arn = await request({ Tags: [{ Key: 'team', Value: 'a' }] })
  await root.send(new AddTagsToCertificateCommand({ CertificateArn: arn, Tags: [{ Key: 'stage', Value: 'b' }] }))
  const other = await request({ DomainName: 'example.org' })

  expect(await describe(arn)).toMatchObject({ DomainName, Status: 'PENDING_VALIDATION' })
  const { Tags } = await root.send(new ListTagsForCertificateCommand({ CertificateArn: arn }))
  expect(Tags?.map(({ Key }) => Key)).toEqual(['stage', 'team'])
  const first = await root.send(new ListCertificatesCommand({ MaxItems: 1 }))
  const second = await root.send(new ListCertificatesCommand({ MaxItems: 1, NextToken: first.NextToken }))
  const listed = [...first.CertificateSummaryList!, ...second.CertificateSummaryList!]
  expect(listed.map(({ CertificateArn }) => CertificateArn).sort()).toEqual([arn, other].sort())
  const otherQuery = { NextToken: first.NextToken, CertificateStatuses: ['ISSUED' as const] }
  await expect(root.send(new ListCertificatesCommand(otherQuery))).rejects.toMatchObject({
    name: 'ValidationException',
  })
  expect((await root.send(new GetAccountConfigurationCommand({}))).ExpiryEvents).toEqual({ DaysBeforeExpiry: 45 })
  await root.send(new DeleteCertificateCommand({ CertificateArn: arn }))
  await expect(describe(arn)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
})

test('Condition keys: a policy decides by the domain, of a request and of a certificate', async () => {
  const it = await serving()
  const statement = { Action: 'acm:*', Resource: '*', Condition: { StringEquals: { 'acm:DomainNames': DomainName } } }
  const client = it.client(ACMClient, await it.user('one', allowing(statement)))

  await client.send(new RequestCertificateCommand({ DomainName }))
  await expect(client.send(new RequestCertificateCommand({ DomainName: 'example.org' }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
  })
})

test('Quota: the certificate beyond the last is refused', async () => {
  const { request } = await serving({ quotas: { 'acm/CertificatesPerAccount': 2 } })
  await request()
  await request()

  await expect(request()).rejects.toMatchObject({ name: 'LimitExceededException' })
})

test('Outbox, web site, lifecycle, port and derived value: the code of the mail issues the certificate', async () => {
  const { request, describe, approve, mailedCode, pass, use } = await serving()
  const arn = await request()
  expect(await use(issuedDomains).idOf(here, DomainName)).toBeUndefined()

  expect(await approve(arn, await mailedCode(arn))).toMatchObject({ status: 200 })
  await pass(0)
  expect(await describe(arn)).toMatchObject({ Status: 'ISSUED' })
  expect(await use(issuedDomains).idOf(here, DomainName)).toBe(arn.split('/')[1])
})

test('Failure budget: after five wrong codes the right one has to wait', async () => {
  const { request, describe, approve, mailedCode, pass } = await serving()
  const arn = await request()
  const code = await mailedCode(arn)
  const wrong = code === '000000' ? '000001' : '000000'

  for (let guess = 0; guess < 6; guess++) expect((await approve(arn, wrong)).status).toBe(403)
  expect(String((await approve(arn, code)).body)).toContain('Try again in')
  await pass(HOUR_MS)
  expect(await approve(arn, code)).toMatchObject({ status: 200 })
  await pass(0)
  expect(await describe(arn)).toMatchObject({ Status: 'ISSUED' })
})

test('Lifecycle and job: a certificate that is not approved times out after three days, and is removed a week later', async () => {
  const { request, describe, pass } = await serving()
  const arn = await request()

  await pass(71 * HOUR_MS)
  expect(await describe(arn)).toMatchObject({ Status: 'PENDING_VALIDATION' })
  await pass(HOUR_MS)
  expect(await describe(arn)).toMatchObject({ Status: 'VALIDATION_TIMED_OUT' })
  await pass(7 * 24 * HOUR_MS)
  await expect(describe(arn)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
})

test('Follower and finding: refused deletions of one caller are one finding', async () => {
  const it = await serving()
  const CertificateArn = await it.request()
  const client = it.client(ACMClient, await it.user('eve'))
  for (let tries = 0; tries < 2; tries++) {
    await expect(client.send(new DeleteCertificateCommand({ CertificateArn }))).rejects.toThrow('not authorized')
  }

  it.start()
  await vi.waitFor(
    async () => expect((await findings(it.store.reader, ACCOUNT))[0]?.service).toMatchObject({ count: 2 }),
    { timeout: 10_000 },
  )
})

test('Service caller: the role must trust the service', async () => {
  const it = await serving()
  const role = async (RoleName: string, Service: string) => {
    const statement = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service } }
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statement })
    const created = await it.client(IAMClient).send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
    return created.Role!.Arn!
  }
  await it.request()
  const [{ document: row } = { document: undefined }] = await certificate.list(it.store.reader, here)

  expect(await credentialsFor(it.gate.actAs, row!, await role('trusting', 'acm.amazonaws.com'))).toBeDefined()
  await expect(credentialsFor(it.gate.actAs, row!, await role('other', 'ec2.amazonaws.com'))).rejects.toMatchObject({
    code: 'AccessDenied',
  })
})

test('Snapshot and plane: a domain is answered once its certificate is issued, and a plane without a snapshot is closed', async () => {
  const { store, vault, request, approve, mailedCode, pass } = await serving()
  const publisher = new SnapshotPublisher(store, vault, statusSnapshot)
  const plane = statusPlane({ feed: publisher, publicKey: vault.installationPublicKey(), file: undefined, waitMs: 50 })
  const [listener] = await openListeners(plane, '127.0.0.1', { status: 0 })
  const socket = createSocket('udp4')
  onTestFinished(async () => {
    socket.close()
    await listener!.close()
    await plane.close()
    publisher.close()
  })
  const answer = async (domain: string) => {
    socket.send(domain, listener!.port, '127.0.0.1')
    const [message] = await once(socket, 'message')
    return String(message)
  }

  expect([plane.health(), await answer(DomainName)]).toEqual(['closed', 'unavailable'])
  await plane.start()
  const arn = await request()
  await vi.waitFor(async () => expect(await answer(DomainName)).toBe('none'))
  await approve(arn, await mailedCode(arn))
  await pass(0)
  await vi.waitFor(async () => expect(await answer(DomainName)).toBe('issued'))
  expect(await answer('example.org')).toBe('none')
})
