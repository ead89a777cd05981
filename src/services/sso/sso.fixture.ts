/** An organization with IAM Identity Center: a person, a group, a permission set, and functions to assign it. */
import {
  CreateGroupCommand,
  CreateGroupMembershipCommand,
  CreateUserCommand,
  IdentitystoreClient,
} from '@aws-sdk/client-identitystore'
import { SSOClient } from '@aws-sdk/client-sso'
import {
  CreateAccountAssignmentCommand,
  CreateInstanceCommand,
  CreatePermissionSetCommand,
  DeleteAccountAssignmentCommand,
  DescribeAccountAssignmentCreationStatusCommand,
  DescribeAccountAssignmentDeletionStatusCommand,
  DescribeInstanceCommand,
  type PrincipalType,
  PutInlinePolicyToPermissionSetCommand,
  SSOAdminClient,
} from '@aws-sdk/client-sso-admin'
import { SSOOIDCClient } from '@aws-sdk/client-sso-oidc'
import { allowing, type CloudOptions } from '../../../test/cloud.ts'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import { organization } from '../organizations/organization.fixture.ts'
import { Browser } from '../signin/browser.fixture.ts'

export const PASSWORD = 'Correct-Horse-7'

export async function identityCenter(options: CloudOptions = {}) {
  const it = await organization(options)
  const admin = it.client(SSOAdminClient, it.admin)
  const store = it.client(IdentitystoreClient, it.admin)
  const portal = it.client(SSOClient)
  const oidc = it.client(SSOOIDCClient)
  const { InstanceArn } = await admin.send(new CreateInstanceCommand({ Name: 'main' }))
  const { IdentityStoreId } = await admin.send(new DescribeInstanceCommand({ InstanceArn: InstanceArn! }))
  const storeId = IdentityStoreId!
  const setPassword = async (userId: string, password = PASSWORD, isOneTime = false) => {
    const people = it.use(identityStore)
    return it.store.run(async (unit) => {
      const user = await people.user(unit, storeId, userId)
      return people.setPassword({ unit, now: it.clock.now() }, user!, password, { isOneTime })
    })
  }
  const person = async (UserName: string, more: object = {}) => {
    const { UserId } = await store.send(
      new CreateUserCommand({
        IdentityStoreId: storeId,
        UserName,
        DisplayName: UserName,
        Name: { GivenName: UserName, FamilyName: 'Example' },
        ...more,
      }),
    )
    await setPassword(UserId!)
    return UserId!
  }
  const group = async (DisplayName: string, ...members: readonly string[]) => {
    const { GroupId } = await store.send(new CreateGroupCommand({ IdentityStoreId: storeId, DisplayName }))
    for (const UserId of members)
      await store.send(
        new CreateGroupMembershipCommand({ IdentityStoreId: storeId, GroupId: GroupId!, MemberId: { UserId } }),
      )
    return GroupId!
  }
  const permissionSet = async (Name: string, ...statements: readonly object[]) => {
    const { PermissionSet } = await admin.send(
      new CreatePermissionSetCommand({ InstanceArn: InstanceArn!, Name, Description: `${Name} of tests` }),
    )
    const PermissionSetArn = PermissionSet!.PermissionSetArn!
    if (statements.length > 0)
      await admin.send(
        new PutInlinePolicyToPermissionSetCommand({
          InstanceArn: InstanceArn!,
          PermissionSetArn,
          InlinePolicy: allowing(...statements),
        }),
      )
    return PermissionSetArn
  }
  const at = (PermissionSetArn: string, TargetId: string, PrincipalType: PrincipalType, PrincipalId: string) => ({
    InstanceArn: InstanceArn!,
    PermissionSetArn,
    TargetType: 'AWS_ACCOUNT' as const,
    TargetId,
    PrincipalType,
    PrincipalId,
  })
  const assign = async (...where: Parameters<typeof at>) => {
    const { AccountAssignmentCreationStatus: made } = await admin.send(new CreateAccountAssignmentCommand(at(...where)))
    await it.jobs.runDue()
    const { AccountAssignmentCreationStatus: ended } = await admin.send(
      new DescribeAccountAssignmentCreationStatusCommand({
        InstanceArn: InstanceArn!,
        AccountAssignmentCreationRequestId: made!.RequestId!,
      }),
    )
    return { begun: made!, ended: ended! }
  }
  const unassign = async (...where: Parameters<typeof at>) => {
    const { AccountAssignmentDeletionStatus: made } = await admin.send(new DeleteAccountAssignmentCommand(at(...where)))
    await it.jobs.runDue()
    const { AccountAssignmentDeletionStatus: ended } = await admin.send(
      new DescribeAccountAssignmentDeletionStatusCommand({
        InstanceArn: InstanceArn!,
        AccountAssignmentDeletionRequestId: made!.RequestId!,
      }),
    )
    return ended!
  }
  /** A browser in which a person is signed in to the portal. */
  const signedIn = async (username: string, password = PASSWORD) => {
    const browser = new Browser(it)
    await browser.open('/start/sign-in')
    await browser.submit('/start/sign-in', { username, password })
    return browser
  }
  return {
    ...it,
    sso: admin,
    people: store,
    portal,
    oidc,
    instanceArn: InstanceArn!,
    storeId,
    setPassword,
    person,
    group,
    permissionSet,
    assign,
    unassign,
    signedIn,
  }
}
