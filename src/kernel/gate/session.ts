/** Temporary credentials: self-contained sealed tokens, so that any node can verify one without reading anything. */
import type { Vault } from '../../vault/vault.ts'
import { accessKeyId, secretAccessKey } from '../service/id.ts'
import type { SignIn } from '../state/sign-in-sessions.ts'

/** The identity behind a credential, by IDs that are never reused. */
export type Subject =
  | { readonly kind: 'root' }
  /** Unsigned calls, and services that act as their own principal. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'user'; readonly name: string; readonly id: string }
  | { readonly kind: 'role'; readonly name: string; readonly id: string; readonly sessionName: string }
  | { readonly kind: 'federated-user'; readonly name: string; readonly issuer: Subject }

export interface Session {
  readonly account: string
  readonly subject: Subject
  readonly issuedAt: number
  /** Epoch milliseconds; the credentials are dead from this instant on. */
  readonly expiresAt: number
  /** Inline session policies, as text. */
  readonly policies?: readonly string[]
  readonly policyArns?: readonly string[]
  readonly tags?: Readonly<Record<string, string>>
  readonly transitiveTagKeys?: readonly string[]
  readonly sourceIdentity?: string
  /** When the second factor was shown, epoch milliseconds. */
  readonly mfaAt?: number
  /** True when a role was assumed by a role session: such chains live one hour at most. */
  readonly chained?: boolean
  /** A manager of the organization at a task of a member's root user. */
  readonly assumedRoot?: true
  /** The access key that requested this session: when it is deleted, the session becomes invalid. */
  readonly parentKeyId?: string
  /** The sign-in with a password that this session belongs to: it ends with it. */
  readonly signIn?: SignIn
  /** `aws:FederatedProvider` and the keys of a web identity or SAML assertion. */
  readonly federation?: Readonly<Record<string, string | readonly string[]>>
}

export interface IssuedCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

/** What travels inside the token; the access key id is bound, not carried. */
interface Carried extends Session {
  readonly secret: string
}

export function issueSession(vault: Vault, session: Session): IssuedCredentials {
  const id = accessKeyId('ASIA', session.account)
  const secret = secretAccessKey()
  const carried: Carried = { ...session, secret }
  const sessionToken = vault.issue('session-token', id, Buffer.from(JSON.stringify(carried)))
  return { accessKeyId: id, secretAccessKey: secret, sessionToken }
}

/**
 * undefined for a token that was not issued here, was modified, or belongs to another key. The caller checks the
 * expiry.
 */
export function redeemSession(
  vault: Pick<Vault, 'redeem'>,
  id: string,
  token: string,
): { readonly session: Session; readonly secret: string } | undefined {
  const opened = vault.redeem('session-token', id, token)
  if (!opened) return undefined
  const { secret, ...session } = JSON.parse(opened.toString('utf8')) as Carried
  return { session, secret }
}

/** The subject of a session that a role was assumed for, by what `AssumeRole` answers: for {@link ServiceCaller.role}. */
export function roleSubjectOf(
  assumed: { readonly Arn: string | undefined; readonly AssumedRoleId: string | undefined } | undefined,
): Extract<Subject, { readonly kind: 'role' }> {
  const [, name = '', sessionName = ''] = (assumed?.Arn ?? '').split('/')
  const [id = ''] = (assumed?.AssumedRoleId ?? '').split(':')
  return { kind: 'role', name, id, sessionName }
}
