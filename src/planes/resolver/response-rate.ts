/**
 * Response rate limiting by the client's network: with forged source addresses, an authoritative server without it becomes
 * an amplifier. See ISC, "Response Rate Limiting in BIND".
 */
import { isIPv6 } from 'node:net'
import { Buckets } from '../../kernel/gate/token-bucket.ts'

/** Whole responses a second to one network: IPv4 /24, IPv6 /56. */
const RATE = { perSecond: 200, burst: 1_000, runningMax: Number.POSITIVE_INFINITY }
const NETWORKS_MAX = 10_000

export class ResponseRate {
  readonly #buckets = new Buckets(RATE, NETWORKS_MAX)

  allows(address: string, nowMs: number): boolean {
    const bucket = this.#buckets.at(networkOf(address), nowMs)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}

function networkOf(address: string): string {
  if (!isIPv6(address)) return address.slice(0, address.lastIndexOf('.'))
  const [head = ''] = address.split('::')
  const groups = [...head.split(':'), '0', '0', '0', '0'].slice(0, 4)
  return `${groups.slice(0, 3).join(':')}:${(Number.parseInt(groups[3] || '0', 16) >> 8).toString(16)}`
}
