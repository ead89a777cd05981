/**
 * Hints between nodes that something was committed, by LISTEN and NOTIFY, and a slow timer in case one is lost. A hint
 * only makes a node query the database; changes are read by revision, so nothing depends on hints arriving.
 */
import type pg from 'pg'
import { type ConnectionSettings, connect, drop } from './connection.ts'

const BEAT_MS = 500
const RECONNECT_MS = 1_000
/** Commits in quick succession are one hint. */
const GATHER_MS = 3

export class ChangeNotifications {
  readonly #place: ConnectionSettings
  readonly #node: string
  readonly #onHint: () => void
  readonly #beat: NodeJS.Timeout
  #client: pg.Client | undefined
  /** The same, once it listens. */
  #listening: pg.Client | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(place: ConnectionSettings, node: string, onHint: () => void) {
    this.#place = place
    this.#node = node
    this.#onHint = onHint
    this.#beat = setInterval(onHint, BEAT_MS)
    this.#beat.unref()
    void this.#listen()
  }

  /** Notifies the other nodes, soon. */
  give(): void {
    this.#timer ??= setTimeout(() => void this.#notify(), GATHER_MS)
  }

  async #notify(): Promise<void> {
    await this.#listening?.query(`SELECT pg_notify('merlon', $1)`, [this.#node]).catch(() => undefined)
    this.#timer = undefined
  }

  async #listen(): Promise<void> {
    while (!this.#closed) {
      try {
        const client = await connect(this.#place)
        if (this.#closed) return drop(client)
        client.on('notification', ({ payload }) => {
          if (payload !== this.#node) this.#onHint()
        })
        const ended = new Promise<void>((resolve) => client.on('end', resolve))
        this.#client = client
        // A hint is worth no wait for the disk.
        await client.query('SET synchronous_commit = off; LISTEN merlon')
        this.#listening = client
        this.#onHint()
        await ended
      } catch {
        // Without it the beat is what there is: an engine that knows no LISTEN serves as well.
      }
      this.#client = undefined
      this.#listening = undefined
      if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS).unref())
    }
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#beat)
    clearTimeout(this.#timer)
    if (this.#client) drop(this.#client)
  }
}
