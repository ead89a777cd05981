/**
 * Failure budgets: how many wrong guesses a secret survives that is checked online, such as a one-time code or a password.
 *
 * Failures are counted on the secret, not on the caller, in a transaction of their own: a refused call still counts, on
 * every node and across restarts. A node compares the attempts on one secret one after another; on several nodes the
 * commits decide the order, and an attempt that lost the race is repeated, within what is left of the budget. So parallel
 * guesses cost the same as guesses one after another, and correct answers, however many, cost nothing. A correct answer
 * resets the count.
 *
 * Trade-off: while a secret waits, the correct answer is refused too, so an attacker who reaches the check can delay its
 * owner. The wait never exceeds `maxMs`, and only callers that can prove a first factor may reach a check.
 */
import { key, type Store, type Unit } from '../../store/store.ts'
import { MERLON_EVENT_SOURCE, serviceEvent } from '../events/event.ts'

export interface FailurePolicy {
  /** Failures without any delay. */
  readonly free: number
  /** Wait after the first failure beyond the free ones. It doubles with each further failure. */
  readonly delayMs: number
  /** The longest wait. A secret whose wait has grown to it is reported in the audit log. */
  readonly maxMs: number
}

/**
 * For one-time codes of six digits and for passwords: 18 guesses in the first two hours, then 24 a day. A device accepts
 * three of a million codes at a time, so guessing takes 38 years on average.
 */
export const onlineGuessing: FailurePolicy = { free: 5, delayMs: 1_000, maxMs: 60 * 60_000 }

export interface GuessableSecret {
  readonly account: string
  /** Names the rows in the store: never change it. */
  readonly kind: 'mfa-device' | 'password' | 'user-pool'
  /** Unique within account and kind. */
  readonly id: string
  /** The resource that the audit log names. */
  readonly arn: string
  readonly type: string
  readonly policy: FailurePolicy
}

export type SecretCheck<T> =
  | { readonly outcome: 'correct'; readonly value: T }
  | { readonly outcome: 'wrong' }
  /** Not compared: the secret still waits after earlier failures. */
  | { readonly outcome: 'refused'; readonly retryAfterMs: number }

/**
 * Compares a secret within its budget. `compare` returns undefined for a wrong answer; what it writes to its unit (a
 * spent code) is durable before the caller learns that the answer was correct.
 */
export type CheckSecret = <T>(
  secret: GuessableSecret,
  compare: (unit: Unit) => Promise<T | undefined> | T | undefined,
) => Promise<SecretCheck<T>>

interface FailuresRow {
  readonly failures: number
  readonly lastAt: number
}

/** Attempts on one secret that may wait for their turn on a node; further ones are refused without being compared. */
const WAITING_MAX = 1_000

interface Turn {
  waiting: number
  last: Promise<unknown>
}

/** By store, which is a node's: the attempts on each secret that are in progress. */
const turns = new WeakMap<Store, Map<string, Turn>>()

export async function checkSecret<T>(
  store: Store,
  secret: GuessableSecret,
  { now, region }: { readonly now: number; readonly region: string },
  compare: (unit: Unit) => Promise<T | undefined> | T | undefined,
): Promise<SecretCheck<T>> {
  const at = failuresKey(secret)
  const ofStore = turns.get(store) ?? new Map<string, Turn>()
  turns.set(store, ofStore)
  const turn = ofStore.get(at) ?? { waiting: 0, last: Promise.resolve() }
  if (turn.waiting >= WAITING_MAX) return { outcome: 'refused', retryAfterMs: secret.policy.delayMs }
  ofStore.set(at, turn)
  turn.waiting++
  const checked = turn.last.then(() => attempt(store, secret, now, region, compare))
  turn.last = checked.catch(() => undefined)
  try {
    return await checked
  } finally {
    if (--turn.waiting === 0) ofStore.delete(at)
  }
}

/**
 * One attempt, in one transaction: what another node commits about the secret meanwhile makes it run again. Nothing is
 * known of its outcome before it is durable.
 */
async function attempt<T>(
  store: Store,
  secret: GuessableSecret,
  now: number,
  region: string,
  compare: (unit: Unit) => Promise<T | undefined> | T | undefined,
): Promise<SecretCheck<T>> {
  const at = failuresKey(secret)
  let isComparing = false
  try {
    return await store.run(async (unit): Promise<SecretCheck<T>> => {
      isComparing = false
      const row = await unit.get<FailuresRow>(at)
      const retryAfterMs = row ? row.lastAt + delayMs(secret.policy, row.failures) - now : 0
      if (retryAfterMs > 0) return { outcome: 'refused', retryAfterMs }
      isComparing = true
      const value = await compare(unit)
      isComparing = false
      if (value !== undefined) {
        // Without a write the order among the commits of other nodes would not be known.
        if (row || store.shared) unit.delete(at)
        return { outcome: 'correct', value }
      }
      charge(unit, secret, row, now, region)
      return { outcome: 'wrong' }
    })
  } catch (error) {
    // What could not be compared counts: else a guess that makes the comparison fail would be free.
    if (isComparing) await store.run(async (unit) => charge(unit, secret, await unit.get<FailuresRow>(at), now, region))
    throw error
  }
}

function charge(unit: Unit, secret: GuessableSecret, row: FailuresRow | undefined, now: number, region: string): void {
  const failures = (row?.failures ?? 0) + 1
  unit.put(failuresKey(secret), { failures, lastAt: now } satisfies FailuresRow)
  if (isExhausted(secret.policy, failures) && !isExhausted(secret.policy, failures - 1))
    unit.append(exhausted(secret, failures, now, region))
}

/** For a secret that was replaced or deleted: its successor starts with a full budget. */
export function resetFailures(unit: Unit, secret: Pick<GuessableSecret, 'account' | 'kind' | 'id'>): void {
  unit.delete(failuresKey(secret))
}

/** What a refused caller should read. */
export function retryText(retryAfterMs: number): string {
  const seconds = Math.ceil(retryAfterMs / 1000)
  return `Too many failed attempts. Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`
}

/** How long the secret waits after so many failures in a row. */
export function delayMs({ free, delayMs, maxMs }: FailurePolicy, failures: number): number {
  if (failures <= free) return 0
  return Math.min(maxMs, delayMs * 2 ** (failures - free - 1))
}

const isExhausted = (policy: FailurePolicy, failures: number): boolean => delayMs(policy, failures) >= policy.maxMs

const failuresKey = ({ account, kind, id }: Pick<GuessableSecret, 'account' | 'kind' | 'id'>) =>
  key('kernel', 'failures', account, kind, id)

function exhausted(
  { account, kind, arn, type, policy }: GuessableSecret,
  failures: number,
  now: number,
  region: string,
) {
  return serviceEvent({
    account,
    region,
    timeMs: now,
    eventSource: MERLON_EVENT_SOURCE,
    eventName: 'FailureBudgetExhausted',
    resources: [{ account, type, arn }],
    details: { secret: kind, failures, refusedForSeconds: policy.maxMs / 1000 },
  })
}
