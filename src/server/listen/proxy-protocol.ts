/**
 * The PROXY protocol, versions 1 and 2 (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt): a head that a proxy
 * sends before the bytes of its client. Pure.
 */
import { isIP } from 'node:net'

export interface ProxiedClient {
  readonly address: string
  readonly port: number
  /** Set when the client spoke TLS with the proxy. */
  readonly tls: ProxiedTls | undefined
}

export interface ProxiedTls {
  /** `TLSv1.3`; undefined when the proxy did not say. */
  readonly version: string | undefined
  readonly cipher: string | undefined
}

export type ProxyHead =
  /** More bytes decide. */
  | { readonly kind: 'incomplete' }
  /** The bytes are the client's own. */
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid' }
  /** `client` is undefined for connections of the proxy itself, such as health checks. */
  | { readonly kind: 'head'; readonly length: number; readonly client: ProxiedClient | undefined }

const V1 = Buffer.from('PROXY ')
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
/** Of version 1, by its specification. */
const V1_BYTES_MAX = 107
/** Of version 2 without its first part. Ours: addresses, and what proxies say of TLS and of the connection. */
const V2_BYTES_MAX = 2_048
const V2_FIXED = 16

export function parseProxyHead(bytes: Buffer): ProxyHead {
  if (beginsWith(bytes, V1)) return bytes.length < V1.length ? { kind: 'incomplete' } : parseText(bytes)
  if (beginsWith(bytes, V2)) return bytes.length < V2_FIXED ? { kind: 'incomplete' } : parseBinary(bytes)
  return { kind: 'none' }
}

/** As far as there are bytes. */
const beginsWith = (bytes: Buffer, signature: Buffer): boolean => {
  const length = Math.min(bytes.length, signature.length)
  return bytes.subarray(0, length).equals(signature.subarray(0, length))
}

function parseText(bytes: Buffer): ProxyHead {
  const end = bytes.subarray(0, V1_BYTES_MAX).indexOf('\r\n')
  if (end < 0) return { kind: bytes.length >= V1_BYTES_MAX ? 'invalid' : 'incomplete' }
  const [, family = '', source = '', destination = '', port = '', destinationPort = '', ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ')
  const length = end + 2
  if (family === 'UNKNOWN') return { kind: 'head', length, client: undefined }
  const version = { TCP4: 4, TCP6: 6 }[family]
  const isValid =
    version !== undefined &&
    isIP(source) === version &&
    isIP(destination) === version &&
    [port, destinationPort].every((each) => /^\d{1,5}$/.test(each) && Number(each) <= 65_535) &&
    more.length === 0
  if (!isValid) return { kind: 'invalid' }
  return { kind: 'head', length, client: { address: source, port: Number(port), tls: undefined } }
}

/** Lengths of the addresses by family and transport; others name no address. */
const ADDRESSES: Readonly<Record<number, { readonly bytes: number; readonly total: number }>> = {
  17: { bytes: 4, total: 12 },
  33: { bytes: 16, total: 36 },
}

function parseBinary(bytes: Buffer): ProxyHead {
  const [versionAndCommand, family] = [bytes[12]!, bytes[13]!]
  const rest = bytes.readUInt16BE(14)
  if (versionAndCommand >> 4 !== 2 || rest > V2_BYTES_MAX) return { kind: 'invalid' }
  const length = V2_FIXED + rest
  if (bytes.length < length) return { kind: 'incomplete' }
  const command = versionAndCommand & 0x0f
  if (command === 0) return { kind: 'head', length, client: undefined }
  const form = ADDRESSES[family]
  if (command !== 1 || (form !== undefined && rest < form.total)) return { kind: 'invalid' }
  if (form === undefined) return { kind: 'head', length, client: undefined }
  const body = bytes.subarray(V2_FIXED, length)
  const tls = tlsOf(body.subarray(form.total))
  if (tls === 'invalid') return { kind: 'invalid' }
  const address = printAddress(body.subarray(0, form.bytes))
  return { kind: 'head', length, client: { address, port: body.readUInt16BE(form.bytes * 2), tls } }
}

function printAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(n * 2).toString(16))
  // The parser of URLs prints addresses as RFC 5952 wants them.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

const TLV_SSL = 0x20
const SUBTYPE_VERSION = 0x21
const SUBTYPE_CIPHER = 0x23
const CLIENT_SSL = 0x01

function tlsOf(bytes: Buffer): ProxiedTls | undefined | 'invalid' {
  const values = valuesOf(bytes)
  if (!values) return 'invalid'
  const ssl = values.get(TLV_SSL)
  if (!ssl || ssl.length < 5 || (ssl[0]! & CLIENT_SSL) === 0) return undefined
  const inner = valuesOf(ssl.subarray(5))
  if (!inner) return 'invalid'
  const textOf = (type: number) => inner.get(type)?.toString('latin1')
  const version = textOf(SUBTYPE_VERSION)
  return { version: /^TLSv1(?:\.\d)?$/.test(version ?? '') ? version : undefined, cipher: textOf(SUBTYPE_CIPHER) }
}

/** Type, length and value, again and again; undefined when a length is wrong. */
function valuesOf(bytes: Buffer): ReadonlyMap<number, Buffer> | undefined {
  const values = new Map<number, Buffer>()
  let at = 0
  while (at < bytes.length) {
    if (at + 3 > bytes.length) return undefined
    const length = bytes.readUInt16BE(at + 1)
    const end = at + 3 + length
    if (end > bytes.length) return undefined
    values.set(bytes[at]!, bytes.subarray(at + 3, end))
    at = end
  }
  return values
}
