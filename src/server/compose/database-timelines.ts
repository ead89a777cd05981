/**
 * `merlon.timelines` in the data directory of a node: the newest timeline of each PostgreSQL cluster that the node has used.
 * A promotion begins a new timeline, so that a node that starts while only the former primary answers recognizes it.
 */
import { join } from 'node:path'
import { readOwnFile, replaceFile } from '../../vault/durable-file.ts'

/** Timelines by the system identifier of the cluster. */
type Timelines = ReadonlyMap<string, number>

export class KeptTimelines {
  readonly #file: string
  #newest: Timelines = new Map()
  /** Nothing is written before the node has its name: until then the directory need not exist. */
  #saves = false

  constructor(data: string) {
    this.#file = join(data, 'merlon.timelines')
  }

  /** Empty for a file that is missing or that Merlon did not write. */
  read(): Timelines {
    const text = readOwnFile(this.#file)
    if (text === undefined) return new Map()
    try {
      const entries = Object.entries(JSON.parse(text) as object)
      return new Map(entries.filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1])))
    } catch {
      return new Map()
    }
  }

  newer(newest: Timelines): void {
    this.#newest = newest
    if (this.#saves) this.save()
  }

  save(): void {
    this.#saves = true
    if (this.#newest.size > 0) replaceFile(this.#file, `${JSON.stringify(Object.fromEntries(this.#newest))}\n`)
  }
}
