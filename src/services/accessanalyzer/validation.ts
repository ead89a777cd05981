/** ValidatePolicy: the findings of the linter, page by page. */
import type { Call } from '../../kernel/gate/call.ts'
import type { LintRequest } from '../../kernel/ports/analyses.ts'
import { lintPolicy } from '../../kernel/resource/policy-lint.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import type { Finding, PolicyKind } from '../../policy/index.ts'
import { accountFacts } from './account-facts.ts'
import { AT_ONCE_CHARS_MAX, accessanalyzer, busy } from './resources.ts'

const KINDS: Readonly<Record<string, PolicyKind>> = {
  IDENTITY_POLICY: 'identity',
  RESOURCE_POLICY: 'resource',
  SERVICE_CONTROL_POLICY: 'scp',
  RESOURCE_CONTROL_POLICY: 'rcp',
}
const PAGE = 100

export const validatePolicy = accessanalyzer
  .operation('ValidatePolicy')
  .on(anything)
  .run(async (call, input) => {
    const isTrust = input.validatePolicyResourceType === 'AWS::IAM::AssumeRolePolicyDocument'
    if (input.validatePolicyResourceType && input.policyType !== 'RESOURCE_POLICY') {
      throw accessanalyzer.fail('ValidationException', 'A resource type goes with resource policies only.', {
        reason: 'other',
      })
    }
    const kind = isTrust ? 'trust' : KINDS[input.policyType]!
    const all = await findingsIn(call, {
      policy: input.policyDocument,
      kind,
      resourceType: input.validatePolicyResourceType,
      absent: call.absentKey.lists,
      facts: await accountFacts(call, input.policyDocument),
    })
    const numbered = all.map((finding, at) => ({ finding, at: String(at).padStart(6, '0') }))
    const { items, next } = await pageOf(call, numbered, ({ at }) => at, {
      token: input.nextToken,
      size: input.maxResults ?? PAGE,
      query: [input.policyDocument, kind],
      bad: () => accessanalyzer.fail('ValidationException', 'The token is not valid.', { reason: 'other' }),
    })
    const findings = items.map(({ finding }) => ({
      ...finding,
      locations: finding.locations.map(({ path, span }) => ({ path: [...path], span })),
    }))
    return { findings, ...(next !== undefined && { nextToken: next }) }
  })

/** Comparisons: some milliseconds. What needs more is checked on the thread for analyses. */
const AT_ONCE_STEPS_MAX = 20_000

async function findingsIn(call: Call, request: LintRequest): Promise<readonly Finding[]> {
  const atOnce = request.policy.length <= AT_ONCE_CHARS_MAX && (await lintPolicy(request, AT_ONCE_STEPS_MAX))
  const result = atOnce && 'findings' in atOnce ? atOnce : await call.ports.analyses.lint(call.account, request)
  if (result === 'busy') throw busy()
  if ('findings' in result) return result.findings
  const message =
    'The policy is too complex to validate. Use fewer wildcards, or validate the statements in several calls.'
  throw accessanalyzer.fail('ValidationException', message, { reason: 'other' })
}
