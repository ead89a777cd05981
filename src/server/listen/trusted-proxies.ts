/**
 * Proxies whose word counts for the address and the scheme of a client. What any other peer says of them is ignored: it
 * stays in the headers, which a signature may cover.
 */
import { BlockList, isIP } from 'node:net'
import type { HttpRequest } from '../../wire/http.ts'

/** Longer chains of proxies than this are not followed: the list costs work before anybody is authenticated. */
const HOPS_MAX = 32

export class TrustedProxies {
  readonly #list = new BlockList()

  /** CIDR blocks or single addresses. Throws for a text that is neither. */
  constructor(blocks: readonly string[]) {
    for (const block of blocks) {
      const [address = '', prefix, ...more] = block.split('/')
      const version = isIP(address)
      const bitsMax = version === 4 ? 32 : 128
      const bits = prefix === undefined ? bitsMax : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
      if (version === 0 || more.length > 0 || bits < 0 || bits > bitsMax)
        throw new Error(`'${block}' is not an address or a CIDR block, such as 10.0.0.0/8`)
      this.#list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6')
    }
  }

  /** `address` is one that a socket reported, in its plain form. */
  has(address: string): boolean {
    const version = isIP(address)
    return version !== 0 && this.#list.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }

  /** The client of a request that came from `peer`: the nearest address in X-Forwarded-For that is no trusted proxy. */
  clientOf(peer: string, request: Pick<HttpRequest, 'rawHeaders'>): string {
    if (!this.has(peer)) return peer
    const hops = valuesOf(request, 'x-forwarded-for').slice(-HOPS_MAX)
    let client = peer
    for (const hop of hops.reverse()) {
      const address = plainAddressOf(hop)
      if (address === undefined) break
      client = address
      if (!this.has(address)) break
    }
    return client
  }

  /** Whether the client spoke TLS with the proxies; undefined when `peer` is no proxy, or did not say. */
  isSecure(peer: string, request: Pick<HttpRequest, 'rawHeaders'>): boolean | undefined {
    if (!this.has(peer)) return undefined
    const schemes = valuesOf(request, 'x-forwarded-proto')
    // Of several all must be encrypted: the first one may be the client's own text.
    return schemes.length === 0 ? undefined : schemes.every((scheme) => scheme.toLowerCase() === 'https')
  }
}

/** A header that is repeated is one list (RFC 9110 §5.3). */
function valuesOf({ rawHeaders }: Pick<HttpRequest, 'rawHeaders'>, name: string): string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.toLowerCase() === name) values.push(...rawHeaders[i + 1]!.split(','))
  return values.map((value) => value.trim()).filter((value) => value !== '')
}

/** `192.0.2.1`, `192.0.2.1:4711`, `[2001:db8::1]:4711`, `2001:db8::1`; undefined for anything else. */
function plainAddressOf(hop: string): string | undefined {
  const [, bracketed, dotted] = /^(?:\[([0-9a-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/i.exec(hop) ?? []
  const text = (bracketed ?? dotted ?? hop).replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(text) === 0 ? undefined : text.toLowerCase()
}
