/**
 * Where functions may connect: the public internet, and the parts of the internal network that the operator lists. A
 * name is resolved once, and the address that was checked is dialed, so that the name cannot resolve to another one in
 * between.
 */
import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { isMetadata, isPrivateAddress } from '../../kernel/resource/addresses.ts'

const CONNECT_MS_MAX = 10_000

/** `db.corp.test:5432` and `10.0.0.5:*`; lower case. */
export type EgressList = ReadonlySet<string>

const ENTRY = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):(\*|[1-9]\d{0,4})$/i

/** Throws for what is not `host:port,…`; `variable` is who said it. */
export function readEgress(text: string | undefined, variable = 'MERLON_FUNCTION_EGRESS'): EgressList {
  const list = new Set<string>()
  for (const part of (text ?? '').split(',').map((word) => word.trim())) {
    if (part === '') continue
    const [, v6, name, port] = ENTRY.exec(part) ?? []
    const host = v6 ?? name
    if (!host || (v6 !== undefined && isIP(v6) !== 6) || (port !== '*' && Number(port) > 65_535)) {
      throw new Error(`${variable}: '${part}' is not host:port`)
    }
    list.add(`${host.toLowerCase()}:${port}`)
  }
  return list
}

export interface SocketAddress {
  readonly address: string
  readonly port: number
}

export class EgressError extends Error {
  override readonly name = 'EgressError'
}

export class Egress {
  readonly #list: EgressList
  readonly #resolve: (host: string) => Promise<readonly string[]>

  constructor(
    list: EgressList,
    resolve: (host: string) => Promise<readonly string[]> = async (host) =>
      (await lookup(host, { all: true })).map(({ address }) => address),
  ) {
    this.#list = list
    this.#resolve = resolve
  }

  /** Throws `EgressError` for where functions may not go. */
  async place(host: string, port: number): Promise<SocketAddress> {
    const name = host.toLowerCase().replace(/^\[|\]$/g, '')
    const listed = this.#list.has(`${name}:${port}`) || this.#list.has(`${name}:*`)
    const addresses = isIP(name) ? [name] : await this.#resolve(name)
    const allowed = addresses.filter((address) => !isMetadata(address) && (listed || !isPrivateAddress(address)))
    const [address] = allowed
    if (address === undefined) {
      throw new EgressError(`Functions may not connect to ${host}:${port}: it is not in MERLON_FUNCTION_EGRESS.`)
    }
    return { address, port }
  }

  /** The socket ends when `signal` fires. */
  async dial(host: string, port: number, signal: AbortSignal): Promise<Socket> {
    signal.throwIfAborted()
    const { address } = await this.place(host, port)
    signal.throwIfAborted()
    const socket = connect({ host: address, port })
    const end = () => void socket.destroy(new EgressError('the time of the function has run out'))
    signal.addEventListener('abort', end, { once: true })
    socket.once('close', () => signal.removeEventListener('abort', end))
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => socket.destroy(new EgressError(`${host}:${port} does not answer`)), CONNECT_MS_MAX)
      const settle = (done: () => void) => {
        clearTimeout(timer)
        socket.off('connect', connected).off('error', broken)
        done()
      }
      const connected = () => settle(resolve)
      const broken = (error: Error) => settle(() => reject(error))
      socket.once('connect', connected).once('error', broken)
    })
    return socket
  }
}
