/** The principal of a request, from the ARN a person would write, and condition keys from the command line. */
import type { ContextValues } from '../../policy/account/principal-context.ts'
import type { Principal } from '../../policy/index.ts'
import { UsageError } from '../command.ts'

const ARN = /^arn:(aws[a-z-]*):(iam|sts)::(\d{12}):(.+)$/

/**
 * A user, a role (a session of it is meant), an assumed role, a federated user, root, a service
 * (`lambda.amazonaws.com`), or `anonymous`. Throws a `UsageError`.
 */
export function principalOf(text: string, tags: Readonly<Record<string, string>> = {}): Principal {
  if (text === 'anonymous' || text === '*') return { kind: 'anonymous' }
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$/.test(text)) return { kind: 'service', name: text }
  const match = ARN.exec(text)
  if (!match) throw unknown(text)
  const [, partition, service, account, resource] = match as unknown as [string, string, string, string, string]
  // Ids are not in an ARN: what names a principal by id does not name this one.
  const identified = { account, arn: text, userId: '', tags }
  if (service === 'iam' && resource === 'root') return { kind: 'root', ...identified }

  const [type, ...rest] = resource.split('/')
  const name = rest.at(-1)
  if (!name) throw unknown(text)
  if (service === 'iam' && type === 'user') return { kind: 'user', ...identified, name }
  const arn = (kind: string, suffix: string) => `arn:${partition}:${kind}::${account}:${suffix}`
  if (service === 'iam' && type === 'role') {
    const serviceLinked = rest[0] === 'aws-service-role'
    const session = { roleArn: text, roleId: '', roleName: name, sessionName: 'session', serviceLinked }
    return { kind: 'role-session', ...identified, arn: arn('sts', `assumed-role/${name}/session`), ...session }
  }
  if (service === 'sts' && type === 'assumed-role' && rest.length === 2) {
    const roleName = rest[0]!
    const session = { roleArn: arn('iam', `role/${roleName}`), roleId: '', roleName, sessionName: name }
    return { kind: 'role-session', ...identified, ...session, serviceLinked: roleName.startsWith('AWSServiceRoleFor') }
  }
  if (service === 'sts' && type === 'federated-user') {
    return { kind: 'federated-user', ...identified, name, issuerArn: arn('iam', 'root'), issuerId: account }
  }
  throw unknown(text)
}

const unknown = (text: string) =>
  new UsageError(
    `'${text}' is no principal: expected the ARN of a user, role, assumed role, federated user or root, a service such as lambda.amazonaws.com, or 'anonymous'.`,
  )

/** `key=value`; a key that is repeated has several values. */
export function contextIn(words: readonly string[]): ContextValues {
  const values = new Map<string, { readonly key: string; readonly values: string[] }>()
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals < 1) throw new UsageError(`--context is key=value, not '${word}'.`)
    const key = word.slice(0, equals)
    const entry = values.get(key.toLowerCase()) ?? { key, values: [] }
    entry.values.push(word.slice(equals + 1))
    values.set(key.toLowerCase(), entry)
  }
  return Object.fromEntries([...values.values()].map(({ key, values }) => [key, values]))
}
