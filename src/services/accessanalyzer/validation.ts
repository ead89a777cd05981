/** ValidatePolicy: the findings of the linter, page by page. */
import { pageOf } from '../../kernel/page.ts'
import { policyReference } from '../../kernel/policy-reference.ts'
import { anything } from '../../kernel/resource/facts.ts'
import {
  type AccountFacts,
  BudgetError,
  type Finding,
  lint,
  type PolicyKind,
  type Reference,
} from '../../policy/index.ts'
import { accountFacts } from './account-facts.ts'
import { accessanalyzer } from './resources.ts'

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
    const reference = { ...(await policyReference()), absent: call.absentKey }
    const facts = await accountFacts(call, input.policyDocument)
    const all = findingsIn(input.policyDocument, kind, reference, input.validatePolicyResourceType, facts)
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

function findingsIn(
  text: string,
  kind: PolicyKind,
  reference: Reference,
  resourceType: string | undefined,
  facts: AccountFacts,
): readonly Finding[] {
  try {
    return lint(text, kind, reference, { resourceType, facts })
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error
    const message =
      'The policy is too complex to validate. Use fewer wildcards, or validate the statements in several calls.'
    throw accessanalyzer.fail('ValidationException', message, { reason: 'other' })
  }
}
