/** Condition blocks as one test: every operator and every key must hold. */
import type { Context } from './context.ts'
import type { Condition, Version } from './document.ts'
import { type OperatorInput, parseOperator, type ValueTest } from './operators.ts'

export type ConditionTest = (context: Context) => boolean

/** Undefined when there is nothing to hold. What cannot be understood never allows and always denies. */
export function compileConditions(
  conditions: readonly Condition[],
  effect: 'Allow' | 'Deny',
  version: Version,
): ConditionTest | undefined {
  const tests = conditions.map((condition) => compileCondition(condition, effect, version))
  if (tests.length === 0) return undefined
  if (tests.length === 1) return tests[0]!
  return (context) => {
    for (let i = 0; i < tests.length; i++) if (!tests[i]!(context)) return false
    return true
  }
}

function compileCondition(condition: Condition, effect: 'Allow' | 'Deny', version: Version): ConditionTest {
  const key = condition.key.toLowerCase()
  const parsed = parseOperator(condition.operator)
  const closed = effect === 'Deny'
  if (!parsed) return () => closed
  const { compile } = parsed.operator
  if (!compile) return compileNull(key, condition.values)

  const test = compile(condition.values, version)
  const absent = whenAbsent(parsed)
  // What cannot be understood never allows; to a Deny it is as if it were absent.
  const unclear = effect === 'Deny' && absent
  if (parsed.quantifier) return quantified(key, parsed, test, absent, unclear)

  const { negated } = parsed.operator
  const one = (value: string, context: Context) => {
    const met = test(value, context)
    return met === undefined ? unclear : met !== negated
  }
  return (context) => {
    const value = context.lookup(key)
    if (value === undefined) return absent
    if (typeof value === 'string') return one(value, context)
    if (value.length === 0) return absent
    // Several values need a quantifier; which one was meant is not for us to guess.
    return value.length === 1 ? one(value[0]!, context) : closed
  }
}

function quantified(
  key: string,
  operands: OperatorInput,
  test: ValueTest,
  absent: boolean,
  unclear: boolean,
): ConditionTest {
  const { negated } = operands.operator
  const all = operands.quantifier === 'forallvalues'
  return (context) => {
    const value = context.lookup(key)
    if (value === undefined) return absent
    const values = typeof value === 'string' ? [value] : value
    if (values.length === 0) return absent
    for (const each of values) {
      const met = test(each, context)
      const holds = met === undefined ? unclear : met !== negated
      if (holds !== all) return !all
    }
    return all
  }
}

/** The key is not in the request, or holds nothing of the operator's type. */
function whenAbsent({ operator, ifExists, quantifier }: OperatorInput): boolean {
  if (ifExists || quantifier === 'forallvalues') return true
  return quantifier === undefined && operator.negated
}

function compileNull(key: string, values: readonly string[]): ConditionTest {
  const wanted = values.map((value) => value.toLowerCase())
  const whenNull = wanted.includes('true')
  const whenPresent = wanted.includes('false')
  return (context) => {
    const value = context.lookup(key)
    return value === undefined || (typeof value !== 'string' && value.length === 0) ? whenNull : whenPresent
  }
}
