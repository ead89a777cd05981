/** IAM Identity Center as its pages need it: the instance, people and groups, permission sets, assignments. */
import type { Client } from '../../api/client.ts'
import { inParallel } from '../../api/in-parallel.ts'
import type { Input, Output } from '../../api/sdk.ts'

export interface Center {
  readonly instance: string
  readonly store: string
}

export type PermissionSet = NonNullable<Output<'sso-admin', 'DescribePermissionSet'>['PermissionSet']>
export type Person = NonNullable<Output<'identitystore', 'ListUsers'>['Users']>[number]
export type Group = NonNullable<Output<'identitystore', 'ListGroups'>['Groups']>[number]
export type Membership = NonNullable<Output<'identitystore', 'ListGroupMemberships'>['GroupMemberships']>[number]

export interface Assignment {
  readonly account: string
  readonly set: string
  readonly kind: 'USER' | 'GROUP'
  readonly principal: string
}

/** Undefined: this account has no instance, and its organization has none. */
export async function loadCenter(client: Client): Promise<Center | undefined> {
  const [first] = await client.list('sso-admin', 'ListInstances', {}, 'Instances')
  return first && { instance: first.InstanceArn!, store: first.IdentityStoreId! }
}

export const loadPeople = (client: Client, { store }: Center): Promise<readonly Person[]> =>
  client.list('identitystore', 'ListUsers', { IdentityStoreId: store }, 'Users')

export const loadGroups = (client: Client, { store }: Center): Promise<readonly Group[]> =>
  client.list('identitystore', 'ListGroups', { IdentityStoreId: store }, 'Groups')

export const loadMembers = (client: Client, { store }: Center, group: string): Promise<readonly Membership[]> =>
  client.list('identitystore', 'ListGroupMemberships', { IdentityStoreId: store, GroupId: group }, 'GroupMemberships')

export async function loadPermissionSets(client: Client, { instance }: Center): Promise<readonly PermissionSet[]> {
  const arns = await client.list('sso-admin', 'ListPermissionSets', { InstanceArn: instance }, 'PermissionSets')
  return inParallel(
    arns,
    async (PermissionSetArn) =>
      (await client.call('sso-admin', 'DescribePermissionSet', { InstanceArn: instance, PermissionSetArn }))
        .PermissionSet!,
  )
}

export async function loadAssignments(
  client: Client,
  { instance }: Center,
  sets: readonly PermissionSet[],
): Promise<readonly Assignment[]> {
  const places = await inParallel(sets, async ({ PermissionSetArn }) => {
    const input = { InstanceArn: instance, PermissionSetArn: PermissionSetArn! }
    const accounts = await client.list('sso-admin', 'ListAccountsForProvisionedPermissionSet', input, 'AccountIds')
    return accounts.map((AccountId) => ({ ...input, AccountId }))
  })
  const found = await inParallel(places.flat(), (place) =>
    client.list('sso-admin', 'ListAccountAssignments', place, 'AccountAssignments'),
  )
  return found.flat().map(({ AccountId, PermissionSetArn, PrincipalType, PrincipalId }) => ({
    account: AccountId!,
    set: PermissionSetArn!,
    kind: PrincipalType as Assignment['kind'],
    principal: PrincipalId!,
  }))
}

/** Names by account. Accounts have numbers alone where the organization cannot be read. */
export async function accountNames(client: Client): Promise<ReadonlyMap<string, string>> {
  const accounts = await client.list('organizations', 'ListAccounts', {}, 'Accounts').catch(() => [])
  return new Map(accounts.map(({ Id, Name }) => [Id!, Name!]))
}

/** `Workloads (111122223333)`; an account without a name of its own is named by its number alone. */
export const accountShown = (account: string, name: string | undefined): string =>
  name === undefined || name === '' || name === account ? account : `${name} (${account})`

const POLL_MS = 500

/** Resolves when the assignment is in force. Rejects with the reason where it fails. */
export async function assign(
  client: Client,
  input: Omit<Input<'sso-admin', 'CreateAccountAssignment'>, 'TargetType'>,
): Promise<void> {
  const started = await client.call('sso-admin', 'CreateAccountAssignment', { ...input, TargetType: 'AWS_ACCOUNT' })
  for (let status = started.AccountAssignmentCreationStatus; ; ) {
    if (status?.Status === 'SUCCEEDED') return
    if (status?.Status === 'FAILED') throw new Error(status.FailureReason ?? 'The assignment failed.')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    const request = { InstanceArn: input.InstanceArn, AccountAssignmentCreationRequestId: status!.RequestId! }
    status = (await client.call('sso-admin', 'DescribeAccountAssignmentCreationStatus', request))
      .AccountAssignmentCreationStatus
  }
}
