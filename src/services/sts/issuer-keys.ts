/** The keys that issuers of tokens sign with, found by discovery and kept for a while. */
import type { JWK } from 'jose'
import type { OutboundPort } from '../../kernel/ports.ts'
import { sts } from './words.ts'

const KEPT_MS = 3_600_000
/** A token with a key nobody has heard of may mean that the issuer has new ones: asked once a minute at most. */
const RETRY_MS = 60_000
const KEYS_MAX = 100
const ISSUERS_MAX = 1_000

interface Held {
  readonly keys: readonly JWK[]
  readonly fetchedAt: number
}

/** One for each way out, so that tests do not share what they have learnt. */
const caches = new WeakMap<OutboundPort, Map<string, Held>>()

/** Every key of the issuer that fits the id; all of them for a token that names none. */
export async function keysOf(
  outbound: OutboundPort,
  issuer: string,
  kid: string | undefined,
  now: number,
): Promise<readonly JWK[]> {
  const cache = caches.get(outbound) ?? new Map<string, Held>()
  caches.set(outbound, cache)
  let held = cache.get(issuer)
  const fits = () => held?.keys.filter((key) => kid === undefined || key.kid === kid) ?? []
  const age = held ? now - held.fetchedAt : Number.POSITIVE_INFINITY
  if (age > KEPT_MS || (fits().length === 0 && age > RETRY_MS)) {
    held = { keys: await fetched(outbound, issuer), fetchedAt: now }
    if (cache.size >= ISSUERS_MAX) cache.clear()
    cache.set(issuer, held)
  }
  return fits()
}

/** OpenID Connect Discovery 1.0 §4. */
async function fetched(outbound: OutboundPort, issuer: string): Promise<readonly JWK[]> {
  try {
    const configuration = await json(outbound, `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
    // §4.3: the issuer must be exactly who was asked.
    if (configuration['issuer'] !== issuer || typeof configuration['jwks_uri'] !== 'string')
      throw new Error('not its own issuer')
    const { keys } = await json(outbound, configuration['jwks_uri'])
    if (!Array.isArray(keys)) throw new Error('no keys')
    return keys.slice(0, KEYS_MAX) as JWK[]
  } catch (cause) {
    throw sts.fail(
      'InvalidIdentityTokenException',
      `Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements (${(cause as Error).message})`,
    )
  }
}

async function json(outbound: OutboundPort, url: string): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await outbound.get(url)
  if (status !== 200) throw new Error(`${url} answered ${status}`)
  return JSON.parse(body)
}
