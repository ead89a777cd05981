/** Which policies of a user, group or role grant access to a service: ListPoliciesGrantingServiceAccess. */
import type { Call } from '../../../kernel/gate/call.ts'
import { parseArn } from '../../../kernel/resource/arn.ts'
import { actionsByService } from '../../../kernel/resource/policy-reference.ts'
import type { Target } from '../../../kernel/resource/target.ts'
import { Budget, BudgetError, type CompiledPolicy } from '../../../policy/index.ts'
import { group } from '../resources.ts'
import { policiesOf, policySource, type Source, type SourcedPolicy } from '../simulation/simulated-principals.ts'
import { iam } from '../words.ts'

/** The user, group or role that `Arn` names. */
export const entityNamed: Target<{ readonly Arn?: string | undefined }, Source> = {
  find: async (call, { Arn = '' }) => policySource.find(call, { PolicySourceArn: Arn }),
}

/** For all services in one call: patterns compared with names of actions. */
const GRANT_STEPS_MAX = 20_000_000

export const grantBudget = (): Budget => new Budget(GRANT_STEPS_MAX)

/**
 * The actions that an Allow of any of the policies names. What a Deny takes away is not looked at, as in AWS. Throws when
 * the budget of the call is spent.
 */
export function grantedActions(
  policies: readonly CompiledPolicy[],
  actions: readonly string[],
  budget: Budget,
): readonly string[] {
  const allows = policies.flatMap(({ statements }) => statements.filter(({ effect }) => effect === 'Allow'))
  if (allows.length === 0) return []
  try {
    budget.spend(actions.length * allows.reduce((sum, { actionCost }) => sum + actionCost, 0))
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error
    throw iam.fail('InvalidInputException', 'The policies are too large to compare with the actions of every service.')
  }
  return actions.filter((action) => {
    const folded = action.toLowerCase()
    return allows.some((statement) => statement.action(folded))
  })
}

interface Carried extends SourcedPolicy {
  readonly entity: { readonly type: 'USER' | 'ROLE' | 'GROUP'; readonly name: string }
}

/** The identity that carries each policy: a user's groups count. */
async function carried(call: Call, source: Source): Promise<readonly Carried[]> {
  const type = source.kind.toUpperCase() as 'USER' | 'ROLE' | 'GROUP'
  const alone: Source = source.kind === 'user' ? { ...source, row: { ...source.row, groups: [] } } : source
  const own = (await policiesOf(call, alone)).map((policy) => ({ ...policy, entity: { type, name: source.row.name } }))
  if (source.kind !== 'user') return own
  const inherited = await Promise.all(
    source.row.groups.map(async (name) => {
      const row = await group.require(call, { name })
      const of = await policiesOf(call, { kind: 'group', arn: group.arnOf(call, row), row })
      return of.map((policy) => ({ ...policy, entity: { type: 'GROUP' as const, name: row.name } }))
    }),
  )
  return [...own, ...inherited.flat()]
}

export const listPoliciesGrantingServiceAccess = iam
  .operation('ListPoliciesGrantingServiceAccess')
  .on(entityNamed)
  .run(async (call, input, source) => {
    const services = await actionsByService()
    const policies = await carried(call, source)
    const budget = grantBudget()
    const PoliciesGrantingServiceAccess = input.ServiceNamespaces.map((namespace) => {
      const actions = services.get(namespace.toLowerCase())
      if (!actions) throw iam.fail('InvalidInputException', `There is no service with the namespace ${namespace}.`)
      return {
        ServiceNamespace: namespace,
        Policies: policies.filter(({ compiled }) => grantedActions([compiled], actions, budget).length > 0).map(shown),
      }
    })
    return { PoliciesGrantingServiceAccess, IsTruncated: false }
  })

/** Managed policies are named by ARN; inline ones by the identity they are part of. */
function shown({ compiled: { source }, entity }: Carried) {
  return source.arn === undefined
    ? {
        PolicyName: source.name ?? source.id,
        PolicyType: 'INLINE' as const,
        EntityType: entity.type,
        EntityName: entity.name,
      }
    : {
        PolicyName: parseArn(source.arn)!.resource.split('/').at(-1)!,
        PolicyType: 'MANAGED' as const,
        PolicyArn: source.arn,
      }
}
