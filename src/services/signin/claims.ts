/** What a sign-in cookie carries, and when it is valid. Names of members are sealed into cookies: never change them. */
import { randomUUID } from 'node:crypto'
import type { AssumeRoleResponse } from '@aws-sdk/client-sts'
import type { CallAsPerson } from '../../kernel/gate/service-caller.ts'
import { redeemSession, type Session } from '../../kernel/gate/session.ts'
import { directoryLogin } from '../../kernel/ports/directory-login.ts'
import type { Use } from '../../kernel/ports/port.ts'
import { type SignInPerson, signInIdentities } from '../../kernel/ports/sign-in-identities.ts'
import { accessKeyId } from '../../kernel/service/id.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import {
  isSignInValid,
  personOf,
  SIGN_IN_MS,
  type SignIn,
  signInGeneration,
} from '../../kernel/state/sign-in-sessions.ts'
import type { SessionScheme } from '../../kernel/web/site.ts'
import type { Vault } from '../../vault/vault.ts'

/** The identity that the pages, and the credentials made from a sign-in, act as. */
export interface Principal {
  readonly kind: 'root' | 'user' | 'assumed-role' | 'federated-user'
  readonly arn: string
  readonly account: string
  /** The name of the user, or of the role's session. */
  readonly userName: string
  /** As CloudTrail names it. */
  readonly principalId: string
  readonly accessKeyId: string
  /** Without the sign-in, which is the claims' own. */
  readonly session: Session
  /** For the page of a switched role. */
  readonly displayName?: string
  readonly role?: { readonly arn: string; readonly id: string; readonly name: string }
}

export interface Claims {
  readonly signIn: SignIn
  readonly principal: Principal
  /** The person's own, while a role is switched to. */
  readonly before?: Principal
  /** A person of a directory: the directory may disable them at any time. */
  readonly directory?: { readonly id: string; readonly subject: string }
}

export const scheme: SessionScheme<Claims> = {
  cookie: 'merlon-signin',
  lifetimeMs: SIGN_IN_MS,
  sharedAs: 'sign-in',
  bearer: (claims) => ({
    account: claims.principal.account,
    region: 'us-east-1',
    identity: identityOf(claims.principal),
    claims,
  }),
  isValid,
}

async function isValid(claims: Claims, reader: Reader, now: number, use: Use): Promise<boolean> {
  const { signIn, principal, before, directory } = claims
  if (!(await isSignInValid(reader, signIn))) return false
  const people = use(signInIdentities)
  for (const { session } of before ? [before] : [principal]) {
    if (session.expiresAt <= now || !(await people.exists(session.account, session.subject))) return false
  }
  return directory === undefined || (await use(directoryLogin).isActive(directory.id, directory.subject))
}

/** In CloudTrail's form. */
export function identityOf(principal: Principal) {
  const { kind, arn, account, userName, principalId, accessKeyId, role, session } = principal
  const common = { principalId, arn, accountId: account, accessKeyId }
  if (kind === 'root') return { type: 'Root', ...common }
  if (kind === 'user') return { type: 'IAMUser', ...common, userName }
  const attributes = {
    creationDate: `${new Date(session.issuedAt).toISOString().slice(0, 19)}Z`,
    mfaAuthenticated: String(session.mfaAt !== undefined),
  }
  if (kind === 'federated-user') return { type: 'FederatedUser', ...common, sessionContext: { attributes } }
  const sessionIssuer = role && {
    type: 'Role',
    principalId: role.id,
    arn: role.arn,
    accountId: account,
    userName: role.name,
  }
  return { type: 'AssumedRole', ...common, sessionContext: { sessionIssuer, attributes } }
}

/** Claims of a root user or an IAM user whose factors were just checked. */
export async function claimsOf(
  reader: Pick<Reader, 'get'>,
  person: SignInPerson,
  now: number,
  mfaAt: number | undefined,
): Promise<Claims> {
  const { account, id, kind, name, arn } = person
  const key = personOf(account, id)
  const session: Session = {
    account,
    subject: kind === 'root' ? { kind } : { kind, id, name },
    issuedAt: now,
    expiresAt: now + SIGN_IN_MS,
    ...(mfaAt !== undefined && { mfaAt }),
  }
  return {
    signIn: { person: key, generation: await signInGeneration(reader, key), id: randomUUID() },
    principal: {
      kind,
      arn,
      account,
      userName: name,
      principalId: id,
      accessKeyId: accessKeyId('ASIA', account),
      session,
    },
  }
}

/** The principal of a role session that STS has opened. */
export function rolePrincipal(
  vault: Pick<Vault, 'redeem'>,
  roleArn: string,
  { Credentials, AssumedRoleUser }: Pick<AssumeRoleResponse, 'Credentials' | 'AssumedRoleUser'>,
): Principal {
  const { AccessKeyId = '', SessionToken = '' } = Credentials ?? {}
  const { Arn: arn = '', AssumedRoleId: principalId = '' } = AssumedRoleUser ?? {}
  const { session } = redeemSession(vault, AccessKeyId, SessionToken)!
  const role = { arn: roleArn, id: principalId.split(':')[0]!, name: roleArn.split('/').at(-1)! }
  const userName = principalId.slice(principalId.indexOf(':') + 1)
  const { account } = session
  return { kind: 'assumed-role', arn, account, userName, principalId, accessKeyId: AccessKeyId, session, role }
}

/** Claims of a person from another directory. */
export async function federatedClaims(
  reader: Pick<Reader, 'get'>,
  person: string,
  principal: Principal,
  directory?: Claims['directory'],
): Promise<Claims> {
  const signIn = { person, generation: await signInGeneration(reader, person), id: randomUUID() }
  return { signIn, principal, ...(directory && { directory }) }
}

/** The principal's session as part of the sign-in: its calls and credentials end with it. */
export function sessionOf(claims: Claims, principal: Principal = claims.principal): Session {
  return { ...principal.session, signIn: claims.signIn }
}

/** The caller of `callAs`. */
export const callerOf = (claims: Claims, principal: Principal = claims.principal): Parameters<CallAsPerson>[0] => ({
  session: sessionOf(claims, principal),
  accessKeyId: principal.accessKeyId,
})

/** The person of the claims, where it is a root user or an IAM user. */
export async function personOfClaims(
  use: Use,
  reader: Reader,
  { principal, before }: Claims,
): Promise<SignInPerson | undefined> {
  const { kind, account, userName } = before ?? principal
  if (kind === 'root') return use(signInIdentities).root(account)
  return kind === 'user' ? use(signInIdentities).user(reader, account, userName) : undefined
}
