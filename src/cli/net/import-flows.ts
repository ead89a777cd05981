/** `merlon net import-flows`: flow records and DNS queries of log files of AWS, to the threat detection of a server. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DnsEvent, FlowEvent } from '../../engines/detect/types.ts'
import { callAdmin, placeOptions } from '../admin-client.ts'
import { UsageError } from '../command.ts'
import { listLogFiles, readEvents } from '../detect/log-files.ts'
import { plain } from '../plain.ts'
import { plural, printLine } from '../policy/shown.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = {
  files: {
    type: 'string',
    value: 'DIR',
    multiple: true,
    about: 'log files below DIR: VPC flow and Route 53 Resolver query logs, also gzipped (required)',
  },
  ...placeOptions,
} as const

/** Below what the socket takes in one request. */
const BATCH_BYTES_MAX = 48 * 1024
const WAIT_MS = 1_000
/** As long as the queue of an account stays full. */
const WAITS_MAX = 120

type NetworkEvent = FlowEvent | DnsEvent

interface Imported {
  readonly results: readonly {
    readonly account: string
    readonly region: string
    readonly events: number
    readonly queued?: number
  }[]
}

export const importFlowsCommand: SubCommand = {
  name: 'import-flows',
  about: 'Sends flow records and DNS queries of log files of AWS to the threat detection of a server.',
  options,
  async run(words) {
    const { given } = parseSubcommand(options, words)
    const { files, ...place } = given
    if (files.length === 0) throw new UsageError('--files is missing.')
    const counts = new Map<string, { sent: number; unwatched: number }>()
    let skipped = 0
    for (const file of files.flatMap((root) => [...listLogFiles(root)]))
      for await (const events of readEvents(file, () => skipped++)) {
        const ours = events.filter((event): event is NetworkEvent => event.source === 'flow' || event.source === 'dns')
        for (const batch of batches(ours)) await send(batch)
      }
    for (const [name, { sent, unwatched }] of counts) {
      if (sent > 0) printLine(`${plain(name)}: ${plural(sent, 'event')} sent\n`)
      if (unwatched > 0)
        printLine(`${plain(name)}: ${plural(unwatched, 'event')} left out, no detector is enabled there\n`)
    }
    if (skipped > 0) process.stderr.write(`merlon: ${plural(skipped, 'record')} of no known kind.\n`)
    return [...counts.values()].some(({ sent }) => sent > 0) ? 0 : 1

    async function send(batch: readonly NetworkEvent[]): Promise<void> {
      let left = batch
      for (let waits = 0; left.length > 0; waits++) {
        const { results } = await callAdmin<Imported>(place, 'POST /network-events', { events: left })
        const full = new Map<string, number>()
        for (const { account, region, events, queued } of results) {
          const name = `${account} ${region}`
          const count = counts.get(name) ?? { sent: 0, unwatched: 0 }
          counts.set(name, count)
          if (queued === undefined) count.unwatched += events
          else {
            count.sent += queued
            if (queued < events) full.set(name, queued)
          }
        }
        left = [...full].flatMap(([name, queued]) =>
          left.filter((event) => `${event.account} ${event.region}` === name).slice(queued),
        )
        if (left.length > 0 && waits >= WAITS_MAX)
          throw new UsageError('The queue of threat detection stays full: does the server run? Try again later.')
        if (left.length > 0) await sleep(WAIT_MS)
      }
    }
  },
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
