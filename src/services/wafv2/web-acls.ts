/** Web ACLs: created, shown, listed, replaced and deleted under their lock tokens. */

import type * as WAFV2 from '@aws-sdk/client-wafv2'
import type { AssociationConfig, FirewallManagerRuleGroup, Rule, WebACL } from '@aws-sdk/client-wafv2'
import { fromJson, type Json } from '../../engines/waf/json.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { anything } from '../../kernel/resource/target.ts'
import type { Input } from '../../wire/typed.ts'
import { assertAction, assertDataProtection, assertTokenConfigs, assertVisibility } from './actions.ts'
import { associationsOf } from './association-rows.ts'
import { associated, invalidOperation, invalidParameter, limitExceeded, notImplemented, wafv2 } from './faults.ts'
import { listed } from './lists.ts'
import { loggingKey } from './logging-rows.ts'
import {
  assertRoom,
  assertUnchanged,
  entity,
  entityOrArn,
  newEntity,
  newRow,
  type ScopeName,
  scopeName,
  summaryOf,
  type WebAclRow,
  webAcl,
} from './resources.ts'
import { referencesOf } from './rule-contents.ts'
import { assertCapacity, checkRules, replaceReferences } from './rules.ts'

export const aclNamespace = ({ account, name }: Pick<WebAclRow, 'account' | 'name'>): string =>
  `awswaf:${account}:webacl:${name}:`

type Settings = Omit<Input<typeof WAFV2, 'CreateWebACL'>, 'Name' | 'Scope' | 'Tags'>

const TOKEN_DOMAINS_MAX = 10
const DOMAIN = /^(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/i

/** Throws for settings that are not valid; returns them as rows keep them, with what the rules refer to. */
async function checkSettings(
  call: Call,
  input: Settings,
  scope: ScopeName,
): Promise<{
  readonly settings: Omit<WebAclRow, keyof ReturnType<typeof newRow>>
  readonly references: readonly string[]
}> {
  const { Rules = [], CustomResponseBodies: bodies, TokenDomains = [] } = input
  assertVisibility(input.VisibilityConfig)
  assertAction(input.DefaultAction, bodies, 'DEFAULT_ACTION')
  assertTokenConfigs(input)
  if (input.MonetizationConfig) throw notImplemented('MonetizationConfig')
  if (input.OnSourceDDoSProtectionConfig) throw notImplemented('OnSourceDDoSProtectionConfig')
  assertDataProtection(input.DataProtectionConfig)
  if (TokenDomains.length > TOKEN_DOMAINS_MAX) throw limitExceeded('TOKEN_DOMAINS')
  for (const domain of TokenDomains)
    if (!DOMAIN.test(domain)) throw invalidParameter('TOKEN_DOMAIN', domain, 'The token domain is not valid.')
  const { rules, capacity, references } = await checkRules(call, { scope, kind: 'web-acl', bodies }, Rules as Rule[])
  assertCapacity(capacity, call.quotas['wafv2/WebACLCapacity']!)
  return {
    references,
    settings: {
      capacity,
      rules,
      defaultAction: input.DefaultAction,
      visibility: input.VisibilityConfig,
      customResponseBodies: bodies,
      captchaConfig: input.CaptchaConfig,
      challengeConfig: input.ChallengeConfig,
      tokenDomains: input.TokenDomains,
      associationConfig: input.AssociationConfig as AssociationConfig | undefined,
      dataProtectionConfig: input.DataProtectionConfig,
      applicationConfig: input.ApplicationConfig,
    },
  }
}

/** As the API shows it. Members without a value are left out: clients compare. */
export function shownWebAcl(row: WebAclRow, arn: string): WebACL {
  const optional: Partial<WebACL> = {
    Description: row.description,
    DataProtectionConfig: row.dataProtectionConfig,
    PreProcessFirewallManagerRuleGroups: row.preProcess?.map((group) => fromJson<FirewallManagerRuleGroup>(group)),
    PostProcessFirewallManagerRuleGroups: row.postProcess?.map((group) => fromJson<FirewallManagerRuleGroup>(group)),
    CustomResponseBodies: row.customResponseBodies && { ...row.customResponseBodies },
    CaptchaConfig: row.captchaConfig,
    ChallengeConfig: row.challengeConfig,
    TokenDomains: row.tokenDomains && [...row.tokenDomains],
    AssociationConfig: row.associationConfig,
    ApplicationConfig: row.applicationConfig,
  }
  return {
    Name: row.name,
    Id: row.id,
    ARN: arn,
    DefaultAction: row.defaultAction,
    Rules: row.rules.map((rule) => fromJson<Rule>(rule as Json<Rule>)),
    VisibilityConfig: row.visibility,
    Capacity: row.capacity,
    ManagedByFirewallManager: false,
    LabelNamespace: aclNamespace(row),
    RetrofittedByFirewallManager: false,
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<WebACL>),
  }
}

export const createWebAcl = wafv2
  .operation('CreateWebACL')
  .on(newEntity(webAcl))
  .run(async (call, input, target) => {
    const { settings, references } = await checkSettings(call, input, target.id.Scope as ScopeName)
    await assertRoom(call, webAcl, target, 'WebACLsPerAccount')
    const row: WebAclRow = { ...newRow(call, target, input.Description), ...settings, tags: target.tags }
    target.create(row)
    replaceReferences(call.unit, target.arn, [], references)
    return { Summary: summaryOf(row, target.arn) }
  })

export const getWebAcl = wafv2
  .operation('GetWebACL')
  .on(entityOrArn(webAcl))
  .run((_call, _input, { row, arn }) => ({ WebACL: shownWebAcl(row, arn), LockToken: row.lockToken }))

export const listWebAcls = wafv2
  .operation('ListWebACLs')
  .on(webAcl.collection())
  .run(async (call, input, acls) => {
    const { items, next } = await listed(call, input, acls)
    return { WebACLs: items.map((row) => summaryOf(row, webAcl.arnOf(row, row))), ...next }
  })

export const updateWebAcl = wafv2
  .operation('UpdateWebACL')
  .on(entity(webAcl))
  .run(async (call, input, { row, arn, save }) => {
    assertUnchanged(row, input.LockToken)
    const { settings, references } = await checkSettings(call, input, row.scope)
    const lockToken = call.newId()
    replaceReferences(call.unit, arn, referencesOf(row.rules), references)
    save({ ...row, ...settings, description: input.Description, lockToken })
    return { NextLockToken: lockToken }
  })

export const deleteWebAcl = wafv2
  .operation('DeleteWebACL')
  .on(entity(webAcl))
  .run(async (call, input, { row, arn, remove }) => {
    assertUnchanged(row, input.LockToken)
    if ((await associationsOf(call, arn)).length > 0) throw associated()
    replaceReferences(call.unit, arn, referencesOf(row.rules), [])
    call.unit.delete(loggingKey(arn))
    remove()
    return {}
  })

export const checkCapacity = wafv2
  .operation('CheckCapacity')
  .on(anything)
  .run(async (call, { Scope, Rules }) => {
    const owner = { scope: scopeName(call, Scope), kind: 'web-acl', bodies: 'unknown' } as const
    const { capacity } = await checkRules(call, owner, Rules as Rule[], { isAuthorized: false })
    return { Capacity: capacity }
  })

/** Firewall Manager's groups leave a web ACL together. */
export const deleteFirewallManagerRuleGroups = wafv2
  .operation('DeleteFirewallManagerRuleGroups')
  .on(webAcl.named('WebACLArn', { ownAccount: true }))
  .run((call, input, { row, save }) => {
    assertUnchanged(row, input.WebACLLockToken)
    if (!row.preProcess?.length && !row.postProcess?.length)
      throw invalidOperation('The web ACL has no rule groups of Firewall Manager.')
    const { preProcess: _pre, postProcess: _post, ...rest } = row
    const lockToken = call.newId()
    save({ ...rest, lockToken })
    return { NextWebACLLockToken: lockToken }
  })
