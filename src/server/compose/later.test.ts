import { readdirSync, readFileSync } from 'node:fs'
import { CloudTrailClient, DescribeTrailsCommand } from '@aws-sdk/client-cloudtrail'
import { CreateVpcCommand, DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2'
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { CreateOrganizationCommand, OrganizationsClient } from '@aws-sdk/client-organizations'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { expect, test } from 'vitest'
import { allowing, cloud } from '../../../test/cloud.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { ephemeralUnsealed } from '../../vault/ephemeral.ts'
import { openCloud } from './cloud.ts'
import { coreServices } from './core-services.ts'
import { holdsOthers, OpenedLater } from './later.ts'
import { laterServices } from './later-services.ts'

/** A cloud that opens as the server does, and how often the other services were loaded. */
async function opening() {
  const { later, loads } = counted()
  return { it: await cloud({ services: coreServices, later }), loads }
}

function counted() {
  let count = 0
  const later = async () => {
    count++
    return laterServices
  }
  return { later, loads: () => count }
}

const get = (path: string) => ({
  method: 'GET',
  path,
  query: '',
  rawHeaders: ['Host', 'localhost'],
  body: Buffer.alloc(0),
  remoteAddress: '192.0.2.7',
  secure: true,
})

test('calls of the services of a start load no other, and leave nothing that would', async () => {
  const { it, loads } = await opening()
  const Principal = { AWS: '123456789012' }
  await it.client(STSClient).send(new GetCallerIdentityCommand({}))
  await it.client(IAMClient).send(
    new CreateRoleCommand({
      RoleName: 'r',
      AssumeRolePolicyDocument: allowing({ Action: 'sts:AssumeRole', Principal }),
    }),
  )
  await it.client(KMSClient).send(new CreateKeyCommand({}))
  await it.client(SecretsManagerClient).send(new CreateSecretCommand({ Name: 's', SecretString: 'x' }))
  await it.client(S3Client).send(new CreateBucketCommand({ Bucket: 'some-bucket' }))
  await it.client(OrganizationsClient).send(new CreateOrganizationCommand({}))
  await it.client(CloudTrailClient).send(new DescribeTrailsCommand({}))

  expect(loads()).toBe(0)
  expect(await holdsOthers(it.store, coreServices)).toBe(false)
})

test('the first calls of another service load all of them once, and are answered', async () => {
  const { it, loads } = await opening()
  const ec2 = it.client(EC2Client)
  const [vpc, vpcs] = await Promise.all([
    ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' })),
    ec2.send(new DescribeVpcsCommand({})),
  ])

  expect(vpc.Vpc?.State).toBe('pending')
  expect(vpcs.Vpcs).toBeDefined()
  expect(loads()).toBe(1)
})

test.each([
  ['a page', (it: Opened) => it.handleWeb(get('/signin'))],
  ['a request that is no call', (it: Opened) => it.handle(get('/'))],
  ['a token of another service', (it: Opened) => signIn(it).catch((error: Error) => error.name)],
])('%s loads them', async (_what, act) => {
  const { it, loads } = await opening()
  await act(it)
  expect(loads()).toBe(1)
})

type Opened = Awaited<ReturnType<typeof cloud>>

const signIn = (it: Opened) =>
  it.client(STSClient).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: 'arn:aws:iam::123456789012:role/r',
      RoleSessionName: 'session',
      WebIdentityToken: 'a.b.c',
    }),
  )

test('they are loaded at once where the store has documents of theirs', async () => {
  const { it } = await opening()
  await it.client(EC2Client).send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))
  expect(await holdsOthers(it.store, coreServices)).toBe(true)

  const { later, loads } = counted()
  const { store, clock } = it
  const again = await openCloud({ store, clock, unsealed: ephemeralUnsealed(), services: coreServices, later })
  expect(loads()).toBe(1)
  expect(again.whole()).toBeUndefined()
})

test('a job that a service left behind loads them, and is done', async () => {
  const { it, loads } = await opening()
  await it.store.run(
    (unit) => void scheduleJob(unit, { id: 'x', kind: 'acm.forget', dueAt: it.clock.now(), payload: {} }),
  )
  expect(await holdsOthers(it.store, coreServices)).toBe(false)
  await it.jobs.runDue()
  expect(loads()).toBe(1)
})

test('what could not be opened fails for each that waits, and nothing opens once it is closed', async () => {
  const failing = new OpenedLater(() => Promise.reject(new Error('no such chunk')))
  await expect(failing.opened()).rejects.toThrow('no such chunk')
  await expect(failing.opened()).rejects.toThrow('no such chunk')
  expect(failing.isOpen).toBe(false)

  const closed = new OpenedLater(async () => undefined)
  await closed.close()
  await expect(closed.opened()).rejects.toThrow('closed')
})

/** Names in calls of a function in the sources of services: `use(identityPools)`. */
function namesIn(ids: readonly string[], call: 'use' | 'provide'): readonly string[] {
  const found = ids.flatMap((id) => {
    const folder = new URL(`../../services/${id}/`, import.meta.url)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /(?<!\.test|\.fixture)\.ts$/.test(file),
    )
    const texts = files.map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n')
    return [...texts.matchAll(new RegExp(`\\b${call}\\(\\s*(\\w+)`, 'g'))].map(([, name = '']) => name)
  })
  return [...new Set(found)].sort()
}

test('services of a start use ports of the others where those are open, or do without', () => {
  const folders = readdirSync(new URL('../../services/', import.meta.url))
  const core = coreServices.map(({ api }) => api.id)
  expect(folders).toEqual(expect.arrayContaining(core))
  const provided = namesIn(
    folders.filter((id) => !core.includes(id)),
    'provide',
  )
  expect(provided).toContain('identityPools')

  expect(namesIn(core, 'use').filter((name) => provided.includes(name))).toEqual([
    // By a token that the service issued, without a signature.
    'identityPools',
    // Where there is none, no resource uses the role.
    'serviceLinkedRoleUse',
  ])
})
