/**
 * PROXY protocol, version 2: a load balancer in front reports the client of a connection. Trusted from configured addresses
 * alone. Source: https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt §2.2
 */

export const PROXY_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const HEAD_BYTES = 16
/** Addresses with the vectors that clouds add. */
const BODY_BYTES_MAX = 2_048
const TCP4 = 0x11
const TCP6 = 0x21
const LOCAL = 0x20
const PROXY = 0x21

export interface ProxyHeader {
  /** Bytes of the whole header. */
  readonly length: number
  /** undefined for connections of the proxy itself, such as health checks. */
  readonly source: { readonly address: string; readonly port: number } | undefined
}

/** `more` while its end has not come; undefined for bytes that are no such header. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | 'more' | undefined {
  const shared = Math.min(bytes.length, PROXY_SIGNATURE.length)
  if (!bytes.subarray(0, shared).equals(PROXY_SIGNATURE.subarray(0, shared))) return undefined
  if (bytes.length < HEAD_BYTES) return 'more'
  const length = HEAD_BYTES + bytes.readUInt16BE(14)
  if (length > HEAD_BYTES + BODY_BYTES_MAX) return undefined
  if (bytes.length < length) return 'more'
  const [command, family] = [bytes[12], bytes[13]]
  if (command === LOCAL) return { length, source: undefined }
  if (command !== PROXY) return undefined
  if (family === TCP4 && length >= HEAD_BYTES + 12) {
    const address = bytes.subarray(HEAD_BYTES, HEAD_BYTES + 4).join('.')
    return { length, source: { address, port: bytes.readUInt16BE(HEAD_BYTES + 8) } }
  }
  if (family === TCP6 && length >= HEAD_BYTES + 36) {
    const words = Array.from({ length: 8 }, (_, word) => bytes.readUInt16BE(HEAD_BYTES + 2 * word).toString(16))
    return { length, source: { address: words.join(':'), port: bytes.readUInt16BE(HEAD_BYTES + 32) } }
  }
  return undefined
}
