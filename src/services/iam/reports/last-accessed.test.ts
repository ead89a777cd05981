/** What is granted, what was used of it, and when: by user, group, role, policy and organization. */
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  GenerateOrganizationsAccessReportCommand,
  GenerateServiceLastAccessedDetailsCommand,
  GetOrganizationsAccessReportCommand,
  GetServiceLastAccessedDetailsCommand,
  GetServiceLastAccessedDetailsWithEntitiesCommand,
  IAMClient,
  ListPoliciesGrantingServiceAccessCommand,
  ListRolesCommand,
  ListUsersCommand,
  PutGroupPolicyCommand,
  SetSecurityTokenServicePreferencesCommand,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam'
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand as CreateScpCommand,
  DescribeCreateAccountStatusCommand,
  DetachPolicyCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, keysOf } from '../../../../test/cloud.ts'

const arn = (rest: string) => `arn:aws:iam::${ACCOUNT}:${rest}`
const READ = 'arn:aws:iam::aws:policy/IAMReadOnlyAccess'

/** Ann may use IAM and KMS, through her group too; a role may use IAM. */
async function world() {
  const it = await cloud()
  const iam = () => it.client(IAMClient)
  const ann = await it.user('ann', allowing({ Action: ['iam:List*', 'kms:ListKeys'], Resource: '*' }))
  const bob = await it.user('bob')
  await iam().send(new CreateGroupCommand({ GroupName: 'readers' }))
  await iam().send(new AttachGroupPolicyCommand({ GroupName: 'readers', PolicyArn: READ }))
  await iam().send(new AddUserToGroupCommand({ GroupName: 'readers', UserName: 'ann' }))
  await iam().send(new AddUserToGroupCommand({ GroupName: 'readers', UserName: 'bob' }))
  const trust = allowing({ Principal: { AWS: arn('root') }, Action: 'sts:AssumeRole' })
  await iam().send(new CreateRoleCommand({ RoleName: 'auditor', AssumeRolePolicyDocument: trust }))
  await iam().send(new AttachRolePolicyCommand({ RoleName: 'auditor', PolicyArn: READ }))

  async function report(Arn: string, Granularity?: 'SERVICE_LEVEL' | 'ACTION_LEVEL') {
    const { JobId } = await iam().send(new GenerateServiceLastAccessedDetailsCommand({ Arn, Granularity }))
    await it.jobs.runDue()
    return { JobId, ...(await iam().send(new GetServiceLastAccessedDetailsCommand({ JobId }))) }
  }
  return { ...it, iam, ann, bob, report }
}

const namespaces = ({ ServicesLastAccessed }: Awaited<ReturnType<Awaited<ReturnType<typeof world>>['report']>>) =>
  ServicesLastAccessed!.map(({ ServiceNamespace }) => ServiceNamespace)

describe('Service last accessed details', () => {
  test('of a user list what the policies allow, and when each was last used', async () => {
    const it = await world()
    await it.client(IAMClient, it.ann, 'us-east-1').send(new ListUsersCommand({}))
    await it.client(KMSClient, it.ann, 'eu-west-1').send(new ListKeysCommand({}))

    const told = await it.report(arn('user/ann'))

    expect(told).toMatchObject({ JobStatus: 'COMPLETED', JobType: 'SERVICE_LEVEL', IsTruncated: false })
    expect(namespaces(told)).toEqual(['iam', 'kms'])
    expect(told.ServicesLastAccessed).toMatchObject([
      {
        ServiceName: 'AWS Identity and Access Management (IAM)',
        LastAuthenticated: expect.any(Date),
        LastAuthenticatedEntity: arn('user/ann'),
        LastAuthenticatedRegion: 'us-east-1',
        TotalAuthenticatedEntities: 1,
      },
      { ServiceName: 'AWS Key Management Service', LastAuthenticatedRegion: 'eu-west-1' },
    ])
  })

  test('count attempts that were refused, and say nothing of what was never tried', async () => {
    const it = await world()
    await it.permit(
      'bob',
      allowing({ Action: ['kms:*', 'sqs:*'], Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
    )
    await it
      .client(KMSClient, it.bob)
      .send(new ListKeysCommand({}))
      .catch(() => undefined)

    const { ServicesLastAccessed } = await it.report(arn('user/bob'))

    const of = (ns: string) => ServicesLastAccessed!.find(({ ServiceNamespace }) => ServiceNamespace === ns)
    expect(of('kms')).toMatchObject({ TotalAuthenticatedEntities: 1, LastAuthenticatedEntity: arn('user/bob') })
    expect(of('sqs')).toEqual({
      ServiceName: 'Amazon SQS',
      ServiceNamespace: 'sqs',
      TotalAuthenticatedEntities: 0,
    })
  })

  test('by action name each action that is granted, the latest use first kept', async () => {
    const it = await world()
    await it.client(IAMClient, it.ann).send(new ListUsersCommand({}))
    it.clock.advance(3_600_000)
    const before = it.clock.now()
    await it.client(IAMClient, it.ann).send(new ListUsersCommand({}))

    const { ServicesLastAccessed } = await it.report(arn('user/ann'), 'ACTION_LEVEL')

    const kms = ServicesLastAccessed![1]!
    expect(kms.TrackedActionsLastAccessed).toEqual([{ ActionName: 'ListKeys' }])
    const actions = ServicesLastAccessed![0]!.TrackedActionsLastAccessed!
    const used = actions.find(({ ActionName }) => ActionName === 'ListUsers')!
    expect(used).toEqual({
      ActionName: 'ListUsers',
      LastAccessedEntity: arn('user/ann'),
      LastAccessedTime: expect.any(Date),
      LastAccessedRegion: 'us-east-1',
    })
    expect(used.LastAccessedTime!.getTime()).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000)
    expect(used.LastAccessedTime!.getTime()).toBeLessThanOrEqual(it.clock.now())
    expect(actions.find(({ ActionName }) => ActionName === 'ListRoles')).toEqual({ ActionName: 'ListRoles' })
    expect(actions.map(({ ActionName }) => ActionName)).not.toContain('CreateUser')
  })

  test('of a role come from its sessions; of a group and a policy from the identities that have them', async () => {
    const it = await world()
    await it.permit('bob', allowing({ Action: 'sts:AssumeRole', Resource: '*' }))
    const assume = new AssumeRoleCommand({ RoleArn: arn('role/auditor'), RoleSessionName: 'visit' })
    const auditor = keysOf(await it.client(STSClient, it.bob).send(assume))
    await it.client(IAMClient, it.bob).send(new ListUsersCommand({}))
    it.clock.advance(60_000)
    await it.client(IAMClient, auditor).send(new ListRolesCommand({}))

    const [role, group, policy] = [
      await it.report(arn('role/auditor')),
      await it.report(arn('group/readers')),
      await it.report(READ),
    ]

    const iam = ({ ServicesLastAccessed }: typeof role) =>
      ServicesLastAccessed!.find(({ ServiceNamespace }) => ServiceNamespace === 'iam')
    expect(iam(role)).toMatchObject({ LastAuthenticatedEntity: arn('role/auditor'), TotalAuthenticatedEntities: 1 })
    expect(iam(group)).toMatchObject({ LastAuthenticatedEntity: arn('user/bob'), TotalAuthenticatedEntities: 1 })
    expect(iam(policy)).toMatchObject({ LastAuthenticatedEntity: arn('role/auditor'), TotalAuthenticatedEntities: 2 })
    const { EntityDetailsList } = await it
      .iam()
      .send(new GetServiceLastAccessedDetailsWithEntitiesCommand({ JobId: policy.JobId, ServiceNamespace: 'iam' }))
    expect(
      EntityDetailsList!.map(({ EntityInfo, LastAuthenticated }) => [
        EntityInfo!.Type,
        EntityInfo!.Name,
        LastAuthenticated !== undefined,
      ]),
    ).toEqual([
      ['ROLE', 'auditor', true],
      ['USER', 'ann', false],
      ['USER', 'bob', true],
    ])
  })

  test('are in progress until the history is read, and gone after a week', async () => {
    const it = await world()
    const { JobId } = await it.iam().send(new GenerateServiceLastAccessedDetailsCommand({ Arn: arn('user/ann') }))
    const get = () => it.iam().send(new GetServiceLastAccessedDetailsCommand({ JobId }))
    expect(await get()).toMatchObject({ JobStatus: 'IN_PROGRESS' })
    await it.jobs.runDue()
    expect(await get()).toMatchObject({ JobStatus: 'COMPLETED' })

    await it.pass(7 * 86_400_000 + 1)

    await expect(get()).rejects.toMatchObject({ name: 'NoSuchEntityException' })
  })

  test('keep what an earlier report read', async () => {
    const it = await world()
    await it.client(KMSClient, it.ann).send(new ListKeysCommand({}))
    const before = await it.report(arn('user/ann'))
    await it.pass(3_600_000)

    const after = await it.report(arn('user/ann'))

    expect(after.ServicesLastAccessed).toEqual(before.ServicesLastAccessed)
    await it.pass(401 * 86_400_000)
    const { ServicesLastAccessed } = await it.report(arn('user/ann'))
    expect(ServicesLastAccessed!.every(({ LastAuthenticated }) => LastAuthenticated === undefined)).toBe(true)
  })

  test.each([
    ['user/nobody', 'NoSuchEntityException'],
    ['policy/nothing', 'NoSuchEntityException'],
    ['mfa/device-of-ann', 'InvalidInputException'],
  ])('of %s there are none', async (of, name) => {
    const it = await world()
    const asked = it.iam().send(new GenerateServiceLastAccessedDetailsCommand({ Arn: arn(of) }))
    await expect(asked).rejects.toMatchObject({ name })
  })

  test('of an unknown job, of another account, or of a service that is not in them there are none', async () => {
    const it = await world()
    const { JobId } = await it.report(arn('user/ann'))
    const stranger = it.client(IAMClient, await it.account())

    const refused = { name: 'NoSuchEntityException' }
    await Promise.all(
      [
        it.iam().send(new GetServiceLastAccessedDetailsCommand({ JobId: 'a'.repeat(36) })),
        stranger.send(new GetServiceLastAccessedDetailsCommand({ JobId })),
        it.iam().send(new GetOrganizationsAccessReportCommand({ JobId })),
        it.iam().send(new GetServiceLastAccessedDetailsWithEntitiesCommand({ JobId, ServiceNamespace: 'ec2' })),
      ].map((asked) => expect(asked).rejects.toMatchObject(refused)),
    )
  })
})

describe('ListPoliciesGrantingServiceAccess', () => {
  test('names the policies of a user and of its groups that allow anything of the service', async () => {
    const it = await world()
    const own = await it
      .iam()
      .send(
        new CreatePolicyCommand({ PolicyName: 'own', PolicyDocument: allowing({ Action: 'kms:*', Resource: '*' }) }),
      )
    await it.iam().send(
      new PutGroupPolicyCommand({
        GroupName: 'readers',
        PolicyName: 'denied',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: { Effect: 'Deny', Action: 'kms:*', Resource: '*' },
        }),
      }),
    )
    await it.iam().send(new AttachGroupPolicyCommand({ GroupName: 'readers', PolicyArn: own.Policy!.Arn }))

    const { PoliciesGrantingServiceAccess } = await it
      .iam()
      .send(
        new ListPoliciesGrantingServiceAccessCommand({ Arn: arn('user/ann'), ServiceNamespaces: ['iam', 'kms', 's3'] }),
      )

    const inline = { PolicyName: 'permitted', PolicyType: 'INLINE', EntityType: 'USER', EntityName: 'ann' }
    expect(PoliciesGrantingServiceAccess).toEqual([
      {
        ServiceNamespace: 'iam',
        Policies: [inline, { PolicyName: 'IAMReadOnlyAccess', PolicyType: 'MANAGED', PolicyArn: READ }],
      },
      {
        ServiceNamespace: 'kms',
        Policies: [inline, { PolicyName: 'own', PolicyType: 'MANAGED', PolicyArn: own.Policy!.Arn }],
      },
      { ServiceNamespace: 's3', Policies: [] },
    ])
  })

  test('knows no service that does not exist', async () => {
    const it = await world()
    const asked = it
      .iam()
      .send(new ListPoliciesGrantingServiceAccessCommand({ Arn: arn('user/ann'), ServiceNamespaces: ['nonsense'] }))
    await expect(asked).rejects.toMatchObject({ name: 'InvalidInputException' })
  })
})

describe('In an organisation', () => {
  /** Its root lets IAM and KMS be used; the member does not use KMS. */
  async function organization() {
    const it = await cloud()
    const org = it.client(OrganizationsClient)
    const { Organization } = await org.send(new CreateOrganizationCommand({}))
    const { Roots } = await org.send(new ListRootsCommand({}))
    const root = Roots![0]!.Id!
    await org.send(new EnablePolicyTypeCommand({ RootId: root, PolicyType: 'SERVICE_CONTROL_POLICY' }))
    const asked = await org.send(new CreateAccountCommand({ AccountName: 'blue', Email: 'blue@example.com' }))
    const CreateAccountRequestId = asked.CreateAccountStatus!.Id!
    const told = await org.send(new DescribeCreateAccountStatusCommand({ CreateAccountRequestId }))
    const member = told.CreateAccountStatus!.AccountId!
    const scp = await org.send(
      new CreateScpCommand({
        Name: 'two-services',
        Description: '',
        Type: 'SERVICE_CONTROL_POLICY',
        Content: allowing({ Action: ['iam:*', 'kms:*'], Resource: '*' }),
      }),
    )
    const PolicyId = scp.Policy!.PolicySummary!.Id!
    await org.send(new AttachPolicyCommand({ PolicyId, TargetId: member }))
    await org.send(new DetachPolicyCommand({ PolicyId: 'p-FullAWSAccess', TargetId: member }))
    const admin = await it.user('admin', allowing({ Action: '*', Resource: '*' }))
    const RoleArn = `arn:aws:iam::${member}:role/OrganizationAccountAccessRole`
    const inside = keysOf(
      await it.client(STSClient, admin).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'visit' })),
    )
    const path = `${Organization!.Id}/${root}/${member}`
    return { ...it, iam: it.client(IAMClient), member, inside, path, root, organizationId: Organization!.Id! }
  }

  test('a report shows what the control policies leave, and what of it was used', async () => {
    const it = await organization()
    await it.client(IAMClient, it.inside).send(new ListUsersCommand({}))

    const { JobId } = await it.iam.send(new GenerateOrganizationsAccessReportCommand({ EntityPath: it.path }))
    expect(await it.iam.send(new GetOrganizationsAccessReportCommand({ JobId }))).toMatchObject({
      JobStatus: 'IN_PROGRESS',
    })
    await it.jobs.runDue()

    expect(
      await it.iam.send(
        new GetOrganizationsAccessReportCommand({ JobId, SortKey: 'LAST_AUTHENTICATED_TIME_DESCENDING' }),
      ),
    ).toMatchObject({
      JobStatus: 'COMPLETED',
      NumberOfServicesAccessible: 2,
      NumberOfServicesNotAccessed: 1,
      AccessDetails: [
        { ServiceNamespace: 'iam', Region: 'us-east-1', EntityPath: it.path, TotalAuthenticatedEntities: 1 },
        { ServiceNamespace: 'kms', TotalAuthenticatedEntities: 0 },
      ],
    })
  })

  test('a report of all has every service, in pages', async () => {
    const it = await organization()
    const { JobId } = await it.iam.send(
      new GenerateOrganizationsAccessReportCommand({ EntityPath: `${it.organizationId}/${it.root}` }),
    )
    await it.jobs.runDue()
    const seen: string[] = []
    let Marker: string | undefined
    let count: number | undefined
    do {
      const page = await it.iam.send(new GetOrganizationsAccessReportCommand({ JobId, Marker, MaxItems: 150 }))
      seen.push(...page.AccessDetails!.map(({ ServiceNamespace }) => ServiceNamespace!))
      Marker = page.Marker
      count = page.NumberOfServicesAccessible
    } while (Marker)
    expect(seen.length).toBe(count)
    expect(new Set(seen).size).toBe(count)
    expect(seen).toContain('s3')
  })

  test('other callers cannot request one, nor for another place', async () => {
    const it = await organization()
    const inside = it.client(IAMClient, it.inside)
    const ask = (iam: IAMClient, EntityPath: string) =>
      iam.send(new GenerateOrganizationsAccessReportCommand({ EntityPath }))

    await expect(ask(inside, it.path)).rejects.toMatchObject({ name: expect.stringMatching(/AccessDenied/) })
    await expect(ask(it.iam, `o-aaaaaaaaaa/${it.root}`)).rejects.toMatchObject({ name: 'InvalidInputException' })
    await expect(ask(it.iam, `${it.organizationId}/${it.root}/ou-aaaa-bbbbbbbb`)).rejects.toThrow()
    await expect(ask(it.client(IAMClient, await it.account()), it.path)).rejects.toMatchObject({
      name: 'InvalidInputException',
    })
  })

  test('the simulator counts the control policies, and says that they decided', async () => {
    const it = await organization()
    const PolicySourceArn = `arn:aws:iam::${it.member}:role/OrganizationAccountAccessRole`
    const { EvaluationResults } = await it
      .client(IAMClient, it.inside)
      .send(new SimulatePrincipalPolicyCommand({ PolicySourceArn, ActionNames: ['kms:CreateKey', 's3:CreateBucket'] }))
    expect(
      EvaluationResults!.map(({ EvalActionName, EvalDecision, OrganizationsDecisionDetail }) => [
        EvalActionName,
        EvalDecision,
        OrganizationsDecisionDetail,
      ]),
    ).toEqual([
      ['kms:CreateKey', 'allowed', { AllowedByOrganizations: true }],
      ['s3:CreateBucket', 'implicitDeny', { AllowedByOrganizations: false }],
    ])
  })
})

test('Tokens are of the second version, and no others are promised', async () => {
  const iam = (await cloud()).client(IAMClient)
  await iam.send(new SetSecurityTokenServicePreferencesCommand({ GlobalEndpointTokenVersion: 'v2Token' }))
  await expect(
    iam.send(new SetSecurityTokenServicePreferencesCommand({ GlobalEndpointTokenVersion: 'v1Token' })),
  ).rejects.toMatchObject({ name: 'NotImplemented' })
})
