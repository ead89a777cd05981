/** Invitations and the other agreements between accounts: whose word it is, in which state, for how long, and what it changes. */
import { IAMClient, ListUsersCommand } from '@aws-sdk/client-iam'
import {
  AcceptHandshakeCommand,
  CancelHandshakeCommand,
  CreateOrganizationCommand,
  DeclineHandshakeCommand,
  DeleteOrganizationCommand,
  DescribeAccountCommand,
  DescribeHandshakeCommand,
  DescribeOrganizationCommand,
  EnableAllFeaturesCommand,
  EnablePolicyTypeCommand,
  InviteAccountToOrganizationCommand,
  LeaveOrganizationCommand,
  ListAccountsCommand,
  ListHandshakesForAccountCommand,
  ListHandshakesForOrganizationCommand,
  ListRootsCommand,
  ListTagsForResourceCommand,
  OrganizationsClient,
  RemoveAccountFromOrganizationCommand,
} from '@aws-sdk/client-organizations'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, type CloudOptions, cloud, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { denying, organization } from './organization.fixture.ts'

const DAY_MS = 24 * 3_600_000
const emailOf = (account: string) => `root@${account}.merlon.invalid`

const refused = (Reason: string, name = 'HandshakeConstraintViolationException') => ({ name, Reason })

/** An organization, another account with a user that may do everything, and an invitation between them. */
async function invitation(options: CloudOptions = {}) {
  const world = await organization(options)
  const keys = await world.account(OTHER_ACCOUNT)
  const guest = await world.user('guest', [{ Action: '*', Resource: '*' }], keys)
  const them = world.client(OrganizationsClient, guest)
  const invite = async (Id = OTHER_ACCOUNT, Type: 'ACCOUNT' | 'EMAIL' | 'ORGANIZATION' = 'ACCOUNT') =>
    (await world.org.send(new InviteAccountToOrganizationCommand({ Target: { Id, Type }, Notes: 'Come.' }))).Handshake!
  const accept = async (HandshakeId: string) =>
    (await them.send(new AcceptHandshakeCommand({ HandshakeId }))).Handshake!
  return { ...world, guest, them, invite, accept, lists: () => world.lists(guest) }
}

describe('An invitation', () => {
  test('names both sides, what for, and until when', async () => {
    const { invite, id, them } = await invitation()

    const sent = await invite()

    expect(sent).toMatchObject({
      Arn: `arn:aws:organizations::${ACCOUNT}:handshake/${id}/invite/${sent.Id}`,
      Action: 'INVITE',
      State: 'OPEN',
      Parties: [
        { Id: id, Type: 'ORGANIZATION' },
        { Id: OTHER_ACCOUNT, Type: 'ACCOUNT' },
      ],
      Resources: [
        {
          Type: 'ORGANIZATION',
          Value: id,
          Resources: [
            { Type: 'MASTER_EMAIL', Value: emailOf(ACCOUNT) },
            { Type: 'MASTER_NAME', Value: 'test' },
            { Type: 'ORGANIZATION_FEATURE_SET', Value: 'ALL' },
          ],
        },
        { Type: 'ACCOUNT', Value: OTHER_ACCOUNT },
        { Type: 'NOTES', Value: 'Come.' },
      ],
    })
    expect(sent.ExpirationTimestamp!.getTime() - sent.RequestedTimestamp!.getTime()).toBe(15 * DAY_MS)
    expect((await them.send(new DescribeHandshakeCommand({ HandshakeId: sent.Id! }))).Handshake).toEqual(sent)
  })

  test('once accepted puts the account below the root, bound by what is attached there, until it leaves', async () => {
    const { invite, accept, org, them, scp, attach, root, lists } = await invitation()
    const policy = await scp('no-listing', denying('iam:ListUsers'))
    await attach(policy.Id!, root)
    expect(await lists()).toBe('allowed')

    expect((await accept((await invite()).Id!)).State).toBe('ACCEPTED')

    expect(await lists()).toBe(`with an explicit deny in a service control policy: ${policy.Arn}`)
    expect((await org.send(new DescribeAccountCommand({ AccountId: OTHER_ACCOUNT }))).Account).toMatchObject({
      JoinedMethod: 'INVITED',
      Email: emailOf(OTHER_ACCOUNT),
      Status: 'ACTIVE',
    })

    await them.send(new LeaveOrganizationCommand({}))
    expect(await lists()).toBe('allowed')
    await expect(them.send(new DescribeOrganizationCommand({}))).rejects.toMatchObject({
      name: 'AWSOrganizationsNotInUseException',
    })
  })

  test('ends with removal as with leaving, at once, though the account has just joined', async () => {
    const { invite, accept, org, scp, attach, root, lists } = await invitation()
    await attach((await scp('nothing', denying('*'))).Id!, root)
    await accept((await invite()).Id!)
    expect(await lists()).toContain('explicit deny')

    await org.send(new RemoveAccountFromOrganizationCommand({ AccountId: OTHER_ACCOUNT }))

    expect(await lists()).toBe('allowed')
  })

  test('binds the root user of the account as well', async () => {
    const world = await organization()
    const keys = await world.account(OTHER_ACCOUNT)
    const them = world.client(OrganizationsClient, keys)
    const policy = await world.scp('no-listing', denying('iam:ListUsers'))
    await world.attach(policy.Id!, world.root)
    const Target = { Id: OTHER_ACCOUNT, Type: 'ACCOUNT' as const }
    const { Handshake } = await world.org.send(new InviteAccountToOrganizationCommand({ Target }))

    await them.send(new AcceptHandshakeCommand({ HandshakeId: Handshake!.Id! }))

    expect(await world.lists(keys)).toBe(`with an explicit deny in a service control policy: ${policy.Arn}`)
  })

  test('reaches an account by the e-mail address of its root user, whatever the case', async () => {
    const { invite, accept, them, org } = await invitation()
    const sent = await invite(emailOf(OTHER_ACCOUNT).toUpperCase(), 'EMAIL')

    expect((await them.send(new ListHandshakesForAccountCommand({}))).Handshakes).toEqual([sent])
    await accept(sent.Id!)

    expect((await org.send(new ListAccountsCommand({}))).Accounts).toHaveLength(2)
  })

  test('brings its tags to the account', async () => {
    const { org, accept } = await invitation()
    const Tags = [{ Key: 'team', Value: 'blue' }]
    const Target = { Id: OTHER_ACCOUNT, Type: 'ACCOUNT' as const }
    const { Handshake } = await org.send(new InviteAccountToOrganizationCommand({ Target, Tags }))

    await accept(Handshake!.Id!)

    expect((await org.send(new ListTagsForResourceCommand({ ResourceId: OTHER_ACCOUNT }))).Tags).toEqual(Tags)
  })

  test('lets an account go from one organization straight to another, unless it may not leave', async () => {
    const { invite, them, accept, account, client, scp, attach, detach, root } = await invitation()
    await accept((await invite()).Id!)
    const elsewhere = client(OrganizationsClient, await account('777788889999'))
    await elsewhere.send(new CreateOrganizationCommand({}))
    const Target = { Id: OTHER_ACCOUNT, Type: 'ACCOUNT' as const }
    const { Handshake } = await elsewhere.send(new InviteAccountToOrganizationCommand({ Target }))
    const stay = await scp('stay', denying('organizations:LeaveOrganization'))

    await attach(stay.Id!, root)
    await expect(accept(Handshake!.Id!)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    expect((await them.send(new DescribeOrganizationCommand({}))).Organization?.MasterAccountId).toBe(ACCOUNT)

    await detach(stay.Id!, root)
    await accept(Handshake!.Id!)
    expect((await them.send(new DescribeOrganizationCommand({}))).Organization?.MasterAccountId).toBe('777788889999')
  })

  test('does not take the management account out of its organization', async () => {
    const { account, client, org } = await invitation()
    const elsewhere = client(OrganizationsClient, await account('777788889999'))
    await elsewhere.send(new CreateOrganizationCommand({}))
    const Target = { Id: ACCOUNT, Type: 'ACCOUNT' as const }
    const { Handshake } = await elsewhere.send(new InviteAccountToOrganizationCommand({ Target }))

    await expect(org.send(new AcceptHandshakeCommand({ HandshakeId: Handshake!.Id! }))).rejects.toMatchObject({
      name: 'MasterCannotLeaveOrganizationException',
    })
    expect((await org.send(new DescribeHandshakeCommand({ HandshakeId: Handshake!.Id! }))).Handshake?.State).toBe(
      'OPEN',
    )
  })

  test('is canceled when its organization is deleted', async () => {
    const { invite, org, them } = await invitation()
    const { Id } = await invite()

    await org.send(new DeleteOrganizationCommand({}))

    expect((await them.send(new DescribeHandshakeCommand({ HandshakeId: Id! }))).Handshake?.State).toBe('CANCELED')
  })

  test('is visible to its two sides only: to a third account it does not exist', async () => {
    const { invite, account, client } = await invitation()
    const HandshakeId = (await invite()).Id!
    const third = client(OrganizationsClient, await account('777788889999'))

    for (const Command of [DescribeHandshakeCommand, AcceptHandshakeCommand, DeclineHandshakeCommand]) {
      await expect(third.send(new Command({ HandshakeId }) as DescribeHandshakeCommand)).rejects.toMatchObject({
        name: 'HandshakeNotFoundException',
      })
    }
    expect((await third.send(new ListHandshakesForAccountCommand({}))).Handshakes).toEqual([])
  })

  test('is answered by its recipient and withdrawn by its sender, not the other way round', async () => {
    const { invite, org, them } = await invitation()
    const HandshakeId = (await invite()).Id!
    const denied = { name: 'HandshakeNotFoundException' }

    await expect(org.send(new AcceptHandshakeCommand({ HandshakeId }))).rejects.toMatchObject(denied)
    await expect(org.send(new DeclineHandshakeCommand({ HandshakeId }))).rejects.toMatchObject(denied)
    await expect(them.send(new CancelHandshakeCommand({ HandshakeId }))).rejects.toMatchObject(denied)
    expect((await org.send(new DescribeHandshakeCommand({ HandshakeId }))).Handshake?.State).toBe('OPEN')
  })

  test('is accepted only by those whom the account’s own policies let', async () => {
    const { invite, user, guest, client, id } = await invitation()
    const sent = await invite()
    const Resource = `arn:aws:organizations::${ACCOUNT}:handshake/${id}/invite/*`
    const reader = await user('reader', [{ Action: 'organizations:DescribeHandshake', Resource }], guest)
    const theirs = client(OrganizationsClient, reader)

    expect((await theirs.send(new DescribeHandshakeCommand({ HandshakeId: sent.Id! }))).Handshake?.Id).toBe(sent.Id)
    await expect(theirs.send(new AcceptHandshakeCommand({ HandshakeId: sent.Id! }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`organizations:AcceptHandshake on resource: ${sent.Arn}`),
    })
  })

  test('is listed page by page, by one filter at a time', async () => {
    const { invite, org } = await invitation()
    for (const id of ['222233334444', '333344445555', '777788889999']) await invite(id)

    const first = await org.send(new ListHandshakesForOrganizationCommand({ MaxResults: 2 }))
    const { NextToken } = first
    const second = await org.send(new ListHandshakesForOrganizationCommand({ MaxResults: 2, NextToken }))
    const filtered = await org.send(
      new ListHandshakesForOrganizationCommand({ Filter: { ActionType: 'ENABLE_ALL_FEATURES' } }),
    )

    expect(new Set([...first.Handshakes!, ...second.Handshakes!].map(({ Id }) => Id)).size).toBe(3)
    expect(filtered.Handshakes).toEqual([])
    const Filter = { ActionType: 'INVITE' as const, ParentHandshakeId: first.Handshakes![0]!.Id! }
    await expect(org.send(new ListHandshakesForOrganizationCommand({ Filter }))).rejects.toMatchObject(
      refused('MAX_LIMIT_EXCEEDED_FILTER', 'InvalidInputException'),
    )
  })
})

describe('In each state, each operation on an invitation', () => {
  const operations = {
    accept: ['them', AcceptHandshakeCommand],
    decline: ['them', DeclineHandshakeCommand],
    cancel: ['us', CancelHandshakeCommand],
    describe: ['them', DescribeHandshakeCommand],
    'describe again': ['us', DescribeHandshakeCommand],
  } as const
  type Name = keyof typeof operations

  const same = 'HandshakeAlreadyInStateException'
  const wrong = 'InvalidHandshakeTransitionException'
  const table: Readonly<Record<string, Readonly<Record<Name, string>>>> = {
    OPEN: { accept: 'ACCEPTED', decline: 'DECLINED', cancel: 'CANCELED', describe: 'OPEN', 'describe again': 'OPEN' },
    ACCEPTED: { accept: same, decline: wrong, cancel: wrong, describe: 'ACCEPTED', 'describe again': 'ACCEPTED' },
    DECLINED: { accept: wrong, decline: same, cancel: wrong, describe: 'DECLINED', 'describe again': 'DECLINED' },
    CANCELED: { accept: wrong, decline: wrong, cancel: same, describe: 'CANCELED', 'describe again': 'CANCELED' },
    EXPIRED: { accept: wrong, decline: wrong, cancel: wrong, describe: 'EXPIRED', 'describe again': 'EXPIRED' },
  }
  const into: Readonly<Record<string, Name>> = { ACCEPTED: 'accept', DECLINED: 'decline', CANCELED: 'cancel' }
  const cases = Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([name, outcome]) => [state, name as Name, outcome] as const),
  )

  test.each(cases)('%s: %s answers %s', async (state, name, outcome) => {
    const { invite, clock, client, guest } = await invitation()
    const HandshakeId = (await invite()).Id!
    const send = async (which: Name) => {
      const [who, Command] = operations[which]
      const sender = who === 'us' ? client(OrganizationsClient) : client(OrganizationsClient, guest)
      try {
        return (await sender.send(new Command({ HandshakeId }) as AcceptHandshakeCommand)).Handshake!.State
      } catch (error) {
        return (error as Error).name
      }
    }
    if (into[state]) await send(into[state])
    if (state === 'EXPIRED') clock.advance(15 * DAY_MS)

    expect(await send(name)).toBe(outcome)
    const after = /Exception$/.test(outcome) ? state : outcome
    expect(await send('describe')).toBe(after)
  })

  test('an invitation is open to the last second of its fifteen days, and visible for thirty more', async () => {
    const { invite, clock, client, guest } = await invitation()
    const HandshakeId = (await invite()).Id!
    const describe = async () => {
      const them = client(OrganizationsClient, guest)
      return (await them.send(new DescribeHandshakeCommand({ HandshakeId }))).Handshake!.State
    }

    clock.advance(15 * DAY_MS - 60_000)
    expect(await describe()).toBe('OPEN')
    clock.advance(60_000)
    expect(await describe()).toBe('EXPIRED')
    clock.advance(30 * DAY_MS - 60_000)
    expect(await describe()).toBe('EXPIRED')
    clock.advance(60_000)
    await expect(describe()).rejects.toMatchObject({ name: 'HandshakeNotFoundException' })
    const them = client(OrganizationsClient, guest)
    expect((await them.send(new ListHandshakesForAccountCommand({}))).Handshakes).toEqual([])
  })
})

describe('An invitation is refused', () => {
  type Invited = Awaited<ReturnType<typeof invitation>>

  test.each([
    [
      'of an organization',
      ({ invite, id }: Invited) => invite(id, 'ORGANIZATION'),
      refused('INVALID_PARTY_TYPE_TARGET', 'InvalidInputException'),
    ],
    [
      'of an account that is no number',
      ({ invite }: Invited) => invite('someone'),
      refused('INVALID_PATTERN_TARGET_ID', 'InvalidInputException'),
    ],
    [
      'of an address that is none',
      ({ invite }: Invited) => invite('someone', 'EMAIL'),
      refused('INVALID_EMAIL_ADDRESS_TARGET', 'InvalidInputException'),
    ],
    ['of the management account', ({ invite }: Invited) => invite(ACCOUNT), refused('ALREADY_IN_AN_ORGANIZATION')],
    [
      'of a member',
      async ({ invite, accept }: Invited) => {
        await accept((await invite()).Id!)
        return invite()
      },
      refused('ALREADY_IN_AN_ORGANIZATION'),
    ],
    [
      'of a member by its address',
      async ({ invite, accept }: Invited) => {
        await accept((await invite()).Id!)
        return invite(emailOf(OTHER_ACCOUNT), 'EMAIL')
      },
      refused('ALREADY_IN_AN_ORGANIZATION'),
    ],
    ['twice', async ({ invite }: Invited) => [await invite(), await invite()], { name: 'DuplicateHandshakeException' }],
    [
      'by an account without organization',
      ({ them }: Invited) =>
        them.send(new InviteAccountToOrganizationCommand({ Target: { Id: ACCOUNT, Type: 'ACCOUNT' } })),
      { name: 'AWSOrganizationsNotInUseException' },
    ],
    [
      'by a member',
      async ({ invite, accept, them }: Invited) => {
        await accept((await invite()).Id!)
        const Target = { Id: '777788889999', Type: 'ACCOUNT' as const }
        return them.send(new InviteAccountToOrganizationCommand({ Target }))
      },
      { name: 'AccessDeniedException' },
    ],
  ] as const)('%s', async (_what, attempt, refusal) => {
    const world = await invitation()

    await expect((async () => attempt(world))()).rejects.toMatchObject(refusal)

    const { Handshakes } = await world.org.send(new ListHandshakesForOrganizationCommand({}))
    expect(Handshakes!.length).toBeLessThanOrEqual(1)
  })

  test('beyond the number of one day, and not the day after', async () => {
    const { invite, clock, client } = await invitation({ quotas: { 'organizations/InvitationsPerDay': 1 } })
    await invite()
    await expect(invite('777788889999')).rejects.toMatchObject(refused('HANDSHAKE_RATE_LIMIT_EXCEEDED'))

    clock.advance(DAY_MS)
    const later = client(OrganizationsClient)
    const Target = { Id: '777788889999', Type: 'ACCOUNT' as const }
    expect((await later.send(new InviteAccountToOrganizationCommand({ Target }))).Handshake?.State).toBe('OPEN')
  })

  test('beyond the number of accounts, those that are coming included', async () => {
    const { invite, member } = await invitation({ quotas: { 'organizations/AccountsPerOrganization': 2 } })
    await invite()

    await expect(invite('777788889999')).rejects.toMatchObject(refused('ACCOUNT_NUMBER_LIMIT_EXCEEDED'))
    await member('blue')
    await expect(member('red')).rejects.toMatchObject(
      refused('ACCOUNT_NUMBER_LIMIT_EXCEEDED', 'ConstraintViolationException'),
    )
  })

  test('when the last place has been taken meanwhile, and stays open', async () => {
    const { invite, member, accept, them } = await invitation({
      quotas: { 'organizations/AccountsPerOrganization': 2 },
    })
    const HandshakeId = (await invite()).Id!
    await member('blue')

    await expect(accept(HandshakeId)).rejects.toMatchObject(refused('ACCOUNT_NUMBER_LIMIT_EXCEEDED'))
    expect((await them.send(new DescribeHandshakeCommand({ HandshakeId }))).Handshake?.State).toBe('OPEN')
  })
})

describe('All features', () => {
  /** An organization for billing only, with a member that was invited. */
  async function billing() {
    const it = await cloud()
    const org = it.client(OrganizationsClient)
    await org.send(new CreateOrganizationCommand({ FeatureSet: 'CONSOLIDATED_BILLING' }))
    const keys = await it.account(OTHER_ACCOUNT)
    const them = it.client(OrganizationsClient, keys)
    const invite = (Id: string) => org.send(new InviteAccountToOrganizationCommand({ Target: { Id, Type: 'ACCOUNT' } }))
    const { Handshake } = await invite(OTHER_ACCOUNT)
    await them.send(new AcceptHandshakeCommand({ HandshakeId: Handshake!.Id! }))
    const features = async () => (await org.send(new DescribeOrganizationCommand({}))).Organization!.FeatureSet
    const state = async (HandshakeId: string) =>
      (await org.send(new DescribeHandshakeCommand({ HandshakeId }))).Handshake!.State
    const approval = async () => {
      const Filter = { ActionType: 'APPROVE_ALL_FEATURES' as const }
      return (await them.send(new ListHandshakesForAccountCommand({ Filter }))).Handshakes![0]!
    }
    return { ...it, org, them, invite, features, state, approval }
  }

  test('wait for the approval of every invited account, then for the word of the manager', async () => {
    const { org, them, features, state, approval } = await billing()
    const { Roots } = await org.send(new ListRootsCommand({}))
    const enable = new EnablePolicyTypeCommand({ RootId: Roots![0]!.Id!, PolicyType: 'SERVICE_CONTROL_POLICY' })
    await expect(org.send(enable)).rejects.toMatchObject({ name: 'PolicyTypeNotAvailableForOrganizationException' })

    const whole = (await org.send(new EnableAllFeaturesCommand({}))).Handshake!
    expect(whole).toMatchObject({ State: 'REQUESTED', Action: 'ENABLE_ALL_FEATURES' })
    expect(whole.ExpirationTimestamp!.getTime() - whole.RequestedTimestamp!.getTime()).toBe(90 * DAY_MS)
    const finish = new AcceptHandshakeCommand({ HandshakeId: whole.Id! })
    await expect(org.send(finish)).rejects.toMatchObject({ name: 'InvalidHandshakeTransitionException' })

    const part = await approval()
    expect(part.Resources).toContainEqual({ Type: 'PARENT_HANDSHAKE', Value: whole.Id })
    await them.send(new AcceptHandshakeCommand({ HandshakeId: part.Id! }))
    expect(await state(whole.Id!)).toBe('OPEN')
    expect(await features()).toBe('CONSOLIDATED_BILLING')

    expect((await org.send(finish)).Handshake!.State).toBe('ACCEPTED')
    expect(await features()).toBe('ALL')
    expect((await org.send(enable)).Root!.PolicyTypes).toEqual([{ Type: 'SERVICE_CONTROL_POLICY', Status: 'ENABLED' }])
    await expect(org.send(new EnableAllFeaturesCommand({}))).rejects.toMatchObject(
      refused('ORGANIZATION_ALREADY_HAS_ALL_FEATURES'),
    )
  })

  test('are requested once at a time, and no account is invited meanwhile', async () => {
    const { org, invite } = await billing()
    await org.send(new EnableAllFeaturesCommand({}))

    await expect(org.send(new EnableAllFeaturesCommand({}))).rejects.toMatchObject(
      refused('ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION'),
    )
    await expect(invite('777788889999')).rejects.toMatchObject(refused('INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES'))
  })

  test('are not had against a member, unless it is removed', async () => {
    const { org, them, state, approval, features } = await billing()
    const whole = (await org.send(new EnableAllFeaturesCommand({}))).Handshake!
    await them.send(new DeclineHandshakeCommand({ HandshakeId: (await approval()).Id! }))
    expect(await state(whole.Id!)).toBe('REQUESTED')

    await org.send(new RemoveAccountFromOrganizationCommand({ AccountId: OTHER_ACCOUNT }))

    expect(await state(whole.Id!)).toBe('OPEN')
    await org.send(new AcceptHandshakeCommand({ HandshakeId: whole.Id! }))
    expect(await features()).toBe('ALL')
  })

  test('abandoned are abandoned for every recipient', async () => {
    const { org, them, approval } = await billing()
    const whole = (await org.send(new EnableAllFeaturesCommand({}))).Handshake!

    await org.send(new CancelHandshakeCommand({ HandshakeId: whole.Id! }))

    const part = await approval()
    expect(part.State).toBe('CANCELED')
    await expect(them.send(new AcceptHandshakeCommand({ HandshakeId: part.Id! }))).rejects.toMatchObject({
      name: 'InvalidHandshakeTransitionException',
    })
    expect((await org.send(new EnableAllFeaturesCommand({}))).Handshake!.State).toBe('REQUESTED')
  })

  test('lapse after ninety days', async () => {
    const { org, clock, client } = await billing()
    const whole = (await org.send(new EnableAllFeaturesCommand({}))).Handshake!

    clock.advance(90 * DAY_MS)

    const later = client(OrganizationsClient)
    const { Handshake } = await later.send(new DescribeHandshakeCommand({ HandshakeId: whole.Id! }))
    expect(Handshake!.State).toBe('EXPIRED')
  })
})

test('An account without an organization can still do what it could', async () => {
  const { lists, client, guest } = await invitation()

  expect(await lists()).toBe('allowed')
  expect((await client(IAMClient, guest).send(new ListUsersCommand({}))).Users).toHaveLength(1)
})
