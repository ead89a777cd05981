/** People of a real Active Directory domain: nested groups, and an outcome for each state of an account. */
import { ConnectDirectoryCommand, DirectoryServiceClient } from '@aws-sdk/client-directory-service'
import { ListGroupsCommand } from '@aws-sdk/client-identitystore'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { directoryServers } from '../../src/kernel/ports/directory-servers.ts'
import { identityStore } from '../../src/kernel/ports/identity-store.ts'
import { provide } from '../../src/kernel/ports/port.ts'
import { ssoInstances } from '../../src/kernel/ports/sso-instances.ts'
import { directories } from '../../src/planes/directories/directories.ts'
import { readDomainServers } from '../../src/planes/directories/servers.ts'
import { identityCenter } from '../../src/services/sso/sso.fixture.ts'
import { ACCOUNT } from '../cloud.ts'
import { ADMIN_PASSWORD, addPeople, type Domain, disable, enable, PASSWORD, samba } from './samba.ts'

const PORT = Number(process.env['MERLON_TEST_PORT'] ?? 46_800) + 5
const SERVICE = { domain: 'corp.test', userName: 'administrator', password: ADMIN_PASSWORD }

let domain: Domain
beforeAll(async () => {
  domain = await samba(PORT)
  await addPeople(domain)
}, 600_000)
afterAll(() => domain?.stop())

const corp = () =>
  directories({
    servers: readDomainServers('corp.test=ldaps://dc1.corp.test'),
    hosts: new Map([['dc1.corp.test', { address: '127.0.0.1', port: PORT }]]),
    ca: domain.ca,
    now: Date.now,
  })

describe('A person of the domain', () => {
  test.each(['ann', 'ANN@corp.test', 'CORP\\ann'])('signs in as %s, with nested groups', async (name) => {
    expect(await corp().check(SERVICE)).toBe('accepted')
    const found = await corp().login(SERVICE, name, PASSWORD)

    expect(found).toMatchObject({
      outcome: 'accepted',
      person: {
        userName: 'ann',
        mail: 'ann@corp.test',
        subject: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      },
    })
    expect(found.outcome === 'accepted' && [...found.person.groups].sort()).toEqual([
      'All Staff',
      'Company',
      'Engineers',
    ])
  })

  test.each([
    ['a wrong password', 'ann', 'wrong', 'refused'],
    ['an empty password', 'ann', '', 'refused'],
    ['an unknown name', 'bob', PASSWORD, 'refused'],
    ['a disabled account', 'disabled', PASSWORD, 'disabled'],
    ['an expired account', 'expired', PASSWORD, 'account-expired'],
    ['a password that must be changed', 'changing', PASSWORD, 'must-change-password'],
  ])('%s: %s', async (_what, name, password, outcome) => {
    expect(await corp().login(SERVICE, name, password)).toEqual({ outcome })
  })

  test('is locked by wrong passwords', async () => {
    for (let attempt = 0; attempt < 4; attempt++) await corp().login(SERVICE, 'locked', 'wrong')

    expect(await corp().login(SERVICE, 'locked', PASSWORD)).toEqual({ outcome: 'locked' })
  })

  test('is listed with everyone else, and in the groups of groups', async () => {
    const listing = await corp().list(SERVICE, [])
    if (typeof listing === 'string') throw new Error(listing)
    const ann = listing.people.find(({ userName }) => userName === 'ann@corp.test')
    expect(ann).toMatchObject({ displayName: 'ann', mail: 'ann@corp.test', isEnabled: true })
    const enabled = Object.fromEntries(listing.people.map(({ userName, isEnabled }) => [userName, isEnabled]))
    expect(enabled).toMatchObject({
      'disabled@corp.test': false,
      'expired@corp.test': false,
      'changing@corp.test': true,
      'krbtgt@corp.test': false,
    })
    const groups = Object.fromEntries(listing.groups.map(({ name, members }) => [name, members]))
    for (const name of ['Engineers', 'All Staff', 'Company'])
      expect([name, groups[`${name}@corp.test`]]).toEqual([name, [ann!.subject]])
    expect(groups['Domain Users@corp.test']).toBeDefined()

    // By the name of the outermost group alone, in any case.
    expect(await corp().list(SERVICE, ['company'])).toEqual({
      people: [ann],
      groups: [{ subject: expect.any(String), name: 'Company@corp.test', members: [ann!.subject] }],
    })
    expect(await corp().list(SERVICE, ['no such group'])).toEqual({ people: [], groups: [] })
    expect(await corp().list({ ...SERVICE, password: 'wrong' }, [])).toBe('unavailable')
    const { subject: disabled } = listing.people.find(({ userName }) => userName === 'disabled@corp.test')!
    const subjects = [ann!.subject, disabled, 'x', '00000000-0000-4000-8000-000000000000']
    expect(await corp().activeAmong(SERVICE, subjects)).toEqual(new Set([ann!.subject]))
  })

  test('signs in at the portal of IAM Identity Center, gets a role by a nested group, and is out when disabled', async () => {
    const it = await identityCenter({ provides: [provide(directoryServers, corp())] })
    const { DirectoryId } = await it.client(DirectoryServiceClient, it.admin).send(
      new ConnectDirectoryCommand({
        Name: 'corp.test',
        Password: ADMIN_PASSWORD,
        Size: 'Small',
        ConnectSettings: { VpcId: 'vpc-12345678', SubnetIds: ['subnet-12345678'], CustomerUserName: 'administrator' },
      }),
    )
    const settle = async () => {
      while ((await it.jobs.runDue()) > 0);
    }
    await settle()
    const instanceId = it.instanceArn.split('/')[1]!
    const source = { directoryId: DirectoryId!, groups: ['Company'] }
    const store = { id: it.storeId, account: ACCOUNT }
    await it.store.run(async (unit) => {
      await it.use(ssoInstances).setExternalSource(unit, instanceId, source)
      await it.use(identityStore).scheduleSync(unit, store, { now: it.clock.now() })
    })
    await settle()
    expect(await it.use(identityStore).syncStatus(it.store.reader, it.storeId)).toMatchObject({
      outcome: 'succeeded',
      people: 1,
      groups: 1,
    })
    const { Groups } = await it.people.send(new ListGroupsCommand({ IdentityStoreId: it.storeId }))
    const account = await it.member('work')
    const view = await it.permissionSet('View', { Action: 's3:List*', Resource: '*' })
    await it.assign(view, account, 'GROUP', Groups![0]!.GroupId!)

    for (const name of ['ann', 'ANN@corp.test', 'CORP\\ann']) {
      const browser = await it.signedIn(name, PASSWORD)
      expect((await browser.open('/start')).text).toContain('View')
    }
    for (const [name, status, text] of [
      ['ann', 401, 'incorrect'],
      ['disabled', 401, 'disabled'],
      ['expired', 401, 'expired'],
      ['changing', 401, 'must be changed'],
    ] as const) {
      const browser = await it.signedIn(name, name === 'ann' ? 'wrong' : PASSWORD)
      expect([name, browser.page.status, browser.problem]).toEqual([name, status, expect.stringContaining(text)])
    }
    const ann = await it.signedIn('ann', PASSWORD)
    it.clock.advance(21_000)
    await settle()
    expect((await ann.open('/start')).location).toBeUndefined()
    await disable(domain, 'ann')
    it.clock.advance(21_000)
    await settle()
    expect((await ann.open('/start')).location).toContain('/start/sign-in')
    expect((await it.signedIn('ann', PASSWORD)).problem).toContain('disabled')
    await enable(domain, 'ann')
    it.clock.advance(5 * 60_000)
    await settle()
    expect((await (await it.signedIn('ann', PASSWORD)).open('/start')).text).toContain('View')
  })

  test('is inactive as soon as the domain disables the account', async () => {
    const found = await corp().login(SERVICE, 'ann', PASSWORD)
    const { person } = found as Extract<typeof found, { outcome: 'accepted' }>
    expect(await corp().isActive(SERVICE, person.subject)).toBe(true)

    await disable(domain, 'ann')

    expect(await corp().isActive(SERVICE, person.subject)).toBe(false)
    expect(await corp().login(SERVICE, 'ann', PASSWORD)).toEqual({ outcome: 'disabled' })
  })
})
