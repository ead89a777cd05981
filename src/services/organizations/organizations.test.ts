/** An organization as its management account builds it, and as its members feel it. */
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  ListUsersCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  KMSClient,
  RetireGrantCommand,
} from '@aws-sdk/client-kms'
import {
  CloseAccountCommand,
  CreateAccountCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand,
  DeleteOrganizationalUnitCommand,
  DeleteOrganizationCommand,
  DeletePolicyCommand,
  DescribeAccountCommand,
  DescribeCreateAccountStatusCommand,
  DescribeOrganizationCommand,
  DisablePolicyTypeCommand,
  EnableAWSServiceAccessCommand,
  EnablePolicyTypeCommand,
  LeaveOrganizationCommand,
  ListAccountsCommand,
  ListChildrenCommand,
  ListDelegatedAdministratorsCommand,
  ListParentsCommand,
  ListPoliciesForTargetCommand,
  ListRootsCommand,
  ListTagsForResourceCommand,
  ListTargetsForPolicyCommand,
  MoveAccountCommand,
  OrganizationsClient,
  PutResourcePolicyCommand,
  RegisterDelegatedAdministratorCommand,
  RemoveAccountFromOrganizationCommand,
  TagResourceCommand,
  UpdatePolicyCommand,
} from '@aws-sdk/client-organizations'
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { denying, type OrganizationFixture, organization } from './organization.fixture.ts'

describe('An organization', () => {
  test('begins with one root, its management account, and full access attached to both', async () => {
    const { org, root } = await organization()

    for (const TargetId of [root, ACCOUNT]) {
      const { Policies } = await org.send(
        new ListPoliciesForTargetCommand({ TargetId, Filter: 'SERVICE_CONTROL_POLICY' }),
      )
      expect(Policies).toMatchObject([{ Id: 'p-FullAWSAccess', AwsManaged: true }])
    }
    expect((await org.send(new ListAccountsCommand({}))).Accounts).toMatchObject([{ Id: ACCOUNT, Status: 'ACTIVE' }])
    await expect(org.send(new CreateOrganizationCommand({}))).rejects.toMatchObject({
      name: 'AlreadyInOrganizationException',
    })
  })

  test('is deleted when it is empty, and not before', async () => {
    const { org, unit } = await organization()
    const ou = await unit('a')

    await expect(org.send(new DeleteOrganizationCommand({}))).rejects.toMatchObject({
      name: 'OrganizationNotEmptyException',
    })
    await org.send(new DeleteOrganizationalUnitCommand({ OrganizationalUnitId: ou }))
    await org.send(new DeleteOrganizationCommand({}))

    await expect(org.send(new DescribeOrganizationCommand({}))).rejects.toMatchObject({
      name: 'AWSOrganizationsNotInUseException',
      message: 'Your account is not a member of an organization.',
    })
  })

  test('creates accounts that only its managers can enter', async () => {
    const { member, enter, client, org, lists } = await organization()
    const account = await member('blue')

    expect(await lists(await enter(account))).toBe('allowed')
    expect((await org.send(new DescribeAccountCommand({ AccountId: account }))).Account).toMatchObject({
      Id: account,
      Name: 'blue',
      Email: 'blue@example.com',
      JoinedMethod: 'CREATED',
    })
    const { accessKeyId, secretAccessKey } = await enter(account)
    await expect(
      client(IAMClient, { accessKeyId, secretAccessKey }).send(new ListUsersCommand({})),
    ).rejects.toMatchObject({ name: 'InvalidClientTokenId' })
  })

  test('takes an e-mail address once, whatever its case', async () => {
    const { org, member } = await organization()
    await member('blue')

    const again = await org.send(new CreateAccountCommand({ AccountName: 'other', Email: 'Blue@Example.com' }))
    const told = await org.send(
      new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: again.CreateAccountStatus!.Id! }),
    )

    expect(told.CreateAccountStatus).toMatchObject({ State: 'FAILED', FailureReason: 'EMAIL_ALREADY_EXISTS' })
  })

  test('lets its members look at themselves, and no more', async () => {
    const { member, enter, client } = await organization()
    const inside = client(OrganizationsClient, await enter(await member('blue')))

    expect((await inside.send(new DescribeOrganizationCommand({}))).Organization?.MasterAccountId).toBe(ACCOUNT)
    for (const command of [
      new ListAccountsCommand({}),
      new ListRootsCommand({}),
      new CreateAccountCommand({ AccountName: 'x', Email: 'x@example.com' }),
    ]) {
      await expect(inside.send(command as ListAccountsCommand)).rejects.toMatchObject({
        name: 'AccessDeniedException',
        message: "You don't have permissions to access this resource.",
      })
    }
  })

  test('opens itself to delegated administrators, and by its delegation policy', async () => {
    const { org, member, enter, client } = await organization()
    const [audit, ops] = [await member('audit'), await member('ops')]
    const register = new RegisterDelegatedAdministratorCommand({
      AccountId: audit,
      ServicePrincipal: 'guardduty.amazonaws.com',
    })

    await expect(org.send(register)).rejects.toMatchObject({
      name: 'ConstraintViolationException',
      Reason: 'SERVICE_ACCESS_NOT_ENABLED',
    })
    await org.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: 'guardduty.amazonaws.com' }))
    await org.send(register)
    const statement = {
      Principal: { AWS: `arn:aws:iam::${ops}:root` },
      Action: 'organizations:CreatePolicy',
      Resource: '*',
    }
    await org.send(new PutResourcePolicyCommand({ Content: allowing(statement) }))

    const asAudit = client(OrganizationsClient, await enter(audit))
    const asOps = client(OrganizationsClient, await enter(ops))
    const policy = new CreatePolicyCommand({
      Name: 'p',
      Description: '',
      Content: denying('s3:*'),
      Type: 'SERVICE_CONTROL_POLICY',
    })
    expect((await asAudit.send(new ListDelegatedAdministratorsCommand({}))).DelegatedAdministrators).toMatchObject([
      { Id: audit },
    ])
    await expect(asAudit.send(policy)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    expect((await asOps.send(policy)).Policy?.PolicySummary?.Name).toBe('p')
    await expect(asOps.send(new ListAccountsCommand({}))).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
})

describe('A service control policy', () => {
  test('binds users, roles and root of a member from the next call on, and names itself', async () => {
    const { unit, member, scp, attach, detach, org, root, enter, lists } = await organization()
    const [ou, other] = [await unit('workloads'), await unit('other')]
    const account = await member('blue')
    const keys = await enter(account)
    const policy = await scp('no-listing', denying('iam:ListUsers'))
    await attach(policy.Id!, ou)
    expect(await lists(keys)).toBe('allowed')

    await org.send(new MoveAccountCommand({ AccountId: account, SourceParentId: root, DestinationParentId: ou }))
    expect(await lists(keys)).toBe(`with an explicit deny in a service control policy: ${policy.Arn}`)

    await org.send(new MoveAccountCommand({ AccountId: account, SourceParentId: ou, DestinationParentId: other }))
    expect(await lists(keys)).toBe('allowed')

    await attach(policy.Id!, root)
    expect(await lists(keys)).toBe(`with an explicit deny in a service control policy: ${policy.Arn}`)
    await org.send(new UpdatePolicyCommand({ PolicyId: policy.Id!, Content: denying('s3:*') }))
    expect(await lists(keys)).toBe('allowed')
    await detach(policy.Id!, root)
  })

  test('does not bind the management account', async () => {
    const { scp, attach, root, lists, admin } = await organization()

    await attach((await scp('nothing', denying('*'))).Id!, root)

    expect(await lists(admin)).toBe('allowed')
  })

  test('that allows less at one level leaves nothing else, at whatever level', async () => {
    const { unit, member, scp, attach, detach, org, root, enter, lists } = await organization()
    const [outer] = [await unit('outer')]
    const inner = await unit('inner', outer)
    const account = await member('blue')
    await org.send(new MoveAccountCommand({ AccountId: account, SourceParentId: root, DestinationParentId: inner }))
    const keys = await enter(account)
    const only = await scp('only-s3', allowing({ Action: ['s3:*', 'sts:*'], Resource: '*' }))

    await attach(only.Id!, outer)
    expect(await lists(keys)).toBe('allowed')
    await detach('p-FullAWSAccess', outer)
    expect(await lists(keys)).toBe('because no service control policy allows the iam:ListUsers action')
    await attach('p-FullAWSAccess', outer)
    expect(await lists(keys)).toBe('allowed')
  })

  test('grants nothing', async () => {
    const { member, enter, client, lists } = await organization()
    const inside = client(IAMClient, await enter(await member('blue')))
    await inside.send(new CreateUserCommand({ UserName: 'eve' }))
    const { AccessKey } = await inside.send(new CreateAccessKeyCommand({ UserName: 'eve' }))

    expect(await lists({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! })).toBe(
      'because no identity-based policy allows the iam:ListUsers action',
    )
  })

  test('may test the organization of the caller, which policies of members may, too', async () => {
    const { member, scp, attach, id, enter, lists, client } = await organization()
    const account = await member('blue')
    const keys = await enter(account)
    const inside = client(IAMClient, keys)
    await inside.send(new CreateUserCommand({ UserName: 'eve' }))
    const { AccessKey } = await inside.send(new CreateAccessKeyCommand({ UserName: 'eve' }))
    const eve = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
    const Condition = {
      StringEquals: { 'aws:PrincipalOrgID': id, 'aws:ResourceOrgID': id },
      'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': `${id}/r-*/` },
    }
    const PolicyDocument = allowing({ Action: 'iam:ListUsers', Resource: '*', Condition })
    await inside.send(new PutUserPolicyCommand({ UserName: 'eve', PolicyName: 'p', PolicyDocument }))
    expect(await lists(eve)).toBe('allowed')

    const policy = await scp(
      'elsewhere',
      denying('*', { Condition: { StringNotEquals: { 'aws:PrincipalOrgID': 'o-elsewhere00' } } }),
    )
    await attach(policy.Id!, account)
    expect(await lists(eve)).toBe(`with an explicit deny in a service control policy: ${policy.Arn}`)
  })

  test('is no longer applied once its type is disabled, and full access is all that returns', async () => {
    const { member, scp, attach, org, root, enter, lists } = await organization()
    const account = await member('blue')
    const keys = await enter(account)
    await attach((await scp('nothing', denying('*'))).Id!, account)
    expect(await lists(keys)).toContain('explicit deny')

    await org.send(new DisablePolicyTypeCommand({ RootId: root, PolicyType: 'SERVICE_CONTROL_POLICY' }))
    expect(await lists(keys)).toBe('allowed')
    await org.send(new EnablePolicyTypeCommand({ RootId: root, PolicyType: 'SERVICE_CONTROL_POLICY' }))
    expect(await lists(keys)).toBe('allowed')
  })

  test('never lets a call through after it was attached, however many call meanwhile', async () => {
    const { member, scp, attach, enter, lists } = await organization()
    const account = await member('blue')
    const keys = await enter(account)
    const policy = await scp('no-listing', denying('iam:ListUsers'))

    const during = Array.from({ length: 20 }, () => lists(keys))
    await attach(policy.Id!, account)
    const after = await Promise.all(Array.from({ length: 20 }, () => lists(keys)))
    await Promise.all(during)

    expect(new Set(after)).toEqual(new Set([`with an explicit deny in a service control policy: ${policy.Arn}`]))
  })
})

describe('A resource control policy', () => {
  test('keeps other accounts from roles of the members, whatever those trust', async () => {
    const { org, root, member, enter, client, scp, attach, account: stranger, id } = await organization()
    const account = await member('blue')
    const trust = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
    })
    const { CreateRoleCommand } = await import('@aws-sdk/client-iam')
    await client(IAMClient, await enter(account)).send(
      new CreateRoleCommand({ RoleName: 'open', AssumeRolePolicyDocument: trust }),
    )
    const abroad = client(IAMClient, await stranger('444455556666'))
    await abroad.send(new CreateUserCommand({ UserName: 'eve' }))
    await abroad.send(
      new PutUserPolicyCommand({
        UserName: 'eve',
        PolicyName: 'p',
        PolicyDocument: allowing({ Action: '*', Resource: '*' }),
      }),
    )
    const { AccessKey } = await abroad.send(new CreateAccessKeyCommand({ UserName: 'eve' }))
    const eve = client(STSClient, {
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    })
    const assume = () =>
      eve.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${account}:role/open`, RoleSessionName: 'visit' }))
    expect((await assume()).Credentials).toBeDefined()

    await org.send(new EnablePolicyTypeCommand({ RootId: root, PolicyType: 'RESOURCE_CONTROL_POLICY' }))
    const only = denying('sts:AssumeRole', {
      Principal: '*',
      Condition: { StringNotEqualsIfExists: { 'aws:PrincipalOrgID': id } },
    })
    await attach((await scp('ours', only, 'RESOURCE_CONTROL_POLICY')).Id!, root)

    await expect(assume()).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.not.stringContaining('control policy'),
    })
    expect(await enter(account)).toBeDefined()
  })

  test('binds the keys of the members, but neither the end of a grant nor the keys that AWS manages', async () => {
    const { org, root, member, enter, client, scp, attach } = await organization()
    const inside = await enter(await member('blue'))
    const [kms, secrets] = [client(KMSClient, inside), client(SecretsManagerClient, inside)]
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const { KeyId, AWSAccountId } = KeyMetadata!
    const { GrantToken } = await kms.send(
      new CreateGrantCommand({ KeyId, GranteePrincipal: AWSAccountId, Operations: ['Encrypt'] }),
    )
    await secrets.send(new CreateSecretCommand({ Name: 'theirs', SecretString: 's', KmsKeyId: KeyId }))
    await secrets.send(new CreateSecretCommand({ Name: 'managed', SecretString: 's' }))

    await org.send(new EnablePolicyTypeCommand({ RootId: root, PolicyType: 'RESOURCE_CONTROL_POLICY' }))
    await attach((await scp('ours', denying('kms:*', { Principal: '*' }), 'RESOURCE_CONTROL_POLICY')).Id!, root)
    const denied = { name: 'AccessDeniedException' }
    await expect(kms.send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject(denied)
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: 'theirs' }))).rejects.toMatchObject(denied)

    await expect(secrets.send(new GetSecretValueCommand({ SecretId: 'managed' }))).resolves.toMatchObject({
      SecretString: 's',
    })
    await expect(kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/secretsmanager' }))).resolves.toBeDefined()
    await expect(kms.send(new RetireGrantCommand({ GrantToken }))).resolves.toBeDefined()
  })

  test('cannot lose its full access', async () => {
    const { org, root, detach } = await organization()
    await org.send(new EnablePolicyTypeCommand({ RootId: root, PolicyType: 'RESOURCE_CONTROL_POLICY' }))

    await expect(detach('p-RCPFullAWSAccess', root)).rejects.toMatchObject({
      name: 'InvalidInputException',
      Reason: 'NON_DETACHABLE_POLICY',
    })
  })
})

describe('A closed account', () => {
  test('is shut from the next call on', async () => {
    const { org, member, enter, lists } = await organization()
    const account = await member('blue')
    const keys = await enter(account)

    await org.send(new CloseAccountCommand({ AccountId: account }))

    expect(await lists(keys)).toBe('The security token included in the request is invalid.')
    expect((await org.send(new DescribeAccountCommand({ AccountId: account }))).Account).toMatchObject({
      Status: 'SUSPENDED',
    })
    await expect(enter(account)).rejects.toMatchObject({ name: 'AccessDenied' })
    await expect(org.send(new CloseAccountCommand({ AccountId: ACCOUNT }))).rejects.toMatchObject({
      Reason: 'CANNOT_CLOSE_MANAGEMENT_ACCOUNT',
    })

    // Not even the end of the organization opens it again.
    await org.send(new DeleteOrganizationCommand({}))
    expect(await lists(keys)).toBe('The security token included in the request is invalid.')
  })

  test('is not one that left, which may be some days after it was made', async () => {
    const { org, member, clock, client } = await organization()
    const account = await member('blue')
    const remove = new RemoveAccountFromOrganizationCommand({ AccountId: account })
    await expect(org.send(remove)).rejects.toMatchObject({ Reason: 'WAIT_PERIOD_ACTIVE' })

    clock.advance(8 * 24 * 3_600_000)
    const later = client(OrganizationsClient)
    await later.send(remove)

    const describe = new DescribeAccountCommand({ AccountId: account })
    await expect(later.send(describe)).rejects.toMatchObject({ name: 'AccountNotFoundException' })
    await expect(later.send(new LeaveOrganizationCommand({}))).rejects.toMatchObject({
      name: 'MasterCannotLeaveOrganizationException',
    })
  })
})

describe('What is refused', () => {
  test.each([
    [
      'a sixth level of units',
      async ({ unit, root }: OrganizationFixture) => {
        let parent = root
        for (const name of ['1', '2', '3', '4', '5']) parent = await unit(name, parent)
        return unit('6', parent)
      },
      { name: 'ConstraintViolationException', Reason: 'OU_DEPTH_LIMIT_EXCEEDED' },
    ],
    [
      'a name twice below one parent',
      async ({ unit }: OrganizationFixture) => [await unit('a'), await unit('a')],
      { name: 'DuplicateOrganizationalUnitException' },
    ],
    [
      'an unknown parent',
      ({ unit }: OrganizationFixture) => unit('a', 'ou-abcd-12345678'),
      { name: 'ParentNotFoundException' },
    ],
    [
      'a unit that is not empty',
      async ({ unit, org }: OrganizationFixture) => {
        const outer = await unit('a')
        await unit('b', outer)
        return org.send(new DeleteOrganizationalUnitCommand({ OrganizationalUnitId: outer }))
      },
      { name: 'OrganizationalUnitNotEmptyException' },
    ],
    [
      'a policy that is in use',
      async ({ scp, attach, root, org }: OrganizationFixture) => {
        const { Id } = await scp('p', denying('s3:*'))
        await attach(Id!, root)
        return org.send(new DeletePolicyCommand({ PolicyId: Id! }))
      },
      { name: 'PolicyInUseException' },
    ],
    [
      'the last policy of a target',
      ({ detach, root }: OrganizationFixture) => detach('p-FullAWSAccess', root),
      { Reason: 'MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED' },
    ],
    [
      'a sixth policy on a target',
      async ({ scp, attach, root }: OrganizationFixture) => {
        for (const name of ['1', '2', '3', '4', '5']) await attach((await scp(name, denying('s3:*'))).Id!, root)
      },
      { Reason: 'MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED' },
    ],
    [
      'a policy attached twice',
      ({ attach, root }: OrganizationFixture) => attach('p-FullAWSAccess', root),
      { name: 'DuplicatePolicyAttachmentException' },
    ],
    [
      'an unknown policy',
      ({ attach, root }: OrganizationFixture) => attach('p-12345678', root),
      { name: 'PolicyNotFoundException' },
    ],
    [
      'an unknown target',
      ({ attach }: OrganizationFixture) => attach('p-FullAWSAccess', '999988887777'),
      { name: 'TargetNotFoundException' },
    ],
    [
      'a type that is not enabled',
      async ({ scp, attach, root }: OrganizationFixture) =>
        attach((await scp('r', denying('s3:*', { Principal: '*' }), 'RESOURCE_CONTROL_POLICY')).Id!, root),
      { name: 'PolicyTypeNotEnabledException' },
    ],
    [
      'a document that is no policy',
      ({ scp }: OrganizationFixture) => scp('p', '{}'),
      {
        name: 'MalformedPolicyDocumentException',
        message: 'The provided policy document does not meet the requirements of the specified policy type.',
      },
    ],
    [
      'a control policy with a principal',
      ({ scp }: OrganizationFixture) => scp('p', denying('s3:*', { Principal: '*' })),
      { name: 'MalformedPolicyDocumentException' },
    ],
    [
      'a policy of 5,121 characters',
      ({ scp }: OrganizationFixture) => scp('p', denying('s3:*').padEnd(5121, ' ')),
      { Reason: 'POLICY_CONTENT_LIMIT_EXCEEDED' },
    ],
    [
      'a policy name twice',
      async ({ scp }: OrganizationFixture) => [await scp('p', denying('s3:*')), await scp('p', denying('s3:*'))],
      { name: 'DuplicatePolicyException' },
    ],
    [
      'an account moved from where it is not',
      async ({ member, org, unit, root }: OrganizationFixture) => {
        const [account, ou] = [await member('blue'), await unit('a')]
        return org.send(new MoveAccountCommand({ AccountId: account, SourceParentId: ou, DestinationParentId: root }))
      },
      { name: 'SourceParentNotFoundException' },
    ],
    [
      'a tag key twice',
      ({ org, root }: OrganizationFixture) =>
        org.send(
          new TagResourceCommand({
            ResourceId: root,
            Tags: [
              { Key: 'a', Value: '' },
              { Key: 'A', Value: '' },
            ],
          }),
        ),
      { Reason: 'DUPLICATE_TAG_KEY' },
    ],
  ] as const)('%s', async (_what, attempt, refusal) => {
    await expect((async () => attempt(await organization()))()).rejects.toMatchObject(refusal)
  })
})

test('Tags come and go, and decide', async () => {
  const { org, unit } = await organization()
  const ou = await unit('a')

  await org.send(new TagResourceCommand({ ResourceId: ou, Tags: [{ Key: 'team', Value: 'blue' }] }))

  expect((await org.send(new ListTagsForResourceCommand({ ResourceId: ou }))).Tags).toEqual([
    { Key: 'team', Value: 'blue' },
  ])
})

test('Targets of a policy are listed page by page', async () => {
  const { org, unit, scp, attach } = await organization()
  const { Id } = await scp('p', denying('s3:*'))
  const units = [await unit('a'), await unit('b'), await unit('c')].sort()
  for (const ou of units) await attach(Id!, ou)

  const first = await org.send(new ListTargetsForPolicyCommand({ PolicyId: Id!, MaxResults: 2 }))
  const second = await org.send(
    new ListTargetsForPolicyCommand({ PolicyId: Id!, MaxResults: 2, NextToken: first.NextToken }),
  )

  expect([...first.Targets!, ...second.Targets!].map(({ TargetId }) => TargetId)).toEqual(units)
  expect(second.NextToken).toBeUndefined()
})

test('Whatever is done to the tree, every account and unit has one parent, and no circle comes about', async () => {
  const it = await organization()
  const accounts = [await it.member('a'), await it.member('b')]
  const units: string[] = []
  const anywhere = () => [it.root, ...units]
  const step = fc.record({ what: fc.constantFrom('make', 'drop', 'move' as const), at: fc.nat(), to: fc.nat() })

  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      await Promise.allSettled(
        steps.map(async ({ what, at, to }, i) => {
          const places = anywhere()
          const place = places[to % places.length]!
          if (what === 'make') units.push(await it.unit(`u${Date.now()}-${i}-${Math.random()}`, place))
          if (what === 'drop' && units.length > 0) {
            const gone = units[at % units.length]!
            await it.org.send(new DeleteOrganizationalUnitCommand({ OrganizationalUnitId: gone }))
            units.splice(units.indexOf(gone), 1)
          }
          if (what === 'move') {
            const AccountId = accounts[at % accounts.length]!
            const { Parents } = await it.org.send(new ListParentsCommand({ ChildId: AccountId }))
            await it.org.send(
              new MoveAccountCommand({ AccountId, SourceParentId: Parents![0]!.Id!, DestinationParentId: place }),
            )
          }
        }),
      )

      // From the root down, everything is reached once.
      const reached: string[] = []
      const walk = async (ParentId: string, depth: number): Promise<void> => {
        expect(depth).toBeLessThanOrEqual(5)
        for (const ChildType of ['ACCOUNT', 'ORGANIZATIONAL_UNIT'] as const) {
          const { Children } = await it.org.send(new ListChildrenCommand({ ParentId, ChildType }))
          for (const { Id } of Children!) {
            reached.push(Id!)
            if (ChildType === 'ORGANIZATIONAL_UNIT') await walk(Id!, depth + 1)
          }
        }
      }
      await walk(it.root, 0)
      expect(reached.sort()).toEqual([ACCOUNT, ...accounts, ...units].sort())
    }),
    { numRuns: 15 },
  )
})
