/**
 * What the server asks of the world: HTTPS, a little, soon, and never of its own neighbourhood. Addresses come from
 * tokens and metadata of strangers, so whoever could name an inside address could make the server ask it.
 */
import { lookup } from 'node:dns/promises'
import { request } from 'node:https'
import { isIP } from 'node:net'
import { isInside } from '../kernel/addresses.ts'
import type { OutboundPort } from '../kernel/ports.ts'

const BYTES_MAX = 256 * 1024
const MS_MAX = 5_000

interface Place {
  readonly address: string
  readonly port: number
}

/** `login.corp.test=127.0.0.1:4444,…`: hosts that the operator says where to find. TLS is verified for the name. */
export function readHosts(text: string | undefined): ReadonlyMap<string, Place> {
  const hosts = new Map<string, Place>()
  for (const part of (text ?? '').split(',').filter(Boolean)) {
    const [, host, address, port] = /^([a-z0-9.-]+)=([0-9a-f.:]+?):(\d{1,5})$/i.exec(part.trim()) ?? []
    if (!host || !address || isIP(address) === 0)
      throw new Error(`MERLON_FEDERATION_HOSTS: '${part}' is not host=address:port`)
    hosts.set(host.toLowerCase(), { address, port: Number(port) })
  }
  return hosts
}

export function outbound(hosts = readHosts(process.env['MERLON_FEDERATION_HOSTS'])): OutboundPort {
  return {
    get: async (text) => {
      const url = new URL(text)
      if (url.protocol !== 'https:') throw new Error(`${text} is no https address`)
      const place = hosts.get(url.hostname.toLowerCase()) ?? (await resolved(url))
      return ask(url, place)
    },
  }
}

async function resolved(url: URL): Promise<Place> {
  const { address } = await lookup(url.hostname)
  if (isInside(address)) throw new Error(`${url.hostname} lies inside this network`)
  return { address, port: Number(url.port || 443) }
}

/** Asks the address that was checked, not the name again: it might answer otherwise the second time. */
function ask(url: URL, { address, port }: Place): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: address,
        port,
        servername: url.hostname,
        path: url.pathname + url.search,
        headers: { host: url.host, accept: 'application/json' },
        signal: AbortSignal.timeout(MS_MAX),
      },
      (answer) => {
        const chunks: Buffer[] = []
        let length = 0
        answer.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > BYTES_MAX) asked.destroy(new Error(`${url.host} answers too much`))
          else chunks.push(chunk)
        })
        // A redirect is an answer like any other, and no success.
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        )
        answer.on('error', reject)
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}
