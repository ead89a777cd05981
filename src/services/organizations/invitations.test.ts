/** Invitations between accounts: every state, every answer, and what membership changes. */
import {
  AcceptHandshakeCommand,
  CancelHandshakeCommand,
  CreateOrganizationCommand,
  DeclineHandshakeCommand,
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
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { organization } from './organization.fixture.ts'

const DAY_MS = 86_400_000
const denyAll = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: 'iam:*', Resource: '*' }],
})

async function withStranger(...features: Parameters<typeof organization>) {
  const it = await organization(...features)
  const keys = await it.account()
  const other = () => it.client(OrganizationsClient, keys)
  // The clock moves: a client made before would sign with a time that is past.
  const org = () => it.client(OrganizationsClient)
  const invite = async (Id = OTHER_ACCOUNT, Type: 'ACCOUNT' | 'EMAIL' = 'ACCOUNT') => {
    const { Handshake } = await org().send(
      new InviteAccountToOrganizationCommand({ Target: { Id, Type }, Notes: 'join us' }),
    )
    return Handshake!.Id!
  }
  const state = async (HandshakeId: string) =>
    (await org().send(new DescribeHandshakeCommand({ HandshakeId }))).Handshake!.State
  const accept = (HandshakeId: string) => other().send(new AcceptHandshakeCommand({ HandshakeId }))
  return { ...it, org, keys, other, invite, state, accept }
}

describe('An invitation', () => {
  test('that is accepted makes a member, which is bound by the policies of the root from then on', async () => {
    const it = await withStranger()
    await it.attach((await it.scp('deny', denyAll)).Id!, it.root)
    expect(await it.lists(it.keys)).toBe('allowed')

    const id = await it.invite()
    const { Handshakes } = await it.other().send(new ListHandshakesForAccountCommand({}))
    expect(Handshakes).toMatchObject([
      {
        Id: id,
        State: 'OPEN',
        Action: 'INVITE',
        Parties: [{ Type: 'ORGANIZATION' }, { Id: OTHER_ACCOUNT, Type: 'ACCOUNT' }],
      },
    ])
    await it.accept(id)

    expect(await it.lists(it.keys)).toContain('explicit deny in a service control policy')
    const { Account } = await it.org().send(new DescribeAccountCommand({ AccountId: OTHER_ACCOUNT }))
    expect(Account).toMatchObject({ JoinedMethod: 'INVITED', Status: 'ACTIVE' })

    await it.other().send(new LeaveOrganizationCommand({}))
    expect(await it.lists(it.keys)).toBe('allowed')
  })

  test('is open for fifteen days, and listed for thirty more', async () => {
    const it = await withStranger()
    const id = await it.invite()
    it.clock.advance(15 * DAY_MS - 1000)
    expect(await it.state(id)).toBe('OPEN')

    it.clock.advance(1000)

    expect(await it.state(id)).toBe('EXPIRED')
    await expect(it.accept(id)).rejects.toMatchObject({ name: 'InvalidHandshakeTransitionException' })
    const listed = async () =>
      (await it.org().send(new ListHandshakesForOrganizationCommand({}))).Handshakes?.map(({ Id }) => Id)
    expect(await listed()).toEqual([id])
    it.clock.advance(30 * DAY_MS)
    expect(await listed()).toEqual([])
  })

  const answers = {
    ACCEPTED: (id: string) => new AcceptHandshakeCommand({ HandshakeId: id }),
    DECLINED: (id: string) => new DeclineHandshakeCommand({ HandshakeId: id }),
    CANCELED: (id: string) => new CancelHandshakeCommand({ HandshakeId: id }),
  }
  type Answer = keyof typeof answers

  test.each(
    (Object.keys(answers) as Answer[]).flatMap((first) =>
      (Object.keys(answers) as Answer[]).map((second) => [first, second] as const),
    ),
  )('that is %s cannot become %s', async (first, second) => {
    const it = await withStranger()
    const id = await it.invite()
    const give = (answer: Answer) =>
      (answer === 'CANCELED' ? it.org() : it.other()).send(answers[answer](id) as AcceptHandshakeCommand)
    await give(first)

    await expect(give(second)).rejects.toMatchObject({
      name: first === second ? 'HandshakeAlreadyInStateException' : 'InvalidHandshakeTransitionException',
    })
    expect(await it.state(id)).toBe(first)
    const { Accounts } = await it.org().send(new ListAccountsCommand({}))
    expect(Accounts).toHaveLength(first === 'ACCEPTED' ? 2 : 1)
  })

  test('is for the two sides only: no other account learns that it exists, and neither answers for the other', async () => {
    const it = await withStranger()
    const id = await it.invite()
    const third = it.client(OrganizationsClient, await it.account('777788889999'))
    const HandshakeId = { HandshakeId: id }
    const hidden = { name: 'HandshakeNotFoundException' }

    await expect(third.send(new DescribeHandshakeCommand(HandshakeId))).rejects.toMatchObject(hidden)
    await expect(third.send(new AcceptHandshakeCommand(HandshakeId))).rejects.toMatchObject(hidden)
    await expect(it.org().send(new AcceptHandshakeCommand(HandshakeId))).rejects.toMatchObject(hidden)
    await expect(it.other().send(new CancelHandshakeCommand(HandshakeId))).rejects.toMatchObject(hidden)
    expect(await it.state(id)).toBe('OPEN')
  })

  test.each([
    ['it is invited already', OTHER_ACCOUNT, 'ACCOUNT', 'DuplicateHandshakeException', undefined],
    ['it is a member', ACCOUNT, 'ACCOUNT', 'HandshakeConstraintViolationException', 'ALREADY_IN_AN_ORGANIZATION'],
    ['the id is none', '12', 'ACCOUNT', 'InvalidInputException', 'INVALID_PATTERN_TARGET_ID'],
    ['the address is none', 'ann', 'EMAIL', 'InvalidInputException', 'INVALID_EMAIL_ADDRESS_TARGET'],
    ['it is no party', 'o-abc', 'ORGANIZATION', 'InvalidInputException', 'INVALID_PARTY_TYPE_TARGET'],
  ] as const)('is refused when %s', async (_, Id, Type, name, Reason) => {
    const it = await withStranger()
    await it.invite()

    await expect(it.org().send(new InviteAccountToOrganizationCommand({ Target: { Id, Type } }))).rejects.toMatchObject(
      { name, ...(Reason && { Reason }) },
    )
    const { Handshakes } = await it.org().send(new ListHandshakesForOrganizationCommand({}))
    expect(Handshakes).toHaveLength(1)
  })

  test('cannot be accepted by a management account', async () => {
    const it = await withStranger()
    const id = await it.invite()
    await it.other().send(new CreateOrganizationCommand({}))

    // The model of AcceptHandshake: members change organizations, management accounts cannot leave theirs.
    await expect(it.accept(id)).rejects.toMatchObject({ name: 'MasterCannotLeaveOrganizationException' })
  })
})

describe('All features', () => {
  test('need the consent of every invited account, then the word of the management account', async () => {
    const it = await withStranger({ features: 'CONSOLIDATED_BILLING' })
    await it.accept(await it.invite())
    const enable = new EnablePolicyTypeCommand({ RootId: it.root, PolicyType: 'SERVICE_CONTROL_POLICY' })
    await expect(it.org().send(enable)).rejects.toMatchObject({
      name: 'PolicyTypeNotAvailableForOrganizationException',
    })

    const { Handshake: asking } = await it.org().send(new EnableAllFeaturesCommand({}))
    expect(asking!.State).toBe('REQUESTED')
    await expect(it.org().send(new AcceptHandshakeCommand({ HandshakeId: asking!.Id! }))).rejects.toMatchObject({
      name: 'InvalidHandshakeTransitionException',
    })
    await expect(it.org().send(new EnableAllFeaturesCommand({}))).rejects.toMatchObject({
      Reason: 'ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION',
    })
    await expect(it.invite('777788889999')).rejects.toMatchObject({
      Reason: 'INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES',
    })
    const { Handshakes } = await it
      .other()
      .send(new ListHandshakesForAccountCommand({ Filter: { ParentHandshakeId: asking!.Id! } }))
    await it.accept(Handshakes![0]!.Id!)
    await it.org().send(new AcceptHandshakeCommand({ HandshakeId: asking!.Id! }))

    const { Organization } = await it.other().send(new DescribeOrganizationCommand({}))
    expect(Organization!.FeatureSet).toBe('ALL')
    await it.org().send(enable)
  })

  test('can be cancelled on the way, and requested again', async () => {
    const it = await withStranger({ features: 'CONSOLIDATED_BILLING' })
    await it.accept(await it.invite())
    const { Handshake } = await it.org().send(new EnableAllFeaturesCommand({}))

    await it.org().send(new CancelHandshakeCommand({ HandshakeId: Handshake!.Id! }))

    expect((await it.org().send(new EnableAllFeaturesCommand({}))).Handshake!.State).toBe('REQUESTED')
  })

  test('are there already where an organization was made with them', async () => {
    const it = await withStranger()

    await expect(it.org().send(new EnableAllFeaturesCommand({}))).rejects.toMatchObject({
      Reason: 'ORGANIZATION_ALREADY_HAS_ALL_FEATURES',
    })
  })
})
