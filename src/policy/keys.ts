/** The context keys that a policy uses: in its conditions, and in its variables. */
import type { CompiledPolicy } from './compile.ts'
import type { Policy, Statement, Version } from './document.ts'
import { parseOperator } from './operators.ts'
import { isVariable, pieces } from './variables.ts'

/** As first written, each once, whatever the case. */
export function contextKeysOf(policy: Policy | CompiledPolicy): readonly string[] {
  const { statements, version } = 'policy' in policy ? policy.policy : policy
  const keys = new Map<string, string>()
  for (const statement of statements) {
    for (const key of [...conditionKeys(statement, version), ...resourceKeys(statement, version)]) {
      if (!keys.has(key.toLowerCase())) keys.set(key.toLowerCase(), key)
    }
  }
  return [...keys.values()]
}

export function conditionKeys(statement: Statement, version: Version): readonly string[] {
  return statement.conditions.flatMap(({ operator, key, values }) => {
    const resolves = parseOperator(operator)?.operator.variables ?? false
    return [key, ...(resolves ? values.flatMap((value) => variableNames(value, version)) : [])]
  })
}

function resourceKeys(statement: Statement, version: Version): readonly string[] {
  return (statement.resource?.values ?? []).flatMap((value) => variableNames(value, version))
}

function variableNames(text: string, version: Version): readonly string[] {
  return pieces(text, version)
    .filter(isVariable)
    .map((variable) => variable.name)
}
