/** The response of a target on its way to the client: its head and its body go on as they come, no faster than the client takes them. */
import type { Duplex, Writable } from 'node:stream'
import type { Dispatcher, Pool } from 'undici'
import type { GatewayRequest, Header, ResponseHead } from './request.ts'

export interface RelayOptions {
  readonly request: GatewayRequest
  /** What the client gets, by what the target sent. */
  readonly headOf: (status: number, headers: readonly Header[]) => ResponseHead
  /** Called once, when the target has nothing more to do. Not after an upgrade: its connection goes on. */
  readonly ended: () => void
  /** For requests with `upgrade`: the target agrees, and what comes on this connection is no HTTP any more. */
  readonly upgraded?: (headers: readonly Header[], upstream: Duplex) => void
}

/** Resolves when the client gets the beginning of a response; rejects when the target sends none, or the client is gone before. */
export const relay = (pool: Pool, options: Dispatcher.DispatchOptions, relayed: RelayOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    const handler = new Relay(relayed, resolve, reject)
    try {
      pool.dispatch(options, handler)
    } catch (error) {
      handler.fail(error as Error)
    }
  })

const GONE = new Error('The client is gone.')

class Relay implements Dispatcher.DispatchHandler {
  readonly #relayed: RelayOptions
  readonly #resolve: () => void
  readonly #reject: (error: Error) => void
  #controller: Dispatcher.DispatchController | undefined
  #sink: Writable | undefined
  #isBegun = false
  #isOver = false

  constructor(relayed: RelayOptions, resolve: () => void, reject: (error: Error) => void) {
    this.#relayed = relayed
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    const { departure } = this.#relayed.request
    if (departure.isGone) controller.abort(GONE)
    else departure.once('gone', this.#abort)
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    _headers: object,
    upstream: Duplex,
  ): void {
    this.#relayed.request.departure.off('gone', this.#abort)
    this.#isBegun = true
    this.#isOver = true
    this.#relayed.upgraded!(pairs(controller.rawHeaders), upstream)
    this.#resolve()
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // A response to come, of which the client needs not know.
    if (status < 200) return
    const { request, headOf } = this.#relayed
    // Throws for a head that HTTP/1.1 does not allow: the target gave no response then.
    const head = headOf(status, pairs(controller.rawHeaders))
    if (request.method === 'HEAD' || status === 204 || status === 304) request.respond(head)
    else {
      this.#sink = request.begin(head)
      if (this.#sink) this.#sink.on('drain', this.#resume)
      else controller.abort(GONE)
    }
    this.#isBegun = true
    this.#resolve()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#sink && !this.#sink.destroyed && !this.#sink.write(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.#over()
    this.#sink?.end()
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.fail(error)
  }

  fail(error: Error): void {
    this.#over()
    if (this.#isBegun) this.#relayed.request.destroy()
    else this.#reject(error)
  }

  readonly #abort = () => this.#controller?.abort(GONE)
  readonly #resume = () => this.#controller?.resume()

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#relayed.request.departure.off('gone', this.#abort)
    this.#relayed.ended()
  }
}

/** As they came: bytes as Latin-1 strings. */
function pairs(raw: Dispatcher.DispatchController['rawHeaders']): readonly Header[] {
  const flat = (raw ?? []) as readonly (Buffer | string)[]
  const found: Header[] = []
  const text = (bytes: Buffer | string) => (typeof bytes === 'string' ? bytes : bytes.toString('latin1'))
  for (let at = 0; at + 1 < flat.length; at += 2) found.push([text(flat[at]!), text(flat[at + 1]!)])
  return found
}
