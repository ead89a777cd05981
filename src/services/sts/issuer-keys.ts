/** The key cache of AssumeRoleWithWebIdentity, and STS's error where an issuer's keys cannot be fetched. */
import type { JWK } from 'jose'
import { IssuerKeys, type KeySource } from '../../kernel/federation/issuer-keys.ts'
import { ThumbprintMismatchError } from '../../kernel/federation/thumbprint.ts'
import type { OutboundPort } from '../../kernel/ports/ports.ts'
import { sts } from './words.ts'

/** One for each outbound port, so that tests do not share keys. */
const caches = new WeakMap<OutboundPort, IssuerKeys>()

/** Every key of the issuer that fits the id; all of them for a token that names none. */
export async function keysOf(
  outbound: OutboundPort,
  source: Pick<KeySource, 'issuer' | 'thumbprints'>,
  kid: string | undefined,
  now: number,
): Promise<readonly JWK[]> {
  const cache = caches.get(outbound) ?? new IssuerKeys((url, thumbprints) => outbound.get(url, thumbprints))
  caches.set(outbound, cache)
  try {
    return await cache.of(source, kid, now)
  } catch (cause) {
    if (cause instanceof ThumbprintMismatchError) throw sts.fail('InvalidIdentityTokenException', cause.message)
    throw sts.fail(
      'InvalidIdentityTokenException',
      `Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements (${(cause as Error).message})`,
    )
  }
}
