/** Rule groups: rules under one immutable capacity, which web ACLs refer to. */
import type { Rule } from '@aws-sdk/client-wafv2'
import { fromJson, type Json } from '../../engines/waf/json.ts'
import { assertVisibility } from './actions.ts'
import { associated, wafv2 } from './faults.ts'
import { listed } from './lists.ts'
import {
  assertRoom,
  assertUnchanged,
  entity,
  entityOrArn,
  isReferenced,
  newEntity,
  newRow,
  type RuleGroupRow,
  ruleGroup,
  type ScopeName,
  summaryOf,
} from './resources.ts'
import { consumedLabels, providedLabels, referencesOf } from './rule-contents.ts'
import { assertCapacity, checkRules, replaceReferences } from './rules.ts'

export const groupNamespace = ({ account, name }: Pick<RuleGroupRow, 'account' | 'name'>): string =>
  `awswaf:${account}:rulegroup:${name}:`

export const createRuleGroup = wafv2
  .operation('CreateRuleGroup')
  .on(newEntity(ruleGroup))
  .run(async (call, input, target) => {
    const { Rules = [], CustomResponseBodies: bodies, Capacity } = input
    const scope = target.id.Scope as ScopeName
    assertVisibility(input.VisibilityConfig)
    assertCapacity(Number(Capacity), call.quotas['wafv2/WebACLCapacity']!)
    const { rules, capacity, references } = await checkRules(
      call,
      { scope, kind: 'rule-group', bodies },
      Rules as Rule[],
    )
    assertCapacity(capacity, Number(Capacity))
    await assertRoom(call, ruleGroup, target, 'RuleGroupsPerAccount')
    const row: RuleGroupRow = {
      ...newRow(call, target, input.Description),
      capacity: Number(Capacity),
      rules,
      visibility: input.VisibilityConfig,
      customResponseBodies: bodies,
      tags: target.tags,
    }
    target.create(row)
    replaceReferences(call.unit, target.arn, [], references)
    return { Summary: summaryOf(row, target.arn) }
  })

export const getRuleGroup = wafv2
  .operation('GetRuleGroup')
  .on(entityOrArn(ruleGroup))
  .run((_call, _input, { row, arn }) => {
    const labelNamespace = groupNamespace(row)
    return {
      RuleGroup: {
        Name: row.name,
        Id: row.id,
        Capacity: row.capacity,
        ARN: arn,
        ...(row.description !== undefined && { Description: row.description }),
        Rules: row.rules.map((rule) => fromJson<Rule>(rule as Json<Rule>)),
        VisibilityConfig: row.visibility,
        LabelNamespace: labelNamespace,
        ...(row.customResponseBodies && { CustomResponseBodies: { ...row.customResponseBodies } }),
        AvailableLabels: providedLabels(row.rules, labelNamespace),
        ConsumedLabels: consumedLabels(row.rules),
      },
      LockToken: row.lockToken,
    }
  })

export const listRuleGroups = wafv2
  .operation('ListRuleGroups')
  .on(ruleGroup.collection())
  .run(async (call, input, groups) => {
    const { items, next } = await listed(call, input, groups)
    return { RuleGroups: items.map((row) => summaryOf(row, ruleGroup.arnOf(row, row))), ...next }
  })

export const updateRuleGroup = wafv2
  .operation('UpdateRuleGroup')
  .on(entity(ruleGroup))
  .run(async (call, input, { row, arn, save }) => {
    const { Rules = [], CustomResponseBodies: bodies } = input
    assertUnchanged(row, input.LockToken)
    assertVisibility(input.VisibilityConfig)
    const owner = { scope: row.scope, kind: 'rule-group', bodies } as const
    const { rules, capacity, references } = await checkRules(call, owner, Rules as Rule[])
    assertCapacity(capacity, row.capacity)
    const lockToken = call.newId()
    replaceReferences(call.unit, arn, referencesOf(row.rules), references)
    save({
      ...row,
      rules,
      visibility: input.VisibilityConfig,
      customResponseBodies: bodies,
      description: input.Description,
      lockToken,
    })
    return { NextLockToken: lockToken }
  })

export const deleteRuleGroup = wafv2
  .operation('DeleteRuleGroup')
  .on(entity(ruleGroup))
  .run(async (call, input, { row, arn, remove }) => {
    assertUnchanged(row, input.LockToken)
    if (await isReferenced(call.unit, arn)) throw associated()
    replaceReferences(call.unit, arn, referencesOf(row.rules), [])
    remove()
    return {}
  })
