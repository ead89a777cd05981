/** Web ACLs, rule groups and sets through the front door: lock tokens, references, capacity, refusals. */
import * as Waf from '@aws-sdk/client-wafv2'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { core, outcome, rule, startsWith, visibility, waf } from './wafv2.fixture.ts'

const LABELS = [{ Name: 'team:bad' }]

async function world() {
  const it = await waf()
  const set = async (Name: string, Addresses: string[] = ['192.0.2.0/24'], parts = {}) =>
    (
      await it.waf.send(
        new Waf.CreateIPSetCommand({ Name, Scope: 'REGIONAL', IPAddressVersion: 'IPV4', Addresses, ...parts }),
      )
    ).Summary!
  const group = async (Name: string, Rules: Waf.Rule[], Capacity = 50) =>
    (
      await it.waf.send(
        new Waf.CreateRuleGroupCommand({
          Name,
          Scope: 'REGIONAL',
          Capacity,
          Rules,
          VisibilityConfig: visibility(Name),
        }),
      )
    ).Summary!
  const named = ({ Name, Id }: { readonly Name?: string | undefined; readonly Id?: string | undefined }) =>
    ({ Name: Name!, Id: Id!, Scope: 'REGIONAL' }) as const
  return { ...it, set, group, named }
}

describe('A web ACL', () => {
  test('is shown as it was created, with its capacity and its label namespace', async () => {
    const it = await world()
    const ips = await it.set('bad')
    const Rules = [
      rule('core', 1, core, { OverrideAction: { Count: {} } }),
      rule('ips', 2, { IPSetReferenceStatement: { ARN: ips.ARN! } }),
      rule('admin', 0, startsWith('/admin'), {
        Action: { Block: { CustomResponse: { ResponseCode: 429, CustomResponseBodyKey: 'no' } } },
        RuleLabels: LABELS,
      }),
    ]
    const bodies = { no: { ContentType: 'TEXT_PLAIN', Content: 'No.' } } as const
    const { ARN, Id, LockToken } = await it.webAcl('shop', {
      Rules,
      CustomResponseBodies: bodies,
      Description: 'the shop',
    })

    expect(ARN).toBe(`arn:aws:wafv2:us-east-1:${ACCOUNT}:regional/webacl/shop/${Id}`)
    const shown = await it.get(ARN!)
    expect(shown.LockToken).toBe(LockToken)
    expect(shown.WebACL).toMatchObject({
      Name: 'shop',
      Description: 'the shop',
      Capacity: 700 + 1 + 2,
      LabelNamespace: `awswaf:${ACCOUNT}:webacl:shop:`,
      CustomResponseBodies: bodies,
    })
    expect(shown.WebACL?.Rules?.map(({ Name }) => Name)).toEqual(['core', 'ips', 'admin'])
    const search = shown.WebACL?.Rules?.[2]?.Statement?.ByteMatchStatement?.SearchString
    expect(Buffer.from(search!).toString()).toBe('/admin')
    const { WebACLs } = await it.waf.send(new Waf.ListWebACLsCommand({ Scope: 'REGIONAL' }))
    expect(WebACLs).toEqual([expect.objectContaining({ Name: 'shop', ARN, LockToken })])
  })

  test('is replaced as a whole, by the token of the last change alone', async () => {
    const it = await world()
    const acl = await it.webAcl('shop', { Rules: [rule('admin', 0, startsWith('/admin'))], Description: 'first' })
    const update = (LockToken: string) =>
      it.waf.send(
        new Waf.UpdateWebACLCommand({
          ...it.named(acl),
          LockToken,
          DefaultAction: { Block: {} },
          VisibilityConfig: visibility('shop'),
        }),
      )
    const { NextLockToken } = await update(acl.LockToken!)
    const { WebACL, LockToken } = await it.get(acl.ARN!)

    expect(LockToken).toBe(NextLockToken)
    expect(WebACL).toMatchObject({ DefaultAction: { Block: {} }, Rules: [], Capacity: 0 })
    expect(WebACL).not.toHaveProperty('Description')
    await expect(update(acl.LockToken!)).rejects.toMatchObject({
      name: 'WAFOptimisticLockException',
      message: expect.stringContaining('someone changed the resource after you started to edit it'),
    })
    await it.waf.send(new Waf.DeleteWebACLCommand({ ...it.named(acl), LockToken: LockToken! }))
    expect(await outcome(it.get(acl.ARN!))).toBe('WAFNonexistentItemException')
  })

  test('of CloudFront exists in us-east-1 alone', async () => {
    const it = await world()
    const input = {
      Name: 'cdn',
      Scope: 'CLOUDFRONT',
      DefaultAction: { Allow: {} },
      VisibilityConfig: visibility('x'),
    } as const
    const { Summary } = await it.waf.send(new Waf.CreateWebACLCommand(input))
    expect(Summary?.ARN).toContain(':global/webacl/cdn/')
    const elsewhere = it.client(Waf.WAFV2Client, undefined, 'eu-west-1')
    await expect(elsewhere.send(new Waf.CreateWebACLCommand(input))).rejects.toMatchObject({
      name: 'WAFInvalidParameterException',
      Field: 'SCOPE_VALUE',
      Parameter: 'CLOUDFRONT',
    })
  })

  test('has at most the capacity and the number of its quota, and a name of its own', async () => {
    const it = await waf({ quotas: { 'wafv2/WebACLsPerAccount': 2, 'wafv2/WebACLCapacity': 702 } })
    const Rules = [rule('core', 0, core), rule('admin', 1, startsWith('/admin'))]
    await it.create('a', { Rules })
    expect(await outcome(it.create('a'))).toBe('WAFDuplicateItemException')
    expect(await outcome(it.create('b', { Rules: [...Rules, rule('more', 2, startsWith('/more'))] }))).toBe(
      'WAFLimitsExceededException',
    )
    await it.create('b')
    expect(await outcome(it.create('c'))).toBe('WAFLimitsExceededException')
  })
})

describe('A lock token', () => {
  test('has one winner among twenty parallel updates', async () => {
    const it = await world()
    const set = await it.set('bad')
    const update = (n: number) =>
      it.waf.send(
        new Waf.UpdateIPSetCommand({ ...it.named(set), LockToken: set.LockToken!, Addresses: [`198.51.100.${n}/32`] }),
      )
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, n) => outcome(update(n))))

    expect(outcomes.filter((each) => each === 'done')).toHaveLength(1)
    expect(new Set(outcomes)).toEqual(new Set(['done', 'WAFOptimisticLockException']))
    const { IPSet } = await it.waf.send(new Waf.GetIPSetCommand(it.named(set)))
    expect(IPSet?.Addresses).toEqual([`198.51.100.${outcomes.indexOf('done')}/32`])
  })
})

describe('References', () => {
  test('keep sets and groups from being deleted, until the last is gone', async () => {
    const it = await world()
    const set = await it.set('bad')
    const group = await it.group('own', [rule('ips', 0, { IPSetReferenceStatement: { ARN: set.ARN! } })])
    const Rules = [rule('own', 0, { RuleGroupReferenceStatement: { ARN: group.ARN! } })]
    const acl = await it.webAcl('shop', { Rules })
    const dropSet = () => it.waf.send(new Waf.DeleteIPSetCommand({ ...it.named(set), LockToken: set.LockToken! }))
    const dropGroup = () =>
      it.waf.send(new Waf.DeleteRuleGroupCommand({ ...it.named(group), LockToken: group.LockToken! }))

    expect(await outcome(dropSet())).toBe('WAFAssociatedItemException')
    expect(await outcome(dropGroup())).toBe('WAFAssociatedItemException')
    await it.waf.send(
      new Waf.UpdateWebACLCommand({
        ...it.named(acl),
        LockToken: acl.LockToken!,
        DefaultAction: { Allow: {} },
        VisibilityConfig: visibility('shop'),
      }),
    )
    expect(await outcome(dropGroup())).toBe('done')
    expect(await outcome(dropSet())).toBe('done')
  })

  test('lead to something that exists, in the same scope', async () => {
    const it = await world()
    const missing = `arn:aws:wafv2:us-east-1:${ACCOUNT}:regional/ipset/x/11111111-2222-3333-4444-555555555555`
    const tried = (statement: Waf.Statement) => outcome(it.create('shop', { Rules: [rule('r', 0, statement)] }))
    const global = await it.set('global', [], { Scope: 'CLOUDFRONT' })

    expect(await tried({ IPSetReferenceStatement: { ARN: missing } })).toBe('WAFNonexistentItemException')
    expect(await tried({ RuleGroupReferenceStatement: { ARN: missing } })).toBe('WAFInvalidParameterException')
    expect(await tried({ IPSetReferenceStatement: { ARN: global.ARN! } })).toBe('WAFInvalidParameterException')
    expect(await tried({ ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'Nothing' } })).toBe(
      'WAFNonexistentItemException',
    )
    expect(await tried({ ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'AWSManagedRulesATPRuleSet' } })).toBe(
      'NotImplemented',
    )
  })

  test('need the permission to use what they lead to', async () => {
    const it = await world()
    const set = await it.set('bad')
    const anyAcl = `arn:aws:wafv2:us-east-1:${ACCOUNT}:regional/webacl/*`
    const policy = (...Resource: string[]) => allowing({ Action: 'wafv2:CreateWebACL', Resource })
    const tried = async (user: string, ...resources: string[]) =>
      outcome(
        it.client(Waf.WAFV2Client, await it.user(user, policy(...resources))).send(
          new Waf.CreateWebACLCommand({
            Name: user,
            Scope: 'REGIONAL',
            DefaultAction: { Allow: {} },
            VisibilityConfig: visibility(user),
            Rules: [rule('ips', 0, { IPSetReferenceStatement: { ARN: set.ARN! } })],
          }),
        ),
      )

    expect(await tried('ann', anyAcl)).toBe('AccessDeniedException')
    expect(await tried('bob', anyAcl, set.ARN!)).toBe('done')
  })
})

describe('A rule group', () => {
  test('keeps its capacity, and shows the labels of its rules', async () => {
    const it = await world()
    const tagged = rule('admin', 0, startsWith('/admin'), { RuleLabels: LABELS })
    const group = await it.group('own', [tagged], 2)
    const { RuleGroup } = await it.waf.send(new Waf.GetRuleGroupCommand({ ARN: group.ARN! }))

    expect(RuleGroup).toMatchObject({
      Capacity: 2,
      LabelNamespace: `awswaf:${ACCOUNT}:rulegroup:own:`,
      AvailableLabels: [{ Name: `awswaf:${ACCOUNT}:rulegroup:own:team:bad` }],
    })
    const update = new Waf.UpdateRuleGroupCommand({
      ...it.named(group),
      LockToken: group.LockToken!,
      Rules: [tagged, rule('more', 1, startsWith('/more'))],
      VisibilityConfig: visibility('own'),
    })
    expect(await outcome(it.waf.send(update))).toBe('WAFLimitsExceededException')
  })

  test('holds no other group, and overrides name its rules', async () => {
    const it = await world()
    const group = await it.group('own', [rule('admin', 0, startsWith('/admin'))])
    const reference = (Name: string): Waf.Statement => ({
      RuleGroupReferenceStatement: { ARN: group.ARN!, RuleActionOverrides: [{ Name, ActionToUse: { Count: {} } }] },
    })

    await expect(it.group('outer', [rule('inner', 0, reference('admin'))])).rejects.toMatchObject({
      Field: 'STATEMENT',
    })
    await expect(it.create('a', { Rules: [rule('own', 0, reference('other'))] })).rejects.toMatchObject({
      Field: 'EXCLUDED_RULE',
      Parameter: 'other',
    })
    await it.create('a', { Rules: [rule('own', 0, reference('admin'))] })
  })

  test('is used by another account once its policy allows that, and no longer shown when it is taken back', async () => {
    const it = await world()
    const group = await it.group('own', [rule('admin', 0, startsWith('/admin'))])
    const other = it.client(Waf.WAFV2Client, await it.account(OTHER_ACCOUNT))
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: OTHER_ACCOUNT }, Action: ['wafv2:CreateWebACL', 'wafv2:GetRuleGroup'] },
      ],
    })
    const read = () => outcome(other.send(new Waf.GetRuleGroupCommand({ ARN: group.ARN! })))
    const use = (Name: string) =>
      outcome(
        other.send(
          new Waf.CreateWebACLCommand({
            Name,
            Scope: 'REGIONAL',
            DefaultAction: { Allow: {} },
            VisibilityConfig: visibility(Name),
            Rules: [rule('shared', 0, { RuleGroupReferenceStatement: { ARN: group.ARN! } })],
          }),
        ),
      )

    expect([await read(), await use('before')]).toEqual(['AccessDeniedException', 'AccessDeniedException'])
    await it.waf.send(new Waf.PutPermissionPolicyCommand({ ResourceArn: group.ARN!, Policy }))
    expect([await read(), await use('after')]).toEqual(['done', 'done'])
    const shown = await it.waf.send(new Waf.GetPermissionPolicyCommand({ ResourceArn: group.ARN! }))
    expect(JSON.parse(shown.Policy!).Statement[0]).not.toHaveProperty('Resource')
    await it.waf.send(new Waf.DeletePermissionPolicyCommand({ ResourceArn: group.ARN! }))
    expect(await read()).toBe('AccessDeniedException')
    const wrong = { ResourceArn: group.ARN!, Policy: Policy.replace('wafv2:GetRuleGroup', 'wafv2:DeleteRuleGroup') }
    expect(await outcome(it.waf.send(new Waf.PutPermissionPolicyCommand(wrong)))).toBe(
      'WAFInvalidPermissionPolicyException',
    )
  })
})

describe('Sets', () => {
  test.each([
    ['0.0.0.0/0', 'IPV4'],
    ['192.0.2.0/33', 'IPV4'],
    ['2001:db8::/32', 'IPV4'],
    ['192.0.2.1/32', 'IPV6'],
    ['example', 'IPV4'],
  ] as const)('refuse %s in a set of %s', async (address, IPAddressVersion) => {
    const it = await world()
    await expect(it.set('x', [address], { IPAddressVersion })).rejects.toMatchObject({
      name: 'WAFInvalidParameterException',
      Field: 'IP_ADDRESS',
      Parameter: address,
    })
  })

  test('hold addresses of one version, and regular expressions that can be evaluated', async () => {
    const it = await world()
    const six = await it.set('six', ['2001:db8::/32', '2001:db8::1/128'], { IPAddressVersion: 'IPV6' })
    const { IPSet } = await it.waf.send(new Waf.GetIPSetCommand(it.named(six)))
    expect(IPSet?.Addresses).toEqual(['2001:db8::/32', '2001:db8::1/128'])
    const patterns = (...list: string[]) =>
      it.waf.send(
        new Waf.CreateRegexPatternSetCommand({
          Name: 'ua',
          Scope: 'REGIONAL',
          RegularExpressionList: list.map((RegexString) => ({ RegexString })),
        }),
      )
    expect(await outcome(patterns('(?=x)'))).toBe('WAFInvalidParameterException')
    expect(await outcome(patterns(...Array.from({ length: 11 }, (_, n) => `x${n}`)))).toBe('WAFLimitsExceededException')
    // What takes long to match is refused: a text of 8 KB is matched for every request.
    expect(await outcome(patterns('\\pL{700}'))).toBe('WAFInvalidParameterException')
    expect(await outcome(patterns('[a-z]{1,256}', 'x{120}'))).toBe('WAFLimitsExceededException')
    expect(await outcome(patterns('[a-z]{1,256}', '(?i)sqlmap'))).toBe('done')
  })

  test('are tagged, and tags decide', async () => {
    const it = await world()
    const set = await it.set('bad', ['192.0.2.0/24'], { Tags: [{ Key: 'team', Value: 'a' }] })
    const Condition = { StringEquals: { 'aws:ResourceTag/team': 'a' } }
    const ann = it.client(
      Waf.WAFV2Client,
      await it.user('ann', allowing({ Action: 'wafv2:*', Resource: '*', Condition })),
    )
    expect(await outcome(ann.send(new Waf.GetIPSetCommand(it.named(set))))).toBe('done')
    await it.waf.send(new Waf.TagResourceCommand({ ResourceARN: set.ARN!, Tags: [{ Key: 'team', Value: 'b' }] }))
    expect(await outcome(ann.send(new Waf.GetIPSetCommand(it.named(set))))).toBe('AccessDeniedException')
    await it.waf.send(new Waf.UntagResourceCommand({ ResourceARN: set.ARN!, TagKeys: ['team'] }))
    const { TagInfoForResource } = await it.waf.send(new Waf.ListTagsForResourceCommand({ ResourceARN: set.ARN! }))
    expect(TagInfoForResource).toEqual({ ResourceARN: set.ARN!, TagList: [] })
  })
})

describe('Rules that cannot be evaluated are refused:', () => {
  const rate = (parts: Partial<Waf.RateBasedStatement>): Waf.Statement => ({
    RateBasedStatement: { Limit: 100, AggregateKeyType: 'IP', ...parts },
  })
  const regex = (RegexString: string, parts = {}): Waf.Statement => ({
    RegexMatchStatement: {
      RegexString,
      FieldToMatch: { UriPath: {} },
      TextTransformations: [{ Priority: 0, Type: 'NONE' }],
      ...parts,
    },
  })
  test.each<readonly [string, string, readonly Waf.Rule[]]>([
    ['two rules of one priority', 'RULE', [rule('a', 0, startsWith('/a')), rule('b', 0, startsWith('/b'))]],
    ['two rules of one name', 'RULE', [rule('a', 0, startsWith('/a')), rule('a', 1, startsWith('/b'))]],
    ['no statement', 'STATEMENT', [rule('a', 0, {})]],
    ['two statements', 'STATEMENT', [rule('a', 0, { ...startsWith('/a'), ...rate({}) })]],
    ['a nested rate', 'STATEMENT', [rule('a', 0, { NotStatement: { Statement: rate({}) } })]],
    ['a nested group', 'STATEMENT', [rule('a', 0, { NotStatement: { Statement: core } })]],
    ['no action', 'RULE_ACTION', [{ ...rule('a', 0, startsWith('/a')), Action: undefined }]],
    ['an action of a group', 'OVERRIDE_ACTION', [{ ...rule('a', 0, core), Action: { Block: {} } }]],
    ['a regular expression', 'REGEX_PATTERN_REFERENCE_STATEMENT', [rule('a', 0, regex('(a'))]],
    ['a costly expression', 'REGEX_PATTERN_REFERENCE_STATEMENT', [rule('a', 0, regex('(a{30}){30}'))]],
    [
      'two transformations of one priority',
      'TEXT_TRANSFORMATION',
      [
        rule(
          'a',
          0,
          regex('a', {
            TextTransformations: [
              { Priority: 0, Type: 'LOWERCASE' },
              { Priority: 0, Type: 'URL_DECODE' },
            ],
          }),
        ),
      ],
    ],
    ['two fields', 'FIELD_TO_MATCH', [rule('a', 0, regex('a', { FieldToMatch: { UriPath: {}, Method: {} } }))]],
    ['a window', 'RATE_BASED_STATEMENT', [rule('a', 0, rate({ EvaluationWindowSec: 90 }))]],
    ['a forwarded address', 'FORWARDED_IP_CONFIG', [rule('a', 0, rate({ AggregateKeyType: 'FORWARDED_IP' }))]],
    ['a constant', 'SCOPE_DOWN', [rule('a', 0, rate({ AggregateKeyType: 'CONSTANT' }))]],
    ['a reserved label', 'RULE', [rule('a', 0, startsWith('/a'), { RuleLabels: [{ Name: 'awswaf:x' }] })]],
    [
      'a reserved metric',
      'METRIC_NAME',
      [rule('a', 0, startsWith('/a'), { VisibilityConfig: visibility('Default_Action') })],
    ],
    [
      'a body that is not defined',
      'CUSTOM_RESPONSE',
      [
        rule('a', 0, startsWith('/a'), {
          Action: { Block: { CustomResponse: { ResponseCode: 403, CustomResponseBodyKey: 'x' } } },
        }),
      ],
    ],
    [
      'a short challenge',
      'CHALLENGE_CONFIG',
      [
        rule('a', 0, startsWith('/a'), {
          ChallengeConfig: { ImmunityTimeProperty: { ImmunityTime: 60 } },
        }),
      ],
    ],
  ])('%s', async (_name, Field, Rules) => {
    const it = await waf()
    await expect(it.create('shop', { Rules: [...Rules] })).rejects.toMatchObject({
      name: 'WAFInvalidParameterException',
      Field,
    })
  })
})

test('What would be stored without an effect is refused by name', async () => {
  const it = await waf()
  const tried = (parts: Partial<Waf.CreateWebACLCommandInput>) => it.create('shop', parts)
  const OnSourceDDoSProtectionConfig = { ALBLowReputationMode: 'ALWAYS_ON' } as const
  expect(await outcome(tried({ OnSourceDDoSProtectionConfig }))).toBe('NotImplemented')
  expect(await outcome(tried({ Rules: [rule('m', 0, startsWith('/'), { Action: { Monetize: {} } as never })] }))).toBe(
    'NotImplemented',
  )
  const protection = (FieldType: Waf.FieldToProtectType, FieldKeys?: string[]) => ({
    DataProtectionConfig: { DataProtections: [{ Field: { FieldType, FieldKeys }, Action: 'HASH' as const }] },
  })
  await expect(tried(protection('SINGLE_HEADER'))).rejects.toMatchObject({ Field: 'DATA_PROTECTION_CONFIG' })
  await expect(tried(protection('BODY', ['a']))).rejects.toMatchObject({ Field: 'DATA_PROTECTION_CONFIG' })
  expect(await outcome(tried(protection('SINGLE_HEADER', ['authorization'])))).toBe('done')
})

test('Regular expressions have a budget over all rules, and statements a depth', async () => {
  const it = await waf()
  const costly = (Name: string, Priority: number) =>
    rule(Name, Priority, {
      RegexMatchStatement: {
        RegexString: '\\pL{500}',
        FieldToMatch: { UriPath: {} },
        TextTransformations: [{ Priority: 0, Type: 'NONE' }],
      },
    })
  const rules = (count: number) => Array.from({ length: count }, (_, n) => costly(`r${n}`, n))
  expect(await outcome(it.create('five', { Rules: rules(5) }))).toBe('WAFLimitsExceededException')
  expect(await outcome(it.create('four', { Rules: rules(4) }))).toBe('done')
  const nested = (depth: number): Waf.Statement =>
    depth === 0 ? startsWith('/a') : { NotStatement: { Statement: nested(depth - 1) } }
  expect(await outcome(it.create('deep', { Rules: [rule('deep', 0, nested(21))] }))).toBe('WAFLimitsExceededException')
  expect(await outcome(it.create('flat', { Rules: [rule('flat', 0, nested(20))] }))).toBe('done')
})

test('CheckCapacity says what rules would use', async () => {
  const it = await waf()
  const check = (...Rules: Waf.Rule[]) => it.waf.send(new Waf.CheckCapacityCommand({ Scope: 'REGIONAL', Rules }))
  expect((await check(rule('core', 0, core), rule('a', 1, startsWith('/a')))).Capacity).toBe(702)
  expect(await outcome(check(rule('core', 0, core), rule('b', 0, startsWith('/b'))))).toBe(
    'WAFInvalidParameterException',
  )
})

test('Managed groups are listed and described with their rules, labels and versions', async () => {
  const it = await waf()
  const { ManagedRuleGroups } = await it.waf.send(
    new Waf.ListAvailableManagedRuleGroupsCommand({ Scope: 'REGIONAL', Limit: 5 }),
  )
  expect(ManagedRuleGroups).toHaveLength(5)
  const input = { VendorName: 'AWS', Name: 'AWSManagedRulesCommonRuleSet', Scope: 'REGIONAL' } as const
  const described = await it.waf.send(new Waf.DescribeManagedRuleGroupCommand(input))
  expect(described).toMatchObject({ Capacity: 700, LabelNamespace: 'awswaf:managed:aws:core-rule-set:' })
  expect(described.Rules).toContainEqual({ Name: 'NoUserAgent_HEADER', Action: { Block: {} } })
  expect(described.AvailableLabels).toContainEqual({ Name: 'awswaf:managed:aws:core-rule-set:NoUserAgent_Header' })
  const versions = await it.waf.send(new Waf.ListAvailableManagedRuleGroupVersionsCommand(input))
  expect(versions.CurrentDefaultVersion).toBe('Version_1.0')
  const products = await it.waf.send(
    new Waf.DescribeManagedProductsByVendorCommand({ Scope: 'REGIONAL', VendorName: 'AWS' }),
  )
  expect(products.ManagedProducts?.map(({ ManagedRuleSetName }) => ManagedRuleSetName)).toContain(input.Name)
  expect(await outcome(it.waf.send(new Waf.DescribeManagedRuleGroupCommand({ ...input, Name: 'None' })))).toBe(
    'WAFNonexistentItemException',
  )
})

test('Bot control takes the level COMMON alone, and other groups no configuration of it', async () => {
  const it = await waf()
  const tried = (Name: string, ManagedRuleGroupConfigs: Waf.ManagedRuleGroupConfig[]) =>
    outcome(
      it.create('shop', {
        Rules: [
          rule(
            'group',
            0,
            { ManagedRuleGroupStatement: { VendorName: 'AWS', Name, ManagedRuleGroupConfigs } },
            { Action: undefined, OverrideAction: { None: {} } },
          ),
        ],
      }),
    )
  const level = (InspectionLevel: Waf.InspectionLevel) => [{ AWSManagedRulesBotControlRuleSet: { InspectionLevel } }]
  expect(await tried('AWSManagedRulesCommonRuleSet', level('COMMON'))).toBe('WAFInvalidParameterException')
  expect(await tried('AWSManagedRulesBotControlRuleSet', [{ LoginPath: '/' }])).toBe('WAFInvalidParameterException')
  expect(await tried('AWSManagedRulesBotControlRuleSet', level('TARGETED'))).toBe('NotImplemented')
  expect(await tried('AWSManagedRulesBotControlRuleSet', level('COMMON'))).toBe('done')
})

test('API keys are created, read back and deleted', async () => {
  const it = await waf()
  const { APIKey } = await it.waf.send(
    new Waf.CreateAPIKeyCommand({ Scope: 'REGIONAL', TokenDomains: ['shop.example'] }),
  )
  const read = () => it.waf.send(new Waf.GetDecryptedAPIKeyCommand({ Scope: 'REGIONAL', APIKey: APIKey! }))
  expect((await read()).TokenDomains).toEqual(['shop.example'])
  const { APIKeySummaries } = await it.waf.send(new Waf.ListAPIKeysCommand({ Scope: 'REGIONAL' }))
  expect(APIKeySummaries).toEqual([expect.objectContaining({ APIKey, TokenDomains: ['shop.example'] })])
  await it.waf.send(new Waf.DeleteAPIKeyCommand({ Scope: 'REGIONAL', APIKey: APIKey! }))
  expect(await outcome(read())).toBe('WAFNonexistentItemException')
})
