/** Rules of listeners: evaluated by ascending priority; the default rule comes last. */
import type { Call } from '../../kernel/gate/call.ts'
import { anything, type Target } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { checkedActions } from './actions.ts'
import { checkedConditions } from './conditions.ts'
import { listenerOf } from './listeners.ts'
import { PAGE_MAX } from './load-balancers.ts'
import {
  badMarker,
  below,
  elb,
  invalid,
  type ListenerRow,
  listener,
  loadBalancer,
  newId,
  notImplemented,
  type RuleRow,
  rule,
} from './resources.ts'

export const shownRule = (call: Call, row: RuleRow) => ({
  RuleArn: rule.arnOf(call, row),
  Priority: row.priority === undefined ? 'default' : String(row.priority),
  Conditions: [...row.conditions],
  Actions: [...row.actions],
  IsDefault: row.priority === undefined,
})

async function rulesOf(call: Call, row: ListenerRow): Promise<readonly RuleRow[]> {
  const prefix = below('rule', call, row.loadBalancerName, row.loadBalancerId, row.id)
  return (await call.unit.range<RuleRow>(prefix)).map(({ document }) => document)
}

const vpcOf = async (call: Call, { loadBalancerName, loadBalancerId }: ListenerRow | RuleRow): Promise<string> =>
  (await loadBalancer.require(call, { LoadBalancerName: loadBalancerName, LoadBalancerId: loadBalancerId })).vpcId

function assertFree(rows: readonly RuleRow[], priority: number, except?: string): void {
  if (rows.some((row) => row.priority === priority && row.id !== except))
    throw elb.fail('PriorityInUseException', `Priority '${priority}' is currently in use`)
}

export const createRule = elb
  .operation('CreateRule')
  .on({
    ...listener.named('ListenerArn'),
    find: async (call, input) => {
      const resolved = await listener.find(call, input.ListenerArn ?? '', input)
      const owner = resolved.row?.id ?? { LoadBalancerName: 'x', LoadBalancerId: newId(), ListenerId: newId() }
      const made = rule.created(() => ({ ...owner, ListenerRuleId: newId() }), { generated: true, authorizedOn: '*' })
      const { row, tagging } = await made.find(call, input)
      return { ...resolved, row: resolved.row && { owner: resolved.row.row, made: row! }, tagging }
    },
  })
  .run(async (call, input, { owner, made }) => {
    if (input.Transforms?.length) throw notImplemented('transforms of rules')
    const { Priority: priority } = input
    if (priority === undefined) throw invalid('A rule priority must be specified')
    const conditions = checkedConditions(input.Conditions)
    const actions = await checkedActions(call, input.Actions, await vpcOf(call, owner))
    const siblings = await rulesOf(call, owner)
    assertFree(siblings, priority)
    const max = call.quotas['elasticloadbalancing/RulesPerListener']!
    if (siblings.length > max)
      throw elb.fail('TooManyRulesException', `The maximum number of rules, ${max}, has been reached`)
    const row = made.create({
      account: call.account,
      region: call.region,
      loadBalancerName: owner.loadBalancerName,
      loadBalancerId: owner.loadBalancerId,
      listenerId: owner.id,
      id: made.id.ListenerRuleId,
      priority,
      conditions,
      actions,
      tags: made.tags,
    })
    return { Rules: [shownRule(call, row)] }
  })

/** By priority, the default rule last. */
const orderOf = ({ priority }: RuleRow): string => String(priority ?? 99_999).padStart(5, '0')

export const describeRules = elb
  .operation('DescribeRules')
  .on(anything)
  .run(async (call, input) => {
    const { RuleArns: arns = [], ListenerArn, Marker, PageSize } = input
    if (arns.length > 0 === (ListenerArn !== undefined))
      throw invalid('You must specify either listener rule ARNs or a listener ARN')
    const rows: RuleRow[] = []
    if (ListenerArn !== undefined) rows.push(...(await rulesOf(call, await listenerOf(call, ListenerArn))))
    for (const arn of new Set(arns)) {
      const { row, missing } = await rule.find(call, arn, {}, { ownAccount: true })
      if (!row) throw missing!()
      rows.push(row.row)
    }
    const { items, next } = await pageOf(call, rows, (row) => `${orderOf(row)} ${row.id}`, {
      token: Marker,
      size: PageSize ?? PAGE_MAX,
      query: { arns, ListenerArn },
      bad: badMarker,
    })
    return { Rules: items.map((row) => shownRule(call, row)), ...(next !== undefined && { NextMarker: next }) }
  })

export const modifyRule = elb
  .operation('ModifyRule')
  .on(rule.named('RuleArn'))
  .run(async (call, input, { row, arn, save }) => {
    if (row.priority === undefined)
      throw elb.fail('OperationNotPermittedException', `Default rule '${arn}' cannot be modified`)
    if (input.Transforms?.length) throw notImplemented('transforms of rules')
    const conditions = input.Conditions?.length ? checkedConditions(input.Conditions) : row.conditions
    const actions = input.Actions?.length
      ? await checkedActions(call, input.Actions, await vpcOf(call, row))
      : row.actions
    return { Rules: [shownRule(call, save({ ...row, conditions, actions }))] }
  })

export const deleteRule = elb
  .operation('DeleteRule')
  .on(rule.named('RuleArn'))
  .run((_call, _input, { row, arn, remove }) => {
    if (row.priority === undefined)
      throw elb.fail('OperationNotPermittedException', `Default rule '${arn}' cannot be deleted`)
    remove()
    return {}
  })

type Priorities = { readonly RulePriorities?: readonly { readonly RuleArn?: string | undefined }[] | undefined }

/** The kernel authorizes the first rule, the operation the others. */
const prioritized: Target<Priorities, Awaited<ReturnType<typeof rule.find>>> = {
  find: async (call, { RulePriorities = [] }) => {
    const { acted, ...found } = await rule.find(call, RulePriorities[0]?.RuleArn ?? '')
    return { acted, row: { acted, ...found } }
  },
}

export const setRulePriorities = elb
  .operation('SetRulePriorities')
  .on(prioritized)
  .run(async (call, { RulePriorities = [] }, first) => {
    const found = [first]
    for (const { RuleArn = '' } of RulePriorities.slice(1)) {
      const next = await rule.find(call, RuleArn)
      await call.authorize('elasticloadbalancing:SetRulePriorities', next.acted!)
      found.push(next)
    }
    const changed = found.map(({ row, missing }, index) => {
      if (!row) throw missing!()
      const { Priority } = RulePriorities[index]!
      if (row.row.priority === undefined)
        throw elb.fail('OperationNotPermittedException', `Default rule '${row.arn}' cannot be modified`)
      if (Priority === undefined || Priority < 1 || Priority > 50_000)
        throw invalid("Priority must be between '1' and '50000'")
      return { ...row.row, priority: Priority }
    })
    if (new Set(changed.map(({ listenerId }) => listenerId)).size > 1)
      throw invalid('All rules must belong to the same listener')
    const ids = new Set(changed.map(({ id }) => id))
    const owner = await listener.require(call, {
      LoadBalancerName: changed[0]!.loadBalancerName,
      LoadBalancerId: changed[0]!.loadBalancerId,
      ListenerId: changed[0]!.listenerId,
    })
    const others = (await rulesOf(call, owner)).filter(({ id }) => !ids.has(id))
    for (const [index, row] of changed.entries()) assertFree([...others, ...changed.slice(0, index)], row.priority)
    for (const row of changed) rule.put(call.unit, call, row)
    return { Rules: changed.map((row) => shownRule(call, row)) }
  })
