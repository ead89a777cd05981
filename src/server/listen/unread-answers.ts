/** Answers that wait for their readers. They hold memory, so there is an end to it: of time, and of bytes for all together. */
import type { ServerResponse } from 'node:http'

export interface ReadTimeouts {
  /** Without a byte being read. */
  readonly stalledMs: number
  readonly ms: number
}

export const patienceDefaults: ReadTimeouts = { stalledMs: 20_000, ms: 300_000 }

export class UnreadAnswers {
  readonly #bytesMax: number
  readonly #patience: ReadTimeouts
  readonly #onCutOff: () => void
  /** In the order they came. */
  readonly #waiting = new Map<ServerResponse, number>()
  #bytes = 0

  constructor(bytesMax: number, patience: ReadTimeouts, onCutOff: () => void) {
    this.#bytesMax = bytesMax
    this.#patience = patience
    this.#onCutOff = onCutOff
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Of an answer that was ended. undefined when the system took all of it at once, as it does with small ones. */
  read(response: ServerResponse): Promise<void> | undefined {
    return response.writableLength === 0 || response.destroyed ? undefined : this.#wait(response)
  }

  async #wait(response: ServerResponse): Promise<void> {
    const bytes = response.writableLength
    this.#waiting.set(response, bytes)
    this.#bytes += bytes
    // The client that has had the longest time to read goes first: those that do read are soon done.
    for (const oldest of this.#waiting.keys()) {
      if (this.#bytes <= this.#bytesMax) break
      this.#cutOff(oldest)
    }
    const cutOff = () => this.#cutOff(response)
    const late = setTimeout(cutOff, this.#patience.ms)
    response.setTimeout(this.#patience.stalledMs, cutOff)
    if (!response.destroyed) await new Promise<void>((resolve) => response.once('close', () => resolve()))
    clearTimeout(late)
    this.#forget(response)
  }

  #cutOff(response: ServerResponse): void {
    if (!this.#waiting.has(response)) return
    this.#forget(response)
    this.#onCutOff()
    response.destroy()
  }

  #forget(response: ServerResponse): void {
    this.#bytes -= this.#waiting.get(response) ?? 0
    this.#waiting.delete(response)
  }
}
