/** Condition blocks as one test: every operator and every key must hold. */
import type { Context } from './context.ts'
import type { Condition, Version } from './document.ts'
import { type Asked, parseOperator, type ValueTest } from './operators.ts'

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
  const asked = parseOperator(condition.operator)
  const closed = effect === 'Deny'
  if (!asked) return () => closed
  const { compile } = asked.operator
  if (!compile) return compileNull(key, condition.values)

  const test = compile(condition.values, version)
  const absent = whenAbsent(asked)
  const { negated } = asked.operator
  if (!asked.quantifier) {
    return (context) => {
      const value = context.lookup(key)
      if (value === undefined) return absent
      if (typeof value === 'string') return holds(test(value, context), negated, absent)
      if (value.length === 0) return absent
      // Several values need a quantifier; which one was meant is not for us to guess.
      return value.length === 1 ? holds(test(value[0]!, context), negated, absent) : closed
    }
  }
  return quantified(key, asked, test, absent)
}

function quantified(key: string, asked: Asked, test: ValueTest, absent: boolean): ConditionTest {
  const { negated } = asked.operator
  const all = asked.quantifier === 'forallvalues'
  return (context) => {
    const value = context.lookup(key)
    if (value === undefined) return absent
    let understood = 0
    for (const each of typeof value === 'string' ? [value] : value) {
      const met = test(each, context)
      if (met === undefined) continue
      understood++
      if ((met !== negated) !== all) return !all
    }
    return understood === 0 ? absent : all
  }
}

function holds(met: boolean | undefined, negated: boolean, absent: boolean): boolean {
  return met === undefined ? absent : met !== negated
}

/** The key is not in the request, or holds nothing of the operator's type. */
function whenAbsent({ operator, ifExists, quantifier }: Asked): boolean {
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
