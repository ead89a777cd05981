/** IAM Identity Center of a seed: the directory, permission sets, and who has them where. Passwords are never exported. */
import type * as IdentityStore from '@aws-sdk/client-identitystore'
import type * as SsoAdmin from '@aws-sdk/client-sso-admin'
import type { Api } from '../../kernel/service/api.ts'
import { setPortalPassword } from '../directory-operator.ts'
import { type Account, compact, documentOf, inTurn, type LeaveOut, pagesOf, type Step, textOf } from './part.ts'
import type { SeedAssignment, SeedIdentityCenter, SeedPermissionSet } from './seed-format.ts'

const sso: Api<typeof SsoAdmin> = { id: 'sso-admin' }
const directory: Api<typeof IdentityStore> = { id: 'identitystore' }
const SESSION_DEFAULT = 'PT1H'

export async function addIdentityCenter(account: Account, seed: SeedIdentityCenter, step: Step): Promise<void> {
  const { call, cloud } = account
  let InstanceArn = ''
  let IdentityStoreId = ''
  await step([], 'IAM Identity Center', async () => {
    InstanceArn = (await call(sso, 'CreateInstance', {})).InstanceArn!
    IdentityStoreId = (await call(sso, 'DescribeInstance', { InstanceArn })).IdentityStoreId!
  })
  const userIds = new Map<string, string>()
  for (const [n, { name, givenName = name, familyName = name, email, password }] of (seed.users ?? []).entries())
    await step(['users', n], `user '${name}'`, async () => {
      const { UserId = '' } = await call(directory, 'CreateUser', {
        IdentityStoreId,
        UserName: name,
        DisplayName: givenName === familyName ? name : `${givenName} ${familyName}`,
        Name: { GivenName: givenName, FamilyName: familyName },
        ...(email !== undefined && { Emails: [{ Value: email, Type: 'work', Primary: true }] }),
      })
      userIds.set(name, UserId)
      if (password === undefined) return
      await setPortalPassword(cloud, { store: IdentityStoreId, userName: name, password, isOneTime: false })
    })
  const groupIds = new Map<string, string>()
  for (const [n, { name, members = [] }] of (seed.groups ?? []).entries())
    await step(['groups', n], `group '${name}'`, async () => {
      const { GroupId = '' } = await call(directory, 'CreateGroup', { IdentityStoreId, DisplayName: name })
      groupIds.set(name, GroupId)
      for (const member of members) {
        const UserId = idOf(userIds, 'user', member)
        await call(directory, 'CreateGroupMembership', { IdentityStoreId, GroupId, MemberId: { UserId } })
      }
    })
  const sets = new Map<string, string>()
  for (const [n, set] of (seed.permissionSets ?? []).entries())
    await step(['permissionSets', n], `permission set '${set.name}'`, async () => {
      sets.set(set.name, await addPermissionSet(account, InstanceArn, set))
    })
  for (const [n, { permissionSet, user, group, accounts }] of (seed.assignments ?? []).entries())
    await step(['assignments', n], `an assignment of permission set '${permissionSet}'`, async () => {
      const PermissionSetArn = idOf(sets, 'permission set', permissionSet)
      const to =
        user === undefined
          ? { PrincipalType: 'GROUP' as const, PrincipalId: idOf(groupIds, 'group', group ?? '') }
          : { PrincipalType: 'USER' as const, PrincipalId: idOf(userIds, 'user', user) }
      for (const TargetId of accounts)
        await call(sso, 'CreateAccountAssignment', {
          InstanceArn,
          PermissionSetArn,
          TargetId,
          TargetType: 'AWS_ACCOUNT',
          ...to,
        })
    })
  // The roles in the accounts are there when the server is ready.
  await cloud.jobs.runDue()
}

async function addPermissionSet({ call }: Account, InstanceArn: string, set: SeedPermissionSet): Promise<string> {
  const { PermissionSet } = await call(sso, 'CreatePermissionSet', {
    InstanceArn,
    Name: set.name,
    Description: set.description,
    SessionDuration: set.session,
  })
  const PermissionSetArn = PermissionSet!.PermissionSetArn!
  for (const ManagedPolicyArn of set.policies ?? [])
    await call(sso, 'AttachManagedPolicyToPermissionSet', { InstanceArn, PermissionSetArn, ManagedPolicyArn })
  if (set.inline !== undefined)
    await call(sso, 'PutInlinePolicyToPermissionSet', {
      InstanceArn,
      PermissionSetArn,
      InlinePolicy: textOf(set.inline),
    })
  return PermissionSetArn
}

function idOf(ids: ReadonlyMap<string, string>, kind: string, name: string): string {
  const id = ids.get(name)
  if (id === undefined) throw new Error(`The identity center of the seed has no ${kind} '${name}'.`)
  return id
}

/** Undefined where the account has no instance of its own. */
export async function exportIdentityCenter(
  account: Account,
  leaveOut: LeaveOut,
): Promise<SeedIdentityCenter | undefined> {
  const { call, id } = account
  const { Instances = [] } = await call(sso, 'ListInstances', {})
  const own = Instances.find(({ OwnerAccountId }) => OwnerAccountId === id)
  if (!own) return undefined
  const InstanceArn = own.InstanceArn!
  const IdentityStoreId = own.IdentityStoreId!
  const users = await pagesOf(async (NextToken) => {
    const page = await call(directory, 'ListUsers', { IdentityStoreId, NextToken })
    return { items: page.Users, next: page.NextToken }
  })
  const groups = await pagesOf(async (NextToken) => {
    const page = await call(directory, 'ListGroups', { IdentityStoreId, NextToken })
    return { items: page.Groups, next: page.NextToken }
  })
  if (users.length > 0) leaveOut(`the portal passwords and second factors of the identity center of account ${id}`)
  const userNames = new Map(users.map(({ UserId = '', UserName = '' }) => [UserId, UserName]))
  const groupNames = new Map(groups.map(({ GroupId = '', DisplayName = '' }) => [GroupId, DisplayName]))
  const arns = await pagesOf(async (NextToken) => {
    const page = await call(sso, 'ListPermissionSets', { InstanceArn, NextToken })
    return { items: page.PermissionSets, next: page.NextToken }
  })
  const assignments: SeedAssignment[] = []
  const permissionSets = await inTurn(arns, async (PermissionSetArn): Promise<SeedPermissionSet> => {
    const set = { InstanceArn, PermissionSetArn }
    const { PermissionSet } = await call(sso, 'DescribePermissionSet', set)
    const { AttachedManagedPolicies = [] } = await call(sso, 'ListManagedPoliciesInPermissionSet', set)
    const { InlinePolicy } = await call(sso, 'GetInlinePolicyForPermissionSet', set)
    const name = PermissionSet!.Name!
    const accountIds = await pagesOf(async (NextToken) => {
      const page = await call(sso, 'ListAccountsForProvisionedPermissionSet', { ...set, NextToken })
      return { items: page.AccountIds, next: page.NextToken }
    })
    for (const AccountId of accountIds) {
      const { AccountAssignments = [] } = await call(sso, 'ListAccountAssignments', { ...set, AccountId })
      for (const { PrincipalType, PrincipalId = '' } of AccountAssignments)
        assignments.push({
          permissionSet: name,
          ...(PrincipalType === 'USER'
            ? { user: userNames.get(PrincipalId) ?? PrincipalId }
            : { group: groupNames.get(PrincipalId) ?? PrincipalId }),
          accounts: [AccountId],
        })
    }
    return compact({
      name,
      description: PermissionSet!.Description,
      policies: AttachedManagedPolicies.map(({ Arn = '' }) => Arn),
      inline: InlinePolicy ? documentOf(InlinePolicy) : undefined,
      session: PermissionSet!.SessionDuration === SESSION_DEFAULT ? undefined : PermissionSet!.SessionDuration,
    })
  })
  return {
    account: id,
    ...compact({
      users: users.map(({ UserName = '', Name, Emails = [] }) =>
        compact({
          name: UserName,
          givenName: Name?.GivenName,
          familyName: Name?.FamilyName,
          email: Emails[0]?.Value,
        }),
      ),
      groups: await inTurn(groups, async ({ GroupId = '', DisplayName = '' }) => {
        const members = await pagesOf(async (NextToken) => {
          const page = await call(directory, 'ListGroupMemberships', { IdentityStoreId, GroupId, NextToken })
          return { items: page.GroupMemberships, next: page.NextToken }
        })
        return compact({
          name: DisplayName,
          members: members.map(({ MemberId }) => userNames.get(MemberId?.UserId ?? '') ?? ''),
        })
      }),
      permissionSets,
      assignments,
    }),
  }
}
