/** Policies by which other accounts may use a rule group. */
import { pinPolicy, shownPolicy } from '../../kernel/resource/pinned.ts'
import { PolicyError } from '../../policy/index.ts'
import { nonexistent, wafv2 } from './faults.ts'
import { ruleGroup } from './resources.ts'

/** Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_PutPermissionPolicy.html */
const ACTIONS = ['wafv2:createwebacl', 'wafv2:updatewebacl', 'wafv2:putfirewallmanagerrulegroups', 'wafv2:getrulegroup']

const invalidPolicy = (reason: string) =>
  wafv2.fail(
    'WAFInvalidPermissionPolicyException',
    `The operation failed because the specified policy isn't in the proper format: ${reason}`,
  )

interface PolicyStatement {
  readonly Effect?: unknown
  readonly Action?: unknown
  readonly Principal?: unknown
  readonly Resource?: unknown
}

/** The policy with the resource that AWS leaves out: it is the rule group itself. Throws for a document that is not allowed. */
function completed(text: string, arn: string): string {
  let document: { readonly Statement?: unknown }
  try {
    document = JSON.parse(text)
  } catch {
    throw invalidPolicy('it is not JSON.')
  }
  const statements = [document?.Statement ?? []].flat() as readonly PolicyStatement[]
  if (statements.length === 0) throw invalidPolicy('it has no statement.')
  for (const { Effect, Action, Principal, Resource } of statements) {
    if (Effect !== 'Allow') throw invalidPolicy('the effect must be Allow.')
    if (Principal === undefined) throw invalidPolicy('a principal is missing.')
    if (Resource !== undefined) throw invalidPolicy('it must not have a Resource.')
    const actions = [Action ?? []].flat().map((action) => String(action).toLowerCase())
    if (actions.length === 0 || actions.some((action) => !ACTIONS.includes(action)))
      throw invalidPolicy(`the actions can only be ${ACTIONS.join(', ')}.`)
  }
  return JSON.stringify({ ...document, Statement: statements.map((each) => ({ ...each, Resource: arn })) })
}

/** As it was put: without the resource. */
function withoutResource(text: string): string {
  const { Statement, ...rest } = JSON.parse(text) as { readonly Statement: readonly PolicyStatement[] }
  return JSON.stringify({ ...rest, Statement: Statement.map(({ Resource: _, ...each }) => each) })
}

export const putPermissionPolicy = wafv2
  .operation('PutPermissionPolicy')
  .on(ruleGroup.named('ResourceArn', { ownAccount: true }))
  .run(async (call, { Policy }, { row, arn, save }) => {
    const text = completed(Policy, arn)
    try {
      const { pins, missing } = await pinPolicy(call, text)
      if (missing.length > 0) throw invalidPolicy(`the principal ${missing[0]} does not exist.`)
      save({ ...row, policy: { text, pins } })
      return {}
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error
      throw invalidPolicy(error.message)
    }
  })

export const getPermissionPolicy = wafv2
  .operation('GetPermissionPolicy')
  .on(ruleGroup.named('ResourceArn', { ownAccount: true }))
  .run(async (call, _input, { row }) => {
    if (!row.policy) throw nonexistent()
    return { Policy: withoutResource(await shownPolicy(call, row.policy.text, row.policy.pins)) }
  })

export const deletePermissionPolicy = wafv2
  .operation('DeletePermissionPolicy')
  .on(ruleGroup.named('ResourceArn', { ownAccount: true }))
  .run((_call, _input, { row, save }) => {
    if (!row.policy) throw nonexistent()
    const { policy: _, ...rest } = row
    save(rest)
    return {}
  })
