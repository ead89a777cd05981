/**
 * The callers a `Principal` element matches, and how closely it names them: that decides what else must allow.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
import type { Context } from './context.ts'
import type { Choice, Principals } from './document.ts'
import type { Principal } from './principal.ts'

/** By rising closeness. */
export const NONE = 0
/** The caller's account: the account still decides who of its own. */
export const ACCOUNT = 1
/** The role of a session, or the user behind a federated session: the session's own limits still count. */
export const ENTITY = 2
/** The caller itself, or everyone. */
export const DIRECT = 3
export type Closeness = 0 | 1 | 2 | 3

export type PrincipalTest = (principal: Principal, context: Context) => Closeness

/** A missing element matches no principal: a policy on a resource has to name its principals. */
export function compilePrincipal(choice: Choice<Principals> | undefined, effect: 'Allow' | 'Deny'): PrincipalTest {
  if (!choice) return () => NONE
  const { values } = choice
  if (choice.negated) return (principal, context) => outside(values, effect, principal, context)
  if (values.AWS?.includes('*')) return () => DIRECT
  return (principal, context) => closeness(values, principal, context)
}

function closeness(listed: Principals, principal: Principal, context: Context): Closeness {
  switch (principal.kind) {
    case 'service':
      return listed.Service?.includes(principal.name) ? DIRECT : NONE
    case 'anonymous':
      return names(listed.Federated, context.lookup('aws:federatedprovider')) ? DIRECT : NONE
    default:
      return closestName(listed.AWS, principal)
  }
}

function names(listed: readonly string[] | undefined, provider: string | readonly string[] | undefined): boolean {
  return typeof provider === 'string' && listed !== undefined && listed.includes(provider)
}

function closestName(
  listed: readonly string[] | undefined,
  principal: Exclude<Principal, { kind: 'service' | 'anonymous' }>,
) {
  let closest: Closeness = NONE
  for (const name of listed ?? []) {
    const found = closenessOf(name, principal)
    if (found > closest) closest = found
  }
  return closest
}

/**
 * Stored policies name users and roles by ID, so that a later user or role with the same name does not match: IDs are
 * accepted beside ARNs.
 */
function closenessOf(name: string, principal: Exclude<Principal, { kind: 'service' | 'anonymous' }>): Closeness {
  if (name === '*') return DIRECT
  if (isAccount(name, principal.account)) return ACCOUNT
  switch (principal.kind) {
    case 'root':
      return NONE
    case 'user':
      return name === principal.arn || name === principal.userId ? DIRECT : NONE
    case 'role-session':
      if (name === principal.arn) return DIRECT
      return name === principal.roleArn || name === principal.roleId ? ENTITY : NONE
    case 'federated-user':
      if (name === principal.arn) return DIRECT
      return name === principal.issuerArn || name === principal.issuerId ? ENTITY : NONE
  }
}

function isAccount(name: string, account: string): boolean {
  return name === account || (name.endsWith(`:iam::${account}:root`) && name.startsWith('arn:'))
}

/**
 * `NotPrincipal`. A Deny spares a caller only if all of it is listed: its account and its user, or its account, role
 * and session. An Allow reaches only a caller of whom nothing is listed, the anonymous included. Both are the strict
 * reading.
 */
function outside(listed: Principals, effect: 'Allow' | 'Deny', principal: Principal, context: Context): Closeness {
  if (listed.AWS?.includes('*')) return NONE
  const named = parts(listed, principal, context)
  const spared = effect === 'Deny' ? named.every(Boolean) : named.some(Boolean)
  return spared ? NONE : DIRECT
}

function parts(listed: Principals, principal: Principal, context: Context): readonly boolean[] {
  if (principal.kind === 'service' || principal.kind === 'anonymous') {
    return [closeness(listed, principal, context) !== NONE]
  }
  const aws = listed.AWS ?? []
  const has = (...forms: readonly string[]) => aws.some((name) => forms.includes(name))
  const account = aws.some((name) => isAccount(name, principal.account))
  switch (principal.kind) {
    case 'root':
      return [account]
    case 'user':
      return [account, has(principal.arn, principal.userId)]
    case 'role-session':
      return [account, has(principal.roleArn, principal.roleId), has(principal.arn)]
    case 'federated-user':
      return [account, has(principal.issuerArn, principal.issuerId), has(principal.arn)]
  }
}
