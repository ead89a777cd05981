/**
 * Tokens of the instance metadata service, version 2, and how it answers the request for one. A token keeps no state: it is the end
 * of its life and a digest of that, so it is valid for the endpoint that issued it and for no other.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export const TTL_HEADER = 'x-aws-ec2-metadata-token-ttl-seconds'
export const TOKEN_HEADER = 'x-aws-ec2-metadata-token'
const TTL_SECONDS_MAX = 21_600

export class MetadataTokens {
  readonly #secret = randomBytes(32)
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Undefined for a time to live that is none: a whole number of seconds from 1 to 21,600. */
  issue(headers: IncomingHttpHeaders): { readonly token: string; readonly ttl: string } | undefined {
    const ttl = headers[TTL_HEADER]
    const seconds = Number(ttl)
    if (typeof ttl !== 'string' || !Number.isInteger(seconds) || seconds < 1 || seconds > TTL_SECONDS_MAX)
      return undefined
    return { token: this.#signed(String(this.#now() + seconds * 1_000)), ttl }
  }

  /** Whether the request has a token, and whether that one is valid. */
  check(headers: IncomingHttpHeaders): 'absent' | 'valid' | 'invalid' {
    const shown = headers[TOKEN_HEADER]
    if (shown === undefined) return 'absent'
    if (typeof shown !== 'string') return 'invalid'
    const end = shown.split('.')[0] ?? ''
    return isSame(shown, this.#signed(end)) && Number(end) > this.#now() ? 'valid' : 'invalid'
  }

  #signed(end: string): string {
    return `${end}.${createHmac('sha256', this.#secret).update(end).digest('base64url')}`
  }
}

/** Takes the same time for all texts of a length. */
export function isSame(shown: string, known: string): boolean {
  const [a, b] = [Buffer.from(shown), Buffer.from(known)]
  return a.length === b.length && timingSafeEqual(a, b)
}
