/** The questions a pipeline asks of a policy before it is used: new access, particular access, public access. */
import type { Call } from '../../kernel/call.ts'
import { anything } from '../../kernel/resource/facts.ts'
import {
  type Analysis,
  type CompiledPolicy,
  compilePolicy,
  type GrantedAccess,
  PolicyError,
  type PolicyKind,
  parsePolicy,
  publicStatements,
} from '../../policy/index.ts'
import { accessanalyzer, busy } from './resources.ts'

/** Reasons beyond these tell nothing new. */
const REASONS_MAX = 20

function compiled(text: string, kind: PolicyKind): CompiledPolicy {
  try {
    return compilePolicy(parsePolicy(text, kind), { id: kind, kind })
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw unreadable(`${error.message} (line ${error.line}, column ${error.column + 1})`)
  }
}

/** Throws for policies that cannot be read, or are too complex. */
async function analyzed(call: Call, analysis: Analysis): Promise<readonly GrantedAccess[]> {
  const result = await call.ports.analyses.analyze(call.account, analysis)
  if (result === 'busy') throw busy()
  if ('invalid' in result) throw unreadable(result.invalid)
  if ('tooComplex' in result) {
    const help = 'Use fewer wildcards, or check the statements in several calls.'
    throw accessanalyzer.fail('UnprocessableEntityException', `The policies are too complex to analyze. ${help}`)
  }
  return result.grants
}

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
    const grants = await analyzed(call, {
      question: 'new-access',
      kind: kindOf(input.policyType),
      existing: input.existingPolicyDocument,
      changed: input.newPolicyDocument,
    })
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
      throw accessanalyzer.fail('InvalidParameterException', 'Say the actions, the resources, or both.')
    }
    const access = input.access.map(({ actions, resources }) => ({
      ...(actions?.length && { actions }),
      ...(resources?.length && { resources }),
    }))
    return answer(
      await analyzed(call, {
        question: 'access-granted',
        kind: kindOf(input.policyType),
        policy: input.policyDocument,
        access,
      }),
      'The policy document does not grant access to perform one or more of the listed actions or resources.',
      'The policy document grants access to perform one or more of the listed actions or resources.',
      (actions) => `Access that cannot be excluded: ${actions}.`,
    )
  })

export const checkNoPublicAccess = accessanalyzer
  .operation('CheckNoPublicAccess')
  .on(anything)
  .run((_call, input) => {
    const kind = input.resourceType === 'AWS::IAM::AssumeRolePolicyDocument' ? 'trust' : 'resource'
    const open = publicStatements(compiled(input.policyDocument, kind).policy)
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
        description: 'Anybody may use what this statement allows: no condition says who.',
        statementIndex: index,
        ...(sid !== undefined && { statementId: sid }),
      })),
    }
  })
