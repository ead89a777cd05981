/** IAM's resource types: the keys that are on customers' disks, and which text names which resource. */
import {
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  DeletePolicyCommand,
  DeleteVirtualMFADeviceCommand,
  GetPolicyCommand,
  IAMClient,
  ListPolicyTagsCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
  TagPolicyCommand,
  TagUserCommand,
} from '@aws-sdk/client-iam'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'
import { mfaDevice } from './credentials/mfa.ts'
import { serverCertificate } from './credentials/server-certificates.ts'
import { managedPolicy } from './policies/policies.ts'
import { group, instanceProfile, role, user } from './resources.ts'

const OTHER = '444455556666'
const scope = { partition: 'aws', region: 'eu-central-1', account: ACCOUNT }
const id = { name: 'Ana', path: '/people/' }
const READ_ONLY = 'arn:aws:iam::aws:policy/ReadOnlyAccess'

describe('Keys of rows and ARNs', () => {
  test.each([
    [user.key(scope, id), `iam/user/${ACCOUNT}/ana`],
    [group.key(scope, id), `iam/group/${ACCOUNT}/ana`],
    [role.key(scope, id), `iam/role/${ACCOUNT}/ana`],
    [instanceProfile.key(scope, id), `iam/instance-profile/${ACCOUNT}/ana`],
    [managedPolicy.key(scope, id), `iam/policy/${ACCOUNT}/ana`],
    [serverCertificate.key(scope, id), `iam/server-certificate/${ACCOUNT}/ana`],
    [mfaDevice.key(scope, { MfaTokenIdWithPath: 'people/Ana' }), `iam/mfa/${ACCOUNT}/people%2FAna`],
  ])('%s', (key, expected) => {
    expect(key).toBe(expected)
  })

  test.each([
    [user, 'user'],
    [group, 'group'],
    [role, 'role'],
    [instanceProfile, 'instance-profile'],
    [managedPolicy, 'policy'],
    [serverCertificate, 'server-certificate'],
  ] as const)('have the path only in the ARN', (type, kind) => {
    expect((type as typeof user).arn(scope, id)).toBe(`arn:aws:iam::${ACCOUNT}:${kind}/people/Ana`)
  })

  test.each([user, group, role, instanceProfile, managedPolicy, serverCertificate, mfaDevice])(
    'take no ARN for a name or path',
    (type) => {
      const [variable] = type.form.names
      const form = type.form as { accepts(name: unknown, value: string): boolean }
      for (const text of [
        `arn:aws:iam::${OTHER}:user/x`,
        `arn:aws:iam::${OTHER}:user/people/x`,
        'people/',
        'x:y',
        '',
      ]) {
        expect([text, form.accepts(variable, text)]).toEqual([text, false])
      }
      expect(form.accepts(variable, 'a/b:c/x')).toBe(true)
    },
  )
})

describe('Policies', () => {
  const document = allowing({ Action: 's3:ListAllMyBuckets', Resource: '*' })

  test("AWS's own are read and listed like others, and never written", async () => {
    const it = await cloud()
    const iam = it.client(IAMClient)

    expect((await iam.send(new GetPolicyCommand({ PolicyArn: READ_ONLY }))).Policy?.Arn).toBe(READ_ONLY)
    expect((await iam.send(new ListPolicyTagsCommand({ PolicyArn: READ_ONLY }))).Tags).toEqual([])
    const tagged = iam.send(new TagPolicyCommand({ PolicyArn: READ_ONLY, Tags: [{ Key: 'a', Value: 'b' }] }))
    await expect(tagged).rejects.toMatchObject({ name: 'AccessDenied' })
    await expect(iam.send(new DeletePolicyCommand({ PolicyArn: READ_ONLY }))).rejects.toMatchObject({
      name: 'AccessDenied',
    })
    await expect(iam.send(new GetPolicyCommand({ PolicyArn: `${READ_ONLY}x` }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      message: `Policy ${READ_ONLY}x was not found.`,
    })
    expect(await it.store.reader.range('iam/policy/aws/')).toEqual([])
  })

  test('one that is attached is not deleted under another spelling of its ARN', async () => {
    const iam = (await cloud()).client(IAMClient)
    await iam.send(new CreatePolicyCommand({ PolicyName: 'Read', PolicyDocument: document }))
    await iam.send(new CreateUserCommand({ UserName: 'ana' }))
    const arn = `arn:aws:iam::${ACCOUNT}:policy/Read`
    await iam.send(new AttachUserPolicyCommand({ UserName: 'ana', PolicyArn: arn }))

    const deleted = iam.send(new DeletePolicyCommand({ PolicyArn: arn.replace('Read', 'READ') }))
    await expect(deleted).rejects.toMatchObject({ name: 'DeleteConflictException' })
    await expect(
      iam.send(new GetPolicyCommand({ PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/elsewhere/Read` })),
    ).rejects.toMatchObject({ name: 'NoSuchEntityException' })
  })
})

describe('Other accounts', () => {
  test.each([
    ['policy', (arn: string) => new GetPolicyCommand({ PolicyArn: arn })],
    ['mfa', (arn: string) => new DeleteVirtualMFADeviceCommand({ SerialNumber: arn })],
  ])('the ARN of a %s there is denied as it is written, without an ARN within an ARN', async (kind, command) => {
    const it = await cloud()
    const arn = `arn:aws:iam::${OTHER}:${kind}/x`

    const answer = it.client(IAMClient).send(command(arn) as GetPolicyCommand)

    await expect(answer).rejects.toMatchObject({ name: 'AccessDenied' })
    await expect(answer).rejects.toThrow(arn)
    await expect(answer).rejects.not.toThrow(`arn:aws:iam::${ACCOUNT}:${kind}/arn:`)
  })
})

describe('Permissions', () => {
  test('on creation and on a list are decided with the path', async () => {
    const it = await cloud()
    const people = allowing({
      Action: ['iam:CreateUser', 'iam:ListUsers'],
      Resource: `arn:aws:iam::${ACCOUNT}:user/people/*`,
    })
    const ann = it.client(IAMClient, await it.user('ann', people))

    await ann.send(new CreateUserCommand({ UserName: 'bob', Path: '/people/' }))
    await ann.send(new ListUsersCommand({ PathPrefix: '/people/' }))
    await expect(ann.send(new CreateUserCommand({ UserName: 'eve' }))).rejects.toMatchObject({ name: 'AccessDenied' })
    await expect(ann.send(new ListUsersCommand({}))).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test('on a boundary and on an attached policy hold for every operation that has the key', async () => {
    const it = await cloud()
    const root = it.client(IAMClient)
    const boundary = READ_ONLY
    await root.send(new CreateUserCommand({ UserName: 'bound', PermissionsBoundary: boundary }))
    await root.send(new CreateUserCommand({ UserName: 'free' }))
    const bounded = allowing({
      Action: ['iam:CreateUser', 'iam:PutUserPolicy', 'iam:AttachUserPolicy'],
      Resource: '*',
      Condition: {
        StringEquals: { 'iam:PermissionsBoundary': boundary },
        ArnEqualsIfExists: { 'iam:PolicyARN': READ_ONLY },
      },
    })
    const ann = it.client(IAMClient, await it.user('ann', bounded))
    const policy = (UserName: string) =>
      new PutUserPolicyCommand({
        UserName,
        PolicyName: 'p',
        PolicyDocument: allowing({ Action: 's3:*', Resource: '*' }),
      })
    const attach = (UserName: string, PolicyArn: string) => new AttachUserPolicyCommand({ UserName, PolicyArn })
    const denied = { name: 'AccessDenied' }

    await ann.send(new CreateUserCommand({ UserName: 'bob', PermissionsBoundary: boundary }))
    await ann.send(policy('bound'))
    await ann.send(attach('bound', READ_ONLY))
    await expect(ann.send(new CreateUserCommand({ UserName: 'eve' }))).rejects.toMatchObject(denied)
    await expect(ann.send(policy('free'))).rejects.toMatchObject(denied)
    await expect(ann.send(attach('bound', 'arn:aws:iam::aws:policy/AdministratorAccess'))).rejects.toMatchObject(denied)
  })

  test('to tag are needed on creation, also of an MFA device', async () => {
    const it = await cloud()
    const ann = it.client(
      IAMClient,
      await it.user('ann', allowing({ Action: 'iam:CreateVirtualMFADevice', Resource: '*' })),
    )
    const Tags = [{ Key: 'a', Value: 'b' }]

    await ann.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'plain' }))
    await expect(ann.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'tagged', Tags }))).rejects.toThrow(
      'iam:TagMFADevice',
    )
  })

  test('keys of tags hold when a user is tagged', async () => {
    const it = await cloud()
    await it.client(IAMClient).send(new CreateUserCommand({ UserName: 'bob' }))
    const onlyTeam = allowing({
      Action: 'iam:TagUser',
      Resource: '*',
      Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] } },
    })
    const ann = it.client(IAMClient, await it.user('ann', onlyTeam))
    const tag = (Key: string) => new TagUserCommand({ UserName: 'bob', Tags: [{ Key, Value: 'x' }] })

    await ann.send(tag('team'))
    await expect(ann.send(tag('admin'))).rejects.toMatchObject({ name: 'AccessDenied' })
  })
})
