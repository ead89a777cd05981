/** What AWS was recorded to answer: IAM's texts and the members of its answers, through the whole gate. */
import {
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  CreateServiceSpecificCredentialCommand,
  CreateUserCommand,
  DeleteAccountPasswordPolicyCommand,
  DeleteServiceSpecificCredentialCommand,
  DeleteUserCommand,
  DetachUserPolicyCommand,
  GetRoleCommand,
  GetUserCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListServiceSpecificCredentialsCommand,
  ListUsersCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  SimulatePrincipalPolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { beforeEach, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'
import { isServicePrincipal } from '../../kernel/service/service-principals.ts'
import { awsPolicy } from './policies/aws-policies.ts'
import linked from './roles/service-linked-roles.json' with { type: 'json' }

let iam: IAMClient
beforeEach(async () => {
  iam = (await cloud()).client(IAMClient)
})

const POLICY = allowing({ Action: 's3:*', Resource: '*' })
const trusts = (Service: string | readonly string[]) => allowing({ Principal: { Service }, Action: 'sts:AssumeRole' })
const answer = (call: Promise<unknown>) =>
  call.then(
    () => 'OK',
    (error: Error) => `${error.name}: ${error.message}`,
  )

describe('service-linked roles', () => {
  test.each([
    ['elasticbeanstalk', 'AWSServiceRoleForElasticBeanstalk', 'AWSElasticBeanstalkServiceRolePolicy', undefined],
    [
      'custom-resource.application-autoscaling',
      'AWSServiceRoleForApplicationAutoScaling_CustomResource',
      'AWSApplicationAutoScalingCustomResourcePolicy',
      undefined,
    ],
    [
      'ssm',
      'AWSServiceRoleForAmazonSSM',
      'AmazonSSMServiceRolePolicy',
      'Provides access to AWS Resources managed or used by Amazon SSM.',
    ],
  ])('%s has its role, policy and description', async (service, RoleName, policy, description) => {
    const AWSServiceName = `${service}.amazonaws.com`
    const { Role } = await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName }))

    expect(Role).toMatchObject({ RoleName, Path: `/aws-service-role/${AWSServiceName}/` })
    expect(Role?.Description).toBe(description)
    const { AttachedPolicies } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))
    expect(AttachedPolicies).toEqual([
      { PolicyName: policy, PolicyArn: `arn:aws:iam::aws:policy/aws-service-role/${policy}` },
    ])
  })

  test('take a suffix where their service allows one', async () => {
    const create = (AWSServiceName: string) =>
      iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName, CustomSuffix: 'x1' }))

    expect((await create('connect.amazonaws.com')).Role?.RoleName).toBe('AWSServiceRoleForAmazonConnect_x1')
    expect((await create('lexv2.amazonaws.com')).Role?.RoleName).toBe('AWSServiceRoleForLexV2Bots_x1')
    expect(await answer(create('backup.amazonaws.com'))).toBe(
      'InvalidInputException: Custom suffix is not allowed for backup.amazonaws.com',
    )
  })

  test('name services that exist and policies of AWS', async () => {
    const roles = Object.entries(linked)
    const missing = await Promise.all(
      roles.map(async ([service, { policy }]) =>
        (await awsPolicy(`arn:aws:iam::aws:policy/aws-service-role/${policy}`)) ? [] : [service],
      ),
    )

    expect(roles.map(([service]) => service).filter((service) => !isServicePrincipal(service))).toEqual([])
    // Recorded on AWS under this name; not among the published policies.
    expect(missing.flat()).toEqual(['lex.amazonaws.com'])
    expect(new Set(roles.map(([, { role }]) => role)).size).toBe(roles.length)
  })
})

test('a new role and a new policy are shown without what AWS leaves out', async () => {
  const created = await iam.send(
    new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trusts('ec2.amazonaws.com') }),
  )
  expect(created.Role).not.toHaveProperty('MaxSessionDuration')
  expect((await iam.send(new GetRoleCommand({ RoleName: 'r' }))).Role?.MaxSessionDuration).toBe(3600)

  const { Policy } = await iam.send(
    new CreatePolicyCommand({ PolicyName: 'p', Description: 'd', PolicyDocument: POLICY }),
  )
  expect(Policy).not.toHaveProperty('Description')
  expect(Policy).not.toHaveProperty('Tags')
  const Tags = [{ Key: 'a', Value: 'b' }]
  const tagged = await iam.send(new CreatePolicyCommand({ PolicyName: 'q', PolicyDocument: POLICY, Tags }))
  expect(tagged.Policy?.Tags).toEqual(Tags)
})

test('what is attached, detached or set as a boundary must be an ARN', async () => {
  await iam.send(new CreateUserCommand({ UserName: 'u' }))
  await iam.send(new CreateGroupCommand({ GroupName: 'g' }))
  await iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trusts('ec2.amazonaws.com') }))
  const PolicyArn = 'name-but-no-arn-at-all'
  const PermissionsBoundary = PolicyArn

  for (const call of [
    iam.send(new AttachUserPolicyCommand({ UserName: 'u', PolicyArn })),
    iam.send(new AttachGroupPolicyCommand({ GroupName: 'g', PolicyArn })),
    iam.send(new AttachRolePolicyCommand({ RoleName: 'r', PolicyArn })),
    iam.send(new DetachUserPolicyCommand({ UserName: 'u', PolicyArn })),
    iam.send(new PutUserPermissionsBoundaryCommand({ UserName: 'u', PermissionsBoundary })),
    iam.send(new CreateUserCommand({ UserName: 'v', PermissionsBoundary })),
  ]) {
    expect(await answer(call)).toBe('ValidationError: Invalid ARN:  Could not be parsed!')
  }
})

test('service-specific credentials', async () => {
  await iam.send(new CreateUserCommand({ UserName: 'u' }))
  const create = (ServiceName: string) =>
    iam.send(new CreateServiceSpecificCredentialCommand({ UserName: 'u', ServiceName }))
  const unsupported =
    'NoSuchEntityException: No such service s3.amazonaws.com is supported for Service Specific Credentials'

  expect(await answer(create('s3.amazonaws.com'))).toBe(unsupported)
  const list = new ListServiceSpecificCredentialsCommand({ UserName: 'u', ServiceName: 's3.amazonaws.com' })
  expect(await answer(iam.send(list))).toBe(unsupported)
  await create('codecommit.amazonaws.com')
  const listed = await iam.send(new ListServiceSpecificCredentialsCommand({ UserName: 'u' }))
  expect(listed).not.toHaveProperty('IsTruncated')
  const ServiceSpecificCredentialId = 'ACCAEXAMPLEEXAMPLE123'
  const gone = new DeleteServiceSpecificCredentialCommand({ UserName: 'u', ServiceSpecificCredentialId })
  expect(await answer(iam.send(gone))).toBe(
    `NoSuchEntityException: No such credential ${ServiceSpecificCredentialId} exists`,
  )
  expect(await answer(iam.send(new DeleteUserCommand({ UserName: 'u' })))).toBe(
    'DeleteConflictException: Cannot delete entity, must remove referenced objects first.',
  )
})

const NAMES = 'It must contain only alphanumeric characters and/or the following: +=,.@_-'
const PATHS = 'It must begin and end with / and contain only alphanumeric characters and/or / characters.'

test('names and paths of wrong characters', async () => {
  const AssumeRolePolicyDocument = trusts('ec2.amazonaws.com')
  const specified = (what: string, words: string) =>
    `ValidationError: The specified value for ${what} is invalid. ${words}`

  for (const [call, expected] of [
    [iam.send(new CreateUserCommand({ UserName: 'u', Path: 'people' })), specified('path', PATHS)],
    [
      iam.send(new CreatePolicyCommand({ PolicyName: 'p', Path: 'x', PolicyDocument: POLICY })),
      specified('path', PATHS),
    ],
    [iam.send(new CreateRoleCommand({ RoleName: 'a b', AssumeRolePolicyDocument })), specified('roleName', NAMES)],
    [iam.send(new GetUserCommand({ UserName: 'a/b' })), specified('userName', NAMES)],
    [
      iam.send(new PutUserPolicyCommand({ UserName: 'u', PolicyName: 'a b', PolicyDocument: POLICY })),
      specified('policyName', NAMES),
    ],
    [
      iam.send(new ListUsersCommand({ PathPrefix: 'people' })),
      specified('pathPrefix', 'It must begin with / and contain only alphanumeric characters and/or / characters.'),
    ],
    [
      iam.send(new CreateUserCommand({ UserName: `a b${'c'.repeat(70)}` })),
      expect.stringMatching(
        /^ValidationError: 1 validation error detected: .*Member must have length less than or equal/,
      ),
    ],
  ] as const) {
    expect(await answer(call)).toEqual(expected)
  }
})

test('a role may trust services that exist', async () => {
  const create = (service: string | readonly string[]) =>
    answer(
      iam.send(
        new CreateRoleCommand({ RoleName: `r${Math.random()}`.slice(0, 9), AssumeRolePolicyDocument: trusts(service) }),
      ),
    )
  for (const service of [
    'ec2.amazonaws.com',
    'ecs-tasks.amazonaws.com',
    'logs.eu-west-1.amazonaws.com',
    'states.us-east-1.amazonaws.com',
    'ec2.amazonaws.com.cn',
    'edgelambda.amazonaws.com',
    'pods.eks.amazonaws.com',
    'member.org.stacksets.cloudformation.amazonaws.com',
  ]) {
    expect([service, await create(service)]).toEqual([service, 'OK'])
  }
  for (const service of ['tagging.amazonaws.com', 'nothing.amazonaws.com', 'ec2', 'example.com']) {
    expect(await create(['ec2.amazonaws.com', service])).toBe(
      `MalformedPolicyDocumentException: Invalid principal in policy: "SERVICE":"${service}"`,
    )
  }

  await iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trusts('ec2.amazonaws.com') }))
  const update = new UpdateAssumeRolePolicyCommand({ RoleName: 'r', PolicyDocument: trusts('tagging.amazonaws.com') })
  expect(await answer(iam.send(update))).toMatch(/^MalformedPolicyDocumentException: Invalid principal in policy/)
})

test('a simulation shows where its statements are', async () => {
  await iam.send(new CreateUserCommand({ UserName: 'u' }))
  const PolicyDocument = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
  await iam.send(new PutUserPolicyCommand({ UserName: 'u', PolicyName: 'p', PolicyDocument }))
  const PolicySourceArn = `arn:aws:iam::${ACCOUNT}:user/u`
  const { EvaluationResults } = await iam.send(
    new SimulatePrincipalPolicyCommand({ PolicySourceArn, ActionNames: ['s3:GetObject'] }),
  )

  const brace = PolicyDocument.indexOf('{"Effect"')
  const end = PolicyDocument.indexOf('}') + 1
  expect(EvaluationResults?.[0]?.MatchedStatements).toMatchObject([
    {
      SourcePolicyType: 'IAM Policy',
      StartPosition: { Line: 1, Column: brace + 2 },
      EndPosition: { Line: 1, Column: end + 1 },
    },
  ])
  expect(EvaluationResults?.[0]?.EvalDecisionDetails).toEqual({})
})

test('no password policy', async () => {
  expect(await answer(iam.send(new DeleteAccountPasswordPolicyCommand({})))).toBe(
    'NoSuchEntityException: The account policy with name PasswordPolicy cannot be found.',
  )
})
