/** The signed-in person: their identity, and short-lived credentials for the API, renewed before they expire. */
import type { Credentials } from './client.ts'

export interface ConsoleConfig {
  readonly apiEndpoint: string
  readonly region: string
  readonly version: string
}

export interface SignedInPrincipal {
  readonly kind: string
  readonly arn: string
  readonly account: string
  readonly accountAlias?: string
  readonly userName?: string
}

interface SessionAnswer {
  readonly signedIn: boolean
  readonly principal?: SignedInPrincipal
  readonly csrf?: string
  readonly mfa?: boolean
}

export interface SignedIn {
  readonly principal: SignedInPrincipal
  readonly csrf: string
  readonly mfa: boolean
}

export interface Expiring extends Credentials {
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Renewed this long before they end: a call in flight must not be refused. */
const RENEW_BEFORE_MS = 120_000

/** The session is over: the person has to sign in again. */
export class SignedOutError extends Error {
  override readonly name = 'SignedOutError'
}

export async function loadConfig(send = fetch): Promise<ConsoleConfig> {
  return (await json(await send('/console/config.json', { cache: 'no-store' }))) as ConsoleConfig
}

/** Undefined: not signed in. */
export async function loadSession(send = fetch): Promise<SignedIn | undefined> {
  const answer = (await json(await send('/console/session', { cache: 'no-store' }))) as SessionAnswer
  if (!answer.signedIn || !answer.principal) return undefined
  return { principal: answer.principal, csrf: answer.csrf ?? '', mfa: answer.mfa ?? false }
}

/** Keeps credentials and renews them; calls that arrive together share one renewal. */
export class CredentialSource {
  readonly #renew: () => Promise<Expiring>
  readonly #now: () => number
  #current: Expiring | undefined
  #renewing: Promise<Expiring> | undefined

  constructor(renew: () => Promise<Expiring>, now: () => number = Date.now) {
    this.#renew = renew
    this.#now = now
  }

  get(): Promise<Expiring> {
    if (this.#current && this.#current.expiresAt - this.#now() > RENEW_BEFORE_MS) return Promise.resolve(this.#current)
    this.#renewing ??= this.#keep()
    return this.#renewing
  }

  async #keep(): Promise<Expiring> {
    try {
      this.#current = await this.#renew()
      return this.#current
    } finally {
      this.#renewing = undefined
    }
  }
}

/** Calls the sign-in service; rejects with a `SignedOutError` when the session is over. */
export async function sessionCredentials(session: SignedIn, send = fetch): Promise<Expiring> {
  const response = await send('/console/credentials', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': session.csrf },
    body: '{}',
    cache: 'no-store',
  })
  if (response.status === 401 || response.status === 403) throw new SignedOutError('Your session has ended.')
  const answer = (await json(response)) as Credentials & { readonly expiration: string }
  return { ...answer, sessionToken: answer.sessionToken ?? '', expiresAt: Date.parse(answer.expiration) }
}

/** How the log of the account is proved. */
export interface ProofState {
  /** One for each Region and node in which something was recorded. */
  readonly chains: number
  readonly records: number
  /** The newest signed statement of the ends of the chains. */
  readonly checkpoint: { readonly number: number; readonly time: string } | null
  /** The last check of the whole log of the installation. */
  readonly verification: { readonly time: string; readonly findings: number } | null
}

/** Rejects where the person may not read the log. */
export async function loadProof(send = fetch): Promise<ProofState> {
  return (await json(await send('/console/proof', { cache: 'no-store' }))) as ProofState
}

/** Ends the sign-in, in every tab. */
export async function signOut(session: SignedIn, send = fetch): Promise<void> {
  await send('/console/sign-out', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': session.csrf },
    body: '{}',
  })
}

async function json(response: Response): Promise<unknown> {
  if (!response.ok) throw new Error(`${new URL(response.url).pathname} answered with status ${response.status}.`)
  return response.json()
}

/** Where a person signs in, to come back to the page they were on. */
export function signInAddress(location: Pick<Location, 'pathname' | 'search' | 'hash'>): string {
  return `/signin?redirect=${encodeURIComponent(location.pathname + location.search + location.hash)}`
}
