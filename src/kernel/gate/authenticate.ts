/**
 * The second stage: the sender of these bytes. SigV4 first, then whether the identity behind the key is still valid.
 */
import { type CompiledPolicy, compilePolicy, compileSet, parsePolicy } from '../../policy/index.ts'
import type { Principal } from '../../policy/principal.ts'
import type { Store } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'
import type { HttpRequest } from '../../wire/http.ts'
import { CLOCK_SKEW_MS, type ServiceRow } from '../../wire/services.ts'
import {
  checkRegion,
  checkTime,
  type Presented,
  present,
  type Signature,
  SigningKeys,
  signatureOf,
  verifyInTurns,
} from '../../wire/sigv4/index.ts'
import { refuseOtherSchemes, regionOf, unsignedFault } from '../../wire/sigv4/schemes.ts'
import type { Identity, IdentityPort, OrganizationContext, OrganizationPort } from '../ports/ports.ts'
import type { BearerScheme } from '../service/bearer.ts'
import { SignIns } from '../state/sign-in-sessions.ts'
import type { Bearer } from './bearer.ts'
import type { Caller } from './caller.ts'
import type { ServiceCaller } from './service-caller.ts'
import { redeemSession, type Session, type Subject } from './session.ts'

export interface Authenticated {
  readonly caller: Caller
  readonly identity: Identity
  /** Compiled session policies; undefined when the session has none. Empty: nothing is granted. */
  readonly sessionPolicies: readonly CompiledPolicy[] | undefined
  readonly region: string
  readonly signature?: Signature | undefined
  /** The organization of the caller's account, with the control policies that bind it. */
  readonly standing: OrganizationContext | undefined
  /** The body with any chunk framing removed and checked. */
  readonly body: Buffer
  /** Set when the caller is a service. */
  readonly acting?: ServiceCaller
  /** Set when a token proved the caller. No policy names such a caller. */
  readonly bearer?: Bearer<unknown>
}

const SIGNING_KEYS_MAX = 10_000
const SESSION_POLICIES_MAX = 2_000

interface Found {
  readonly secret: string
  readonly account: string
  readonly subject: Subject
  readonly session?: Session
}

interface AuthenticationPorts {
  readonly identity: IdentityPort
  readonly organizations: OrganizationPort
}

export interface AuthenticationChecks {
  /** Throws for an access key whose owner is over the limit; called before the signature is verified. */
  readonly refuseClaimed?: (accessKeyId: string, request: HttpRequest) => void
  /** Whether a session may call this service at all. */
  readonly acceptsSession?: (service: string, session: Session) => boolean
}

export class Authenticator {
  readonly #store: Store
  readonly #vault: Vault
  readonly #identities: IdentityPort
  readonly #organizations: OrganizationPort
  readonly #checks: AuthenticationChecks
  readonly #keys = new SigningKeys(SIGNING_KEYS_MAX)
  readonly #sessionPolicies = new Map<string, CompiledPolicy>()
  readonly #signIns: SignIns

  constructor(store: Store, vault: Vault, ports: AuthenticationPorts, checks: AuthenticationChecks = {}) {
    this.#store = store
    this.#vault = vault
    this.#identities = ports.identity
    this.#organizations = ports.organizations
    this.#checks = checks
    this.#signIns = new SignIns(store)
  }

  /** `real`: another time by which the request may be signed (`--dev`). Sessions expire by `now` alone. */
  async authenticate(request: HttpRequest, service: ServiceRow, now: number, real?: number): Promise<Authenticated> {
    refuseOtherSchemes(service, request)
    const presented = present(request)
    if (!presented) throw unsignedFault(service)

    this.#checks.refuseClaimed?.(presented.accessKeyId, request)
    const skewMs = service.clockSkewMs ?? CLOCK_SKEW_MS
    const signedBy = real !== undefined && isTimely(presented, real, skewMs) ? real : now
    checkTime(presented, signedBy, skewMs)
    const found = await this.#find(presented)
    checkRegion(presented)
    const { body } = await verifyInTurns(
      request,
      presented,
      { secret: found.secret, version: '' },
      this.#keys,
      signedBy,
      {
        skewMs,
        serviceNames: service.signingNames,
      },
    )
    if (found.session && found.session.expiresAt <= now) {
      throw new Fault('ExpiredToken', 'The security token included in the request is expired')
    }
    if (found.session && this.#checks.acceptsSession?.(service.id, found.session) === false) throw invalidToken()

    const standing = await this.#organizations.standing(found.account)
    const identity = await this.#identities.identity(found.account, found.subject)
    if (!identity) throw invalidToken()
    const caller: Caller = {
      principal: found.session ? withSession(identity.principal, found.session) : identity.principal,
      subject: found.subject,
      accessKeyId: presented.accessKeyId,
      ...(found.session && { session: found.session }),
    }
    this.#identities.used({
      accessKeyId: presented.accessKeyId,
      account: found.account,
      subject: found.subject,
      service: service.signingNames[0]!,
      region: presented.region,
      timeMs: now,
    })
    return {
      caller,
      identity,
      sessionPolicies: await this.#limits(caller),
      region: regionOf(presented, service),
      signature: signatureOf(presented),
      standing,
      body,
    }
  }

  /** The caller of a session that came without a signature: a signed-in person's. Throws when the session has ended. */
  async resume(session: Session, accessKeyId: string, region: string, now: number): Promise<Authenticated> {
    const isOver = session.expiresAt <= now || (session.signIn && !(await this.#signIns.isValid(session.signIn)))
    const identity = isOver ? undefined : await this.#identities.identity(session.account, session.subject)
    if (!identity) throw invalidToken()
    const caller: Caller = {
      principal: withSession(identity.principal, session),
      subject: session.subject,
      accessKeyId,
      session,
    }
    const standing = await this.#organizations.standing(session.account)
    const sessionPolicies = await this.#limits(caller)
    return { caller, identity, sessionPolicies, region, standing, body: Buffer.alloc(0) }
  }

  /** The root user of an account, for a call that the operator makes. Throws when there is no such account, or it is closed. */
  async root(account: string, region: string): Promise<Authenticated> {
    const subject: Subject = { kind: 'root' }
    const identity = await this.#identities.identity(account, subject)
    if (!identity) throw invalidToken()
    const caller: Caller = { principal: identity.principal, subject, accessKeyId: '' }
    const standing = await this.#organizations.standing(account)
    return { caller, identity, sessionPolicies: undefined, region, standing, body: Buffer.alloc(0) }
  }

  /** The secret behind a key id. Unknown, inactive and mismatched all look the same from outside. */
  async #find(presented: Presented): Promise<Found> {
    const { accessKeyId, sessionToken } = presented
    if (!accessKeyId.startsWith('ASIA')) {
      const longTerm = await this.#identities.accessKey(accessKeyId)
      if (!longTerm?.active || sessionToken !== undefined) throw invalidToken()
      return longTerm
    }

    const redeemed = sessionToken === undefined ? undefined : redeemSession(this.#vault, accessKeyId, sessionToken)
    if (!redeemed) throw invalidToken()
    const { session, secret } = redeemed
    if (session.parentKeyId !== undefined && !(await this.#identities.accessKey(session.parentKeyId))?.active) {
      throw invalidToken()
    }
    if (session.signIn && !(await this.#signIns.isValid(session.signIn))) throw invalidToken()
    return { secret, account: session.account, subject: session.subject, session }
  }

  async #limits(caller: Caller): Promise<readonly CompiledPolicy[] | undefined> {
    const { session } = caller
    const texts = session?.policies ?? []
    const arns = session?.policyArns ?? []
    if (texts.length + arns.length === 0) return caller.principal.kind === 'federated-user' ? [] : undefined
    const managed = await Promise.all(
      arns.map((arn) => this.#identities.managedPolicy(this.#store.reader, arn, session!.account)),
    )
    return [...texts.map((text) => this.#compiled(text)), ...managed.filter((policy) => policy !== undefined)]
  }

  #compiled(text: string): CompiledPolicy {
    const held = this.#sessionPolicies.get(text)
    if (held) return held
    const compiled = compilePolicy(parsePolicy(text, 'session'), { id: 'session', kind: 'session' })
    if (this.#sessionPolicies.size >= SESSION_POLICIES_MAX) this.#sessionPolicies.clear()
    this.#sessionPolicies.set(text, compiled)
    return compiled
  }
}

function isTimely(presented: Presented, now: number, skewMs: number): boolean {
  try {
    checkTime(presented, now, skewMs)
    return true
  } catch {
    return false
  }
}

function invalidToken(): Fault {
  return new Fault('InvalidClientTokenId', 'The security token included in the request is invalid.')
}

/** A session's tags override the role's, compared without regard to case. */
function withSession(principal: Principal, session: Session): Principal {
  if (!session.tags || principal.kind === 'anonymous' || principal.kind === 'service') return principal
  const over = new Set(Object.keys(session.tags).map((key) => key.toLowerCase()))
  const kept = Object.entries(principal.tags).filter(([key]) => !over.has(key.toLowerCase()))
  return { ...principal, tags: { ...Object.fromEntries(kept), ...session.tags } }
}

/** The caller of an operation that accepts no signature; one that is sent is ignored. */
export function anonymousCaller({ body }: Pick<HttpRequest, 'body'>): Authenticated {
  const principal: Principal = { kind: 'anonymous' }
  return {
    caller: { principal, subject: { kind: 'nobody' }, accessKeyId: '' },
    identity: { principal, policies: compileSet([]), createdAt: 0 },
    sessionPolicies: undefined,
    region: 'us-east-1',
    standing: undefined,
    body,
  }
}

/** Throws the service's fault for a token that does not prove its caller. `unproven` is the anonymous caller. */
export async function bearerCaller(
  scheme: BearerScheme<unknown>,
  unproven: Authenticated,
  {
    request,
    input,
    ...at
  }: Parameters<BearerScheme<unknown>['verify']>[1] & {
    readonly request: Parameters<BearerScheme<unknown>['token']>[0]
    readonly input: object
  },
): Promise<Authenticated> {
  const token = scheme.token(request, input as Readonly<Record<string, unknown>>)
  const bearer = await scheme.verify(token, at)
  return { ...unproven, region: bearer.region, bearer }
}

/** A service that acts as its own principal. The policies of resources decide what it may do. */
export function serviceCaller(acting: ServiceCaller): Authenticated {
  const principal: Principal = { kind: 'service', name: acting.service }
  return {
    caller: { principal, subject: { kind: 'nobody' }, accessKeyId: '' },
    identity: { principal, policies: compileSet([]), createdAt: 0 },
    sessionPolicies: undefined,
    region: acting.region,
    standing: undefined,
    body: Buffer.alloc(0),
    acting,
  }
}
