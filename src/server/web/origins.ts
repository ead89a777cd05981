/** The origins of a server, as clients reach them: of its API, and of its pages. */
import { type HttpRequest, header } from '../../wire/http.ts'
import type { Listener } from '../listen/listener.ts'

type Address = Pick<Listener, 'url' | 'port'>
type Reached = Pick<HttpRequest, 'rawHeaders' | 'secure'>

export interface ConfiguredOrigins {
  /** How clients reach the API, where a proxy is in between. */
  readonly publicUrl?: string | undefined
  /** How browsers reach the pages. */
  readonly webUrl?: string | undefined
}

/** A name or an address in a Host header, without its port. */
const HOST_NAME = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])$/

export class Origins {
  readonly #configured: ConfiguredOrigins
  #api: Address | undefined
  #web: Address | undefined

  constructor(configured: ConfiguredOrigins) {
    this.#configured = configured
  }

  /** The listeners are open. `web` is undefined while pages are not served. */
  listening(api: Address, web: Address | undefined): void {
    this.#api = api
    this.#web = web
  }

  /** Of pages: configured, or the address of their listener. */
  web(): string | undefined {
    return this.#web && (this.#configured.webUrl ?? this.#web.url)
  }

  /** Of the API, for a page that was loaded with this request. */
  apiFor(request: Reached): string {
    return this.#configured.publicUrl ?? this.#beside(request, this.#api) ?? this.#api?.url ?? ''
  }

  /** Whether pages of this server have an origin, for a request to its API. */
  isWeb(origin: string, request: Reached): boolean {
    if (this.#web === undefined) return false
    return origin === (this.#configured.webUrl ?? this.#beside(request, this.#web))
  }

  /** The other listener, by the name that a client uses for this one. */
  #beside(request: Reached, address: Address | undefined): string | undefined {
    const name = (header(request, 'host') ?? '').toLowerCase().replace(/:\d{1,5}$/, '')
    if (!address || !HOST_NAME.test(name)) return undefined
    // As a browser prints an origin: without the port of the scheme.
    return new URL(`${request.secure ? 'https' : 'http'}://${name}:${address.port}`).origin
  }
}

/** Throws unless the text is an origin: a scheme and a host, without a path. */
export function readOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username)
    throw new Error(`is an address without a path, such as https://merlon.example, not '${text}'`)
  return url.origin
}
