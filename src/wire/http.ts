/** What a socket hands us and what we hand back: raw bytes with their headers, in no framework's form. */

/** A request exactly as received: nothing decoded, nothing folded, nothing dropped, because the signature covers these bytes. */
export interface HttpRequest {
  readonly method: string
  /** The path of the request line, before `?`, still percent-encoded. */
  readonly path: string
  /** The query after `?`, still encoded; empty when there was none. */
  readonly query: string
  /** Name, value, name, value, … in arrival order (Node's `rawHeaders`). */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** Address of the client; behind trusted proxies, the one that they name. */
  readonly remoteAddress: string
  /** True when the client's connection was TLS. */
  readonly secure: boolean
  /** Where it is known how it was TLS: not behind every proxy. */
  readonly tls?: TlsDetails | undefined
}

export interface TlsDetails {
  /** `TLSv1.3` */
  readonly version: string
  /** `TLS_AES_128_GCM_SHA256`, as OpenSSL names it. */
  readonly cipher: string | undefined
}

/** What a listener knows of a client besides its request. */
export type Peer = Pick<HttpRequest, 'remoteAddress' | 'secure' | 'tls'>

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** The first value of a header, whatever its case. */
export function header(request: Pick<HttpRequest, 'rawHeaders'>, name: string): string | undefined {
  const { rawHeaders } = request
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i]!
    if (candidate.length === name.length && candidate.toLowerCase() === name) return rawHeaders[i + 1]
  }
  return undefined
}
