/** Effective policies as accounts and their managers request them. */
import {
  AttachPolicyCommand,
  CreatePolicyCommand,
  DescribeEffectivePolicyCommand,
  type EffectivePolicyType,
  EnablePolicyTypeCommand,
  ListAccountsWithInvalidEffectivePolicyCommand,
  ListEffectivePolicyValidationErrorsCommand,
  MoveAccountCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { expect, test } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import { organization } from './organization.fixture.ts'
import { policyTypes } from './policy-types.ts'

async function effective() {
  const world = await organization()
  const enable = (PolicyType: EffectivePolicyType) =>
    world.org.send(new EnablePolicyTypeCommand({ RootId: world.root, PolicyType }))
  const put = async (Type: EffectivePolicyType, content: object, TargetId: string) => {
    const Name = `${Type}-${Math.random()}`
    const Content = JSON.stringify(content)
    const { Policy } = await world.org.send(new CreatePolicyCommand({ Name, Type, Content, Description: '' }))
    await world.org.send(new AttachPolicyCommand({ PolicyId: Policy!.PolicySummary!.Id!, TargetId }))
    return Policy!.PolicySummary!.Id!
  }
  const told = async (PolicyType: EffectivePolicyType, TargetId?: string, org = world.org) => {
    const answer = await org.send(new DescribeEffectivePolicyCommand({ PolicyType, TargetId }))
    return JSON.parse(answer.EffectivePolicy!.PolicyContent!)
  }
  return { ...world, enable, put, told }
}

const tag = (values: object) => ({ tags: { costcenter: { tag_value: values } } })

test('An account’s effective policy is what root, units and account say, at once after a move', async () => {
  const { enable, put, told, unit, member, root, org } = await effective()
  await enable('TAG_POLICY')
  const ou = await unit('a')
  const account = await member('blue')
  await put('TAG_POLICY', tag({ '@@assign': ['root'] }), root)
  await put('TAG_POLICY', tag({ '@@append': ['unit'] }), ou)
  await put('TAG_POLICY', tag({ '@@append': ['account'] }), account)

  expect(await told('TAG_POLICY', account)).toEqual({ tags: { costcenter: { tag_value: ['root', 'account'] } } })
  await org.send(new MoveAccountCommand({ AccountId: account, SourceParentId: root, DestinationParentId: ou }))
  expect(await told('TAG_POLICY', account)).toEqual({
    tags: { costcenter: { tag_value: ['root', 'unit', 'account'] } },
  })
  expect(await told('TAG_POLICY')).toEqual({ tags: { costcenter: { tag_value: ['root'] } } })
})

test('A member reads its own, and no other account’s', async () => {
  const { enable, put, told, member, root, enter, client } = await effective()
  await enable('TAG_POLICY')
  await put('TAG_POLICY', tag({ '@@assign': ['root'] }), root)
  const [blue, red] = [await member('blue'), await member('red')]
  const inside = client(OrganizationsClient, await enter(blue))

  expect(await told('TAG_POLICY', undefined, inside)).toEqual(tag(['root']))
  expect(await told('TAG_POLICY', blue, inside)).toEqual(tag(['root']))
  for (const other of [red, ACCOUNT, '999988887777', root]) {
    await expect(told('TAG_POLICY', other, inside)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: "You don't have permissions to access this resource.",
    })
  }
})

test('There is none where nothing is enabled or attached, nor for units and other accounts', async () => {
  const { told, enable, root } = await effective()

  await expect(told('TAG_POLICY')).rejects.toMatchObject({ name: 'EffectivePolicyNotFoundException' })
  await enable('TAG_POLICY')
  await expect(told('TAG_POLICY')).rejects.toMatchObject({ name: 'EffectivePolicyNotFoundException' })
  await expect(told('TAG_POLICY', root)).rejects.toMatchObject({
    name: 'InvalidInputException',
    Reason: 'TARGET_NOT_SUPPORTED',
  })
  await expect(told('TAG_POLICY', '999988887777')).rejects.toMatchObject({ name: 'TargetNotFoundException' })
})

/** GUARDDUTY_POLICY and SECURITYHUB_CSPM_POLICY are younger than the model that requests are validated by. */
const sound: Readonly<Record<Exclude<EffectivePolicyType, 'GUARDDUTY_POLICY' | 'SECURITYHUB_CSPM_POLICY'>, object>> = {
  TAG_POLICY: { a: { tag_key: { '@@assign': 'A' } } },
  BACKUP_POLICY: { p: { regions: { '@@assign': ['eu-central-1'] } } },
  AISERVICES_OPT_OUT_POLICY: { default: { opt_out_policy: { '@@assign': 'optOut' } } },
  CHATBOT_POLICY: { default: { client: { '@@assign': 'disabled' } } },
  DECLARATIVE_POLICY_EC2: { serial_console_access: { status: { '@@assign': 'disabled' } } },
  SECURITYHUB_POLICY: { enable_in_regions: { '@@assign': ['ALL_SUPPORTED'] } },
  INSPECTOR_POLICY: { enablement: { ec2_scanning: { enable_in_regions: { '@@assign': ['ALL_SUPPORTED'] } } } },
  UPGRADE_ROLLOUT_POLICY: { default: { patch_order: { '@@assign': 'last' } } },
  BEDROCK_POLICY: { guardrail_inference: { 'eu-central-1': { c: { input_tags: { '@@assign': 'honor' } } } } },
  S3_POLICY: { public_access_block_configuration: { '@@assign': 'all' } },
  NETWORK_SECURITY_DIRECTOR_POLICY: { enablement: { enable_in_regions: { '@@assign': ['eu-central-1'] } } },
}

test.each(Object.entries(sound) as [EffectivePolicyType, object][])(
  'Policies of type %s are made, attached and come to something',
  async (type, content) => {
    const { enable, put, told, root } = await effective()
    const { topic } = policyTypes[type]
    await enable(type)
    await put(type, { [topic!]: content }, root)

    const plain = (value: object): unknown =>
      '@@assign' in value
        ? value['@@assign']
        : Object.fromEntries(Object.entries(value).map(([name, below]) => [name, plain(below as object)]))
    expect(await told(type)).toEqual({ [topic!]: plain(content) })
  },
)

test('What contradicts AWS’s form is listed with the policies that brought it about', async () => {
  const { enable, put, root, member, org, unit } = await effective()
  await enable('BACKUP_POLICY')
  const policy = await put('BACKUP_POLICY', { plans: { p: { regions: { '@@assign': ['eu-central-1'] } } } }, root)
  const account = await member('blue')
  await unit('a')

  const { EffectivePolicyValidationErrors: errors, Path } = await org.send(
    new ListEffectivePolicyValidationErrorsCommand({ AccountId: account, PolicyType: 'BACKUP_POLICY' }),
  )

  expect(Path).toMatch(new RegExp(`^o-[a-z0-9]{10}/${root}/${account}/$`))
  expect(errors).toMatchObject([
    { ErrorCode: 'ELEMENT_MISSING', PathToError: 'plans/p', ContributingPolicies: [policy] },
    { ErrorCode: 'ELEMENT_MISSING', PathToError: 'plans/p', ContributingPolicies: [policy] },
  ])
  await expect(
    org.send(new ListEffectivePolicyValidationErrorsCommand({ AccountId: account, PolicyType: 'TAG_POLICY' })),
  ).rejects.toMatchObject({ name: 'EffectivePolicyNotFoundException' })
  await expect(
    org.send(
      new ListEffectivePolicyValidationErrorsCommand({ AccountId: '999988887777', PolicyType: 'BACKUP_POLICY' }),
    ),
  ).rejects.toMatchObject({ name: 'AccountNotFoundException' })
})

test('Accounts with an invalid outcome are found by clients that go on past empty pages', async () => {
  const { enable, put, member, org } = await effective()
  await enable('BACKUP_POLICY')
  const accounts = [await member('a'), await member('b'), await member('c')]
  const PolicyType = 'BACKUP_POLICY'
  await put(PolicyType, { plans: { p: { regions: { '@@assign': [] } } } }, accounts[1]!)

  const pages: string[][] = []
  let NextToken: string | undefined
  do {
    const page: Awaited<ReturnType<typeof next>> = await next(NextToken)
    pages.push(page.Accounts!.map(({ Id }) => Id!))
    NextToken = page.NextToken
  } while (NextToken)
  function next(token: string | undefined) {
    return org.send(new ListAccountsWithInvalidEffectivePolicyCommand({ PolicyType, MaxResults: 1, NextToken: token }))
  }

  expect(pages.flat()).toEqual([accounts[1]])
  expect(pages).toHaveLength(4)
  expect(pages.slice(0, -1)).toContainEqual([])
})
