/**
 * The keys that issuers sign tokens with, found by discovery and kept for an hour. A token whose key is unknown may mean
 * that the issuer has new keys: they are fetched again, once a minute for each key id, and within a budget for each issuer,
 * because unauthenticated callers choose key ids.
 */
import type { JWK } from 'jose'
import { discoveryUrl, readKeys, readMetadata } from '../../engines/oidc/discovery.ts'

const KEPT_MS = 3_600_000
/** After a failed refresh, kept keys serve so much longer. */
const GRACE_MS = 3_600_000
const RETRY_MS = 60_000
const FETCHES_PER_MINUTE = 10
const ISSUERS_MAX = 1_000
const UNKNOWN_IDS_MAX = 1_000

interface IssuerState {
  keys: readonly JWK[]
  fetchedAt: number
  /** The attempt in progress: callers share it. */
  fetching: Promise<void> | undefined
  /** Attempts of the last minute. */
  attempts: number[]
  failure: unknown
  /** When a fetch was last made for a key id that the issuer did not have. */
  readonly unknownIds: Map<string, number>
}

export interface KeySource {
  readonly issuer: string
  /** Where the keys are, if that is configured. Default: by discovery. */
  readonly jwksUri?: string | undefined
  /** What the caller trusts besides certificate authorities. Keys are kept apart by it: one account's trust is no other's. */
  readonly thumbprints?: readonly string[] | undefined
}

type Get = (
  url: string,
  thumbprints: readonly string[] | undefined,
) => Promise<{ readonly status: number; readonly body: string }>

export class IssuerKeys {
  readonly #get: Get
  readonly #issuers = new Map<string, IssuerState>()

  /** `get` guards which addresses may be reached. */
  constructor(get: Get) {
    this.#get = get
  }

  /** The issuer's keys with this id; all of them for a token that names none. Throws when none can be fetched. */
  async of(source: KeySource, kid: string | undefined, now: number): Promise<readonly JWK[]> {
    const state = this.#stateOf(source)
    const found = () => state.keys.filter((key) => kid === undefined || key.kid === kid)
    const age = now - state.fetchedAt
    if (age <= KEPT_MS && found().length > 0) return found()
    if (age > KEPT_MS || this.#mayRetry(state, kid, now)) await this.#fetch(state, source, now)
    if (now - state.fetchedAt > KEPT_MS + GRACE_MS) throw state.failure ?? new Error('the keys cannot be fetched now')
    return found()
  }

  #stateOf({ issuer, jwksUri, thumbprints = [] }: KeySource): IssuerState {
    const at = JSON.stringify([issuer, jwksUri, thumbprints.map((each) => each.toLowerCase()).sort()])
    const known = this.#issuers.get(at)
    if (known) return known
    const oldest = this.#issuers.size >= ISSUERS_MAX ? this.#issuers.keys().next().value : undefined
    if (oldest !== undefined) this.#issuers.delete(oldest)
    const state: IssuerState = {
      keys: [],
      fetchedAt: Number.NEGATIVE_INFINITY,
      fetching: undefined,
      attempts: [],
      failure: undefined,
      unknownIds: new Map(),
    }
    this.#issuers.set(at, state)
    return state
  }

  #mayRetry(state: IssuerState, kid: string | undefined, now: number): boolean {
    const id = kid ?? ''
    const last = state.unknownIds.get(id)
    if (last !== undefined && now - last < RETRY_MS) return state.fetching !== undefined
    if (state.unknownIds.size >= UNKNOWN_IDS_MAX) state.unknownIds.clear()
    state.unknownIds.set(id, now)
    return true
  }

  async #fetch(state: IssuerState, source: KeySource, now: number): Promise<void> {
    if (state.fetching === undefined) {
      state.attempts = state.attempts.filter((at) => now - at < RETRY_MS)
      if (state.attempts.length >= FETCHES_PER_MINUTE) return
      state.attempts.push(now)
      state.fetching = this.#fetched(source)
        .then(
          (keys) => {
            state.keys = keys
            state.fetchedAt = now
            state.failure = undefined
          },
          (error: unknown) => {
            state.failure = error
          },
        )
        .finally(() => {
          state.fetching = undefined
        })
    }
    await state.fetching
  }

  async #fetched({ issuer, jwksUri, thumbprints }: KeySource): Promise<readonly JWK[]> {
    const text = async (url: string): Promise<string> => {
      const { status, body } = await this.#get(url, thumbprints)
      if (status !== 200) throw new Error(`${url} answered ${status}`)
      return body
    }
    return readKeys(await text(jwksUri ?? readMetadata(await text(discoveryUrl(issuer)), issuer).jwksUri))
  }
}
