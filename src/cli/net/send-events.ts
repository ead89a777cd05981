/** Flow records and DNS queries, sent to the threat detection of a server by its operator. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DnsEvent, FlowEvent } from '../../engines/detect/types.ts'
import { callAdmin, type InstallationOptions } from '../admin-client.ts'
import { UsageError } from '../command.ts'

/** Below what the socket takes in one request. */
const BATCH_BYTES_MAX = 48 * 1024
const WAIT_MS = 1_000
/** As long as the queue of an account stays full. */
const WAITS_MAX = 120

export type NetworkEvent = FlowEvent | DnsEvent

interface Imported {
  readonly results: readonly {
    readonly account: string
    readonly region: string
    readonly events: number
    readonly queued?: number
  }[]
}

/** Of one account and Region: events that were sent, and those that no detector is enabled for. */
export interface SentCount {
  readonly sent: number
  readonly unwatched: number
}

/** Adds to the counts, by `ACCOUNT REGION`. Throws a `UsageError` where a queue stays full. */
export async function sendEvents(
  place: InstallationOptions,
  events: readonly NetworkEvent[],
  counts = new Map<string, SentCount>(),
): Promise<ReadonlyMap<string, SentCount>> {
  for (const batch of batches(events)) await sendBatch(place, batch, counts)
  return counts
}

async function sendBatch(
  place: InstallationOptions,
  batch: readonly NetworkEvent[],
  counts: Map<string, SentCount>,
): Promise<void> {
  let left = batch
  for (let waits = 0; left.length > 0; waits++) {
    const { results } = await callAdmin<Imported>(place, 'POST /network-events', { events: left })
    const full = new Map<string, number>()
    for (const { account, region, events, queued } of results) {
      const name = `${account} ${region}`
      const { sent, unwatched } = counts.get(name) ?? { sent: 0, unwatched: 0 }
      counts.set(name, { sent: sent + (queued ?? 0), unwatched: unwatched + (queued === undefined ? events : 0) })
      if (queued !== undefined && queued < events) full.set(name, queued)
    }
    left = [...full].flatMap(([name, queued]) =>
      left.filter((event) => `${event.account} ${event.region}` === name).slice(queued),
    )
    if (left.length > 0 && waits >= WAITS_MAX)
      throw new UsageError('The queue of threat detection stays full: does the server run? Try again later.')
    if (left.length > 0) await sleep(WAIT_MS)
  }
}

function* batches(events: readonly NetworkEvent[]): Generator<readonly NetworkEvent[]> {
  let batch: NetworkEvent[] = []
  let bytes = 0
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event)) + 1
    if (batch.length > 0 && bytes + size > BATCH_BYTES_MAX) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(event)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
