/**
 * Rate limits for each account, each principal and each unsigned address, so that one client's flood does not affect
 * the others.
 */
import { isIPv6 } from 'node:net'
import { Fault } from '../../wire/fault.ts'
import type { Subject } from './session.ts'
import { type Bucket, Buckets, type Rate, waitMs } from './token-bucket.ts'

export type ThrottleScope = 'account' | 'principal' | 'address'

export interface RateLimits extends Readonly<Record<ThrottleScope, Rate>> {
  /** Accounts that have their own. */
  readonly accounts: ReadonlyMap<string, Rate>
}

/**
 * Two cores answer some ten thousand calls a second: half of it for an account, a quarter for a principal. The largest
 * ordinary clients, a fleet of pods under one role or Terraform at full width, make hundreds. Unsigned calls are
 * sign-ins, which a pod does once an hour; the burst is a cluster that starts at once behind one address.
 */
export const rateDefaults: RateLimits = {
  account: { perSecond: 5_000, burst: 10_000, runningMax: 1_536 },
  principal: { perSecond: 2_500, burst: 5_000, runningMax: 1_024 },
  address: { perSecond: 250, burst: 1_000, runningMax: 256 },
  accounts: new Map(),
}

/** A call that may not run now. */
export interface ThrottleRejection {
  readonly scope: ThrottleScope
  readonly retryAfterMs: number
}

/** The error that a throttled caller receives, as AWS words it. */
export class ThrottledFault extends Fault {
  readonly scope: ThrottleScope

  constructor({ scope, retryAfterMs }: ThrottleRejection) {
    super('Throttling', 'Rate exceeded', { retryAfterMs })
    this.scope = scope
  }
}

/** An admitted call; the caller must release it when the call ends. */
export interface ThrottleSlot {
  release(): void
}

const BUCKETS_MAX = 10_000
/** Hashing and parsing a body costs as much as a small call every so many bytes. */
const BYTES_A_TOKEN = 256 * 1024
/** A refused caller should retry when the bucket has been refilled to this share. */
const REFILLED_SHARE = 0.25
/** It is not known when calls in progress will end. */
const BUSY_MS = 1_000

export class Throttle {
  readonly #now: () => number
  readonly #buckets: Readonly<Record<ThrottleScope, Buckets>>

  /** `now` should be monotone: a wall clock gives tokens away when it is put forward. */
  constructor(limits: RateLimits = rateDefaults, now: () => number = () => performance.now()) {
    const { account, accounts } = limits
    this.#now = now
    this.#buckets = {
      account: new Buckets(account, BUCKETS_MAX, (id) => accounts.get(id) ?? account),
      principal: new Buckets(limits.principal, BUCKETS_MAX),
      address: new Buckets(limits.address, BUCKETS_MAX),
    }
  }

  /** Only who has proven to be the principal may spend what the principal has. */
  signed(account: string, subject: Subject, bodyBytes: number): ThrottleSlot | ThrottleRejection {
    const { principal, whole } = this.#signed(account, subject)
    const cost = costOf(bodyBytes)
    return shortage(principal, whole, cost) ?? enter(cost, principal, whole)
  }

  /** The rejection that a call would get. Spends nothing, so it may be computed for any account and subject. */
  short(account: string, subject: Subject, bodyBytes: number): ThrottleRejection | undefined {
    const { principal, whole } = this.#signed(account, subject)
    return shortage(principal, whole, costOf(bodyBytes))
  }

  /** The caller of a web session or a bearer token, by the id that its claims prove. */
  bearer(account: string, principalId: string, bodyBytes: number): ThrottleSlot | ThrottleRejection {
    const now = this.#now()
    const principal = this.#buckets.principal.at(`${account}/bearer:${principalId}`, now)
    const whole = this.#buckets.account.at(account, now)
    const cost = costOf(bodyBytes)
    return shortage(principal, whole, cost) ?? enter(cost, principal, whole)
  }

  unsigned(remoteAddress: string, bodyBytes: number): ThrottleSlot | ThrottleRejection {
    const bucket = this.#buckets.address.at(networkOf(remoteAddress), this.#now())
    const cost = costOf(bodyBytes)
    return refusal('address', bucket, cost) ?? enter(cost, bucket)
  }

  #signed(account: string, subject: Subject) {
    const now = this.#now()
    return {
      principal: this.#buckets.principal.at(principalKey(account, subject), now),
      whole: this.#buckets.account.at(account, now),
    }
  }
}

const costOf = (bodyBytes: number): number => 1 + Math.floor(bodyBytes / BYTES_A_TOKEN)

/** A call that costs more than a full bucket empties it: every call must be possible at some time. */
const within = ({ rate }: Bucket, cost: number): number => Math.min(cost, rate.burst)

function refusal(scope: ThrottleScope, bucket: Bucket, cost: number): ThrottleRejection | undefined {
  const { rate, running } = bucket
  if (waitMs(bucket, within(bucket, cost)) > 0) {
    return { scope, retryAfterMs: waitMs(bucket, Math.max(within(bucket, cost), rate.burst * REFILLED_SHARE)) }
  }
  return running >= rate.runningMax ? { scope, retryAfterMs: BUSY_MS } : undefined
}

/** Spends nothing before both buckets agree: a principal over its own limit spends no tokens of others. */
const shortage = (principal: Bucket, whole: Bucket, cost: number): ThrottleRejection | undefined =>
  refusal('principal', principal, cost) ?? refusal('account', whole, cost)

function enter(cost: number, ...buckets: readonly Bucket[]): ThrottleSlot {
  for (const bucket of buckets) {
    bucket.tokens -= within(bucket, cost)
    bucket.running++
  }
  return {
    release: () => {
      for (const bucket of buckets) bucket.running--
    },
  }
}

/** Keyed by what a caller cannot multiply: sessions, keys and federated users count as the identity they come from. */
export function principalKey(account: string, subject: Subject): string {
  switch (subject.kind) {
    case 'root':
    case 'nobody':
      return `${account}/${subject.kind}`
    case 'user':
    case 'role':
      // Unique over all accounts.
      return subject.id
    case 'federated-user':
      return principalKey(account, subject.issuer)
  }
}

/** The smallest IPv6 network that is assigned: a client with one address has all of its addresses. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':')
    while (groups.length + behind.length < 8) groups.push('0')
  }
  return groups.slice(0, 4).join(':')
}
