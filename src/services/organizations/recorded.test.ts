/** What AWS was recorded to answer: broken constraints, and service principals that do not exist. */
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  DeregisterDelegatedAdministratorCommand,
  DescribeAccountCommand,
  DescribeCreateAccountStatusCommand,
  DisableAWSServiceAccessCommand,
  EnableAWSServiceAccessCommand,
  ListChildrenCommand,
  ListPoliciesCommand,
  ListPoliciesForTargetCommand,
  ListRootsCommand,
  OrganizationsClient,
  RegisterDelegatedAdministratorCommand,
} from '@aws-sdk/client-organizations'
import { beforeEach, expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'

let org: OrganizationsClient
beforeEach(async () => {
  org = (await cloud()).client(OrganizationsClient)
  await org.send(new CreateOrganizationCommand({}))
})

const PATTERN = { Reason: 'INVALID_PATTERN', message: 'You provided a value that does not match the required pattern.' }
const ENUM = { Reason: 'INVALID_ENUM', message: 'You specified an invalid value.' }
const PRINCIPAL = {
  Reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL',
  message: 'You specified an unrecognized service principal.',
}
const none = 'none' as 'SERVICE_CONTROL_POLICY'
const AccountId = '123456789012'
const ServicePrincipal = 'nothing.amazonaws.com'

test.each([
  [
    'a target',
    () => org.send(new ListPoliciesForTargetCommand({ TargetId: 'abc', Filter: 'SERVICE_CONTROL_POLICY' })),
    PATTERN,
  ],
  ['an account', () => org.send(new DescribeAccountCommand({ AccountId: 'abc' })), PATTERN],
  ['a policy', () => org.send(new AttachPolicyCommand({ PolicyId: 'abc', TargetId: AccountId })), PATTERN],
  ['a parent', () => org.send(new CreateOrganizationalUnitCommand({ ParentId: 'abc', Name: 'x' })), PATTERN],
  ['a policy type', () => org.send(new ListPoliciesCommand({ Filter: none })), ENUM],
  [
    'a kind of child',
    () => org.send(new ListChildrenCommand({ ParentId: 'r-abcd', ChildType: none as 'ACCOUNT' })),
    ENUM,
  ],
  [
    'a length',
    () => org.send(new CreateOrganizationalUnitCommand({ ParentId: 'r-abcd', Name: 'x'.repeat(129) })),
    { Reason: 'MAX_LENGTH_EXCEEDED', message: 'You provided a string parameter that is longer than allowed.' },
  ],
  [
    'a page size',
    () => org.send(new ListRootsCommand({ MaxResults: 21 })),
    { Reason: 'MAX_VALUE_EXCEEDED', message: 'You provided a numeric parameter that has a larger value than allowed.' },
  ],
  ['a service to trust', () => org.send(new EnableAWSServiceAccessCommand({ ServicePrincipal })), PRINCIPAL],
  ['a service not to trust', () => org.send(new DisableAWSServiceAccessCommand({ ServicePrincipal })), PRINCIPAL],
])('%s that is none is invalid input, with a reason', async (_what, call, expected) => {
  await expect(call()).rejects.toMatchObject({ name: 'InvalidInputException', ...expected })
})

test('an administrator is delegated once, and for services that exist', async () => {
  const { CreateAccountStatus } = await org.send(new CreateAccountCommand({ AccountName: 'b', Email: 'b@example.com' }))
  const status = new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: CreateAccountStatus!.Id! })
  const member = { AccountId: (await org.send(status)).CreateAccountStatus!.AccountId! }
  for (const Command of [RegisterDelegatedAdministratorCommand, DeregisterDelegatedAdministratorCommand]) {
    await expect(org.send(new Command({ ...member, ServicePrincipal }))).rejects.toMatchObject(PRINCIPAL)
  }

  const trusted = { ServicePrincipal: 'config.amazonaws.com' }
  await org.send(new EnableAWSServiceAccessCommand(trusted))
  await org.send(new RegisterDelegatedAdministratorCommand({ ...member, ...trusted }))
  await expect(org.send(new RegisterDelegatedAdministratorCommand({ ...member, ...trusted }))).rejects.toMatchObject({
    name: 'AccountAlreadyRegisteredException',
    message: 'The provided account is already a delegated administrator for your organization.',
  })
})
