/** Where a signature may act: the Region of its scope, or those that the Region set of SigV4a names. */
import { misscoped } from './faults.ts'
import type { Presented } from './present.ts'
import { parseBasicDate } from './time.ts'

/** What a verified signature says beside who signed. */
export interface Signature {
  readonly algorithm: Presented['algorithm']
  readonly presigned: boolean
  /** Epoch milliseconds. */
  readonly signedAt: number
  /** Represents the body: its hash, or `UNSIGNED-PAYLOAD` and its like; undefined where no service reads it. */
  readonly payload: string | undefined
  /** Whether it may act in this Region. */
  covers(region: string): boolean
}

export const signatureOf = (presented: Presented): Signature => ({
  algorithm: presented.algorithm,
  presigned: presented.presigned,
  signedAt: parseBasicDate(presented.amzDate)!,
  payload: presented.payloadText,
  covers: (region) => coversRegion(presented, region),
})

type Scoped = Pick<Presented, 'algorithm' | 'region' | 'regionSet' | 'service' | 'presigned'>

export function coversRegion({ algorithm, region, regionSet }: Scoped, wanted: string): boolean {
  return algorithm === 'AWS4-HMAC-SHA256'
    ? region === wanted
    : patternsOf(regionSet).some((pattern) => regionMatches(pattern, wanted))
}

const FIRST_REGION = 'us-east-1'

/**
 * The Region a call acts in where nothing else decides. A Region set that holds us-east-1 acts there; any other acts in
 * the first Region that it names in full. undefined where it names none.
 */
export function actingRegion(presented: Scoped): string | undefined {
  if (presented.algorithm === 'AWS4-HMAC-SHA256') return presented.region
  if (coversRegion(presented, FIRST_REGION)) return FIRST_REGION
  return patternsOf(presented.regionSet).find((pattern) => /^[a-z0-9-]{1,64}$/.test(pattern))
}

export const notInSet = ({ service, presigned }: Pick<Presented, 'service' | 'presigned'>) =>
  misscoped(service, presigned, 'Credential should be scoped to a valid region.')

const PATTERNS_MAX = 64

/** The patterns of SigV4a's signed header or parameter, `*` meaning any run of characters. */
export function patternsOf(regionSet: string | undefined): readonly string[] {
  return (regionSet ?? '')
    .split(',', PATTERNS_MAX)
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '')
}

export function regionMatches(pattern: string, region: string): boolean {
  if (!/^[A-Za-z0-9*-]{1,64}$/.test(pattern)) return false
  const [head, ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === region
  const tail = rest.pop()!
  if (!region.startsWith(head!) || !region.endsWith(tail) || head!.length + tail.length > region.length) return false
  let at = head!.length
  for (const piece of rest) {
    const found = region.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at + tail.length <= region.length
}
