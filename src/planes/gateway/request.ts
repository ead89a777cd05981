/** A request as the gateway works on it, whatever version of HTTP it came by. All texts are bytes as Latin-1 strings. */
import { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { Header } from '../../kernel/web-acl-tokens/request.ts'

export { type Header, headerOf, hostOf } from '../../kernel/web-acl-tokens/request.ts'

export interface TlsFacts {
  /** `TLSv1.3` */
  readonly version: string
  /** In OpenSSL's names. */
  readonly cipher: string
}

/** What is known of the connection. */
export interface ConnectionFacts {
  /** The client, after PROXY protocol. */
  readonly address: string
  readonly port: number
  /** The port of the listener. */
  readonly listenerPort: number
  readonly tls?: TlsFacts | undefined
  readonly ja3?: string | undefined
  readonly ja4?: string | undefined
}

export interface ResponseHead {
  readonly status: number
  readonly headers: readonly Header[]
}

/** When a client leaves, or has its response: once, `gone`. Cheaper than an abort signal, which each request would make an error for. */
export class Departure extends EventEmitter<{ gone: [] }> {
  #isGone = false

  get isGone(): boolean {
    return this.#isGone
  }

  leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.emit('gone')
  }
}

export interface GatewayRequest {
  readonly connection: ConnectionFacts
  /** The address of the client: of the connection, or of the first proxy that is not trusted. */
  client: string
  readonly method: string
  /** As received, without the query. */
  readonly path: string
  /** As received, without the question mark; undefined when there is none. */
  readonly query: string | undefined
  /** Of the Host header or `:authority`. */
  readonly authority: string
  readonly httpVersion: '1.0' | '1.1' | '2.0'
  /** In their order, with `Host`, without pseudo headers. */
  readonly headers: readonly Header[]
  /** undefined: the request has none. */
  readonly body: Readable | undefined
  /** Ends the connection, or the stream, when nothing passes either way for so long: slow senders and slow readers hold nothing. */
  idleAfter(milliseconds: number): void
  readonly departure: Departure
  /** Called with the status that the client gets. */
  onAnswer: ((status: number) => void) | undefined
  /** Sends a response; without a body it ends there. Does nothing when one was sent, or the client is gone. */
  respond(head: ResponseHead, body?: string | Buffer): void
  /** The same, with a body to be written; undefined where `respond` does nothing. */
  begin(head: ResponseHead): Writable | undefined
  /** Ends the connection of the client: the response was cut off. */
  destroy(): void
}

/** What was read of a request, before anything is answered. */
export type ParsedRequest = Pick<
  GatewayRequest,
  'connection' | 'method' | 'path' | 'query' | 'authority' | 'httpVersion' | 'headers' | 'body'
>

/** A request as it came by one version of HTTP; how it is answered is that version's. */
export abstract class ReceivedRequest implements GatewayRequest {
  readonly connection: ConnectionFacts
  readonly method: string
  readonly path: string
  readonly query: string | undefined
  readonly authority: string
  readonly httpVersion: '1.0' | '1.1' | '2.0'
  readonly headers: readonly Header[]
  readonly body: Readable | undefined
  readonly departure = new Departure()
  client: string
  onAnswer: GatewayRequest['onAnswer'] = undefined

  constructor(parsed: ParsedRequest) {
    this.connection = parsed.connection
    this.method = parsed.method
    this.path = parsed.path
    this.query = parsed.query
    this.authority = parsed.authority
    this.httpVersion = parsed.httpVersion
    this.headers = parsed.headers
    this.body = parsed.body
    this.client = parsed.connection.address
  }

  abstract idleAfter(milliseconds: number): void
  abstract respond(head: ResponseHead, body?: string | Buffer): void
  abstract begin(head: ResponseHead): Writable | undefined
  abstract destroy(): void
}

/** The parts of a target of a request; undefined for one that is refused. */
export function targetOf(target: string): { readonly path: string; readonly query: string | undefined } | undefined {
  if (!target.startsWith('/') || /[^\x21-\x7e]|#/.test(target)) return undefined
  const mark = target.indexOf('?')
  return mark < 0 ? { path: target, query: undefined } : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}
