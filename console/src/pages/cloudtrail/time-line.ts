/** Events counted in equal spans of time. */
import { type AuditEvent, isDenial } from '../../access/event.ts'

export interface Bar {
  readonly at: Date
  readonly allowed: number
  readonly denied: number
}

const BARS_MAX = 40
const SPANS_MS = [60_000, 300_000, 900_000, 3_600_000, 10_800_000, 43_200_000, 86_400_000, 604_800_000]

export function timeLineOf(events: readonly AuditEvent[]): readonly Bar[] {
  const times = events.map(({ eventTime }) => Date.parse(eventTime))
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const span = SPANS_MS.find((each) => (last - first) / each < BARS_MAX) ?? SPANS_MS.at(-1)!
  const start = Math.floor(first / span) * span
  const bars = Array.from({ length: Math.floor((last - start) / span) + 1 }, (_, at) => ({
    at: new Date(start + at * span),
    allowed: 0,
    denied: 0,
  }))
  for (const [at, event] of events.entries()) {
    const bar = bars[Math.floor((times[at]! - start) / span)]!
    if (isDenial(event)) bar.denied++
    else bar.allowed++
  }
  return bars
}
