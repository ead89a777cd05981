/** Whether a resource policy opens a secret to everybody. */
import { type Condition, parsePolicy, type Statement } from '../../policy/index.ts'

/** Conditions on these say whom a grant to everybody is meant for. */
const NARROWING: ReadonlySet<string> = new Set([
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalorgid',
  'aws:principalorgpaths',
  'aws:sourceaccount',
  'aws:sourcearn',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:userid',
])
const POSITIVE = /^(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike)$/i

/** True when an Allow is for any principal and no condition says for whom. Errs towards true. */
export function isPublic(text: string): boolean {
  return parsePolicy(text, 'resource').statements.some(
    (statement) => statement.effect === 'Allow' && isOpen(statement) && !statement.conditions.some(narrows),
  )
}

function isOpen({ principal }: Statement): boolean {
  if (!principal || principal.negated) return true
  return Object.values(principal.values).some((names) => names.includes('*'))
}

function narrows({ operator, key, values }: Condition): boolean {
  return (
    POSITIVE.test(operator) &&
    NARROWING.has(key.toLowerCase()) &&
    values.every((value) => !/^[*?:]*$/.test(value) && !value.includes('${'))
  )
}
