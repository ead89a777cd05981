/**
 * Queries and their answers, reported each second for threat detection. A query that one client repeats within the second with the
 * same result is reported once. What is reported is bounded, for each client and in all: anyone can send queries.
 */
import { printData } from '../../engines/dns/records.ts'
import type { ResourceRecord } from '../../engines/dns/zones.ts'
import {
  ANSWER_LENGTH_MAX,
  ANSWERS_MAX,
  type ObservedQuery,
  QUERIES_MAX,
  type QueriesRecord,
} from '../../kernel/planes/observed-queries.ts'
import type { Peer } from '../../kernel/planes/plane.ts'

const EVERY_MS = 1_000
/** Of all clients, in one interval. */
const PENDING_MAX = 500
/** Of one client, in one interval: one client must not hide the others. */
const OF_CLIENT_MAX = 100

export interface QueryRecorderOptions {
  readonly onRecord?: ((record: object) => void) | undefined
  /** Takes the number of queries that were not reported. */
  readonly onDropped?: ((count: number) => void) | undefined
}

export interface AnsweredQuery {
  readonly name: string
  readonly type: string
  readonly rcode: string
  readonly answers: readonly ResourceRecord[]
  readonly transport: 'UDP' | 'TCP'
}

export class QueryRecorder {
  readonly #options: QueryRecorderOptions
  readonly #pending = new Map<string, ObservedQuery>()
  readonly #ofClient = new Map<string, number>()
  #dropped = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: QueryRecorderOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#options.onRecord) this.#timer = setInterval(() => this.flush(), EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.flush()
  }

  add({ name, type, rcode, answers, transport }: AnsweredQuery, peer: Peer, now = Date.now()): void {
    if (!this.#options.onRecord) return
    const address = peer.address.replace(/^::ffff:(?=\d+\.)/i, '')
    const key = `${address} ${rcode} ${type} ${name.toLowerCase()}`
    if (this.#pending.has(key)) return
    const before = this.#ofClient.get(address) ?? 0
    if (this.#pending.size >= PENDING_MAX || before >= OF_CLIENT_MAX) {
      this.#dropped++
      return
    }
    this.#ofClient.set(address, before + 1)
    this.#pending.set(key, {
      query_timestamp: new Date(now).toISOString(),
      query_name: name.endsWith('.') ? name : `${name}.`,
      query_type: type,
      query_class: 'IN',
      rcode,
      answers: answers.slice(0, ANSWERS_MAX).map((answer) => ({
        Rdata: printData(answer.data).slice(0, ANSWER_LENGTH_MAX),
        Type: answer.type,
        Class: 'IN',
      })),
      srcaddr: address,
      srcport: String(peer.port),
      transport,
    })
  }

  flush(): void {
    const queries = [...this.#pending.values()]
    this.#pending.clear()
    this.#ofClient.clear()
    for (let at = 0; at < queries.length; at += QUERIES_MAX)
      this.#options.onRecord?.({
        kind: 'queries',
        queries: queries.slice(at, at + QUERIES_MAX),
      } satisfies QueriesRecord)
    if (this.#dropped > 0) this.#options.onDropped?.(this.#dropped)
    this.#dropped = 0
  }
}
