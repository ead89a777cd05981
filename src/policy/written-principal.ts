/** A principal from its ARN, as policies are tested with it. */
import type { Principal } from './principal.ts'

const ARN = /^arn:(aws[a-z-]*):(iam|sts)::(\d{12}):(.+)$/

/**
 * A user, a role (a session of it is meant), an assumed role, a federated user, root, a service
 * (`lambda.amazonaws.com`), or `anonymous`. Undefined for anything else.
 */
export function principalFromArn(text: string, tags: Readonly<Record<string, string>> = {}): Principal | undefined {
  if (text === 'anonymous' || text === '*') return { kind: 'anonymous' }
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$/.test(text)) return { kind: 'service', name: text }
  const match = ARN.exec(text)
  if (!match) return undefined
  const [, partition, service, account, resource] = match as unknown as [string, string, string, string, string]
  // Ids are not in an ARN: what names a principal by id does not name this one.
  const identified = { account, arn: text, userId: '', tags }
  if (service === 'iam' && resource === 'root') return { kind: 'root', ...identified }

  const [type, ...rest] = resource.split('/')
  const name = rest.at(-1)
  if (!name) return undefined
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
  return undefined
}
