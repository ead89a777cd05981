/** Bad input, as a table: the exact code and Reason, and nothing changed. */
import {
  AttachPolicyCommand,
  CloseAccountCommand,
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand,
  DeleteOrganizationalUnitCommand,
  DeleteOrganizationCommand,
  DeletePolicyCommand,
  DeleteResourcePolicyCommand,
  DeregisterDelegatedAdministratorCommand,
  DescribeAccountCommand,
  DescribeCreateAccountStatusCommand,
  DescribeHandshakeCommand,
  DescribeOrganizationalUnitCommand,
  DescribePolicyCommand,
  DescribeResourcePolicyCommand,
  DetachPolicyCommand,
  DisableAWSServiceAccessCommand,
  DisablePolicyTypeCommand,
  EnableAllFeaturesCommand,
  EnableAWSServiceAccessCommand,
  EnablePolicyTypeCommand,
  LeaveOrganizationCommand,
  ListAccountsCommand,
  ListAccountsForParentCommand,
  ListAccountsWithInvalidEffectivePolicyCommand,
  ListChildrenCommand,
  ListDelegatedServicesForAccountCommand,
  ListHandshakesForAccountCommand,
  ListParentsCommand,
  ListPoliciesForTargetCommand,
  ListTagsForResourceCommand,
  ListTargetsForPolicyCommand,
  MoveAccountCommand,
  OrganizationsClient,
  type PolicyType,
  PutResourcePolicyCommand,
  RegisterDelegatedAdministratorCommand,
  RemoveAccountFromOrganizationCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateOrganizationalUnitCommand,
  UpdatePolicyCommand,
} from '@aws-sdk/client-organizations'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { under } from '../../store/store.ts'
import { denying, type OrganizationFixture, organization } from './organization.fixture.ts'

/** Every name of a thing that is not there. */
const NO_UNIT = 'ou-abcd-12345678'
const NO_ACCOUNT = '999988887777'
const NO_POLICY = 'p-12345678'
const TRUSTED = 'guardduty.amazonaws.com'

const constraint = (Reason: string) => ({ name: 'ConstraintViolationException', Reason })
const input = (Reason: string) => ({ name: 'InvalidInputException', Reason })
const named = (name: string) => ({ name })

/** Sends with the types put aside: the table holds commands of every kind. */
type Any = ListAccountsCommand
interface Prepared {
  readonly world: OrganizationFixture
  readonly command: unknown
}
type Case = readonly [
  what: string,
  make: (world: OrganizationFixture) => Prepared['command'] | Promise<unknown>,
  refusal: object,
]

const scpOf = (Name: string, Content = denying('s3:*'), Type: PolicyType = 'SERVICE_CONTROL_POLICY', more = {}) =>
  new CreatePolicyCommand({ Name, Content, Type, Description: '', ...more })
const enabled = (world: OrganizationFixture, PolicyType: PolicyType) =>
  world.org.send(new EnablePolicyTypeCommand({ RootId: world.root, PolicyType }))
const trust = ({ org }: OrganizationFixture, ServicePrincipal = TRUSTED) =>
  org.send(new EnableAWSServiceAccessCommand({ ServicePrincipal }))
const register = (AccountId: string, ServicePrincipal = TRUSTED) =>
  new RegisterDelegatedAdministratorCommand({ AccountId, ServicePrincipal })
const delegating = (statement: object) =>
  new PutResourcePolicyCommand({ Content: allowing({ Principal: { AWS: ACCOUNT }, Resource: '*', ...statement }) })
const tagging = (ResourceId: string, ...keys: readonly string[]) =>
  new TagResourceCommand({ ResourceId, Tags: keys.map((Key) => ({ Key, Value: '' })) })

/** An account that administers a service. */
async function administrator(world: OrganizationFixture): Promise<string> {
  const account = await world.member('admin')
  await trust(world)
  await world.org.send(register(account))
  return account
}

const cases: readonly Case[] = [
  // the organization
  ['a second organization', () => new CreateOrganizationCommand({}), named('AlreadyInOrganizationException')],
  [
    'deleting an organization with accounts',
    async ({ member }) => [await member('a'), new DeleteOrganizationCommand({})].at(-1),
    named('OrganizationNotEmptyException'),
  ],
  [
    'all features twice',
    () => new EnableAllFeaturesCommand({}),
    { name: 'HandshakeConstraintViolationException', Reason: 'ORGANIZATION_ALREADY_HAS_ALL_FEATURES' },
  ],
  ['the manager leaving', () => new LeaveOrganizationCommand({}), named('MasterCannotLeaveOrganizationException')],
  [
    'the manager removed',
    () => new RemoveAccountFromOrganizationCommand({ AccountId: ACCOUNT }),
    named('MasterCannotLeaveOrganizationException'),
  ],

  // the tree
  [
    'a unit below nothing',
    () => new CreateOrganizationalUnitCommand({ Name: 'a', ParentId: NO_UNIT }),
    named('ParentNotFoundException'),
  ],
  [
    'a unit of the same name',
    async ({ unit, root }) => {
      await unit('a')
      return new CreateOrganizationalUnitCommand({ Name: 'a', ParentId: root })
    },
    named('DuplicateOrganizationalUnitException'),
  ],
  [
    'a unit renamed to its neighbour',
    async ({ unit }) => {
      await unit('a')
      return new UpdateOrganizationalUnitCommand({ OrganizationalUnitId: await unit('b'), Name: 'a' })
    },
    named('DuplicateOrganizationalUnitException'),
  ],
  [
    'a unit on the sixth level',
    async ({ unit, root }) => {
      let ParentId = root
      for (const name of ['1', '2', '3', '4', '5']) ParentId = await unit(name, ParentId)
      return new CreateOrganizationalUnitCommand({ Name: '6', ParentId })
    },
    constraint('OU_DEPTH_LIMIT_EXCEEDED'),
  ],
  [
    'one unit too many',
    async ({ unit, root }) => {
      for (const name of ['1', '2', '3', '4', '5', '6']) await unit(name)
      return new CreateOrganizationalUnitCommand({ Name: '7', ParentId: root })
    },
    constraint('OU_NUMBER_LIMIT_EXCEEDED'),
  ],
  [
    'a unit that is not there, described',
    () => new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: NO_UNIT }),
    named('OrganizationalUnitNotFoundException'),
  ],
  [
    'a unit that is not there, renamed',
    () => new UpdateOrganizationalUnitCommand({ OrganizationalUnitId: NO_UNIT, Name: 'a' }),
    named('OrganizationalUnitNotFoundException'),
  ],
  [
    'a unit that is not there, deleted',
    () => new DeleteOrganizationalUnitCommand({ OrganizationalUnitId: NO_UNIT }),
    named('OrganizationalUnitNotFoundException'),
  ],
  [
    'a unit with an account, deleted',
    async ({ unit, member, org, root }) => {
      const [ou, account] = [await unit('a'), await member('a')]
      await org.send(new MoveAccountCommand({ AccountId: account, SourceParentId: root, DestinationParentId: ou }))
      return new DeleteOrganizationalUnitCommand({ OrganizationalUnitId: ou })
    },
    named('OrganizationalUnitNotEmptyException'),
  ],
  [
    'the children of nothing',
    () => new ListChildrenCommand({ ParentId: NO_UNIT, ChildType: 'ACCOUNT' }),
    named('ParentNotFoundException'),
  ],
  [
    'the accounts of nothing',
    () => new ListAccountsForParentCommand({ ParentId: NO_UNIT }),
    named('ParentNotFoundException'),
  ],
  ['the parents of nothing', () => new ListParentsCommand({ ChildId: NO_ACCOUNT }), named('ChildNotFoundException')],

  // accounts
  [
    'an account that is not there',
    () => new DescribeAccountCommand({ AccountId: NO_ACCOUNT }),
    named('AccountNotFoundException'),
  ],
  [
    'a request that was never made',
    () => new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: 'car-12345678' }),
    named('CreateAccountStatusNotFoundException'),
  ],
  [
    'one account too many',
    async ({ member }) => {
      for (const name of ['a', 'b', 'c', 'd']) await member(name)
      return new CreateAccountCommand({ AccountName: 'e', Email: 'e@example.com' })
    },
    constraint('ACCOUNT_NUMBER_LIMIT_EXCEEDED'),
  ],
  [
    'a new account with a tag key twice',
    () =>
      new CreateAccountCommand({
        AccountName: 'e',
        Email: 'e@example.com',
        Tags: [
          { Key: 'a', Value: '' },
          { Key: 'A', Value: '' },
        ],
      }),
    input('DUPLICATE_TAG_KEY'),
  ],
  [
    'an account moved that is not there',
    ({ root }) => new MoveAccountCommand({ AccountId: NO_ACCOUNT, SourceParentId: root, DestinationParentId: root }),
    named('AccountNotFoundException'),
  ],
  [
    'an account moved from where it is not',
    async ({ unit, root }) =>
      new MoveAccountCommand({ AccountId: ACCOUNT, SourceParentId: await unit('a'), DestinationParentId: root }),
    named('SourceParentNotFoundException'),
  ],
  [
    'an account moved to nowhere',
    ({ root }) => new MoveAccountCommand({ AccountId: ACCOUNT, SourceParentId: root, DestinationParentId: NO_UNIT }),
    named('DestinationParentNotFoundException'),
  ],
  [
    'an account moved to where it is',
    ({ root }) => new MoveAccountCommand({ AccountId: ACCOUNT, SourceParentId: root, DestinationParentId: root }),
    named('DuplicateAccountException'),
  ],
  [
    'the management account closed',
    () => new CloseAccountCommand({ AccountId: ACCOUNT }),
    constraint('CANNOT_CLOSE_MANAGEMENT_ACCOUNT'),
  ],
  [
    'an account closed twice',
    async ({ member, org }) => {
      const AccountId = await member('a')
      await org.send(new CloseAccountCommand({ AccountId }))
      return new CloseAccountCommand({ AccountId })
    },
    named('AccountAlreadyClosedException'),
  ],
  [
    'one account too many closed within a month',
    async ({ member, org }) => {
      for (const name of ['a', 'b']) await org.send(new CloseAccountCommand({ AccountId: await member(name) }))
      return new CloseAccountCommand({ AccountId: await member('c') })
    },
    constraint('CLOSE_ACCOUNT_QUOTA_EXCEEDED'),
  ],
  [
    'a new account removed',
    async ({ member }) => new RemoveAccountFromOrganizationCommand({ AccountId: await member('a') }),
    constraint('WAIT_PERIOD_ACTIVE'),
  ],
  [
    'a delegated administrator removed',
    async (world) => new RemoveAccountFromOrganizationCommand({ AccountId: await administrator(world) }),
    constraint('CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG'),
  ],
  [
    'a delegated administrator closed',
    async (world) => new CloseAccountCommand({ AccountId: await administrator(world) }),
    constraint('CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG'),
  ],

  // policies
  ['a policy without statement', () => scpOf('p', '{}'), named('MalformedPolicyDocumentException')],
  ['a policy that is no JSON', () => scpOf('p', '{'), named('MalformedPolicyDocumentException')],
  [
    'an SCP with a principal',
    () => scpOf('p', denying('s3:*', { Principal: '*' })),
    named('MalformedPolicyDocumentException'),
  ],
  [
    'an SCP on every service’s deeds',
    () => scpOf('p', denying('*:Delete*')),
    named('MalformedPolicyDocumentException'),
  ],
  ...(
    [
      [
        'that allows',
        JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: '*' }],
        }),
      ],
      ['for some only', denying('s3:*', { Principal: { AWS: ACCOUNT } })],
      ['without principal', denying('s3:*')],
      ['on all actions', denying('*', { Principal: '*' })],
      ['on a service that has none', denying('iam:*', { Principal: '*' })],
      [
        'by what it leaves out',
        JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Deny', Principal: '*', NotAction: 's3:*', Resource: '*' }],
        }),
      ],
    ] as const
  ).map(
    ([what, content]): Case => [
      `an RCP ${what}`,
      () => scpOf('p', content, 'RESOURCE_CONTROL_POLICY'),
      named('MalformedPolicyDocumentException'),
    ],
  ),
  [
    'a tag policy that is an SCP',
    () => scpOf('p', denying('s3:*'), 'TAG_POLICY'),
    named('MalformedPolicyDocumentException'),
  ],
  [
    'an SCP of 5,121 characters',
    () => scpOf('p', denying('s3:*').padEnd(5121, ' ')),
    constraint('POLICY_CONTENT_LIMIT_EXCEEDED'),
  ],
  [
    'an opt-out policy of 2,501 characters',
    () => scpOf('p', '{"services":{}}'.padEnd(2501, ' '), 'AISERVICES_OPT_OUT_POLICY'),
    constraint('POLICY_CONTENT_LIMIT_EXCEEDED'),
  ],
  [
    'one policy too many',
    async ({ scp }) => {
      for (const name of ['1', '2', '3', '4', '5', '6']) await scp(name, denying('s3:*'))
      return scpOf('7')
    },
    constraint('POLICY_NUMBER_LIMIT_EXCEEDED'),
  ],
  ['a policy named as AWS’s', () => scpOf('FullAWSAccess'), named('DuplicatePolicyException')],
  [
    'a policy renamed to another',
    async ({ scp }) => {
      await scp('a', denying('s3:*'))
      return new UpdatePolicyCommand({ PolicyId: (await scp('b', denying('s3:*'))).Id!, Name: 'a' })
    },
    named('DuplicatePolicyException'),
  ],
  [
    'a policy made malformed',
    async ({ scp }) => new UpdatePolicyCommand({ PolicyId: (await scp('a', denying('s3:*'))).Id!, Content: '{}' }),
    named('MalformedPolicyDocumentException'),
  ],
  [
    'AWS’s policy changed',
    () => new UpdatePolicyCommand({ PolicyId: 'p-FullAWSAccess', Name: 'a' }),
    input('IMMUTABLE_POLICY'),
  ],
  ['AWS’s policy deleted', () => new DeletePolicyCommand({ PolicyId: 'p-FullAWSAccess' }), input('IMMUTABLE_POLICY')],
  ...[
    new DescribePolicyCommand({ PolicyId: NO_POLICY }),
    new UpdatePolicyCommand({ PolicyId: NO_POLICY, Name: 'a' }),
    new DeletePolicyCommand({ PolicyId: NO_POLICY }),
    new ListTargetsForPolicyCommand({ PolicyId: NO_POLICY }),
    new AttachPolicyCommand({ PolicyId: NO_POLICY, TargetId: ACCOUNT }),
    new DetachPolicyCommand({ PolicyId: NO_POLICY, TargetId: ACCOUNT }),
  ].map(
    (command): Case => [
      `${command.constructor.name} of a policy that is not there`,
      () => command,
      named('PolicyNotFoundException'),
    ],
  ),
  [
    'a policy in use, deleted',
    async ({ scp, attach, root }) => {
      const { Id } = await scp('p', denying('s3:*'))
      await attach(Id!, root)
      return new DeletePolicyCommand({ PolicyId: Id! })
    },
    named('PolicyInUseException'),
  ],
  ...[
    new AttachPolicyCommand({ PolicyId: 'p-FullAWSAccess', TargetId: NO_ACCOUNT }),
    new DetachPolicyCommand({ PolicyId: 'p-FullAWSAccess', TargetId: NO_UNIT }),
    new ListPoliciesForTargetCommand({ TargetId: NO_ACCOUNT, Filter: 'SERVICE_CONTROL_POLICY' }),
    tagging(NO_ACCOUNT, 'a'),
    new UntagResourceCommand({ ResourceId: NO_UNIT, TagKeys: ['a'] }),
    new ListTagsForResourceCommand({ ResourceId: NO_POLICY }),
  ].map(
    (command): Case => [
      `${command.constructor.name} on a target that is not there`,
      () => command,
      named('TargetNotFoundException'),
    ],
  ),
  [
    'a policy attached twice',
    ({ root }) => new AttachPolicyCommand({ PolicyId: 'p-FullAWSAccess', TargetId: root }),
    named('DuplicatePolicyAttachmentException'),
  ],
  [
    'a policy detached that is not attached',
    async ({ scp, root }) =>
      new DetachPolicyCommand({ PolicyId: (await scp('p', denying('s3:*'))).Id!, TargetId: root }),
    named('PolicyNotAttachedException'),
  ],
  [
    'the last SCP of a target',
    ({ root }) => new DetachPolicyCommand({ PolicyId: 'p-FullAWSAccess', TargetId: root }),
    constraint('MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED'),
  ],
  [
    'a sixth SCP on a target',
    async ({ scp, attach, root }) => {
      for (const name of ['1', '2', '3', '4']) await attach((await scp(name, denying('s3:*'))).Id!, root)
      return new AttachPolicyCommand({ PolicyId: (await scp('5', denying('s3:*'))).Id!, TargetId: root })
    },
    constraint('MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED'),
  ],
  [
    'full access by RCPs taken away',
    async (world) => {
      await enabled(world, 'RESOURCE_CONTROL_POLICY')
      return new DetachPolicyCommand({ PolicyId: 'p-RCPFullAWSAccess', TargetId: world.root })
    },
    input('NON_DETACHABLE_POLICY'),
  ],
  [
    'a policy of a type that is not enabled',
    async ({ org, root }) => {
      const { Policy } = await org.send(scpOf('t', '{"tags":{}}', 'TAG_POLICY'))
      return new AttachPolicyCommand({ PolicyId: Policy!.PolicySummary!.Id!, TargetId: root })
    },
    named('PolicyTypeNotEnabledException'),
  ],
  [
    'a type enabled twice',
    ({ root }) => new EnablePolicyTypeCommand({ RootId: root, PolicyType: 'SERVICE_CONTROL_POLICY' }),
    named('PolicyTypeAlreadyEnabledException'),
  ],
  [
    'a type disabled that is not enabled',
    ({ root }) => new DisablePolicyTypeCommand({ RootId: root, PolicyType: 'TAG_POLICY' }),
    named('PolicyTypeNotEnabledException'),
  ],
  [
    'a root that is not there',
    () => new EnablePolicyTypeCommand({ RootId: 'r-none', PolicyType: 'TAG_POLICY' }),
    named('RootNotFoundException'),
  ],
  [
    'invalid outcomes of a type that is not enabled',
    () => new ListAccountsWithInvalidEffectivePolicyCommand({ PolicyType: 'TAG_POLICY' }),
    named('EffectivePolicyNotFoundException'),
  ],

  // delegation
  [
    'trust in something else than a service',
    () => new EnableAWSServiceAccessCommand({ ServicePrincipal: 'example.com' }),
    input('UNRECOGNIZED_SERVICE_PRINCIPAL'),
  ],
  [
    'distrust in a service whose policies are in force',
    async (world) => {
      await trust(world, 'securityhub.amazonaws.com')
      await enabled(world, 'SECURITYHUB_POLICY')
      return new DisableAWSServiceAccessCommand({ ServicePrincipal: 'securityhub.amazonaws.com' })
    },
    constraint('POLICY_TYPE_ENABLED_FOR_THIS_SERVICE'),
  ],
  [
    'an administrator of a service that is not trusted',
    async ({ member }) => register(await member('a')),
    constraint('SERVICE_ACCESS_NOT_ENABLED'),
  ],
  [
    'the manager as administrator',
    async (world) => (await trust(world)) && register(ACCOUNT),
    constraint('CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR'),
  ],
  [
    'a closed account as administrator',
    async (world) => {
      await trust(world)
      const AccountId = await world.member('a')
      await world.org.send(new CloseAccountCommand({ AccountId }))
      return register(AccountId)
    },
    constraint('CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR'),
  ],
  [
    'an administrator twice',
    async (world) => register(await administrator(world)),
    named('AccountAlreadyRegisteredException'),
  ],
  [
    'a second administrator of a service that has one',
    async (world) => {
      await administrator(world)
      return register(await world.member('b'))
    },
    constraint('DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE'),
  ],
  [
    'a fourth administrator of a service that has three',
    async (world) => {
      const principal = 'cloudtrail.amazonaws.com'
      await trust(world, principal)
      for (const name of ['a', 'b', 'c']) await world.org.send(register(await world.member(name), principal))
      return register(await world.member('d'), principal)
    },
    constraint('MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED'),
  ],
  ['an administrator that is not there', () => register(NO_ACCOUNT), named('AccountNotFoundException')],
  [
    'an administrator dismissed that is none',
    async ({ member }) =>
      new DeregisterDelegatedAdministratorCommand({ AccountId: await member('a'), ServicePrincipal: TRUSTED }),
    named('AccountNotRegisteredException'),
  ],
  [
    'the services of an administrator that is none',
    async ({ member }) => new ListDelegatedServicesForAccountCommand({ AccountId: await member('a') }),
    named('AccountNotRegisteredException'),
  ],
  [
    'a delegation policy that is not there',
    () => new DescribeResourcePolicyCommand({}),
    named('ResourcePolicyNotFoundException'),
  ],
  [
    'a delegation policy deleted that is not there',
    () => new DeleteResourcePolicyCommand({}),
    named('ResourcePolicyNotFoundException'),
  ],
  [
    'a delegation policy that is none',
    () => new PutResourcePolicyCommand({ Content: '{}' }),
    input('INVALID_RESOURCE_POLICY_JSON'),
  ],
  [
    'delegation of what cannot be delegated',
    () => delegating({ Action: 'organizations:CreateAccount' }),
    input('UNSUPPORTED_ACTION_IN_RESOURCE_POLICY'),
  ],
  [
    'delegation of another service',
    () => delegating({ Action: 'iam:*' }),
    input('UNSUPPORTED_ACTION_IN_RESOURCE_POLICY'),
  ],
  [
    'delegation to a service',
    () => delegating({ Action: 'organizations:List*', Principal: { Service: TRUSTED } }),
    input('INVALID_PRINCIPAL'),
  ],
  [
    'delegation on another service’s resources',
    () => delegating({ Action: 'organizations:List*', Resource: `arn:aws:iam::${ACCOUNT}:role/a` }),
    input('UNSUPPORTED_RESOURCE_IN_RESOURCE_POLICY'),
  ],
  [
    'delegation by a type that does not exist',
    () =>
      delegating({
        Action: 'organizations:CreatePolicy',
        Condition: { StringEquals: { 'organizations:PolicyType': 'SERVICE_POLICY' } },
      }),
    input('UNSUPPORTED_POLICY_TYPE_IN_RESOURCE_POLICY'),
  ],

  // tags, handshakes, pages
  ['a tag key twice', ({ root }) => tagging(root, 'a', 'A'), input('DUPLICATE_TAG_KEY')],
  ['a tag of AWS’s own', ({ root }) => tagging(root, 'aws:a'), input('INVALID_SYSTEM_TAGS_PARAMETER')],
  [
    'a fifty-first tag',
    ({ root }) => tagging(root, ...Array.from({ length: 51 }, (_, i) => `k${i}`)),
    constraint('MAX_TAG_LIMIT_EXCEEDED'),
  ],
  [
    'a handshake that is not there',
    () => new DescribeHandshakeCommand({ HandshakeId: 'h-12345678' }),
    named('HandshakeNotFoundException'),
  ],
  ['a forged page', () => new ListAccountsCommand({ NextToken: 'forged' }), input('INVALID_NEXT_TOKEN')],
  [
    'a forged page of handshakes',
    () => new ListHandshakesForAccountCommand({ NextToken: 'forged' }),
    input('INVALID_NEXT_TOKEN'),
  ],
]

const quotas = {
  'organizations/AccountsPerOrganization': 5,
  'organizations/UnitsPerOrganization': 6,
  'organizations/PoliciesPerType': 6,
  'organizations/ClosuresPerMonth': 2,
}

test.each(cases)('%s is refused, and nothing changed', async (_what, make, refusal) => {
  const world = await organization({ quotas })
  const rows = () => world.store.reader.range(under('organizations'))
  const command = await make(world)
  const before = await rows()

  await expect(world.org.send(command as Any)).rejects.toMatchObject(refusal)

  expect(await rows()).toEqual(before)
})

test.each([
  ['trusting a service', () => new EnableAWSServiceAccessCommand({ ServicePrincipal: TRUSTED })],
  ['delegating', () => delegating({ Action: 'organizations:List*' })],
  ['making an administrator', () => register(ACCOUNT)],
] as const)('An organization for billing only is refused %s', async (_what, make) => {
  const it = await cloud()
  const org = it.client(OrganizationsClient)
  await org.send(new CreateOrganizationCommand({ FeatureSet: 'CONSOLIDATED_BILLING' }))

  await expect(org.send(make() as unknown as Any)).rejects.toMatchObject(
    constraint('ORGANIZATION_NOT_IN_ALL_FEATURES_MODE'),
  )
})

test('An organization for billing only has no policies, whatever their type', async () => {
  const it = await cloud()
  const org = it.client(OrganizationsClient)
  await org.send(new CreateOrganizationCommand({ FeatureSet: 'CONSOLIDATED_BILLING' }))

  for (const command of [scpOf('p'), scpOf('t', '{"tags":{}}', 'TAG_POLICY')]) {
    await expect(org.send(command)).rejects.toMatchObject({ name: 'PolicyTypeNotAvailableForOrganizationException' })
  }
})

test('An account without an organization gets AWSOrganizationsNotInUseException from every operation', async () => {
  const it = await cloud()
  const org = it.client(OrganizationsClient, await it.account(OTHER_ACCOUNT))

  for (const command of [
    new ListAccountsCommand({}),
    new LeaveOrganizationCommand({}),
    new DescribeAccountCommand({ AccountId: ACCOUNT }),
    scpOf('p'),
  ]) {
    await expect(org.send(command as Any)).rejects.toMatchObject({ name: 'AWSOrganizationsNotInUseException' })
  }
})
