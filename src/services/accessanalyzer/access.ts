/** Checks of a policy before it is used: whether it grants new access, particular access, or public access. */
import type { Call } from '../../kernel/gate/call.ts'
import { anything } from '../../kernel/resource/target.ts'
import { type Analysis, type AnalysisResult, analyze, type GrantedAccess, type PolicyKind } from '../../policy/index.ts'
import { AT_ONCE_CHARS_MAX, accessanalyzer, busy } from './resources.ts'

/** Further reasons are left out. */
const REASONS_MAX = 20

/** Throws for policies that cannot be read, or are too complex. */
async function analyzed<R extends 'grants' | 'open'>(
  call: Call,
  analysis: Analysis,
  member: R,
): Promise<Extract<AnalysisResult, Record<R, unknown>>[R]> {
  const result = isSmall(analysis) ? analyze(analysis, []) : await call.ports.analyses.analyze(call.account, analysis)
  if (result === 'busy') throw busy()
  if ('invalid' in result) throw unreadable(result.invalid)
  if ('tooComplex' in result) {
    const help = 'Use fewer wildcards, or check the statements in several calls.'
    throw accessanalyzer.fail('UnprocessableEntityException', `The policies are too complex to analyze. ${help}`)
  }
  return (result as Extract<AnalysisResult, Record<R, unknown>>)[member]
}

/** Whether a policy is public depends on its text alone: of a small one it is decided at once. */
const isSmall = (analysis: Analysis): boolean =>
  analysis.question === 'public-access' && analysis.policy.length <= AT_ONCE_CHARS_MAX

const unreadable = (why: string) => accessanalyzer.fail('InvalidParameterException', `The policy is not valid: ${why}`)

const kindOf = (policyType: string): PolicyKind => (policyType === 'RESOURCE_POLICY' ? 'resource' : 'identity')

function answer(grants: readonly GrantedAccess[], pass: string, fail: string, reason: (actions: string) => string) {
  if (grants.length === 0) return { result: 'PASS' as const, message: pass, reasons: [] }
  const byStatement = new Map<number | undefined, GrantedAccess[]>()
  for (const grant of grants) byStatement.set(grant.statement, [...(byStatement.get(grant.statement) ?? []), grant])
  return {
    result: 'FAIL' as const,
    message: fail,
    reasons: [...byStatement].slice(0, REASONS_MAX).map(([statement, of]) => ({
      description: reason(listed(of)),
      ...(statement !== undefined && { statementIndex: statement }),
      ...(of[0]!.sid !== undefined && { statementId: of[0]!.sid }),
    })),
  }
}

function listed(grants: readonly GrantedAccess[]): string {
  const names = [...new Set(grants.map(({ action }) => action))]
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ')
}

export const checkNoNewAccess = accessanalyzer
  .operation('CheckNoNewAccess')
  .on(anything)
  .run(async (call, input) => {
    const analysis: Analysis = {
      question: 'new-access',
      kind: kindOf(input.policyType),
      existing: input.existingPolicyDocument,
      changed: input.newPolicyDocument,
    }
    const grants = await analyzed(call, analysis, 'grants')
    return answer(
      grants,
      'The modified permissions do not grant new access compared to your existing policy.',
      'The modified permissions grant new access compared to your existing policy.',
      (actions) => `New access, or access that cannot be excluded: ${actions}.`,
    )
  })

export const checkAccessNotGranted = accessanalyzer
  .operation('CheckAccessNotGranted')
  .on(anything)
  .run(async (call, input) => {
    if (input.access.some(({ actions, resources }) => !actions?.length && !resources?.length)) {
      throw accessanalyzer.fail('InvalidParameterException', 'Specify the actions, the resources, or both.')
    }
    const access = input.access.map(({ actions, resources }) => ({
      ...(actions?.length && { actions }),
      ...(resources?.length && { resources }),
    }))
    const analysis: Analysis = {
      question: 'access-granted',
      kind: kindOf(input.policyType),
      policy: input.policyDocument,
      access,
    }
    return answer(
      await analyzed(call, analysis, 'grants'),
      'The policy document does not grant access to perform one or more of the listed actions or resources.',
      'The policy document grants access to perform one or more of the listed actions or resources.',
      (actions) => `Access that cannot be excluded: ${actions}.`,
    )
  })

export const checkNoPublicAccess = accessanalyzer
  .operation('CheckNoPublicAccess')
  .on(anything)
  .run(async (call, input) => {
    const kind = input.resourceType === 'AWS::IAM::AssumeRolePolicyDocument' ? 'trust' : 'resource'
    const open = await analyzed(call, { question: 'public-access', kind, policy: input.policyDocument }, 'open')
    if (open.length === 0) {
      return {
        result: 'PASS',
        message: 'The resource policy does not grant public access for the given resource type.',
        reasons: [],
      }
    }
    return {
      result: 'FAIL',
      message: 'The resource policy grants public access for the given resource type.',
      reasons: open.map(({ index, sid }) => ({
        description: 'Any principal may use what this statement allows: no condition restricts it.',
        statementIndex: index,
        ...(sid !== undefined && { statementId: sid }),
      })),
    }
  })
