/** What streams are fed from: the log of all accounts, or the checkpoints, of all nodes, each in the order of writing. */
import type { SourceBatch } from '../../kernel/events/follower.ts'
import { checkpointsBehind, placeOf } from '../../kernel/log-integrity/checkpoint.ts'
import type { Store } from '../../store/store.ts'
import type { Line } from './sink.ts'

/** Of one batch: receivers have limits of their own, and a batch that is too large for one would be so for ever. */
const BYTES_MAX = 2 * 1024 * 1024
const PORTION = 50

export interface Source {
  readonly kind: 'events' | 'checkpoints'
  /** What follows; the beginning for undefined. */
  read(after: string | undefined, limit: number): Promise<SourceBatch<Line>>
}

interface EventHead {
  readonly eventName?: string
  readonly errorCode?: string
}

export const events = (store: Store): Source => ({
  kind: 'events',
  read: async (after = '0', limit) => {
    const lines: Line[] = []
    let bytes = 0
    let more = true
    while (more && lines.length < limit && bytes < BYTES_MAX) {
      const wanted = Math.min(PORTION, limit - lines.length)
      const rows = await store.evidence(Number(lines.at(-1)?.position ?? after), wanted)
      for (const { position, timeMs, body } of rows) {
        lines.push({ position: String(position), timeMs, ...lineOf(body) })
        bytes += body.length
      }
      more = rows.length === wanted
    }
    return { lines, next: lines.at(-1)?.position ?? after, more }
  },
})

/** An unreadable record does not stop the stream: it is sent as it is. */
function lineOf(body: string): Pick<Line, 'name' | 'refused' | 'body'> {
  try {
    const { eventName = '', errorCode } = JSON.parse(body) as EventHead
    return { name: eventName, refused: errorCode !== undefined, body }
  } catch {
    return { name: 'Unreadable', refused: true, body: JSON.stringify({ eventName: 'Unreadable', text: body }) }
  }
}

/** Goes on behind a number for each node, as JSON. */
export const checkpoints = (store: Store): Source => ({
  kind: 'checkpoints',
  read: async (after = '{}', limit) => {
    const numbers = JSON.parse(after) as Record<string, number>
    const found = (await checkpointsBehind(store, numbers, limit)).map(({ key, document }) => ({
      ...placeOf(key),
      document,
    }))
    for (const { node, number } of found) numbers[node] = number
    const lines = found.map(({ node, number, document }) => ({
      position: `${node}.${number}`,
      // Sent whatever it contains: the witness must see it.
      timeMs: Date.parse(document.time) || 0,
      name: 'merlon-checkpoint',
      refused: false,
      body: JSON.stringify(document),
    }))
    return { lines, next: JSON.stringify(numbers), more: lines.length === limit }
  },
})
