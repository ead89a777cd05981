/** Parsers written as generators: they yield how many bytes they need next, and receive exactly these. */
import { TruncatedMessage } from '../errors.ts'
import { ByteQueue } from './byte-queue.ts'

/** Yields a number of bytes to receive them, or an output. */
export type Reading<Output, Result> = Generator<number | Output, Result, Buffer>

/**
 * Runs a parser over chunks as they arrive. Bytes that it does not need stay in `queue`, for the next parser.
 *
 * @example
 * const reader = new Reader(readHeader(), queue)
 * const outputs = reader.push(chunk)
 * if (reader.result) …
 */
export class Reader<Output extends object, Result> {
  readonly #queue: ByteQueue
  readonly #reading: Reading<Output, Result>
  #needed = 0
  #result: { readonly value: Result } | undefined

  constructor(reading: Reading<Output, Result>, queue = new ByteQueue()) {
    this.#reading = reading
    this.#queue = queue
  }

  get result(): { readonly value: Result } | undefined {
    return this.#result
  }

  /** Goes as far as the bytes in the queue allow, and returns what came out. */
  run(start = false): Output[] {
    const outputs: Output[] = []
    let step = start ? this.#reading.next(undefined as never) : undefined
    while (!this.#result) {
      if (step?.done) this.#result = { value: step.value }
      else if (step && typeof step.value !== 'number') {
        outputs.push(step.value)
        step = this.#reading.next(undefined as never)
      } else {
        if (step) this.#needed = step.value as number
        if (this.#queue.length < this.#needed) break
        step = this.#reading.next(this.#queue.take(this.#needed))
      }
    }
    return outputs
  }

  /** Throws `MalformedMessage` when the parser still needs bytes. */
  end(offset: number): void {
    if (!this.#result) throw new TruncatedMessage('The message ends before it is complete', offset)
  }
}
