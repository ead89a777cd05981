/** The questions a pipeline asks of a policy before it is used: new access, particular access, public access. */
import { actionNames } from '../../kernel/policy-reference.ts'
import { anything } from '../../kernel/resource/facts.ts'
import {
  accessGranted,
  type CompiledPolicy,
  compilePolicy,
  type GrantedAccess,
  newAccess,
  PolicyError,
  type PolicyKind,
  parsePolicy,
  publicStatements,
} from '../../policy/index.ts'
import { accessanalyzer } from './resources.ts'

/** Reasons beyond these tell nothing new. */
const REASONS_MAX = 20

function compiled(text: string, kind: PolicyKind): CompiledPolicy {
  try {
    return compilePolicy(parsePolicy(text, kind), { id: kind, kind })
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const where = `line ${error.line}, column ${error.column + 1}`
    throw accessanalyzer.fail('InvalidParameterException', `The policy is not valid: ${error.message} (${where})`)
  }
}

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
  .run(async (_call, input) => {
    const kind = kindOf(input.policyType)
    const existing = compiled(input.existingPolicyDocument, kind)
    const changed = compiled(input.newPolicyDocument, kind)
    return answer(
      newAccess(existing, changed, await actionNames()),
      'The modified permissions do not grant new access compared to your existing policy.',
      'The modified permissions grant new access compared to your existing policy.',
      (actions) => `New access, or access that cannot be excluded: ${actions}.`,
    )
  })

export const checkAccessNotGranted = accessanalyzer
  .operation('CheckAccessNotGranted')
  .on(anything)
  .run(async (_call, input) => {
    const policy = compiled(input.policyDocument, kindOf(input.policyType))
    if (input.access.some(({ actions, resources }) => !actions?.length && !resources?.length)) {
      throw accessanalyzer.fail('InvalidParameterException', 'Say the actions, the resources, or both.')
    }
    const asked = input.access.map(({ actions, resources }) => ({
      ...(actions?.length && { actions }),
      ...(resources?.length && { resources }),
    }))
    return answer(
      accessGranted(policy, asked, await actionNames()),
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
