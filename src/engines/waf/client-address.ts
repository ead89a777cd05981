/** The address that a statement inspects: that of the connection, or one from a header. */
import type { FallbackBehavior, ForwardedIPPosition } from '@aws-sdk/client-wafv2'
import { addressBytes } from './ip-set.ts'
import { headerValues, type InspectedRequest } from './request.ts'

export interface ForwardedAddress {
  readonly HeaderName?: string | undefined
  readonly FallbackBehavior?: FallbackBehavior | undefined
  /** Default: the first. */
  readonly Position?: ForwardedIPPosition | undefined
}

/** AWS WAF looks at so many addresses of a header. */
const FORWARDED_MAX = 10

/**
 * The addresses to look at; no header, no statement (an empty list); a header that holds no valid address at the position gives
 * what the statement falls back to.
 */
export function clientAddresses(
  request: InspectedRequest,
  forwarded: ForwardedAddress | undefined,
): readonly string[] | FallbackBehavior {
  if (!forwarded) return [request.clientIp]
  const values = headerValues(request, forwarded.HeaderName ?? '')
  if (values.length === 0) return []
  const all = values.flatMap((value) => value.split(',')).map((each) => each.trim())
  const position = forwarded.Position ?? 'FIRST'
  const chosen = position === 'ANY' ? all.slice(-FORWARDED_MAX) : [position === 'FIRST' ? all[0]! : all.at(-1)!]
  const valid = chosen.filter((address) => addressBytes(address) !== undefined)
  return valid.length > 0 ? valid : (forwarded.FallbackBehavior ?? 'NO_MATCH')
}
