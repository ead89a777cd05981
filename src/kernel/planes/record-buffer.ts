/**
 * Records that wait to be sent up: on disk while the control plane is away, so that a restart loses none. Beyond that
 * space the oldest are dropped and counted.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlaneStatus } from './enrollment.ts'
import { RECORDS_MAX, type RecordBatch, type RecordSink } from './records.ts'

export interface RecordBufferOptions {
  readonly sink: RecordSink
  /** A directory of its own; undefined: records wait in memory, and end with the process. */
  readonly directory: string | undefined
  readonly status: () => Omit<PlaneStatus, 'dropped'>
  /** Milliseconds between batches. Default: 10,000. */
  readonly everyMs?: number
  /** Default: 64 MiB. */
  readonly bytesMax?: number
}

const EVERY_MS = 10_000
const BYTES_MAX = 64 * 1024 * 1024
/** Below what the server takes in one request. */
const BATCH_BYTES_MAX = 480 * 1024
/** In memory, until the next batch. */
const PENDING_MAX = 10 * RECORDS_MAX

interface Waiting {
  readonly sequence: number
  readonly bytes: number
  /** undefined: on disk. */
  readonly text: string | undefined
}

export class RecordBuffer {
  readonly #options: RecordBufferOptions
  readonly #pending: object[] = []
  readonly #waiting: Waiting[] = []
  #sequence = 0
  #dropped = 0
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void> = Promise.resolve()

  constructor(options: RecordBufferOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { directory, everyMs = EVERY_MS } = this.#options
    if (directory !== undefined) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      for (const name of await readdir(directory)) {
        const [, sequence, kind] = /^(\d+)\.(json|sent)$/.exec(name) ?? []
        if (!sequence) continue
        this.#sequence = Math.max(this.#sequence, Number(sequence))
        const { size } = await stat(join(directory, name))
        if (kind === 'json') this.#waiting.push({ sequence: Number(sequence), bytes: size, text: undefined })
      }
      this.#waiting.sort((a, b) => a.sequence - b.sequence)
    }
    this.#timer = setInterval(() => void this.flush(), everyMs).unref()
  }

  /** Costs no input or output: records are written with the next batch. */
  add(record: object): void {
    if (this.#pending.length < PENDING_MAX) this.#pending.push(record)
    else this.#dropped++
  }

  /** What a plane observed and made no record of. */
  drop(count: number): void {
    this.#dropped += count
  }

  /** Writes down what is pending and sends what waits, the oldest first; never throws. */
  flush(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#flush()).catch(() => undefined)
    return this.#turn
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  async #flush(): Promise<void> {
    do await this.#keep(this.#next())
    while (this.#pending.length > 0)
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const batch = JSON.parse(next.text ?? (await readFile(this.#fileOf(next.sequence), 'utf8'))) as RecordBatch
      await this.#options.sink.put(batch)
      this.#waiting.shift()
      if (next.text === undefined) await this.#forget(next.sequence)
    }
  }

  /** As many records as one batch can have: the server bounds their number and their bytes. */
  #next(): readonly object[] {
    let count = 0
    for (let bytes = 0; count < Math.min(RECORDS_MAX, this.#pending.length); count++) {
      bytes += Buffer.byteLength(JSON.stringify(this.#pending[count]))
      if (bytes > BATCH_BYTES_MAX && count > 0) break
    }
    return this.#pending.splice(0, count)
  }

  async #keep(records: readonly object[]): Promise<void> {
    const { directory, status, bytesMax = BYTES_MAX } = this.#options
    const sequence = ++this.#sequence
    const batch: RecordBatch = { sequence, status: { ...status(), dropped: this.#dropped }, records }
    const text = JSON.stringify(batch)
    if (directory !== undefined) await writeFile(this.#fileOf(sequence), text, { mode: 0o600 })
    const bytes = Buffer.byteLength(text)
    this.#waiting.push({ sequence, bytes, text: directory === undefined ? text : undefined })
    let sum = this.#waiting.reduce((total, each) => total + each.bytes, 0)
    while (sum > bytesMax && this.#waiting.length > 1) {
      const oldest = this.#waiting.shift()!
      sum -= oldest.bytes
      this.#dropped++
      if (directory !== undefined) await rm(this.#fileOf(oldest.sequence), { force: true })
    }
  }

  /** The last number stays in the directory, so that a restart does not give it again. */
  async #forget(sequence: number): Promise<void> {
    const file = this.#fileOf(sequence)
    if (sequence < this.#sequence) return rm(file, { force: true })
    await rename(file, file.replace(/json$/, 'sent'))
    for (const name of await readdir(this.#options.directory!))
      if (name.endsWith('.sent') && name !== `${sequence}.sent`)
        await rm(join(this.#options.directory!, name), { force: true })
  }

  #fileOf(sequence: number): string {
    return join(this.#options.directory!, `${sequence}.json`)
  }
}
