/**
 * Connections to targets, reported as flows: each minute, and at their end. A request is one flow to the target, its response
 * one back. What the gateway sees is the contents of a connection: bytes are those of TCP's payload, packets are not known.
 */
import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import { FLOWS_MAX, type FlowsRecord, type ObservedFlow } from '../../kernel/planes/observed-flows.ts'
import { parseArn } from '../../kernel/resource/arn.ts'

const TCP = 6
const EVERY_MS = 60_000
/** Beyond it connections are carried, and not reported. */
const OPEN_MAX = 20_000

interface Place {
  readonly account: string
  readonly region: string
}

interface OpenConnection {
  readonly socket: Socket
  readonly places: readonly Place[]
  readonly ends: Pick<ObservedFlow, 'source' | 'sourcePort' | 'destination' | 'destinationPort'>
  since: number
  sent: number
  received: number
}

export interface FlowRecorderOptions {
  readonly onRecord: ((record: object) => void) | undefined
  /** ARNs of the target groups that have this target. */
  readonly groupsOf: (address: string, port: number) => readonly string[]
}

export class FlowRecorder {
  readonly #options: FlowRecorderOptions
  readonly #open = new Set<OpenConnection>()
  #pending: (Place & { readonly flow: ObservedFlow })[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(options: FlowRecorderOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#options.onRecord) this.#timer = setInterval(() => this.flush(), EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.flush()
  }

  /** A connector of undici whose connections are reported. */
  connector(options: buildConnector.BuildOptions): buildConnector.connector {
    const connect = buildConnector(options)
    return (target, callback) =>
      connect(target, (...[error, socket]) => {
        if (error) return callback(error, null)
        this.#opened(socket)
        callback(null, socket)
      })
  }

  #opened(socket: Socket): void {
    const { localAddress, localPort, remoteAddress, remotePort } = socket
    if (!this.#options.onRecord || this.#open.size >= OPEN_MAX) return
    if (!localAddress || !localPort || !remoteAddress || !remotePort) return
    const connection: OpenConnection = {
      socket,
      places: placesOf(this.#options.groupsOf(remoteAddress, remotePort)),
      ends: { source: localAddress, sourcePort: localPort, destination: remoteAddress, destinationPort: remotePort },
      since: Date.now(),
      sent: 0,
      received: 0,
    }
    if (connection.places.length === 0) return
    this.#open.add(connection)
    socket.once('close', () => {
      this.#report(connection, Date.now())
      this.#open.delete(connection)
    })
  }

  /** What was carried since the last report. */
  #report(connection: OpenConnection, now: number): void {
    const { socket, places, ends, since } = connection
    const [sent, received] = [socket.bytesWritten - connection.sent, socket.bytesRead - connection.received]
    Object.assign(connection, { sent: socket.bytesWritten, received: socket.bytesRead, since: now })
    if (sent + received === 0) return
    const { source, sourcePort, destination, destinationPort } = ends
    const common = { protocol: TCP, start: since, end: now }
    const back = { source: destination, sourcePort: destinationPort, destination: source, destinationPort: sourcePort }
    for (const place of places) {
      if (sent > 0) this.#pending.push({ ...place, flow: { ...common, ...ends, bytes: sent } })
      if (received > 0) this.#pending.push({ ...place, flow: { ...common, ...back, bytes: received } })
    }
    if (this.#pending.length >= FLOWS_MAX) this.#send()
  }

  /** Reports open connections, too. */
  flush(now = Date.now()): void {
    for (const connection of this.#open) this.#report(connection, now)
    this.#send()
  }

  #send(): void {
    const pending = this.#pending
    this.#pending = []
    const byPlace = new Map<string, { readonly place: Place; readonly flows: ObservedFlow[] }>()
    for (const { account, region, flow } of pending) {
      const name = `${account} ${region}`
      const known = byPlace.get(name) ?? { place: { account, region }, flows: [] }
      byPlace.set(name, known)
      known.flows.push(flow)
    }
    for (const { place, flows } of byPlace.values())
      for (let at = 0; at < flows.length; at += FLOWS_MAX)
        this.#options.onRecord?.({
          kind: 'flows',
          ...place,
          flows: flows.slice(at, at + FLOWS_MAX),
        } satisfies FlowsRecord)
  }
}

/** Each account and Region once. */
function placesOf(arns: readonly string[]): readonly Place[] {
  const places = arns.flatMap((arn): [string, Place][] => {
    const parsed = parseArn(arn)
    return parsed ? [[`${parsed.account} ${parsed.region}`, { account: parsed.account, region: parsed.region }]] : []
  })
  return [...new Map(places).values()]
}
