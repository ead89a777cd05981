/** Tags of load balancers, listeners, rules and target groups: requests name several at once. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { mergedTags, requestedTags, requestTagConditions } from '../../kernel/resource/tag-rules.ts'
import { listTags, withoutTags } from '../../kernel/resource/tags.ts'
import { anything, type ResolvedTarget, type Target } from '../../kernel/resource/target.ts'
import { elb, invalid, listener, loadBalancer, rule, targetGroup } from './resources.ts'

const ARNS_MAX = 20
const rules = loadBalancer.spec.tags!

interface Tagged {
  readonly arn: string
  readonly row: { readonly tags?: Tags }
  setTags(tags: Tags): void
}

/** A resource of any type. Throws for a text that is no ARN of one. */
async function find(call: Call, arn: string): Promise<ResolvedTarget<Tagged>> {
  const resource = arn.split(':').slice(5).join(':')
  const by = async (): Promise<ResolvedTarget<Tagged>> => {
    if (resource.startsWith('loadbalancer/')) return tagged(await loadBalancer.find(call, arn))
    if (resource.startsWith('listener/')) return tagged(await listener.find(call, arn))
    if (resource.startsWith('listener-rule/')) return tagged(await rule.find(call, arn))
    if (resource.startsWith('targetgroup/')) return tagged(await targetGroup.find(call, arn))
    throw invalid(`'${arn}' is not a valid load balancer, listener, rule or target group ARN`)
  }
  return by()
}

const tagged = <R extends { readonly tags?: Tags }>({
  row,
  ...resolved
}: ResolvedTarget<{ readonly arn: string; readonly row: R; save(row: R): R }>): ResolvedTarget<Tagged> => ({
  ...resolved,
  row: row && { arn: row.arn, row: row.row, setTags: (tags) => void row.save({ ...row.row, tags }) },
})

type Arns = { readonly ResourceArns?: readonly string[] | undefined }

/** The kernel authorizes the first resource, {@link everyResource} the others. */
const named: Target<Arns, ResolvedTarget<Tagged>> = {
  find: async (call, { ResourceArns = [] }) => {
    const first = await find(call, ResourceArns[0] ?? '')
    return { acted: first.acted, row: first }
  },
}

/** All permissions come before what exists. */
async function everyResource(
  call: Call,
  action: string,
  arns: readonly string[] = [],
  first: ResolvedTarget<Tagged>,
  conditions: Parameters<Call['authorize']>[2],
): Promise<readonly Tagged[]> {
  if (arns.length > ARNS_MAX) throw invalid(`At most ${ARNS_MAX} resources can be specified`)
  const found = [first]
  for (const arn of arns.slice(1)) {
    const next = await find(call, arn)
    await call.authorize(action, next.acted!, conditions)
    found.push(next)
  }
  return found.map(({ row, missing }) => {
    if (!row) throw missing!()
    return row
  })
}

export const addTags = elb
  .operation('AddTags')
  .on(named)
  .conditions((input) => requestTagConditions(requestedTags(rules, input)))
  .run(async (call, input, first) => {
    const pairs = requestedTags(rules, input)
    const action = 'elasticloadbalancing:AddTags'
    for (const each of await everyResource(call, action, input.ResourceArns, first, requestTagConditions(pairs)))
      each.setTags(mergedTags(rules, each.row.tags, pairs))
    return {}
  })

export const removeTags = elb
  .operation('RemoveTags')
  .on(named)
  .conditions(({ TagKeys }) => (TagKeys?.length ? { 'aws:TagKeys': [...TagKeys] } : {}))
  .run(async (call, { ResourceArns, TagKeys = [] }, first) => {
    const action = 'elasticloadbalancing:RemoveTags'
    for (const each of await everyResource(call, action, ResourceArns, first, { 'aws:TagKeys': [...TagKeys] }))
      each.setTags(withoutTags(each.row.tags, TagKeys))
    return {}
  })

/** Authorized on `*`: other accounts' resources are not found. */
export const describeTags = elb
  .operation('DescribeTags')
  .on(anything)
  .run(async (call, { ResourceArns = [] }) => {
    if (ResourceArns.length > ARNS_MAX) throw invalid(`At most ${ARNS_MAX} resources can be specified`)
    const TagDescriptions = []
    for (const arn of ResourceArns) {
      const { row, missing } = await find(call, arn)
      if (!row) throw missing!()
      TagDescriptions.push({ ResourceArn: arn, Tags: listTags(row.row.tags) })
    }
    return { TagDescriptions }
  })
