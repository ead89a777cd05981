/** Effective policies through the API: their readers, and their targets. */
import {
  CreatePolicyCommand,
  DescribeEffectivePolicyCommand,
  EnablePolicyTypeCommand,
  ListAccountsWithInvalidEffectivePolicyCommand,
  ListEffectivePolicyValidationErrorsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { expect, test } from 'vitest'
import type { Keys } from '../../../test/cloud.ts'
import { organization } from './organization.fixture.ts'

const TAG_POLICY = 'TAG_POLICY' as const
const tags = (value: object) => JSON.stringify({ tags: { costcenter: { tag_value: value } } })

async function withTagPolicies() {
  const it = await organization()
  await it.org.send(new EnablePolicyTypeCommand({ RootId: it.root, PolicyType: TAG_POLICY }))
  const ou = await it.unit('Work')
  const member = await it.member('ann')
  const policy = (name: string, content: string) => it.scp(name, content, TAG_POLICY).then(({ Id }) => Id!)
  const effective = (TargetId?: string, keys?: Keys) =>
    it
      .client(OrganizationsClient, keys)
      .send(new DescribeEffectivePolicyCommand({ PolicyType: TAG_POLICY, ...(TargetId && { TargetId }) }))
      .then(({ EffectivePolicy }) => JSON.parse(EffectivePolicy!.PolicyContent!))
  return { ...it, ou, member, policy, effective }
}

test('An effective policy is what root, units and account come to, from the next call on; the account may read its own', async () => {
  const it = await withTagPolicies()
  await it.attach(await it.policy('root', tags({ '@@assign': ['100'] })), it.root)
  await it.attach(await it.policy('own', tags({ '@@append': ['200'] })), it.member)

  expect(await it.effective(it.member)).toEqual({ tags: { costcenter: { tag_value: ['100', '200'] } } })
  expect(await it.effective(undefined, await it.enter(it.member))).toEqual(await it.effective(it.member))
  await expect(it.effective(it.ou, await it.enter(it.member))).rejects.toMatchObject({ name: 'AccessDeniedException' })
})

test.each([
  ['nothing is attached', {}, 'EffectivePolicyNotFoundException'],
  ['the target is a unit', { ou: true }, 'InvalidInputException'],
])('There is none when %s', async (_, { ou }: { ou?: boolean }, name) => {
  const it = await withTagPolicies()

  await expect(it.effective(ou ? it.ou : it.member)).rejects.toMatchObject({ name })
})

test('What a policy above forbids is reported with the place and the policies that disagree', async () => {
  const it = await withTagPolicies()
  const above = await it.policy('a', tags({ '@@assign': ['1'], '@@operators_allowed_for_child_policies': ['@@none'] }))
  const below = await it.policy('b', tags({ '@@assign': ['2'] }))
  await it.attach(above, it.root)
  await it.attach(below, it.member)

  const told = await it.org.send(
    new ListEffectivePolicyValidationErrorsCommand({ AccountId: it.member, PolicyType: TAG_POLICY }),
  )
  const accounts = await it.org.send(new ListAccountsWithInvalidEffectivePolicyCommand({ PolicyType: TAG_POLICY }))

  expect(told.EffectivePolicyValidationErrors).toMatchObject([
    {
      ErrorCode: 'OPERATOR_NOT_ALLOWED',
      PathToError: 'tags/costcenter/tag_value',
      ContributingPolicies: [above, below],
    },
  ])
  expect(told.Path).toBe(`${it.id}/${it.root}/${it.member}/`)
  expect(accounts.Accounts?.map(({ Id }) => Id)).toEqual([it.member])
})

test.each([
  ['no JSON', '{'],
  ['another type', JSON.stringify({ plans: {} })],
  ['two types', JSON.stringify({ tags: {}, plans: {} })],
  ['an operator that does not exist', tags({ '@@replace': ['1'] })],
  ['a value without an operator', JSON.stringify({ tags: { a: { tag_key: 'a' } } })],
  ['a restriction that does not exist', tags({ '@@operators_allowed_for_child_policies': ['@@some'] })],
])('A tag policy is refused that has %s', async (_, Content) => {
  const { org } = await organization()

  await expect(
    org.send(new CreatePolicyCommand({ Name: 'bad', Type: TAG_POLICY, Content, Description: '' })),
  ).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' })
})
