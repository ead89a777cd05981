/** Condition keys that policies rely on, through the front door: tags of resources, services acting for accounts, headers. */
import { CloudTrailClient, CreateTrailCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  GetUserCommand,
  IAMClient,
  TagRoleCommand,
  TagUserCommand,
} from '@aws-sdk/client-iam'
import { EnablePolicyTypeCommand } from '@aws-sdk/client-organizations'
import { CreateBucketCommand, ListObjectsV2Command, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import type { Call } from '../src/kernel/gate/call.ts'
import { keysOfAction } from '../src/kernel/resource/condition-keys.ts'
import { services } from '../src/server/compose/services.ts'
import { denying, organization } from '../src/services/organizations/organization.fixture.ts'
import { ACCOUNT, allowing, cloud, type Keys } from './cloud.ts'

const Tags = [{ Key: 'team', Value: 'a' }]
const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
})
const unlessTagged = (key: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', Action: '*', Resource: '*', Condition: { StringEquals: { [key]: 'a' } } },
    ],
  })

describe('iam:ResourceTag', () => {
  async function tagged() {
    const it = await cloud()
    const root = it.client(IAMClient)
    await root.send(new CreateUserCommand({ UserName: 'tagged', Tags }))
    await root.send(new CreateRoleCommand({ RoleName: 'tagged', AssumeRolePolicyDocument: TRUST, Tags }))
    return it
  }

  test('allows what it names', async () => {
    const it = await tagged()
    const Condition = { StringEquals: { 'iam:ResourceTag/team': 'a' } }
    const keys = await it.user('ann', allowing({ Action: ['iam:*', 'sts:*'], Resource: '*', Condition }))
    const iam = it.client(IAMClient, keys)

    await iam.send(new TagUserCommand({ UserName: 'tagged', Tags: [{ Key: 'department', Value: 'x' }] }))
    await iam.send(new TagRoleCommand({ RoleName: 'tagged', Tags: [{ Key: 'department', Value: 'x' }] }))
    await expect(iam.send(new GetUserCommand({ UserName: 'ann' }))).rejects.toMatchObject({ name: 'AccessDenied' })
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/tagged`
    await it.client(STSClient, keys).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'ann' }))
    await iam.send(new DeleteRoleCommand({ RoleName: 'tagged' }))
  })

  test('protects what it denies', async () => {
    const it = await tagged()
    const keys = await it.user('ann', unlessTagged('iam:ResourceTag/team'))
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/tagged`
    const denied = { name: 'AccessDenied' }
    await expect(it.client(IAMClient, keys).send(new DeleteRoleCommand({ RoleName: 'tagged' }))).rejects.toMatchObject(
      denied,
    )
    await expect(
      it.client(STSClient, keys).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'ann' })),
    ).rejects.toMatchObject(denied)
  })

  /** Roles and users that are still to be created have no tags yet, deleted ones no longer. */
  const untagged = new Set([
    'CreateUser',
    'CreateRole',
    'CreateServiceLinkedRole',
    'GetServiceLinkedRoleDeletionStatus',
  ])
  const operations = services
    .filter(({ api }) => api.id === 'iam')
    .flatMap(({ operations }) => operations)
    .filter(({ actions }) => actions.some((action) => keysOfAction(action)?.includes('iam:ResourceTag/${TagKey}')))
    .filter(({ name }) => !untagged.has(name))

  test('reaches every operation on users and roles', async () => {
    const it = await tagged()
    const { accessKeyId } = await it.user('second')
    await it.client(IAMClient).send(new TagUserCommand({ UserName: 'second', Tags }))
    const without: string[] = []
    await it.store.run(async (unit) => {
      for (const arn of ['user/tagged', 'role/tagged']) {
        const call = {
          unit,
          account: ACCOUNT,
          partition: 'aws',
          region: 'us-east-1',
          ports: it.ports,
          now: 0,
          caller: { principal: { kind: 'user', name: 'tagged', account: ACCOUNT } },
        } as unknown as Call
        const Arn = `arn:aws:iam::${ACCOUNT}:${arn}`
        const input = { UserName: 'tagged', RoleName: 'tagged', Arn, PolicySourceArn: Arn, AccessKeyId: accessKeyId }
        for (const { name, target } of operations) {
          const { acted } = await target.find(call, input)
          if (acted?.tags?.['team'] !== 'a') without.push(name)
        }
      }
    })
    expect(operations.length).toBeGreaterThan(50)
    expect(without).toEqual([])
  })
})

test('a service has its own name for the tags of its resources', async () => {
  const it = await cloud()
  await it.client(SecretsManagerClient).send(new CreateSecretCommand({ Name: 's', SecretString: 'x', Tags }))
  const ann = it.client(SecretsManagerClient, await it.user('ann', unlessTagged('secretsmanager:ResourceTag/team')))
  await expect(ann.send(new GetSecretValueCommand({ SecretId: 's' }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
  })
})

describe('A service that acts for an account', () => {
  const SERVICE = { Principal: { Service: 'cloudtrail.amazonaws.com' }, Action: ['s3:GetBucketAcl', 's3:PutObject'] }

  async function world() {
    const it = await organization()
    await it.org.send(new EnablePolicyTypeCommand({ RootId: it.root, PolicyType: 'RESOURCE_CONTROL_POLICY' }))
    const member = await it.member('app')
    const bucket = async (Bucket: string, keys: Keys, Condition?: object) => {
      const s3 = it.client(S3Client, keys)
      await s3.send(new CreateBucketCommand({ Bucket }))
      const Resource = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`]
      await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: allowing({ ...SERVICE, Resource, Condition }) }))
    }
    const trail = (S3BucketName: string, keys: Keys) =>
      it
        .client(CloudTrailClient, keys)
        .send(new CreateTrailCommand({ Name: `of-${S3BucketName}`, S3BucketName }))
        .then(
          () => 'created',
          ({ name }: Error) => name,
        )
    const rcp = async (Condition: object, Name = 'rcp') => {
      const content = denying('s3:*', { Principal: '*', Condition })
      await it.attach((await it.scp(Name, content, 'RESOURCE_CONTROL_POLICY')).Id!, it.root)
    }
    return { ...it, memberId: member, inMember: await it.enter(member), bucket, trail, rcp }
  }

  test('is bound by resource control policies, in the account it acts for, too; not in the management account', async () => {
    const it = await world()
    await it.rcp({ Bool: { 'aws:PrincipalIsAWSService': 'true' } })
    await it.bucket('own-bucket', it.inMember)
    await it.bucket('management-bucket', it.admin)

    expect(await it.trail('own-bucket', it.inMember)).toBe('InsufficientS3BucketPolicyException')
    expect(await it.trail('management-bucket', it.admin)).toBe('created')
  })

  test.each([
    ['aws:SourceOrgID', (it: { id: string }) => ({ StringEquals: { 'aws:SourceOrgID': it.id } })],
    [
      'aws:SourceOrgPaths',
      (it: { id: string; root: string }) => ({
        'ForAnyValue:StringEquals': { 'aws:SourceOrgPaths': `${it.id}/${it.root}/` },
      }),
    ],
    ['aws:ResourceOrgID', (it: { id: string }) => ({ StringEquals: { 'aws:ResourceOrgID': it.id } })],
    ['aws:ResourceAccount', (it: { memberId: string }) => ({ StringEquals: { 'aws:ResourceAccount': it.memberId } })],
    ['aws:SourceAccount', (it: { memberId: string }) => ({ StringEquals: { 'aws:SourceAccount': it.memberId } })],
    [
      'aws:PrincipalServiceNamesList',
      () => ({ 'ForAnyValue:StringEquals': { 'aws:PrincipalServiceNamesList': 'cloudtrail.amazonaws.com' } }),
    ],
  ] as const)('supplies %s', async (_key, condition) => {
    const it = await world()
    await it.bucket('own-bucket', it.inMember, condition(it as never))
    expect(await it.trail('own-bucket', it.inMember)).toBe('created')
  })
})

test('aws:Referer is the header of that name, and absent without it', async () => {
  const it = await cloud()
  await it.client(S3Client).send(new CreateBucketCommand({ Bucket: 'pages' }))
  const Condition = { StringLike: { 'aws:Referer': 'https://example.com/*' } }
  const keys = await it.user('ann', allowing({ Action: 's3:ListBucket', Resource: '*', Condition }))
  const from = (referer: string | undefined) => {
    const s3 = it.client(S3Client, keys)
    s3.middlewareStack.add(
      (next) => (args) => {
        if (referer !== undefined) (args.request as { headers: Record<string, string> }).headers['referer'] = referer
        return next(args)
      },
      { step: 'build' },
    )
    return s3.send(new ListObjectsV2Command({ Bucket: 'pages' })).then(
      () => 'allowed',
      ({ name }: Error) => name,
    )
  }
  expect(await from('https://example.com/page')).toBe('allowed')
  expect(await from('https://example.org/page')).toBe('AccessDenied')
  expect(await from(undefined)).toBe('AccessDenied')
})
