/** People of a directory at the portal: synchronized, signed in by the directory alone, and out when it disables them. */
import { ConnectDirectoryCommand, DirectoryServiceClient } from '@aws-sdk/client-directory-service'
import {
  CreateUserCommand,
  DescribeUserCommand,
  ListGroupMembershipsCommand,
  ListGroupsCommand,
  ListUsersCommand,
} from '@aws-sdk/client-identitystore'
import { ListAccountAssignmentsCommand } from '@aws-sdk/client-sso-admin'
import { describe, expect, test } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import {
  type DirectoryListing,
  type DirectoryServersPort,
  directoryServers,
  type ListedPerson,
  type PersonLogin,
} from '../../kernel/ports/directory-servers.ts'
import { provide } from '../../kernel/ports/port.ts'
import type { AdminContext } from '../../server/admin/admin-api.ts'
import { identitySourceRoutes } from '../../server/admin/identity-source-routes.ts'
import { eventsOf } from '../signin/browser.fixture.ts'
import { identityCenter } from './sso.fixture.ts'

const person = (name: string, more: Partial<ListedPerson> = {}): ListedPerson => ({
  subject: `guid-${name}`,
  userName: `${name}@corp.test`,
  displayName: name,
  givenName: name,
  familyName: 'Example',
  mail: `${name}@corp.test`,
  isEnabled: true,
  ...more,
})

async function corp() {
  const listing: { people: ListedPerson[]; groups: DirectoryListing['groups'] } = {
    people: [person('ann'), person('bob')],
    groups: [{ subject: 'guid-staff', name: 'staff@corp.test', members: ['guid-ann'] }],
  }
  const state: { login: PersonLogin['outcome']; isDown: boolean; scopes: (readonly string[])[] } = {
    login: 'accepted',
    isDown: false,
    scopes: [],
  }
  const enabled = () => listing.people.filter(({ isEnabled }) => isEnabled).map(({ subject }) => subject)
  const servers: DirectoryServersPort = {
    check: async () => 'accepted',
    login: async (_account, name) => {
      if (state.isDown) return { outcome: 'unavailable' }
      if (state.login !== 'accepted') return { outcome: state.login }
      return { outcome: 'accepted', person: { subject: `guid-${name}`, userName: name, groups: [] } }
    },
    isActive: async (_account, subject) => enabled().includes(subject),
    activeAmong: async (_account, subjects) => {
      if (state.isDown) throw new Error('No server answers.')
      return new Set(subjects.filter((subject) => enabled().includes(subject)))
    },
    list: async (_account, groups) => {
      state.scopes.push(groups)
      return state.isDown ? 'unavailable' : { people: [...listing.people], groups: listing.groups }
    },
  }
  const it = await identityCenter({ provides: [provide(directoryServers, servers)] })
  const { DirectoryId } = await it.client(DirectoryServiceClient, it.admin).send(
    new ConnectDirectoryCommand({
      Name: 'corp.test',
      Password: 'Service-Passw0rd',
      Size: 'Small',
      ConnectSettings: { VpcId: 'vpc-12345678', SubnetIds: ['subnet-12345678'], CustomerUserName: 'svc' },
    }),
  )
  await it.jobs.runDue()
  const recorded: string[] = []
  const custody = { unsealed: () => ({ cloud: it }), record: async (event: string) => void recorded.push(event) }
  // As much of the context as these routes use.
  const desk = { custody } as unknown as AdminContext
  // biome-ignore lint/suspicious/noExplicitAny: answers as the command line reads them.
  const admin = (route: string, input: object = {}): Promise<any> =>
    identitySourceRoutes[`POST /identity-source/${route}`]!(desk, { ...input })
  const settle = async () => {
    while ((await it.jobs.runDue()) > 0);
  }
  const connect = async (more: object = {}) => {
    await admin('set', { directory: DirectoryId, ...more })
    await settle()
  }
  const users = async () => {
    const { Users } = await it.people.send(new ListUsersCommand({ IdentityStoreId: it.storeId }))
    return Object.fromEntries(Users!.map((user) => [user.UserName!, user]))
  }
  const later = async (ms: number) => {
    it.clock.advance(ms)
    await settle()
  }
  const isIn = async (browser: Awaited<ReturnType<typeof it.signedIn>>) =>
    (await browser.open('/start')).location === undefined
  return { ...it, directoryId: DirectoryId!, listing, state, admin, connect, settle, users, later, isIn, recorded }
}

describe('A directory as the identity source', () => {
  test('is synchronized with names, attributes, states and members, and again every five minutes', async () => {
    const it = await corp()
    await it.connect({ groups: ['staff'] })

    expect(await it.admin('show')).toMatchObject({
      source: 'ACTIVE_DIRECTORY',
      directoryId: it.directoryId,
      sync: { outcome: 'succeeded', people: 2, groups: 1, skippedCount: 0 },
    })
    expect(it.recorded).toEqual(['SetIdentitySource'])
    expect(it.state.scopes[0]).toEqual(['staff'])
    const before = await it.users()
    expect(before['ann@corp.test']).toMatchObject({
      DisplayName: 'ann',
      Name: { GivenName: 'ann', FamilyName: 'Example', Formatted: 'ann' },
      Emails: [{ Value: 'ann@corp.test', Primary: true }],
      ExternalIds: [{ Issuer: it.directoryId, Id: 'guid-ann' }],
      UserStatus: 'ENABLED',
      CreatedBy: `directory/${it.directoryId}`,
    })
    const { Groups } = await it.people.send(new ListGroupsCommand({ IdentityStoreId: it.storeId }))
    expect(Groups).toMatchObject([{ DisplayName: 'staff@corp.test' }])
    const members = async () => {
      const input = { IdentityStoreId: it.storeId, GroupId: Groups![0]!.GroupId! }
      const { GroupMemberships } = await it.people.send(new ListGroupMembershipsCommand(input))
      return GroupMemberships!.map(({ MemberId }) => MemberId!.UserId)
    }
    expect(await members()).toEqual([before['ann@corp.test']!.UserId])

    // Renamed, disabled, and of another group: the same people.
    it.listing.people = [
      person('ann', { userName: 'anna@corp.test', displayName: 'Anna' }),
      person('bob', { isEnabled: false }),
    ]
    it.listing.groups = [{ subject: 'guid-staff', name: 'all@corp.test', members: ['guid-bob'] }]
    await it.later(4 * 60_000)
    expect(Object.keys(await it.users()).sort()).toEqual(['ann@corp.test', 'bob@corp.test'])
    await it.later(61_000)
    const after = await it.users()
    expect(after['anna@corp.test']).toMatchObject({ UserId: before['ann@corp.test']!.UserId, DisplayName: 'Anna' })
    expect(after['bob@corp.test']).toMatchObject({ UserStatus: 'DISABLED' })
    expect(await members()).toEqual([after['bob@corp.test']!.UserId])
    // What has not changed is not written.
    await it.later(5 * 60_000)
    expect((await it.users())['anna@corp.test']!.UpdatedAt).toEqual(after['anna@corp.test']!.UpdatedAt)
  })

  test('leaves names alone that others of the store have, and says so', async () => {
    const it = await corp()
    await it.people.send(
      new CreateUserCommand({ IdentityStoreId: it.storeId, UserName: 'ANN@corp.test', DisplayName: 'other' }),
    )
    await it.connect()

    expect((await it.admin('show')).sync).toMatchObject({ outcome: 'succeeded', skipped: ['ann@corp.test'] })
    expect(Object.keys(await it.users()).sort()).toEqual(['ANN@corp.test', 'bob@corp.test'])
    // The other one is not signed in by the directory's password.
    const browser = await it.signedIn('ann', 'of the directory')
    expect([browser.page.status, await it.isIn(browser)]).toEqual([403, false])
  })

  test('that lists most people no more deletes none before the operator says so', async () => {
    const it = await corp()
    it.listing.people = Array.from({ length: 30 }, (_, n) => person(`p${n}`))
    it.listing.groups = []
    await it.connect()
    it.listing.people = it.listing.people.slice(0, 10)
    await it.later(5 * 60_000)

    expect((await it.admin('show')).sync).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('20 of 30'),
    })
    expect(Object.keys(await it.users())).toHaveLength(30)
    await it.admin('sync', { isDeletionAllowed: true })
    await it.settle()
    expect(Object.keys(await it.users())).toHaveLength(10)

    it.state.isDown = true
    await it.later(5 * 60_000)
    expect((await it.admin('show')).sync).toMatchObject({ outcome: 'failed', people: 10 })
    const lines = await it.metrics()
    expect(lines).toContain(`merlon_identity_sync_failed{store="${it.storeId}"} 1`)
    const age = lines.find((line) => line.startsWith(`merlon_identity_sync_age_seconds{store="${it.storeId}"} `))
    expect(Math.floor(Number(age?.split(' ')[1]))).toBeGreaterThanOrEqual(300)
    expect(Object.keys(await it.users())).toHaveLength(10)
  })

  test('is synchronized in turns where there is much', async () => {
    const it = await corp()
    it.listing.people = Array.from({ length: 4_500 }, (_, n) => person(`p${n}`))
    it.listing.groups = [
      { subject: 'g', name: 'all', members: it.listing.people.map(({ subject }) => subject) },
      { subject: 'empty', name: 'empty', members: [] },
    ]
    await it.connect()

    expect((await it.admin('show')).sync).toMatchObject({ outcome: 'succeeded', people: 4_500, groups: 2 })
    const input = { IdentityStoreId: it.storeId, MaxResults: 100 }
    expect((await it.people.send(new ListUsersCommand(input))).Users).toHaveLength(100)
    expect(it.state.scopes.length).toBeGreaterThan(4)
  }, 60_000)

  test('signs people in by its password, and each answer has its page', async () => {
    const it = await corp()
    await it.connect()
    const ann = await it.signedIn('ann', 'of the directory')
    expect(await it.isIn(ann)).toBe(true)
    expect(ann.page.text).toContain('ann@corp.test')
    expect((await eventsOf(it, ACCOUNT, 'UserAuthentication'))[0]).toMatchObject({
      userIdentity: { type: 'IdentityCenterUser', userName: 'ann@corp.test' },
      additionalEventData: { CredentialType: 'PASSWORD' },
    })

    const outcomes = [
      ['refused', 401, 'incorrect'],
      ['disabled', 401, 'Your account is disabled'],
      ['locked', 401, 'locked'],
      ['must-change-password', 401, 'must be changed'],
      ['password-expired', 401, 'expired'],
      ['account-expired', 401, 'Your account has expired'],
      ['not-permitted', 401, 'does not permit'],
      ['unavailable', 503, 'cannot be reached'],
    ] as const
    for (const [outcome, status, text] of outcomes) {
      it.state.login = outcome
      const browser = await it.signedIn('bob', 'x')
      expect([outcome, browser.page.status, browser.problem]).toEqual([outcome, status, expect.stringContaining(text)])
      expect(await it.isIn(browser)).toBe(false)
    }
    it.state.login = 'refused'
    for (let attempt = 0; attempt < 6; attempt++) await it.signedIn('bob', 'x')
    it.state.login = 'accepted'
    expect((await it.signedIn('bob', 'right')).problem).toContain('Try again in')
  })

  test('ends all portal sessions when it comes and goes, and passwords of the store open nothing meanwhile', async () => {
    const it = await corp()
    const ana = await it.person('ana')
    const before = await it.signedIn('ana')
    expect(await it.isIn(before)).toBe(true)
    await it.connect()
    expect(await it.isIn(before)).toBe(false)
    // Its password is not the directory's.
    expect((await it.signedIn('ana')).page.status).toBe(403)

    const ann = await it.signedIn('ann', 'of the directory')
    await it.connect({ groups: ['staff'] })
    expect(await it.isIn(ann)).toBe(true)
    await it.admin('set')
    expect(await it.isIn(ann)).toBe(false)
    expect(await it.isIn(await it.signedIn('ana'))).toBe(true)
    expect((await it.signedIn('ann', 'of the directory')).problem).toContain('incorrect')
    const calls = it.state.scopes.length
    await it.later(10 * 60_000)
    expect(it.state.scopes).toHaveLength(calls)
    expect(
      (await it.people.send(new DescribeUserCommand({ IdentityStoreId: it.storeId, UserId: ana }))).UserStatus,
    ).toBe('ENABLED')
  })

  test('signs people out within a minute when it disables them, and keeps assignments of those it deletes', async () => {
    const it = await corp()
    await it.connect()
    const set = await it.permissionSet('View', { Action: 's3:List*', Resource: '*' })
    const ids = await it.users()
    const account = await it.member('work')
    await it.assign(set, account, 'USER', ids['ann@corp.test']!.UserId!)
    const [ann, bob] = [await it.signedIn('ann', 'x'), await it.signedIn('bob', 'x')]
    await it.later(21_000)
    expect([await it.isIn(ann), await it.isIn(bob)]).toEqual([true, true])

    it.listing.people = [person('ann', { isEnabled: false }), person('bob')]
    await it.later(21_000)
    expect([await it.isIn(ann), await it.isIn(bob)]).toEqual([false, true])
    expect((await it.users())['ann@corp.test']).toMatchObject({ UserStatus: 'DISABLED' })

    it.listing.people = [person('bob')]
    await it.later(5 * 60_000)
    expect(Object.keys(await it.users())).toEqual(['bob@corp.test'])
    const at = { InstanceArn: it.instanceArn, AccountId: account, PermissionSetArn: set }
    const { AccountAssignments } = await it.sso.send(new ListAccountAssignmentsCommand(at))
    expect(AccountAssignments).toMatchObject([{ PrincipalId: ids['ann@corp.test']!.UserId }])
    // The same name comes back as another person.
    it.listing.people = [person('ann', { subject: 'guid-ann2' }), person('bob')]
    await it.later(5 * 60_000)
    expect((await it.users())['ann@corp.test']!.UserId).not.toBe(ids['ann@corp.test']!.UserId)
  })

  test('forgives an outage of one turn, and signs everyone out in a longer one', async () => {
    const it = await corp()
    await it.connect()
    const ann = await it.signedIn('ann', 'x')
    it.state.isDown = true
    await it.later(21_000)
    expect(await it.isIn(ann)).toBe(true)
    it.state.isDown = false
    await it.later(21_000)
    it.state.isDown = true
    await it.later(21_000)
    expect(await it.isIn(ann)).toBe(true)
    await it.later(21_000)
    expect(await it.isIn(ann)).toBe(false)
    expect((await it.users())['ann@corp.test']).toMatchObject({ UserStatus: 'ENABLED' })
  })

  test('must be of the account of the instance', async () => {
    const it = await corp()
    for (const directory of ['d-0000000000', '', 'corp'])
      await expect(it.admin('set', { directory })).rejects.toThrow('There is no active directory')
    for (const groups of ['staff', [''], [1], Array.from({ length: 101 }, () => 'g')])
      await expect(it.admin('set', { directory: it.directoryId, groups })).rejects.toThrow('at most 100 groups')
    await expect(it.admin('sync')).rejects.toThrow('is not a directory')
  })
})
