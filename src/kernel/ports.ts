/** What one service offers to the kernel and to the others: declared here, provided by the service, injected at start. */
import type { SamlProvider } from '../engines/saml/response.ts'
import type { CompiledPolicy, PolicySet } from '../policy/index.ts'
import type { Principal } from '../policy/principal.ts'
import type { LogEntry, LogQuery, Unit } from '../store/store.ts'
import type { AnalysisPort } from './analysis.ts'
import type { Arn } from './arn.ts'
import type { CheckSecret, SecretCheck } from './failure-budget.ts'
import type { FunctionsPort } from './functions.ts'
import type { Subject } from './session.ts'

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

/** A credential at work: what "last used" is made of. */
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

/** The world outside; provided by the server, which guards what may be reached. */
export interface OutboundPort {
  /**
   * HTTPS only. Throws when the host may not be reached, does not answer in time, or answers too much. `thumbprints` (SHA-1,
   * hexadecimal) name the certificates that may stand on top of a chain which no trusted authority has signed; throws a
   * `ThumbprintMismatchError` for others.
   */
  get(url: string, thumbprints?: readonly string[]): Promise<{ readonly status: number; readonly body: string }>
}

export type Reader = Pick<Unit, 'get' | 'range'>

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
   * The unique id of the user or role an ARN names, by which saved policies keep it: a namesake made later is not meant.
   * undefined where ids play no part, or the account is not ours to know.
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
  /** undefined while the account does not vouch. */
  tokenIssuer(reader: Reader, account: string): Promise<TokenIssuer | undefined>
  /** What the organisation lets be done with the root users of its members. */
  rootFeatures(reader: Reader, organization: string): Promise<readonly RootFeature[]>
  /** Checks a one-time code of the named MFA device of the caller within the device's failure budget, and spends it. */
  verifyMfa(call: MfaCaller, serial: string, code: string): Promise<SecretCheck<true>>
  /** Tells that a credential was used. Durable within a minute. */
  used(used: Used): void
}

/** The event log as CloudTrail shows it; provided by the store. */
export interface EventLogPort {
  /** Newest first. */
  query(query: LogQuery): Promise<readonly LogEntry[]>
}

/** Where the bytes of an object lie, and whose key seals them. */
export interface BlobPlace {
  readonly id: string
  readonly account: string
}

/** Bytes too large for rows. Written once under a new id, never changed; provided by the objects plane. */
export interface BlobsPort {
  /** Durable when it returns: the row that names it may then be committed. */
  put(place: BlobPlace, bytes: Uint8Array): Promise<void>
  /** Throws when it is not there, or was changed. By their size, only so many are opened at a time. */
  get(place: BlobPlace, bytes: number): Promise<Buffer>
  /** What is not there is deleted already. */
  delete(id: string): Promise<void>
  /** The ids of what was written longer ago: among them what no row names. */
  older(ageMs: number): Promise<readonly string[]>
}

/** What an organisation says of one of its accounts. */
export interface Standing {
  readonly organization: string
  /** `o-…/r-…/ou-…/`, as `aws:PrincipalOrgPaths` shows it. */
  readonly path: string
  /** Root, units, account; undefined where none bind: the type is off, or it is the management account. */
  readonly scps: readonly PolicySet[] | undefined
  readonly rcps: readonly PolicySet[] | undefined
}

/** The organisation an account is in, as other services ask of it. */
export interface Membership {
  readonly id: string
  readonly management: string
  readonly allFeatures: boolean
  /** Service principals with trusted access. */
  readonly trusted: readonly string[]
  /** Services this account administers for the organisation. */
  readonly administers: readonly string[]
}

export type TokenAlgorithm = 'RS256' | 'ES384'

/** An account that vouches for its principals elsewhere. */
export interface TokenIssuer {
  readonly issuer: string
  /** A JSON Web Token, compact. RFC 7519. */
  sign(algorithm: TokenAlgorithm, claims: object): Promise<string>
}

/** Provided by Organizations. */
export interface OrganizationPort {
  /** undefined for an account in no organisation. */
  standing(account: string): Promise<Standing | undefined>
  membership(reader: Reader, account: string): Promise<Membership | undefined>
}

export interface NewTenant {
  readonly id: string
  readonly name: string
  readonly now: number
  /** A role with every right, for the account it trusts. */
  readonly administrator: { readonly role: string; readonly trusts: string }
}

/** Accounts as tenants; provided by IAM and the vault's keys. */
export interface AccountsPort {
  /** In the unit of the caller. The root user gets no key. */
  create(unit: Unit, tenant: NewTenant): Promise<void>
  /** For good: none of its credentials passes from the commit on. What it holds is kept. */
  close(unit: Unit, account: string, now: number): Promise<void>
  describe(reader: Reader, account: string): Promise<{ readonly name: string; readonly alias?: string }>
}

/** KMS keys by whatever name a request uses; provided by the KMS service. */
export interface KeysPort {
  /** undefined where the name refers to no key of the scope's Region. */
  arnOf(
    reader: Reader,
    scope: Pick<Arn, 'partition' | 'region' | 'account'>,
    reference: string,
  ): Promise<string | undefined>
}

export interface Ports {
  readonly keys: KeysPort
  readonly identity: IdentityPort
  readonly organizations: OrganizationPort
  readonly accounts: AccountsPort
  readonly outbound: OutboundPort
  readonly events: EventLogPort
  readonly functions: FunctionsPort
  readonly blobs: BlobsPort
  readonly analyses: AnalysisPort
}
