/** Options of gateways, for `merlon start` and `merlon plane run gateway`. */
import { isIP } from 'node:net'
import { addressFilesOf } from '../kernel/addresses/address-data.ts'
import { UsageError } from './command.ts'

export interface GatewayWords {
  readonly 'gateway-port'?: readonly string[] | undefined
  readonly 'gateway-trust'?: readonly string[] | undefined
  readonly 'gateway-hops'?: string | undefined
}

const isPort = (text: string | undefined): boolean => /^\d{1,5}$/.test(text ?? '') && Number(text) <= 65_535

/** The port to open for one that a listener has. */
function portMap(words: readonly string[] = []): (port: number) => number {
  const mapped = new Map<number, number>()
  for (const word of words) {
    const [from, to, ...more] = word.split('=')
    if (!isPort(from) || !isPort(to) || more.length > 0)
      throw new UsageError(`--gateway-port is PORT=PORT, such as 443=8443, not '${word}'.`)
    mapped.set(Number(from), Number(to))
  }
  return (port) => mapped.get(port) ?? port
}

export function gatewaySettings(given: GatewayWords) {
  const trusted = given['gateway-trust'] ?? []
  for (const cidr of trusted) {
    const [address = '', length] = cidr.split('/')
    if (isIP(address) === 0 || !/^\d{1,3}$/.test(length ?? ''))
      throw new UsageError(`--gateway-trust is a range such as 10.0.0.0/8, not '${cidr}'.`)
  }
  const hops = given['gateway-hops'] ?? '0'
  if (!/^\d$/.test(hops)) throw new UsageError(`--gateway-hops is a number from 0 to 9, not '${hops}'.`)
  return { trusted, hops: Number(hops), portOf: portMap(given['gateway-port']), addresses: addressFilesOf(process.env) }
}

/** undefined: no gateway runs in the process of the server. */
export function gatewayOf(given: GatewayWords, host: string | undefined) {
  if (host === undefined) return undefined
  const address = host.replace(/^\[|\]$/g, '')
  if (isIP(address) === 0 && address !== 'localhost')
    throw new UsageError(`--gateway is an address to listen on, such as 127.0.0.1, not '${host}'.`)
  return { host: address, gateway: gatewaySettings(given) }
}
