/** When an order at another authority is looked at again, repeated, and given up. Pure. */
import type { FailureReason } from '@aws-sdk/client-acm'
import type { StepResult } from '../../../kernel/jobs/lifecycle.ts'
import type { CertificateRow, CertificateState } from '../resources.ts'
import type { AcmeProblemError } from './answers.ts'
import type { UpstreamOrder, UpstreamState } from './state.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
/** An order that has not come to an end by then is given up. */
const ORDER_MS = HOUR_MS
const ATTEMPTS_MAX = 5
/** How long an authority is left alone that could not be reached: at first, and at most. */
const AWAY_MS = 10 * SECOND_MS
const AWAY_MS_MAX = 10 * MINUTE_MS
const RETRY_MS_MAX = 6 * HOUR_MS

type Result = StepResult<CertificateState, CertificateRow>

/** The order goes on at the next turn. */
export const TRANSIENT: ReadonlySet<string> = new Set(['rateLimited', 'serverInternal', ''])
const FAILURES: Readonly<Record<string, FailureReason>> = { caa: 'CAA_ERROR', rejectedIdentifier: 'DOMAIN_NOT_ALLOWED' }

/** Milliseconds to the next step, often at first, since an authority validates within seconds; undefined while none is planned. */
export function upstreamEveryMs({ upstream }: CertificateRow, now: number): number | undefined {
  if (!upstream) return undefined
  const { order, retryAt = now } = upstream
  if (!order) return Math.max(SECOND_MS, retryAt - now)
  return Math.min(MINUTE_MS, Math.max(SECOND_MS, (now - order.startedAt) / 10))
}

export const isOverdue = ({ startedAt }: UpstreamOrder, now: number): boolean => now - startedAt > ORDER_MS

/** No answer, or none in time: longer each time. */
export const silent = (upstream: UpstreamState, now: number): UpstreamState => ({
  ...upstream,
  silences: (upstream.silences ?? 0) + 1,
  retryAt: now + Math.min(AWAY_MS_MAX, AWAY_MS * 2 ** Math.min(10, upstream.silences ?? 0)),
})

/** Repeated later, each time later; a first issuance ends after some attempts. */
export function refused(row: CertificateRow, error: AcmeProblemError, now: number): Result {
  const attempts = (row.upstream?.attempts ?? 0) + 1
  const retryAt = now + Math.min(RETRY_MS_MAX, 2 ** attempts * MINUTE_MS)
  const upstream: UpstreamState = { attempts, retryAt }
  const isFinal = FAILURES[error.type] !== undefined || (attempts >= ATTEMPTS_MAX && !TRANSIENT.has(error.type))
  return isFinal ? { to: 'FAILED', row: { upstream, failure: FAILURES[error.type] ?? 'OTHER' } } : { row: { upstream } }
}
