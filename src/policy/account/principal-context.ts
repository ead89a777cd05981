/** What the principal alone says about a request. */
import { Context } from '../context.ts'
import type { Principal } from '../principal.ts'

/** Condition keys with their values. */
export type ContextValues = Readonly<Record<string, readonly string[]>>

/** Values that are known from elsewhere replace those that follow from the principal. */
export function addContext(context: Context, added: ContextValues): void {
  for (const [key, values] of Object.entries(added)) context.set(key, values.length === 1 ? values[0]! : values)
}

const TYPES = {
  root: 'Account',
  user: 'User',
  'role-session': 'AssumedRole',
  'federated-user': 'FederatedUser',
} as const

/** The condition keys that follow from the principal and from the owner of the resource. */
export function contextOf(principal: Principal, resourceAccount: string | undefined): Context {
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
export function accountIn(arn: string): string | undefined {
  const account = arn.split(':')[4]
  return account && /^\d{12}$/.test(account) ? account : undefined
}
