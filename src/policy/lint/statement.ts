/** A statement as the checks see it: its elements with their positions, and its most used properties. */
import type { Budget } from '../budget.ts'
import type { PolicyKind } from '../document.ts'
import { parseOperator } from '../operators.ts'
import type { AccountFacts } from './account.ts'
import type { At, FindingType, Text } from './finding.ts'
import type { Reference } from './reference.ts'

export interface ConditionAt {
  readonly operator: string
  readonly operatorAt: At
  readonly key: string
  readonly keyAt: At
  /** Texts, numbers and booleans as texts. */
  readonly values: readonly Text[]
}

export interface StatementAt {
  readonly at: At
  readonly index: number
  readonly effect: 'Allow' | 'Deny' | undefined
  readonly action: At | undefined
  readonly notAction: At | undefined
  readonly resource: At | undefined
  readonly notResource: At | undefined
  readonly principal: At | undefined
  readonly notPrincipal: At | undefined
  readonly conditions: readonly ConditionAt[]
}

export interface Linted {
  readonly kind: PolicyKind
  readonly version: '2008-10-17' | '2012-10-17'
  readonly statements: readonly StatementAt[]
  readonly reference: Reference
  /** What a resource policy is on, by CloudFormation's name; undefined: any. */
  readonly resourceType: string | undefined
  /** Of the account that the policy is in; undefined: none is known. */
  readonly facts: AccountFacts | undefined
  /** Checks that compare with long tables spend it. */
  readonly budget: Budget
}

/** Adds a finding at these places. */
export type Report = (type: FindingType, code: string, details: string, ...at: readonly At[]) => void

/** A check of one statement. */
export type Check = (statement: StatementAt, linted: Linted, report: Report) => void

export function statementAt(at: At, index: number): StatementAt {
  const effect = at.member('Effect')
  const written = effect?.json.type === 'string' ? effect.json.value : undefined
  return {
    at,
    index,
    effect: written === 'Allow' || written === 'Deny' ? written : undefined,
    action: at.member('Action'),
    notAction: at.member('NotAction'),
    resource: at.member('Resource'),
    notResource: at.member('NotResource'),
    principal: at.member('Principal'),
    notPrincipal: at.member('NotPrincipal'),
    conditions: conditionsOf(at.member('Condition')),
  }
}

function conditionsOf(at: At | undefined): readonly ConditionAt[] {
  if (!at) return []
  return at.members().flatMap(([operator, operatorAt]) =>
    operatorAt.members().map(([key, keyAt]) => ({
      operator,
      operatorAt,
      key,
      keyAt,
      values: keyAt.items().flatMap(({ json, path }) => {
        const scalar = json.type === 'string' || json.type === 'number' || json.type === 'boolean'
        return scalar ? [{ at: { json, path } as At, text: json.value }] : []
      }),
    })),
  )
}

/** The family an operator is of: `String`, `Numeric`, `Date`, `Bool`, `Binary`, `IpAddress`, `Arn`, `Null`. */
export function familyOf(operator: string): string | undefined {
  const name = parseOperator(operator)?.operator.name
  if (name === undefined) return undefined
  if (name === 'NotIpAddress') return 'IpAddress'
  return /^(String|Numeric|Date|Bool|Binary|IpAddress|Arn|Null)/.exec(name)?.[0]
}
