/** What an SCP and an RCP must be, beyond the policy language. */
import { parsePolicy } from '../../policy/index.ts'

export function checkScp(content: string): void {
  parsePolicy(content, 'scp')
}

/**
 * Services whose actions RCPs may name.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
 */
const UNDER_RCPS: ReadonlySet<string> = new Set([
  's3',
  'sts',
  'kms',
  'sqs',
  'secretsmanager',
  'cognito-identity',
  'cognito-idp',
  'logs',
  'dynamodb',
  'ecr',
  'aoss',
  'wafv2',
  'fms',
])

/** Beyond the grammar: the actions are named, and each is of a service that RCPs protect. */
export function checkRcp(content: string): void {
  for (const { action } of parsePolicy(content, 'rcp').statements) {
    const wrong = action.negated ? 'NotAction' : action.values.find((name) => !isUnderRcps(name))
    if (wrong !== undefined) throw new SyntaxError(`${wrong} has no place in a resource control policy`)
  }
}

function isUnderRcps(action: string): boolean {
  return UNDER_RCPS.has(action.slice(0, action.indexOf(':')).toLowerCase())
}
