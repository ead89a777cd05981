/**
 * What the server asks of the world: HTTPS, a little, soon, and never of its own neighbourhood. Addresses come from
 * tokens and metadata of strangers, so whoever could name an inside address could make the server ask it.
 */
import { lookup } from 'node:dns/promises'
import { request as requestPlain } from 'node:http'
import { request } from 'node:https'
import { isIP } from 'node:net'
import { isInside } from '../kernel/addresses.ts'
import type { FederationHttpPort, FederationRequest } from '../kernel/ports/federation-http.ts'
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

const configuredHosts = () => readHosts(process.env['MERLON_FEDERATION_HOSTS'])

export function outbound(hosts = configuredHosts()): OutboundPort {
  return {
    get: async (text) => {
      const url = new URL(text)
      if (url.protocol !== 'https:') throw new Error(`${text} is no https address`)
      return ask(url, hosts.get(url.hostname.toLowerCase()) ?? (await resolved(url)))
    },
  }
}

/** Requests to identity providers. Plain HTTP is for imitations on loopback, and only where the operator lists their host. */
export function federationRequests(hosts = configuredHosts()): FederationHttpPort {
  return {
    send: async ({ method, url: text, headers, form }) => {
      const url = new URL(text)
      const listed = hosts.get(url.hostname.toLowerCase())
      const isImitation = url.protocol === 'http:' && listed !== undefined && LOOPBACK.test(listed.address)
      if (url.protocol !== 'https:' && !isImitation) throw new Error(`${text} is no https address`)
      return ask(url, listed ?? (await resolved(url)), { method, headers, form })
    },
  }
}

const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/

async function resolved(url: URL): Promise<Place> {
  const { address } = await lookup(url.hostname)
  if (isInside(address)) throw new Error(`${url.hostname} lies inside this network`)
  return { address, port: Number(url.port || 443) }
}

/** Asks the address that was checked, not the name again: it might answer otherwise the second time. */
function ask(
  url: URL,
  { address, port }: Place,
  { method = 'GET', headers, form }: Partial<Omit<FederationRequest, 'url'>> = {},
): Promise<{ status: number; body: string }> {
  const body = form && new URLSearchParams(form).toString()
  const send = url.protocol === 'http:' ? requestPlain : request
  return new Promise((resolve, reject) => {
    const asked = send(
      {
        method,
        host: address,
        port,
        servername: url.hostname,
        path: url.pathname + url.search,
        headers: {
          ...headers,
          host: url.host,
          accept: 'application/json',
          ...(body !== undefined && {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': String(Buffer.byteLength(body)),
          }),
        },
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
    asked.end(body)
  })
}
