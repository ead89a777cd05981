/** What streams are fed from: the log of all accounts, or the checkpoints of this node, each in the order of writing. */
import { type Checkpoint, checkpointsBehind } from '../../kernel/evidence/checkpoint.ts'
import type { Store } from '../../store/store.ts'
import type { Line } from './sink.ts'

export interface Source {
  readonly kind: 'events' | 'checkpoints'
  /** What follows a position; the beginning for undefined. */
  read(after: string | undefined, limit: number): Promise<readonly Line[]>
}

interface Told {
  readonly eventName?: string
  readonly errorCode?: string
}

export const events = (store: Store): Source => ({
  kind: 'events',
  read: async (after, limit) =>
    (await store.evidence(Number(after ?? 0), limit)).map(({ position, timeMs, body }) => {
      const { eventName = '', errorCode } = JSON.parse(body) as Told
      return { position: String(position), timeMs, name: eventName, refused: errorCode !== undefined, body }
    }),
})

export const checkpoints = (store: Store): Source => ({
  kind: 'checkpoints',
  read: async (after, limit) =>
    (await checkpointsBehind(store, Number(after ?? 0), limit)).map((checkpoint: Checkpoint) => ({
      position: String(checkpoint.number),
      timeMs: Date.parse(checkpoint.time),
      name: checkpoint.kind,
      refused: false,
      body: JSON.stringify(checkpoint),
    })),
})
