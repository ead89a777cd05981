/** Permissions inside an organization: by policy, by parent, by type. */
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  AttachPolicyCommand,
  CreatePolicyCommand,
  DetachPolicyCommand,
  EnablePolicyTypeCommand,
  OrganizationsClient,
  PutResourcePolicyCommand,
  TagResourceCommand,
} from '@aws-sdk/client-organizations'
import { expect, test } from 'vitest'
import { ACCOUNT, allowing, type Keys } from '../../../test/cloud.ts'
import { organization } from './organization.fixture.ts'

const denied = { name: 'AccessDeniedException' }
const CONTENT = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }],
})

async function withUser() {
  const it = await organization()
  const iam = it.client(IAMClient)
  await iam.send(new CreateUserCommand({ UserName: 'ann' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }))
  const keys: Keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  return { ...it, ann: it.client(OrganizationsClient, keys) }
}

test('A policy is attached by a caller with permission for that policy and on that target, and on no other', async () => {
  const it = await withUser()
  const [ours, theirs] = [await it.scp('ours', CONTENT), await it.scp('theirs', CONTENT)]
  const [here, there] = [await it.unit('here'), await it.unit('there')]
  const arnOf = (unit: string) => `arn:aws:organizations::${ACCOUNT}:ou/${it.id}/${unit}`
  await it.permit('ann', allowing({ Action: 'organizations:AttachPolicy', Resource: [ours.Arn, arnOf(here)] }))
  const attach = (PolicyId: string, TargetId: string) => it.ann.send(new AttachPolicyCommand({ PolicyId, TargetId }))

  await attach(ours.Id!, here)

  await expect(attach(theirs.Id!, here)).rejects.toMatchObject(denied)
  await expect(attach(ours.Id!, there)).rejects.toMatchObject(denied)
  await expect(it.ann.send(new DetachPolicyCommand({ PolicyId: ours.Id!, TargetId: here }))).rejects.toMatchObject(
    denied,
  )
})

test('Policies of one type may be made where those of another may not, and with the tags that are allowed', async () => {
  const it = await withUser()
  const Condition = { StringEquals: { 'organizations:PolicyType': 'SERVICE_CONTROL_POLICY' } }
  const create = (
    Type: 'SERVICE_CONTROL_POLICY' | 'TAG_POLICY',
    Content: string,
    Tags?: { Key: string; Value: string }[],
  ) => it.ann.send(new CreatePolicyCommand({ Name: `${Type}${Tags?.length}`, Type, Content, Description: '', Tags }))
  await it.permit('ann', allowing({ Action: 'organizations:CreatePolicy', Resource: '*', Condition }))

  await create('SERVICE_CONTROL_POLICY', CONTENT)

  await expect(create('TAG_POLICY', '{"tags":{}}')).rejects.toMatchObject(denied)
  await expect(create('SERVICE_CONTROL_POLICY', CONTENT, [{ Key: 'a', Value: 'b' }])).rejects.toMatchObject(denied)
})

test('A member does what the delegation policy and its own policies both allow, and no more', async () => {
  const it = await organization()
  const member = await it.member('ann')
  await it.org.send(new EnablePolicyTypeCommand({ RootId: it.root, PolicyType: 'TAG_POLICY' }))
  const visitor = it.client(OrganizationsClient, await it.enter(member))
  const create = (Type: 'SERVICE_CONTROL_POLICY' | 'TAG_POLICY', Content: string) =>
    visitor.send(new CreatePolicyCommand({ Name: Type, Type, Content, Description: '' }))
  await expect(create('TAG_POLICY', '{"tags":{}}')).rejects.toMatchObject(denied)

  await it.org.send(
    new PutResourcePolicyCommand({
      Content: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::${member}:root` },
            Action: ['organizations:CreatePolicy', 'organizations:ListPolicies'],
            Resource: '*',
            Condition: { StringEquals: { 'organizations:PolicyType': 'TAG_POLICY' } },
          },
        ],
      }),
    }),
  )

  await create('TAG_POLICY', '{"tags":{}}')
  await expect(create('SERVICE_CONTROL_POLICY', CONTENT)).rejects.toMatchObject(denied)
  await expect(
    visitor.send(new TagResourceCommand({ ResourceId: member, Tags: [{ Key: 'a', Value: 'b' }] })),
  ).rejects.toMatchObject(denied)
})

test.each([
  ['organizations:CreateAccount', 'UNSUPPORTED_ACTION_IN_RESOURCE_POLICY'],
  ['organizations:LeaveOrganization', 'UNSUPPORTED_ACTION_IN_RESOURCE_POLICY'],
  ['iam:CreateUser', 'UNSUPPORTED_ACTION_IN_RESOURCE_POLICY'],
])('The delegation policy cannot hand out %s', async (Action, Reason) => {
  const { org } = await organization()
  const Statement = [{ Effect: 'Allow', Principal: { AWS: '222233334444' }, Action, Resource: '*' }]

  await expect(
    org.send(new PutResourcePolicyCommand({ Content: JSON.stringify({ Version: '2012-10-17', Statement }) })),
  ).rejects.toMatchObject({ name: 'InvalidInputException', Reason })
})
