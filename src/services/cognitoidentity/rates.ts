/** What unauthenticated callers may cause, per account and second: rows on disk, and requests to identity providers. */
import type { Call } from '../../kernel/gate/call.ts'
import { Buckets } from '../../kernel/gate/token-bucket.ts'
import type { Vault } from '../../vault/vault.ts'
import { cognitoIdentity } from './resources.ts'

/** A quota `cognito-identity/NAME` replaces each. */
const PER_SECOND = {
  /** New identities without a login. Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html (GetId) */
  'guests-per-second': 25,
  /** Requests to Facebook and Amazon about a token. Ours. */
  'token-lookups-per-second': 10,
} as const
type RateName = keyof typeof PER_SECOND

const ACCOUNTS_MAX = 10_000
/** Of this node; by its vault, so that two servers in one process do not share them. */
const buckets = new WeakMap<Vault, Map<RateName, Buckets>>()

/** Throws `TooManyRequestsException` when the account has no token left. */
export function spend(call: Call, name: RateName, account: string): void {
  const ofNode = buckets.get(call.vault) ?? new Map<RateName, Buckets>()
  buckets.set(call.vault, ofNode)
  const perSecond = call.quotas[`cognito-identity/${name}`] ?? PER_SECOND[name]
  const rate = { perSecond, burst: 2 * perSecond, runningMax: Number.POSITIVE_INFINITY }
  const ofRate = ofNode.get(name) ?? new Buckets(rate, ACCOUNTS_MAX)
  ofNode.set(name, ofRate)
  const bucket = ofRate.at(account, call.now)
  if (bucket.tokens < 1) throw cognitoIdentity.fail('TooManyRequestsException', 'Too many requests')
  bucket.tokens--
}
