/**
 * Rules of a web ACL or rule group: checked as a whole before they are stored. What is stored can be evaluated, and everything
 * that it refers to exists.
 */
import type { Rule } from '@aws-sdk/client-wafv2'
import { capacityOf } from '../../engines/waf/capacity.ts'
import { type Json, toJson } from '../../engines/waf/json.ts'
import { managedGroupOf } from '../../engines/waf/managed/index.ts'
import { UnevaluableRuleError } from '../../engines/waf/statement.ts'
import { compileWebAcl } from '../../engines/waf/web-acl.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { key, type Unit } from '../../store/store.ts'
import {
  assertAction,
  assertBodies,
  assertLabels,
  assertOverride,
  assertTokenConfigs,
  assertVisibility,
  type Bodies,
  EXACTLY_ONE,
} from './actions.ts'
import { invalidParameter, limitExceeded, nonexistent, notImplemented, wafv2 } from './faults.ts'
import {
  type EntityRow,
  type EntityType,
  ipSet,
  type RuleGroupRow,
  referencesTo,
  regexPatternSet,
  ruleGroup,
  type ScopeName,
} from './resources.ts'
import { type Gathered, gatherStatement, nothingGathered } from './statements.ts'

export interface RulesOwner {
  readonly scope: ScopeName
  readonly kind: 'web-acl' | 'rule-group'
  readonly bodies: Bodies
}

export interface CheckedRules {
  readonly rules: readonly Json<Rule>[]
  /** In web ACL capacity units. */
  readonly capacity: number
  /** ARNs of everything of the account that the rules refer to. */
  readonly references: readonly string[]
}

/** Throws the fault of the first thing that is wrong. `isAuthorized`: the caller must be allowed to use what rules refer to. */
export async function checkRules(
  call: Call,
  owner: RulesOwner,
  rules: readonly Rule[],
  { isAuthorized = true }: { readonly isAuthorized?: boolean } = {},
): Promise<CheckedRules> {
  const gathered = nothingGathered()
  assertBodies(owner.bodies)
  assertUnique(rules)
  for (const rule of rules) checkRule(owner, rule, gathered)
  const rateQuota = owner.kind === 'web-acl' ? 'RateBasedRulesPerWebACL' : 'RateBasedRulesPerRuleGroup'
  if (gathered.rates > call.quotas[`wafv2/${rateQuota}`]!) throw limitExceeded(rateQuota)
  const references = [...gathered.ipSets, ...gathered.regexPatternSets, ...gathered.ruleGroups.map(({ ARN }) => ARN!)]
  if (references.length > call.quotas['wafv2/ReferencesPerEntity']!) throw limitExceeded('ReferencesPerEntity')
  checkManagedGroups(gathered)
  const groups = await resolve(call, owner, gathered, isAuthorized)
  assertEvaluable(rules)
  return {
    rules: rules.map((rule) => toJson(rule)),
    capacity: capacityOf(rules, {
      ruleGroup: (arn) => groups.get(arn)?.capacity,
      managedRuleGroup: (vendor, name) => managedGroupOf(vendor, name)?.capacity,
    }),
    references: [...new Set(references)],
  }
}

/** Compiles the rules, with nothing in what they refer to: what is stored can be evaluated. */
function assertEvaluable(rules: readonly Rule[]): void {
  const group = { id: '', labelNamespace: '', rules: [] }
  try {
    compileWebAcl(
      { arn: '', name: '', labelNamespace: '', defaultAction: {}, rules },
      { ipSet: () => [], regexPatternSet: () => [], ruleGroup: () => group, managedRuleGroup: () => group },
    )
  } catch (error) {
    if (!(error instanceof UnevaluableRuleError)) throw error
    throw invalidParameter('STATEMENT', 'Statement', error.message)
  }
}

function assertUnique(rules: readonly Rule[]): void {
  const [names, priorities] = [new Set<string>(), new Set<number>()]
  for (const { Name = '', Priority } of rules) {
    if (names.has(Name)) throw invalidParameter('RULE', Name, 'The rule names must be unique.')
    if (priorities.has(Number(Priority)))
      throw invalidParameter('RULE', String(Priority), 'The rule priorities must be unique.')
    names.add(Name)
    priorities.add(Number(Priority))
  }
}

function checkRule(owner: RulesOwner, rule: Rule, gathered: Gathered): void {
  const { Name = '', Statement: statement = {}, Action, OverrideAction } = rule
  assertVisibility(rule.VisibilityConfig!)
  assertLabels(rule)
  assertTokenConfigs(rule)
  gatherStatement(statement, gathered, owner.kind === 'web-acl' ? 'groups' : 'rates')
  const isGroup =
    statement.RuleGroupReferenceStatement !== undefined || statement.ManagedRuleGroupStatement !== undefined
  if (isGroup ? !OverrideAction || Action : !Action || OverrideAction)
    throw invalidParameter(isGroup ? 'OVERRIDE_ACTION' : 'RULE_ACTION', Name, EXACTLY_ONE)
  if (OverrideAction) assertOverride(OverrideAction)
  if (Action) assertAction(Action, owner.bodies, 'RULE_ACTION')
  const overrides = (statement.RuleGroupReferenceStatement ?? statement.ManagedRuleGroupStatement)?.RuleActionOverrides
  for (const { ActionToUse } of overrides ?? []) assertAction(ActionToUse!, owner.bodies, 'RULE_ACTION')
}

/** Names that are not rules of the group are ignored, as AWS does for managed groups. */
function checkManagedGroups({ managedGroups }: Gathered): void {
  for (const { VendorName = '', Name = '', Version, ManagedRuleGroupConfigs = [] } of managedGroups) {
    const group = managedGroupOf(VendorName, Name)
    if (!group) {
      if (VendorName === 'AWS' && AWS_GROUPS_ABSENT.includes(Name)) throw notImplemented(`the rule group ${Name}`)
      throw nonexistent()
    }
    if (Version !== undefined && !group.versions.includes(Version)) throw nonexistent()
    for (const { AWSManagedRulesBotControlRuleSet: bots } of ManagedRuleGroupConfigs) {
      if (Name !== 'AWSManagedRulesBotControlRuleSet' || !bots)
        throw invalidParameter('MANAGED_RULE_GROUP_CONFIG', Name, 'The rule group takes no such configuration.')
      if (bots.InspectionLevel !== 'COMMON') throw notImplemented('the inspection level TARGETED of bot control')
    }
  }
}

/** Groups of AWS whose content is not built. */
export const AWS_GROUPS_ABSENT: readonly string[] = [
  'AWSManagedRulesACFPRuleSet',
  'AWSManagedRulesATPRuleSet',
  'AWSManagedRulesAntiDDoSRuleSet',
]

/** Looks everything up, with permission; returns the rule groups. */
async function resolve(
  call: Call,
  { scope }: RulesOwner,
  gathered: Gathered,
  isAuthorized: boolean,
): Promise<ReadonlyMap<string, RuleGroupRow>> {
  const required = async <R extends EntityRow>(type: EntityType<R>, arn: string): Promise<R> => {
    const found = await type.find(call, arn)
    if (isAuthorized && found.acted) await call.authorize(`wafv2:${call.operation}`, found.acted)
    if (!found.row) throw found.missing!()
    if (found.row.row.scope !== scope)
      throw invalidParameter('SCOPE_VALUE', arn, 'The resource belongs to another scope.')
    return found.row.row
  }
  for (const arn of gathered.ipSets) await required(ipSet, arn)
  for (const arn of gathered.regexPatternSets) await required(regexPatternSet, arn)
  const groups = new Map<string, RuleGroupRow>()
  for (const { ARN = '', ExcludedRules = [], RuleActionOverrides = [] } of gathered.ruleGroups) {
    const group = groups.get(ARN) ?? (await required(ruleGroup, ARN))
    groups.set(ARN, group)
    const names = new Set(group.rules.map(({ Name }) => Name))
    const unknown = [...ExcludedRules, ...RuleActionOverrides].find(({ Name }) => !names.has(Name))
    if (unknown) throw invalidParameter('EXCLUDED_RULE', unknown.Name!, 'The rule group has no rule of this name.')
  }
  return groups
}

/** Records what an owner refers to, in place of what it referred to before. */
export function replaceReferences(
  unit: Unit,
  ownerArn: string,
  before: readonly string[],
  after: readonly string[],
): void {
  const at = (arn: string) => referencesTo(arn) + key(ownerArn)
  for (const arn of before) if (!after.includes(arn)) unit.delete(at(arn))
  for (const arn of after) if (!before.includes(arn)) unit.put(at(arn), { owner: ownerArn })
}

/** Throws where rules use more than is allowed. */
export function assertCapacity(used: number, allowed: number): void {
  if (used <= allowed) return
  throw wafv2.fail(
    'WAFLimitsExceededException',
    `AWS WAF couldn’t perform the operation because you exceeded your resource limit: the rules use ${used} capacity units of ${allowed}.`,
    { SourceType: 'CAPACITY' },
  )
}
