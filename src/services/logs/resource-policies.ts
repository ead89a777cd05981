/** Resource policies: which services of AWS may write to the account's log groups. */
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { PolicyError, parsePolicy } from '../../policy/index.ts'
import { badToken, invalid, logs, notImplemented } from './faults.ts'
import { type PoliciesRow, type PolicyRow, policiesKey } from './policy-rows.ts'

/** Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
const LENGTH_MAX = 5_120
const SIZE_DEFAULT = 50

const shown = ({ name, document, updatedAt }: PolicyRow) => ({
  policyName: name,
  policyDocument: document,
  lastUpdatedTime: updatedAt,
  policyScope: 'ACCOUNT' as const,
})

const perGroup = () => notImplemented('resource policies of one log group (resourceArn)')

function assertDocument(text: string): void {
  if (text.length > LENGTH_MAX) throw invalid(`A resource policy has at most ${LENGTH_MAX} characters.`)
  try {
    parsePolicy(text, 'resource')
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw invalid(`Invalid policy document: ${error.message}`)
  }
}

export const putResourcePolicy = logs
  .operation('PutResourcePolicy')
  .on(anything)
  .run(async (call, { policyName, policyDocument, resourceArn }) => {
    if (resourceArn !== undefined) throw perGroup()
    if (!policyName) throw invalid('Specify policyName.')
    if (policyDocument === undefined) throw invalid('Specify policyDocument.')
    assertDocument(policyDocument)
    const { policies = [] } = (await call.unit.get<PoliciesRow>(policiesKey(call))) ?? {}
    const others = policies.filter(({ name }) => name !== policyName)
    if (others.length >= (call.quotas['logs/ResourcePoliciesPerRegion'] ?? Number.POSITIVE_INFINITY))
      throw logs.fail('LimitExceededException', 'Resource limit exceeded.')
    const row: PolicyRow = { name: policyName, document: policyDocument, updatedAt: call.now }
    call.unit.put(policiesKey(call), { policies: [...others, row] } satisfies PoliciesRow)
    return { resourcePolicy: shown(row) }
  })

export const deleteResourcePolicy = logs
  .operation('DeleteResourcePolicy')
  .on(anything)
  .run(async (call, { policyName, resourceArn }) => {
    if (resourceArn !== undefined) throw perGroup()
    const { policies = [] } = (await call.unit.get<PoliciesRow>(policiesKey(call))) ?? {}
    const left = policies.filter(({ name }) => name !== policyName)
    if (left.length === policies.length)
      throw logs.fail('ResourceNotFoundException', `Policy with name [${policyName}] does not exist.`)
    call.unit.put(policiesKey(call), { policies: left } satisfies PoliciesRow)
    return {}
  })

export const describeResourcePolicies = logs
  .operation('DescribeResourcePolicies')
  .on(anything)
  .run(async (call, { nextToken, limit, resourceArn, policyScope }) => {
    if (resourceArn !== undefined || policyScope === 'RESOURCE') throw perGroup()
    const { policies = [] } = (await call.unit.get<PoliciesRow>(policiesKey(call))) ?? {}
    const { items, next } = await pageOf(call, policies, ({ name }) => name, {
      token: nextToken,
      size: limit ?? SIZE_DEFAULT,
      query: null,
      bad: badToken,
    })
    return { resourcePolicies: items.map(shown), ...(next !== undefined && { nextToken: next }) }
  })
