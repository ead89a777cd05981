/** Bounds on what callers without credentials can make the token service do. */
import { createHash } from 'node:crypto'
import { type Key, key, type Unit } from '../../store/store.ts'

const DEVICES_MAX = 10_000
/** Clients send two polls at once before they begin to wait. */
const FREE_POLLS = 2

/** How often each device polls, in this node's memory: a pace is no security, and a refused call writes nothing. */
export class PollPace {
  readonly #intervalMs: number
  readonly #polls = new Map<Key, { readonly since: number; readonly count: number }>()

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  isTooFast(device: Key, now: number): boolean {
    const before = this.#polls.get(device)
    const isSame = before !== undefined && now - before.since < this.#intervalMs
    const count = isSame ? before.count + 1 : 1
    if (!before && this.#polls.size >= DEVICES_MAX) this.#polls.clear()
    this.#polls.set(device, { since: isSame ? before.since : now, count })
    return count > FREE_POLLS
  }
}

const WINDOW_MS = 10 * 60_000
/** Networks share rows by hash, so that no number of addresses fills the store. */
const ROWS = 65_536
const STARTED_MAX = 60

interface StartedRow {
  readonly since: number
  readonly count: number
}

/** How many devices of one address may make a request in ten minutes; of IPv6 those of a network of 64 bits. */
export const PendingRequests = {
  admit: async (unit: Unit, address: string, now: number): Promise<boolean> => {
    const network = address.includes('.') ? address : address.split(':').slice(0, 4).join(':')
    const bucket = createHash('sha256').update(network).digest().readUInt32BE() % ROWS
    const at = key('sso-oidc', 'started', String(bucket))
    const row = await unit.get<StartedRow>(at)
    const isSame = row !== undefined && now - row.since < WINDOW_MS
    const count = isSame ? row.count + 1 : 1
    if (count > STARTED_MAX) return false
    unit.put(at, { since: isSame ? row.since : now, count } satisfies StartedRow)
    return true
  },
}
