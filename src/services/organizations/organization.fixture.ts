/** An organization for tests: a management account, its root, and functions to build and enter it. */
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  ListUsersCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
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
import { allowing, type CloudOptions, cloud, type Keys, keysOf } from '../../../test/cloud.ts'

export const denying = (Action: string, rest: object = {}) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action, Resource: '*', ...rest }] })

interface WorldOptions extends CloudOptions {
  readonly features?: OrganizationFeatureSet
}

/** A management account with an organization, and an administrator in it: root may not assume roles. */
export async function organization({ features = 'ALL', ...options }: WorldOptions = {}) {
  const it = await cloud(options)
  const org = it.client(OrganizationsClient)
  const { Organization } = await org.send(new CreateOrganizationCommand({ FeatureSet: features }))
  const { Roots } = await org.send(new ListRootsCommand({}))
  const root = Roots![0]!.Id!
  if (features === 'ALL') {
    await org.send(new EnablePolicyTypeCommand({ RootId: root, PolicyType: 'SERVICE_CONTROL_POLICY' }))
  }
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
  /** A new user's keys; of the management account, unless another account's keys are passed. */
  const user = async (UserName: string, statements: readonly object[], keys: Keys = it.root): Promise<Keys> => {
    const iam = it.client(IAMClient, keys)
    await iam.send(new CreateUserCommand({ UserName }))
    const PolicyDocument = allowing(...statements)
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'permitted', PolicyDocument }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  }
  const admin = await user('admin', [{ Action: '*', Resource: '*' }])
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
  return { ...it, org, id: Organization!.Id!, root, admin, user, unit, member, scp, enter, attach, detach, lists }
}

export type OrganizationFixture = Awaited<ReturnType<typeof organization>>
