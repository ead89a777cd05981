/** The directory: what is unique, what operations change and refuse, pages, and who administers it. */
import * as ids from '@aws-sdk/client-identitystore'
import { expect, test } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import { eventsOf } from '../signin/browser.fixture.ts'
import { identityCenter } from '../sso/sso.fixture.ts'

const nameOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: Error) => error.name,
  )

test('people are created, found, changed and deleted; names and addresses are unique in any case', async () => {
  const it = await identityCenter()
  const at = { IdentityStoreId: it.storeId }
  const Emails = [{ Value: 'ana@corp.test', Type: 'work', Primary: true }]
  const UserId = await it.person('ana', { Emails, Title: 'Engineer' })

  expect(await it.people.send(new ids.DescribeUserCommand({ ...at, UserId }))).toMatchObject({
    UserName: 'ana',
    UserStatus: 'ENABLED',
    Title: 'Engineer',
    Emails,
    CreatedBy: `arn:aws:iam::${ACCOUNT}:user/admin`,
  })
  const reason = (call: Promise<unknown>) => call.catch(({ name, Reason }) => [name, Reason])
  const taken = ['ConflictException', 'UNIQUENESS_CONSTRAINT_VIOLATION']
  expect(await reason(it.people.send(new ids.CreateUserCommand({ ...at, UserName: 'ANA' })))).toEqual(taken)
  expect(
    await reason(
      it.people.send(new ids.CreateUserCommand({ ...at, UserName: 'b', Emails: [{ Value: 'Ana@corp.test' }] })),
    ),
  ).toEqual(taken)
  expect(await nameOf(it.people.send(new ids.CreateUserCommand({ ...at, DisplayName: 'x' })))).toBe(
    'ValidationException',
  )

  const idBy = (AttributePath: string, AttributeValue: string) =>
    it.people
      .send(
        new ids.GetUserIdCommand({
          ...at,
          AlternateIdentifier: { UniqueAttribute: { AttributePath, AttributeValue } },
        }),
      )
      .then(
        ({ UserId }) => UserId,
        (error: Error) => error.name,
      )
  expect(await idBy('userName', 'ANA')).toBe(UserId)
  expect(await idBy('emails.value', 'ana@corp.test')).toBe(UserId)
  expect(await idBy('userName', 'nobody')).toBe('ResourceNotFoundException')
  expect(await idBy('title', 'Engineer')).toBe('ValidationException')

  const change = (AttributePath: string, AttributeValue?: ids.AttributeOperation['AttributeValue']) =>
    nameOf(
      it.people.send(
        new ids.UpdateUserCommand({
          ...at,
          UserId,
          Operations: [{ AttributePath, AttributeValue }] as ids.AttributeOperation[],
        }),
      ),
    )
  expect(await change('name.givenName', 'Ana Maria')).toBe('done')
  expect(await change('emails', [{ value: 'new@corp.test', type: 'work', primary: true }])).toBe('done')
  expect(await change('title', null)).toBe('done')
  expect(await change('title', 7)).toBe('ValidationException')
  expect(await change('emails', 'x')).toBe('ValidationException')
  expect(await change('birthplace', 'x')).toBe('ValidationException')
  expect(await change('userName', null)).toBe('ValidationException')
  const changed = await it.people.send(new ids.DescribeUserCommand({ ...at, UserId }))
  expect(changed).toMatchObject({ Name: { GivenName: 'Ana Maria', FamilyName: 'Example' } })
  expect([changed.Title, changed.Emails![0]!.Value]).toEqual([undefined, 'new@corp.test'])
  expect(await idBy('emails.value', 'ana@corp.test')).toBe('ResourceNotFoundException')

  expect(await nameOf(it.people.send(new ids.DeleteUserCommand({ ...at, UserId })))).toBe('done')
  expect(await nameOf(it.people.send(new ids.DescribeUserCommand({ ...at, UserId })))).toBe('ResourceNotFoundException')
  // Names of people are theirs: the audit log has none of what they are called.
  expect(JSON.stringify(await eventsOf(it, ACCOUNT, 'CreateUser'))).not.toContain('ana@corp.test')
})

test('groups and memberships; a group that is deleted takes its memberships along', async () => {
  const it = await identityCenter()
  const at = { IdentityStoreId: it.storeId }
  const [ana, bob] = [await it.person('ana'), await it.person('bob')]
  const GroupId = await it.group('staff', ana, bob)
  const other = await it.group('others')

  expect(await nameOf(it.people.send(new ids.CreateGroupCommand({ ...at, DisplayName: 'STAFF' })))).toBe(
    'ConflictException',
  )
  const member = { ...at, GroupId, MemberId: { UserId: ana } }
  expect(await nameOf(it.people.send(new ids.CreateGroupMembershipCommand(member)))).toBe('ConflictException')
  const { MembershipId } = await it.people.send(new ids.GetGroupMembershipIdCommand(member))
  const described = await it.people.send(new ids.DescribeGroupMembershipCommand({ ...at, MembershipId: MembershipId! }))
  expect(described).toMatchObject({ GroupId, MemberId: { UserId: ana } })
  const { Results } = await it.people.send(
    new ids.IsMemberInGroupsCommand({ ...at, MemberId: { UserId: ana }, GroupIds: [GroupId, other] }),
  )
  expect(Results!.map(({ MembershipExists }) => MembershipExists)).toEqual([true, false])
  const first = await it.people.send(new ids.ListGroupMembershipsCommand({ ...at, GroupId, MaxResults: 1 }))
  const next = await it.people.send(
    new ids.ListGroupMembershipsCommand({ ...at, GroupId, MaxResults: 1, NextToken: first.NextToken! }),
  )
  expect(new Set([first, next].map(({ GroupMemberships }) => GroupMemberships![0]!.MembershipId)).size).toBe(2)
  expect(next.NextToken).toBeUndefined()
  expect(
    await nameOf(
      it.people.send(new ids.ListGroupMembershipsCommand({ ...at, GroupId: other, NextToken: first.NextToken! })),
    ),
  ).toBe('ValidationException')
  const filtered = await it.people.send(
    new ids.ListGroupsCommand({ ...at, Filters: [{ AttributePath: 'DisplayName', AttributeValue: 'staff' }] }),
  )
  expect(filtered.Groups!.map((group) => group.GroupId)).toEqual([GroupId])

  await it.people.send(new ids.DeleteGroupCommand({ ...at, GroupId }))
  const left = await it.people.send(new ids.ListGroupMembershipsForMemberCommand({ ...at, MemberId: { UserId: ana } }))
  expect(left.GroupMemberships).toEqual([])
})

test('another account learns nothing; the delegated administrator has all of it', async () => {
  const it = await identityCenter()
  const account = await it.member('security')
  const stranger = await it.account()
  const at = { IdentityStoreId: it.storeId }
  const UserId = await it.person('ana')
  const describe = (keys: Parameters<typeof it.client>[1], store = it.storeId) =>
    nameOf(
      it.client(ids.IdentitystoreClient, keys).send(new ids.DescribeUserCommand({ IdentityStoreId: store, UserId })),
    )

  expect(await describe(stranger)).toBe('ResourceNotFoundException')
  expect(await describe(stranger, 'd-0000000000')).toBe('ResourceNotFoundException')
  const inside = await it.enter(account)
  expect(await describe(inside)).toBe('AccessDeniedException')

  const { EnableAWSServiceAccessCommand, RegisterDelegatedAdministratorCommand } = await import(
    '@aws-sdk/client-organizations'
  )
  const ServicePrincipal = 'sso.amazonaws.com'
  await it.org.send(new EnableAWSServiceAccessCommand({ ServicePrincipal }))
  await it.org.send(new RegisterDelegatedAdministratorCommand({ AccountId: account, ServicePrincipal }))
  expect(await describe(inside)).toBe('done')

  // Each resource that the reference lists has to be allowed.
  const half = await it.user('half', [
    { Action: 'identitystore:*', Resource: `arn:aws:identitystore::${ACCOUNT}:identitystore/${it.storeId}` },
  ])
  const limited = it.client(ids.IdentitystoreClient, half)
  expect(await nameOf(limited.send(new ids.DescribeUserCommand({ ...at, UserId })))).toBe('AccessDeniedException')
  expect(await nameOf(limited.send(new ids.CreateGroupCommand({ ...at, DisplayName: 'x' })))).toBe('done')
})
