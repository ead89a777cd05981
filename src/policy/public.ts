/** Whether a resource policy opens its resource to everybody. */
import type { Condition, Policy, Statement } from './document.ts'

/** Conditions on these say whom a grant to everybody is meant for. */
const NARROWING: ReadonlySet<string> = new Set([
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalorgid',
  'aws:principalorgpaths',
  'aws:sourceaccount',
  'aws:sourcearn',
  'aws:sourceip',
  'aws:sourceorgid',
  'aws:sourceorgpaths',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:userid',
  'aws:username',
  'kms:calleraccount',
  'kms:viaservice',
  's3:dataaccesspointaccount',
  's3:dataaccesspointarn',
])
const POSITIVE = /^(ForAnyValue:)?(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike|IpAddress)$/i

/**
 * The statements that allow something to any principal while no condition says to whom. Errs towards public: a Deny that
 * takes it back is not looked at.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
export function publicStatements({ statements }: Policy): readonly Statement[] {
  return statements.filter(
    (statement) => statement.effect === 'Allow' && isOpen(statement) && !statement.conditions.some(narrows),
  )
}

function isOpen({ principal }: Statement): boolean {
  if (!principal || principal.negated) return true
  return Object.values(principal.values).some((names) => names.includes('*'))
}

/** Fixed values only: neither everything nor something the caller chooses. */
function narrows({ operator, key, values }: Condition): boolean {
  return (
    POSITIVE.test(operator) &&
    NARROWING.has(key.toLowerCase()) &&
    values.length > 0 &&
    values.every((value) => !/^[*?:]*$/.test(value) && !value.includes('${') && !/^(0\.0\.0\.0|::)\/0$/.test(value))
  )
}
