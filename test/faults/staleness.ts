/** How long a revoked permission is still accepted: callers call without a pause while it is revoked. */
import { setTimeout as wait } from 'node:timers/promises'

export interface Taken {
  /** Returns once it is acknowledged. */
  take(): Promise<unknown>
  /** Whether it works: on the node that revokes it, and on the node of the callers. */
  works(where: 'here' | 'there'): Promise<boolean>
}

export interface Staleness {
  /** How long after the acknowledgement a call that was still served had begun; 0 when none was. */
  readonly ms: number
  /** Whether a call that began after the acknowledgement, on the same node, was served. */
  readonly worksHere: boolean
  readonly servedBefore: number
}

const ASKERS = 3
/** Served so often before it is taken away: it did work. */
const SERVED_MIN = 5
const WORKS_WITHIN_MS = 10_000
/** No call was served for as long: it is over. */
const QUIET_MS = 60

export async function staleness({ take, works }: Taken, forMs = QUIET_MS): Promise<Staleness> {
  const served: number[] = []
  /** Refusals in a row. */
  let refused = 0
  let stopped = false
  const ask = async () => {
    while (!stopped) {
      const began = performance.now()
      if (await works('there')) {
        served.push(began)
        refused = 0
      } else refused++
    }
  }
  const asking = Array.from({ length: ASKERS }, ask)
  const until = performance.now() + WORKS_WITHIN_MS
  while (served.length < SERVED_MIN && performance.now() < until) await wait(5)
  await take()
  const acknowledged = performance.now()
  refused = 0
  const worksHere = await works('here')
  await wait(forMs)
  // On a busy machine the callers themselves may pause for as long: their refusals are what shows that it is over.
  const isOver = () => refused > ASKERS && performance.now() - Math.max(acknowledged, ...served) >= QUIET_MS
  while (!isOver() && performance.now() - acknowledged < WORKS_WITHIN_MS) await wait(10)
  stopped = true
  await Promise.all(asking)
  const late = served.map((began) => began - acknowledged)
  return { ms: Math.max(0, ...late), worksHere, servedBefore: late.filter((ms) => ms < 0).length }
}

export function distribution(values: readonly number[]): {
  readonly p50: number
  readonly p99: number
  readonly max: number
} {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1)! }
}
