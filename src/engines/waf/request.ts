/** The request that a web ACL inspects. All texts are bytes as Latin-1 strings: one character a byte, as they came. */

export interface InspectedRequest {
  readonly method: string
  /** As received: without the query, not decoded. */
  readonly path: string
  /** As received: without the question mark; empty when there is none. */
  readonly query: string
  /** Browsers never send one; some clients do. */
  readonly fragment?: string | undefined
  /** `1.1` or `2.0`. */
  readonly httpVersion: string
  /** In their order, with the case in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** What was received up to the limit of the association. */
  readonly body: string
  /** The body is longer than `body`. */
  readonly isBodyTruncated: boolean
  /** The address of the client's connection, after PROXY protocol. */
  readonly clientIp: string
  readonly country?: string | undefined
  /** Within the country. */
  readonly region?: string | undefined
  readonly asn?: number | undefined
  readonly ja3?: string | undefined
  readonly ja4?: string | undefined
}

/** The values of a header, in their order. */
export const headerValues = ({ headers }: InspectedRequest, name: string): readonly string[] => {
  const wanted = name.toLowerCase()
  return headers.filter(([each]) => each.toLowerCase() === wanted).map(([, value]) => value)
}
