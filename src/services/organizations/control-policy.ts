/** What service and resource control policies may say, beyond what the policy language already demands of them. */
import { type Policy, parsePolicy, type Statement } from '../../policy/index.ts'

/**
 * Prefixes of actions that an RCP may deny.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
 */
const RCP_SERVICES: ReadonlySet<string> = new Set([
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
  'signin',
])

/** Throws a `PolicyError` or `SyntaxError` when the document is no service control policy. */
export function checkScp(content: string): void {
  everyStatement(parsePolicy(content, 'scp'), 'An SCP', (statement) => {
    return statement.action.values.every(isScpAction)
  })
}

/** As `checkScp`, for resource control policies: they deny, to everyone, what the listed services do. */
export function checkRcp(content: string): void {
  everyStatement(parsePolicy(content, 'rcp'), 'An RCP', ({ effect, action }) => {
    return effect === 'Deny' && !action.negated && action.values.every(isRcpAction)
  })
}

function everyStatement({ statements }: Policy, what: string, holds: (statement: Statement) => boolean): void {
  const wrong = statements.find((statement) => !holds(statement))
  if (wrong) throw new SyntaxError(`${what} may not say what statement ${wrong.index + 1} says.`)
}

/** The service is written out; AWS knows no `*:Create*` here. */
const isScpAction = (action: string): boolean => action === '*' || /^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$/.test(action)

/** AWS's own full-access policy alone says `*`. */
function isRcpAction(action: string): boolean {
  const [service = '', name = ''] = action.split(':')
  return RCP_SERVICES.has(service.toLowerCase()) && /^[A-Za-z0-9*?]+$/.test(name)
}
