/** A caller from its ARN, as policies are tested with it, and the condition keys that follow from the caller. */
import { Context } from './context.ts'
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

const TYPES = {
  root: 'Account',
  user: 'User',
  'role-session': 'AssumedRole',
  'federated-user': 'FederatedUser',
} as const

/** The condition keys that follow from the caller and the resource's owner. */
export function contextOfCaller(principal: Principal, resourceAccount: string | undefined): Context {
  const context = new Context()
  if (resourceAccount) context.set('aws:ResourceAccount', resourceAccount)
  if (principal.kind === 'anonymous') {
    context.set('aws:PrincipalType', 'Anonymous')
    return context
  }
  if (principal.kind === 'service') {
    context.set('aws:PrincipalIsAWSService', 'true')
    context.set('aws:PrincipalServiceName', principal.name)
    return context
  }
  context.set('aws:PrincipalAccount', principal.account)
  context.set('aws:PrincipalArn', principal.kind === 'role-session' ? principal.roleArn : principal.arn)
  context.set('aws:PrincipalType', TYPES[principal.kind])
  context.set('aws:PrincipalIsAWSService', 'false')
  if (principal.userId !== '' && principal.kind !== 'role-session') context.set('aws:userid', principal.userId)
  if (principal.kind === 'user') context.set('aws:username', principal.name)
  for (const [key, value] of Object.entries(principal.tags)) context.set(`aws:PrincipalTag/${key}`, value)
  return context
}

/** The account part of an ARN; undefined where it has none, as of a bucket. */
export function accountInArn(arn: string): string | undefined {
  const account = arn.split(':')[4]
  return account && /^\d{12}$/.test(account) ? account : undefined
}
