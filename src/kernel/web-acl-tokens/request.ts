/** What tokens of web ACLs are about: a client, as one of its requests shows it. All texts are bytes as Latin-1 strings. */

export type Header = readonly [name: string, value: string]

export interface TokenRequest {
  readonly method: string
  /** As received, without the query. */
  readonly path: string
  /** As received, without the question mark; undefined when there is none. */
  readonly query: string | undefined
  /** Of the Host header or `:authority`. */
  readonly authority: string
  readonly headers: readonly Header[]
  /** The address of the client. */
  readonly client: string
  readonly connection: {
    /** undefined: the connection is not TLS. */
    readonly tls?: object | undefined
    readonly ja4?: string | undefined
  }
}

/** A response to be sent as it is. */
export interface TokenAnswer {
  readonly status: number
  readonly headers: readonly Header[]
  readonly body: string | Buffer
}

export const headerOf = (headers: readonly Header[], name: string): string | undefined =>
  headers.find(([each]) => each.toLowerCase() === name)?.[1]

/** The host of an authority, in lower case and without its port; undefined for a text that is none. */
export function hostOf(authority: string): string | undefined {
  const [, host] = /^([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i.exec(authority) ?? []
  return host?.toLowerCase().replace(/\.$/, '')
}
