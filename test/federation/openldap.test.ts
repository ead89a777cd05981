/** People of an OpenLDAP directory: sign-in over TLS, nested groups, and a server that is cut off. */
import {
  AddTagsToResourceCommand,
  ConnectDirectoryCommand,
  DirectoryServiceClient,
} from '@aws-sdk/client-directory-service'
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { equals } from '../../src/engines/ldap/filter.ts'
import { directoryServers } from '../../src/kernel/ports/directory-servers.ts'
import { provide } from '../../src/kernel/ports/port.ts'
import { directories } from '../../src/planes/directories/directories.ts'
import { readDomainServers } from '../../src/planes/directories/servers.ts'
import { LdapSession } from '../../src/planes/directories/session.ts'
import { directoryLoginPort } from '../../src/services/ds/login.ts'
import { sts } from '../../src/services/sts/words.ts'
import { ACCOUNT, allowing, cloud, keysOf } from '../cloud.ts'
import { BASE, SERVICE_PASSWORD, type Slapd, slapd } from './slapd.ts'

const PORT = Number(process.env['MERLON_TEST_PORT'] ?? 46_800)
const ACCOUNT_OF = { domain: 'corp.test', userName: 'svc', password: SERVICE_PASSWORD }

let first: Slapd
let second: Slapd
beforeAll(async () => {
  first = await slapd(PORT)
  second = await slapd(PORT + 2)
})
afterAll(async () => {
  await first?.remove()
  await second?.remove()
})

const address = (port: number) => ({ address: '127.0.0.1', port })
const plane = (servers: string, more: { hosts?: Record<string, number>; ca?: string } = {}) =>
  directories({
    servers: readDomainServers(`corp.test=${servers}`),
    now: Date.now,
    ca: more.ca ?? `${first.ca}${second.ca}`,
    hosts: new Map(
      Object.entries(more.hosts ?? { 'ldap.corp.test': PORT }).map(([host, port]) => [host, address(port)] as const),
    ),
  })

describe.each([
  ['LDAPS', 'ldaps://ldap.corp.test', 0],
  ['StartTLS', 'ldap://ldap.corp.test', 1],
])('Over %s', (_, url, offset) => {
  const corp = () => plane(url, { hosts: { 'ldap.corp.test': PORT + offset } })

  test('a person signs in by name and by mail, with the groups of groups', async () => {
    expect(await corp().check(ACCOUNT_OF)).toBe('accepted')
    const found = await corp().login(ACCOUNT_OF, 'ann', 'Ann-Passw0rd')

    expect(found).toMatchObject({
      outcome: 'accepted',
      person: {
        userName: 'ann',
        displayName: 'Ann Example',
        mail: 'ann@corp.test',
        subject: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    })
    expect(found.outcome === 'accepted' && [...found.person.groups].sort()).toEqual(['engineers', 'everyone', 'staff'])
    expect(await corp().login(ACCOUNT_OF, 'ann@corp.test', 'Ann-Passw0rd')).toEqual(found)
  })

  test('people and groups are listed, those of nested groups included', async () => {
    const listing = await corp().list(ACCOUNT_OF, [])
    if (typeof listing === 'string') throw new Error(listing)
    const ann = listing.people.find(({ userName }) => userName === 'ann')
    expect(listing.people.map(({ userName }) => userName).sort()).toEqual(['a*b(c)', 'ann'])
    expect(ann).toMatchObject({ displayName: 'Ann Example', familyName: 'Example', mail: 'ann@corp.test' })
    expect(Object.fromEntries(listing.groups.map(({ name, members }) => [name, members]))).toEqual({
      engineers: [ann!.subject],
      everyone: [ann!.subject],
      staff: [ann!.subject],
    })
    expect(await corp().list(ACCOUNT_OF, ['Staff'])).toMatchObject({ people: [ann], groups: [{ name: 'staff' }] })
    const subjects = [ann!.subject, 'x', '00000000-0000-4000-8000-000000000000']
    expect(await corp().activeAmong(ACCOUNT_OF, subjects)).toEqual(new Set([ann!.subject]))
  })

  test.each([
    ['a wrong password', 'ann', 'wrong'],
    ['an empty password', 'ann', ''],
    ['an unknown name', 'bob', 'Ann-Passw0rd'],
    ['a name that would match all', '*', 'Ann-Passw0rd'],
    ['a name that would close the filter', 'ann)(uid=*', 'Ann-Passw0rd'],
    ['the distinguished name', `uid=ann,ou=people,${BASE}`, 'Ann-Passw0rd'],
  ])('%s is refused', async (_what, name, password) => {
    expect(await corp().login(ACCOUNT_OF, name, password)).toEqual({ outcome: 'refused' })
  })

  test('a name with the characters of filters is a name', async () => {
    expect(await corp().login(ACCOUNT_OF, 'a*b(c)', 'Star-Passw0rd')).toMatchObject({ outcome: 'accepted' })
  })
})

test('any name is looked up as itself, says slapd', async () => {
  const [server] = readDomainServers('corp.test=ldaps://ldap.corp.test').get('corp.test')!
  const session = await LdapSession.open(server!, { ca: first.ca, hosts: new Map([['ldap.corp.test', address(PORT)]]) })
  await session.bind(`cn=root,${BASE}`, 'root-Passw0rd')
  try {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 20 }), async (name) => {
        const entries = await session.search(BASE, { scope: 'sub', filter: equals('uid', name), attributes: ['uid'] })
        expect(entries.map(({ dn }) => dn)).toEqual(['ann', 'a*b(c)'].includes(name) ? [expect.any(String)] : [])
      }),
      { numRuns: 100 },
    )
  } finally {
    await session.close()
  }
})

describe('A server', () => {
  test('with a certificate of another name or authority is not used', async () => {
    const other = plane('ldaps://other.corp.test', { hosts: { 'other.corp.test': PORT } })
    expect(await other.check(ACCOUNT_OF)).toBe('unavailable')
    expect(await plane('ldaps://ldap.corp.test', { ca: second.ca }).check(ACCOUNT_OF)).toBe('unavailable')
    expect(await plane('ldaps://ldap.corp.test').check({ ...ACCOUNT_OF, password: 'wrong' })).toBe('refused')
    expect(await plane('ldaps://ldap.corp.test').check({ ...ACCOUNT_OF, domain: 'x.test' })).toBe('unconfigured')
  })

  test('that is cut off is passed over within a second or two; without any the directory is unavailable', async () => {
    const corp = plane(`ldaps://127.0.0.9:${PORT}|ldaps://ldap.corp.test`)
    const both = plane('ldaps://127.0.0.9:1|ldaps://ldap.corp.test', { hosts: { 'ldap.corp.test': PORT + 2 } })

    expect(await corp.login(ACCOUNT_OF, 'ann', 'Ann-Passw0rd')).toMatchObject({ outcome: 'accepted' })
    expect(await both.login(ACCOUNT_OF, 'ann', 'Ann-Passw0rd')).toMatchObject({ outcome: 'accepted' })
    await second.stop()
    expect(await both.login(ACCOUNT_OF, 'ann', 'Ann-Passw0rd')).toEqual({ outcome: 'unavailable' })
    await expect(both.isActive(ACCOUNT_OF, 'x')).rejects.toThrow('No LDAP server of corp.test can be used.')
    await second.start()
    expect(await both.login(ACCOUNT_OF, 'ann', 'Ann-Passw0rd')).toMatchObject({ outcome: 'accepted' })
  })
})

test('A person of a nested group gets a role, and loses the session once the directory has no such person', async () => {
  const it = await cloud({ provides: [provide(directoryServers, plane('ldaps://ldap.corp.test'))] })
  const ds = it.client(DirectoryServiceClient)
  const { DirectoryId } = await ds.send(
    new ConnectDirectoryCommand({
      Name: 'corp.test',
      Password: SERVICE_PASSWORD,
      Size: 'Small',
      ConnectSettings: { VpcId: 'vpc-12345678', SubnetIds: ['subnet-12345678'], CustomerUserName: 'svc' },
    }),
  )
  await it.jobs.runDue()
  const trust = allowing({ Principal: { Service: 'ds.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await it.client(IAMClient).send(new CreateRoleCommand({ RoleName: 'staff', AssumeRolePolicyDocument: trust }))
  const Tags = [{ Key: 'merlon:role/staff', Value: 'everyone' }]
  await ds.send(new AddTagsToResourceCommand({ ResourceId: DirectoryId!, Tags }))
  const login = directoryLoginPort({
    reader: it.store.reader,
    vault: it.vault,
    use: () => plane('ldaps://ldap.corp.test') as never,
    now: () => it.clock.now(),
  })

  const found = await login.login(DirectoryId!, 'ann', 'Ann-Passw0rd')
  expect(found).toMatchObject({ person: { roles: [`arn:aws:iam::${ACCOUNT}:role/staff`] } })
  const { person } = found as Extract<typeof found, { outcome: 'accepted' }>
  const session = await it.gate.actAs(
    { service: 'ds.amazonaws.com', account: ACCOUNT, region: 'us-east-1', source: '' },
    sts.api,
    'AssumeRole',
    { RoleArn: person.roles[0]!, RoleSessionName: person.userName },
  )
  const me = await it.client(STSClient, keysOf(session)).send(new GetCallerIdentityCommand({}))
  expect(me.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/staff/ann`)

  expect(await login.isActive(DirectoryId!, person.subject)).toBe(true)
  first.modify(`dn: uid=ann,ou=people,${BASE}\nchangetype: delete\n`)
  it.clock.advance(31_000)
  expect(await login.isActive(DirectoryId!, person.subject)).toBe(false)
})
