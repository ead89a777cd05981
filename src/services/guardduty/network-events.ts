/**
 * Events of the network that wait for detection: rows, which the follower of the audit log reads beside it and deletes in the
 * transaction that records what they lead to.
 */
import { randomUUID } from 'node:crypto'
import type { DnsEvent, FlowEvent } from '../../engines/detect/types.ts'
import type { DetectionSourcesPort } from '../../kernel/ports/detection-sources.ts'
import { type Entry, type Key, key, type Unit, under } from '../../store/store.ts'
import type { Place } from './engines.ts'
import { detectorIn } from './resources.ts'

export interface WaitingRow extends Place {
  readonly events: readonly (FlowEvent | DnsEvent)[]
}

export type NetworkSource = (FlowEvent | DnsEvent)['source']

interface WaitingState {
  readonly events: number
  readonly dropped: number
  /** What has ever come. */
  readonly sources: readonly NetworkSource[]
}

/** Of one account and Region. */
const WAITING_MAX = 100_000
/** Of one row. */
const EVENTS_MAX = 1_000
/** Rows of one batch. */
export const ROWS_MAX = 20

const QUEUE: Key = under('guardduty', 'network-events')
const stateKey = ({ account, region }: Place): Key => key('guardduty', 'network-events-state', account, region)

export const detectionSourcesPort: DetectionSourcesPort = {
  add: async (unit, { account, region }, events, now) => {
    const place = { account, region }
    if (!(await detectorIn(unit, place))?.isEnabled) return undefined
    if (events.length === 0) return 0
    const state = (await unit.get<WaitingState>(stateKey(place))) ?? { events: 0, dropped: 0, sources: [] }
    const kept = events.slice(0, Math.max(0, WAITING_MAX - state.events))
    for (let at = 0; at < kept.length; at += EVENTS_MAX) {
      const row: WaitingRow = { ...place, events: kept.slice(at, at + EVENTS_MAX) }
      unit.put(`${QUEUE}${String(now).padStart(15, '0')}-${randomUUID()}`, row)
    }
    unit.put(stateKey(place), {
      events: state.events + kept.length,
      dropped: state.dropped + events.length - kept.length,
      sources: [...new Set([...state.sources, ...events.map(({ source }) => source)])].sort(),
    } satisfies WaitingState)
    return kept.length
  },
}

export const waitingRows = (reader: Pick<Unit, 'range'>): Promise<readonly Entry<WaitingRow>[]> =>
  reader.range<WaitingRow>(QUEUE, { limit: ROWS_MAX })

/** Kinds of events that have ever come: coverage says that there is a source. */
export const networkSources = async (reader: Pick<Unit, 'get'>, place: Place): Promise<readonly NetworkSource[]> =>
  (await reader.get<WaitingState>(stateKey(place)))?.sources ?? []

/** To be called with what {@link waitingRows} returned, once it is processed. */
export async function removeWaiting(unit: Unit, { key: at, document }: Entry<WaitingRow>): Promise<void> {
  unit.delete(at)
  const state = await unit.get<WaitingState>(stateKey(document))
  if (state) {
    const events = Math.max(0, state.events - document.events.length)
    unit.put(stateKey(document), { ...state, events } satisfies WaitingState)
  }
}
