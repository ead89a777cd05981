/**
 * The identity port: the identity a credential or an ARN belongs to, and the policies that apply; provided by IAM.
 * Answers come from caches that the change feed invalidates.
 *
 * @example
 * const role = await call.use(identity).role(call.unit, 'arn:aws:iam::111122223333:role/deploy')
 */
import type { SamlProvider } from '../../engines/saml/response.ts'
import type { CompiledPolicy, PolicySet } from '../../policy/index.ts'
import type { Principal } from '../../policy/principal.ts'
import type { Subject } from '../gate/session.ts'
import type { CheckSecret, SecretCheck } from '../state/failure-budget.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

/** Everything that policy evaluation needs to know of a caller besides the session it came with. */
export interface Identity {
  readonly principal: Principal
  readonly policies: PolicySet
  readonly boundary?: CompiledPolicy
  /** Epoch milliseconds. */
  readonly createdAt: number
}

export interface LongTermKey {
  readonly account: string
  readonly subject: Subject
  readonly active: boolean
  readonly secret: string
}

/** A role as STS sees it. */
export interface AssumableRole {
  readonly account: string
  readonly name: string
  readonly id: string
  readonly arn: string
  readonly trust: CompiledPolicy
  readonly maxSessionSeconds: number
  readonly tags: Readonly<Record<string, string>>
}

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-access-management.html */
export type RootFeature = 'RootCredentialsManagement' | 'RootSessions'

/** One use of a credential: the source of "last used". */
export interface Used {
  readonly accessKeyId: string
  readonly account: string
  readonly subject: Subject
  /** As signed: `iam`, `us-east-1`. */
  readonly service: string
  readonly region: string
  readonly timeMs: number
}

/** An OpenID Connect provider as STS sees it. */
export interface TrustedIssuer {
  readonly arn: string
  readonly clientIds: readonly string[]
  /** SHA-1, hexadecimal: see {@link OutboundPort}. */
  readonly thumbprints: readonly string[]
  readonly tags: Readonly<Record<string, string>>
}

/** A SAML identity provider as STS sees it. */
export interface TrustedIdp extends SamlProvider {
  readonly arn: string
  readonly account: string
  readonly name: string
}

export type TokenAlgorithm = 'RS256' | 'ES384'

/** An account that issues tokens for its principals. */
export interface TokenIssuer {
  readonly issuer: string
  /** A JSON Web Token, compact. RFC 7519. */
  sign(algorithm: TokenAlgorithm, claims: object): Promise<string>
}

/** As much of a call as the check of a one-time code needs. */
export interface MfaCaller {
  readonly account: string
  readonly caller: { readonly subject: Subject }
  readonly now: number
  readonly checkSecret: CheckSecret
}

/** Provided by IAM. Answers come from caches that the change feed keeps honest. */
export interface IdentityPort {
  accessKey(accessKeyId: string): Promise<LongTermKey | undefined>
  /** undefined once the subject is deleted, or when its id belongs to another of the same name. */
  identity(account: string, subject: Subject): Promise<Identity | undefined>
  role(reader: Reader, arn: string): Promise<AssumableRole | undefined>
  /** A managed policy, compiled, for session policies. */
  managedPolicy(reader: Reader, arn: string, account: string): Promise<CompiledPolicy | undefined>
  /**
   * The unique ID of the user or role an ARN names, which saved policies store: a later user with the same name does
   * not match. undefined where IDs do not apply, or the account is not in this installation.
   */
  pin(reader: Reader, principal: string): Promise<string | 'missing' | undefined>
  /** The ARN that the pinned user or role has today; the bare id once it is gone. */
  unpin(reader: Reader, arn: string, id: string): Promise<string>
  /** Whether a user, role, role session's role, identity provider or managed policy exists; undefined for other ARNs. */
  exists(reader: Reader, arn: string): Promise<boolean | undefined>
  /** By the issuer's address without its scheme. */
  oidcProvider(reader: Reader, account: string, issuer: string): Promise<TrustedIssuer | undefined>
  samlProvider(reader: Reader, arn: string): Promise<TrustedIdp | undefined>
  /** The ARN of the SAML provider with this `SAMLProviderUUID`, which sign-in addresses of encrypting providers name. */
  samlProviderArn(reader: Reader, uuid: string): Promise<string | undefined>
  /** undefined while the account does not issue tokens. */
  tokenIssuer(reader: Reader, account: string): Promise<TokenIssuer | undefined>
  /** What the organization allows its managers to do with the root users of its members. */
  rootFeatures(reader: Reader, organization: string): Promise<readonly RootFeature[]>
  /** Checks a one-time code of the named MFA device of the caller within the device's failure budget, and spends it. */
  verifyMfa(call: MfaCaller, serial: string, code: string): Promise<SecretCheck<true>>
  /** Reports that a credential was used. Durable within a minute. */
  used(used: Used): void
}

export const identity = port<IdentityPort>('identity')
