/** An organisation for tests: its management account, ways to make units, accounts and policies, and to enter accounts. */
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam'
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand,
  DescribeCreateAccountStatusCommand,
  DetachPolicyCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  type OrganizationFeatureSet,
  OrganizationsClient,
  type PolicyType,
} from '@aws-sdk/client-organizations'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { expect } from 'vitest'
import { allowing, cloud, type Keys, keysOf } from '../../../test/cloud.ts'

/** A management account with an organisation, and an administrator in it: root may not assume roles. */
export async function organization(FeatureSet: OrganizationFeatureSet = 'ALL') {
  const it = await cloud()
  const org = it.client(OrganizationsClient)
  const { Organization } = await org.send(new CreateOrganizationCommand({ FeatureSet }))
  const { Roots } = await org.send(new ListRootsCommand({}))
  const root = Roots![0]!.Id!
  if (FeatureSet === 'ALL')
    await org.send(new EnablePolicyTypeCommand({ RootId: root, PolicyType: 'SERVICE_CONTROL_POLICY' }))
  await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'admin' }))
  await it.permit('admin', allowing({ Action: '*', Resource: '*' }))
  const { AccessKey } = await it.client(IAMClient).send(new CreateAccessKeyCommand({ UserName: 'admin' }))
  const admin: Keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }

  const unit = async (Name: string, ParentId = root) =>
    (await org.send(new CreateOrganizationalUnitCommand({ Name, ParentId }))).OrganizationalUnit!.Id!
  const member = async (name: string) => {
    const asked = await org.send(new CreateAccountCommand({ AccountName: name, Email: `${name}@example.com` }))
    const { Id, State } = asked.CreateAccountStatus!
    expect(State).toBe('IN_PROGRESS')
    const told = await org.send(new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: Id! }))
    return told.CreateAccountStatus!.AccountId!
  }
  const scp = async (Name: string, Content: string, Type: PolicyType = 'SERVICE_CONTROL_POLICY') =>
    (await org.send(new CreatePolicyCommand({ Name, Content, Type, Description: '' }))).Policy!.PolicySummary!
  /** Keys of the manager's role in a member account. */
  const enter = async (account: string) => {
    const RoleArn = `arn:aws:iam::${account}:role/OrganizationAccountAccessRole`
    return keysOf(await it.client(STSClient, admin).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'visit' })))
  }
  const attach = (PolicyId: string, TargetId: string) => org.send(new AttachPolicyCommand({ PolicyId, TargetId }))
  const detach = (PolicyId: string, TargetId: string) => org.send(new DetachPolicyCommand({ PolicyId, TargetId }))
  const lists = (keys: Keys) =>
    it
      .client(IAMClient, keys)
      .send(new ListUsersCommand({}))
      .then(
        () => 'allowed',
        (error: Error) => error.message.replace(/^.*iam:ListUsers on resource: \S+ /, ''),
      )
  return { ...it, org, id: Organization!.Id!, root, admin, unit, member, scp, enter, attach, detach, lists }
}
