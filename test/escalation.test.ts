/**
 * The public catalogue of ways to raise one's own rights by IAM: each works exactly when its permissions are there, and
 * a permissions boundary stops it. Source: the paths collected by Rhino Security Labs and BishopFox ("IAM Vulnerable").
 */
import * as IAM from '@aws-sdk/client-iam'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { codeAt, stepAt } from '../src/engines/totp/totp.ts'
import { ACCOUNT, allowing, cloud, type Keys, keysOf } from './cloud.ts'

const arn = (path: string) => `arn:aws:iam::${ACCOUNT}:${path}`
const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess'
const everything = allowing({ Action: '*', Resource: '*' })
const harmless = allowing({ Action: 's3:ListAllMyBuckets', Resource: '*' })
const trusting = (name: string) => allowing({ Principal: { AWS: arn(`user/${name}`) }, Action: 'sts:AssumeRole' })

/** A boundary that allows all but what leads around it. */
const bounded = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: '*', Resource: '*' },
    { Effect: 'Deny', Action: ['iam:*', 'sts:AssumeRole'], Resource: '*' },
  ],
})

/** An account worth attacking: an administrator, a powerful role and group, and eve, with almost no permissions. */
async function account(permissions: readonly string[], withBoundary: boolean) {
  const it = await cloud()
  const root = it.client(IAM.IAMClient)
  const send = root.send.bind(root)
  const keysFor = async (UserName: string): Promise<Keys> => {
    const { AccessKey } = await send(new IAM.CreateAccessKeyCommand({ UserName }))
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  }
  for (const UserName of ['eve', 'admin']) await send(new IAM.CreateUserCommand({ UserName }))
  await it.permit('admin', everything)
  await send(new IAM.CreateLoginProfileCommand({ UserName: 'eve', Password: 'Eves-Passw0rd!' }))
  await send(new IAM.CreatePolicyCommand({ PolicyName: 'held', PolicyDocument: harmless }))
  await send(new IAM.CreatePolicyVersionCommand({ PolicyArn: arn('policy/held'), PolicyDocument: everything }))
  await send(new IAM.AttachUserPolicyCommand({ UserName: 'eve', PolicyArn: arn('policy/held') }))
  await send(new IAM.CreateGroupCommand({ GroupName: 'mine' }))
  await send(new IAM.AddUserToGroupCommand({ GroupName: 'mine', UserName: 'eve' }))
  await send(new IAM.CreateGroupCommand({ GroupName: 'admins' }))
  await send(new IAM.AttachGroupPolicyCommand({ GroupName: 'admins', PolicyArn: ADMINISTRATOR }))
  await send(new IAM.CreateRoleCommand({ RoleName: 'mine', AssumeRolePolicyDocument: trusting('eve') }))
  await send(new IAM.CreateRoleCommand({ RoleName: 'strong', AssumeRolePolicyDocument: trusting('admin') }))
  await send(new IAM.AttachRolePolicyCommand({ RoleName: 'strong', PolicyArn: ADMINISTRATOR }))
  await send(new IAM.CreateInstanceProfileCommand({ InstanceProfileName: 'machine' }))
  await it.permit(
    'eve',
    allowing({ Action: permissions.length > 0 ? permissions : 's3:ListAllMyBuckets', Resource: '*' }),
  )
  if (withBoundary) {
    await send(new IAM.CreatePolicyCommand({ PolicyName: 'bound', PolicyDocument: bounded }))
    await send(new IAM.PutUserPermissionsBoundaryCommand({ UserName: 'eve', PermissionsBoundary: arn('policy/bound') }))
  }
  const keys = await keysFor('eve')
  const eve = it.client(IAM.IAMClient, keys)
  const assume = async (role: string) =>
    keysOf(
      await it
        .client(STSClient, keys)
        .send(new AssumeRoleCommand({ RoleArn: arn(`role/${role}`), RoleSessionName: 'eve' })),
    )
  /** What only an administrator may. */
  const rules = (who: Keys = keys) =>
    it
      .client(IAM.IAMClient, who)
      .send(new IAM.ListAccountAliasesCommand({}))
      .then(
        () => true,
        () => false,
      )
  return { ...it, send, eve, keys, assume, rules }
}
type Account = Awaited<ReturnType<typeof account>>

interface Path {
  readonly needs: readonly string[]
  /** Returns whether it led to more than eve had. */
  readonly take: (account: Account) => Promise<boolean>
}

const self = { UserName: 'eve' }
const paths: Readonly<Record<string, Path>> = {
  'a new version of a policy one has': {
    needs: ['iam:CreatePolicyVersion'],
    take: async ({ eve, rules }) => {
      await eve.send(
        new IAM.CreatePolicyVersionCommand({
          PolicyArn: arn('policy/held'),
          PolicyDocument: everything,
          SetAsDefault: true,
        }),
      )
      return rules()
    },
  },
  'an older, stronger version': {
    needs: ['iam:SetDefaultPolicyVersion'],
    take: async ({ eve, rules }) => {
      await eve.send(new IAM.SetDefaultPolicyVersionCommand({ PolicyArn: arn('policy/held'), VersionId: 'v2' }))
      return rules()
    },
  },
  'a key of a user with more rights': {
    needs: ['iam:CreateAccessKey'],
    take: async ({ eve, rules }) => {
      const { AccessKey } = await eve.send(new IAM.CreateAccessKeyCommand({ UserName: 'admin' }))
      return rules({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! })
    },
  },
  'a password for a user with more rights': {
    needs: ['iam:CreateLoginProfile'],
    take: async ({ eve, send }) => {
      await eve.send(new IAM.CreateLoginProfileCommand({ UserName: 'admin', Password: 'New-Passw0rd!' }))
      return (await send(new IAM.GetLoginProfileCommand({ UserName: 'admin' }))).LoginProfile !== undefined
    },
  },
  'another password for a user that has one': {
    needs: ['iam:UpdateLoginProfile'],
    take: async ({ eve }) => {
      await eve.send(new IAM.UpdateLoginProfileCommand({ UserName: 'eve', Password: 'New-Passw0rd!' }))
      return true
    },
  },
  'a strong policy attached to oneself': {
    needs: ['iam:AttachUserPolicy'],
    take: async ({ eve, rules }) => {
      await eve.send(new IAM.AttachUserPolicyCommand({ ...self, PolicyArn: ADMINISTRATOR }))
      return rules()
    },
  },
  "a strong policy attached to one's group": {
    needs: ['iam:AttachGroupPolicy'],
    take: async ({ eve, rules }) => {
      await eve.send(new IAM.AttachGroupPolicyCommand({ GroupName: 'mine', PolicyArn: ADMINISTRATOR }))
      return rules()
    },
  },
  'a strong policy attached to a role one may have': {
    needs: ['iam:AttachRolePolicy', 'sts:AssumeRole'],
    take: async ({ eve, rules, assume }) => {
      await eve.send(new IAM.AttachRolePolicyCommand({ RoleName: 'mine', PolicyArn: ADMINISTRATOR }))
      return rules(await assume('mine'))
    },
  },
  'an inline policy on oneself': {
    needs: ['iam:PutUserPolicy'],
    take: async ({ eve, rules }) => {
      await eve.send(new IAM.PutUserPolicyCommand({ ...self, PolicyName: 'p', PolicyDocument: everything }))
      return rules()
    },
  },
  "an inline policy on one's group": {
    needs: ['iam:PutGroupPolicy'],
    take: async ({ eve, rules }) => {
      await eve.send(new IAM.PutGroupPolicyCommand({ GroupName: 'mine', PolicyName: 'p', PolicyDocument: everything }))
      return rules()
    },
  },
  'an inline policy on a role one may have': {
    needs: ['iam:PutRolePolicy', 'sts:AssumeRole'],
    take: async ({ eve, rules, assume }) => {
      await eve.send(new IAM.PutRolePolicyCommand({ RoleName: 'mine', PolicyName: 'p', PolicyDocument: everything }))
      return rules(await assume('mine'))
    },
  },
  'joining a strong group': {
    needs: ['iam:AddUserToGroup'],
    take: async ({ eve, rules }) => {
      await eve.send(new IAM.AddUserToGroupCommand({ GroupName: 'admins', ...self }))
      return rules()
    },
  },
  'making a strong role trust oneself': {
    needs: ['iam:UpdateAssumeRolePolicy'],
    take: async ({ eve, rules, assume }) => {
      await eve.send(new IAM.UpdateAssumeRolePolicyCommand({ RoleName: 'strong', PolicyDocument: trusting('eve') }))
      return rules(await assume('strong'))
    },
  },
  'a new strong role': {
    needs: ['iam:CreateRole', 'iam:AttachRolePolicy'],
    take: async ({ eve, rules, assume }) => {
      await eve.send(new IAM.CreateRoleCommand({ RoleName: 'new', AssumeRolePolicyDocument: trusting('eve') }))
      await eve.send(new IAM.AttachRolePolicyCommand({ RoleName: 'new', PolicyArn: ADMINISTRATOR }))
      return rules(await assume('new'))
    },
  },
  'a new strong user with a key': {
    needs: ['iam:CreateUser', 'iam:AttachUserPolicy', 'iam:CreateAccessKey'],
    take: async ({ eve, rules }) => {
      await eve.send(new IAM.CreateUserCommand({ UserName: 'new' }))
      await eve.send(new IAM.AttachUserPolicyCommand({ UserName: 'new', PolicyArn: ADMINISTRATOR }))
      const { AccessKey } = await eve.send(new IAM.CreateAccessKeyCommand({ UserName: 'new' }))
      return rules({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! })
    },
  },
  'a strong role passed to a machine': {
    needs: ['iam:AddRoleToInstanceProfile', 'iam:PassRole'],
    take: async ({ eve, send }) => {
      await eve.send(new IAM.AddRoleToInstanceProfileCommand({ InstanceProfileName: 'machine', RoleName: 'strong' }))
      const { InstanceProfile } = await send(new IAM.GetInstanceProfileCommand({ InstanceProfileName: 'machine' }))
      return InstanceProfile?.Roles?.[0]?.RoleName === 'strong'
    },
  },
  "removing a user's boundary": {
    needs: ['iam:DeleteUserPermissionsBoundary'],
    take: async ({ eve, send }) => {
      await send(
        new IAM.PutUserPermissionsBoundaryCommand({ UserName: 'admin', PermissionsBoundary: arn('policy/held') }),
      )
      await eve.send(new IAM.DeleteUserPermissionsBoundaryCommand({ UserName: 'admin' }))
      return (await send(new IAM.GetUserCommand({ UserName: 'admin' }))).User?.PermissionsBoundary === undefined
    },
  },
  "widening a user's boundary": {
    needs: ['iam:PutUserPermissionsBoundary'],
    take: async ({ eve, send }) => {
      await eve.send(
        new IAM.PutUserPermissionsBoundaryCommand({ UserName: 'admin', PermissionsBoundary: ADMINISTRATOR }),
      )
      return (await send(new IAM.GetUserCommand({ UserName: 'admin' }))).User?.PermissionsBoundary !== undefined
    },
  },
  "widening a role's boundary": {
    needs: ['iam:PutRolePermissionsBoundary'],
    take: async ({ eve }) => {
      await eve.send(
        new IAM.PutRolePermissionsBoundaryCommand({ RoleName: 'mine', PermissionsBoundary: ADMINISTRATOR }),
      )
      return true
    },
  },
  "taking off a role's boundary": {
    needs: ['iam:DeleteRolePermissionsBoundary'],
    take: async ({ eve, send }) => {
      await send(
        new IAM.PutRolePermissionsBoundaryCommand({ RoleName: 'mine', PermissionsBoundary: arn('policy/held') }),
      )
      await eve.send(new IAM.DeleteRolePermissionsBoundaryCommand({ RoleName: 'mine' }))
      return true
    },
  },
  'detaching a policy that denies': {
    needs: ['iam:DetachUserPolicy'],
    take: async ({ eve }) => {
      await eve.send(new IAM.DetachUserPolicyCommand({ ...self, PolicyArn: arn('policy/held') }))
      return true
    },
  },
  'deleting an inline policy that denies': {
    needs: ['iam:DeleteGroupPolicy'],
    take: async ({ eve, send }) => {
      await send(new IAM.PutGroupPolicyCommand({ GroupName: 'mine', PolicyName: 'p', PolicyDocument: harmless }))
      await eve.send(new IAM.DeleteGroupPolicyCommand({ GroupName: 'mine', PolicyName: 'p' }))
      return true
    },
  },
  'switching a sleeping key on': {
    needs: ['iam:UpdateAccessKey'],
    take: async ({ eve, send, rules }) => {
      const { AccessKey } = await send(new IAM.CreateAccessKeyCommand({ UserName: 'admin' }))
      const key = { UserName: 'admin', AccessKeyId: AccessKey!.AccessKeyId! }
      await send(new IAM.UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }))
      await eve.send(new IAM.UpdateAccessKeyCommand({ ...key, Status: 'Active' }))
      return rules({ accessKeyId: key.AccessKeyId, secretAccessKey: AccessKey!.SecretAccessKey! })
    },
  },
  "removing a user's second factor": {
    needs: ['iam:DeactivateMFADevice'],
    take: async ({ eve, send, clock }) => {
      const { VirtualMFADevice } = await send(new IAM.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }))
      const seed = fromBase32(Buffer.from(VirtualMFADevice!.Base32StringSeed!).toString())
      const step = stepAt(clock.now())
      const SerialNumber = VirtualMFADevice!.SerialNumber!
      await send(
        new IAM.EnableMFADeviceCommand({
          UserName: 'admin',
          SerialNumber,
          AuthenticationCode1: codeAt(seed, step - 1),
          AuthenticationCode2: codeAt(seed, step),
        }),
      )
      await eve.send(new IAM.DeactivateMFADeviceCommand({ UserName: 'admin', SerialNumber }))
      return (await send(new IAM.ListMFADevicesCommand({ UserName: 'admin' }))).MFADevices?.length === 0
    },
  },
}

function fromBase32(text: string): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...text].map((each) => alphabet.indexOf(each).toString(2).padStart(5, '0')).join('')
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
}

describe.each(Object.entries(paths))('%s', (_name, { needs, take }) => {
  test('works with its permissions', async () => {
    const it = await account(needs, false)

    expect(await it.rules()).toBe(false)
    expect(await take(it)).toBe(true)
  })

  test.each(needs.filter((action) => action !== 'sts:AssumeRole'))('does not work without %s', async (lacking) => {
    const it = await account(
      needs.filter((action) => action !== lacking),
      false,
    )

    await expect(take(it)).rejects.toMatchObject({ name: 'AccessDenied', message: expect.stringContaining(lacking) })
  })

  test('is stopped by a boundary', async () => {
    const it = await account(needs, true)

    await expect(take(it)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('with an explicit deny in a permissions boundary'),
    })
    expect(await it.rules()).toBe(false)
  })
})

test('The catalogue has at least twenty paths', () => {
  expect(Object.keys(paths).length).toBeGreaterThanOrEqual(20)
})
