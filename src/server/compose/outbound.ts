/**
 * Merlon's own requests to other hosts: HTTPS, small, with a time limit, and never to private addresses. URLs come from
 * tokens and metadata of unauthenticated clients, who could otherwise make the server call internal addresses.
 */
import { createHash } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { request as requestPlain } from 'node:http'
import { request } from 'node:https'
import { isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ThumbprintMismatchError } from '../../kernel/federation/thumbprint.ts'
import type { FederationHttpPort, FederationRequest } from '../../kernel/ports/federation-http.ts'
import type { OutboundPort } from '../../kernel/ports/ports.ts'
import { isPrivateAddress } from '../../kernel/resource/addresses.ts'

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
    get: async (text, thumbprints = []) => {
      const url = new URL(text)
      if (url.protocol !== 'https:') throw new Error(`${text} is no https address`)
      const place = hosts.get(url.hostname.toLowerCase()) ?? (await resolved(url))
      try {
        return await fetchFrom(url, place)
      } catch (error) {
        // AWS: thumbprints count only where no trusted authority has signed the certificate.
        if (thumbprints.length === 0 || !UNTRUSTED.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      }
      return fetchFrom(url, place, { authority: await pinnedAuthority(url, place, thumbprints) })
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
      return fetchFrom(url, listed ?? (await resolved(url)), { method, headers, form })
    },
  }
}

/** No authority that is trusted here has signed the chain; nothing else is wrong with it. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])
const CHAIN_MAX = 10

/**
 * The top certificate that the server presents, if it is one of the thumbprints, as PEM. It proves nothing yet: anyone can
 * present it. The request that follows is verified up to it, name and dates included.
 */
function pinnedAuthority(url: URL, { address, port }: Place, thumbprints: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: address, port, servername: url.hostname, rejectUnauthorized: false })
    socket.setTimeout(MS_MAX, () => socket.destroy(new Error(`${url.host} does not answer`)))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      let top = socket.getPeerCertificate(true)
      for (let depth = 0; depth < CHAIN_MAX; depth++) {
        const { issuerCertificate: above } = top
        if (!above?.raw || above.raw.equals(top.raw)) break
        top = above
      }
      socket.destroy()
      const thumbprint = createHash('sha1').update(top.raw).digest('hex')
      if (thumbprints.some((each) => each.toLowerCase() === thumbprint))
        resolve(`-----BEGIN CERTIFICATE-----\n${top.raw.toString('base64')}\n-----END CERTIFICATE-----\n`)
      else reject(new ThumbprintMismatchError())
    })
  })
}

const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/

async function resolved(url: URL): Promise<Place> {
  const { address } = await lookup(url.hostname)
  if (isPrivateAddress(address)) throw new Error(`${url.hostname} has an address inside this network`)
  return { address, port: Number(url.port || 443) }
}

interface SentRequest extends Partial<Pick<FederationRequest, 'headers' | 'form'>> {
  readonly method?: 'GET' | 'HEAD' | 'POST'
  /** Instead of a form. */
  readonly content?: { readonly type: string; readonly text: string }
  readonly accept?: string
  /** PEM: the pinned certificate alone is trusted, whether or not it signs itself. */
  readonly authority?: string
  /** PEM: authorities that are trusted instead of those of Node.js. */
  readonly ca?: string
}

interface Fetched {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** Connects to the address that was checked. Resolving the name again might return another address. */
export function fetchFrom(
  url: URL,
  { address, port }: Place,
  { method = 'GET', headers, form, content, accept = 'application/json', authority, ca }: SentRequest = {},
): Promise<Fetched> {
  const body = content?.text ?? (form && new URLSearchParams(form).toString())
  const send = url.protocol === 'http:' ? requestPlain : request
  return new Promise((resolve, reject) => {
    const sent = send(
      {
        method,
        host: address,
        port,
        servername: url.hostname,
        ...(ca !== undefined && { ca, agent: false }),
        ...(authority !== undefined && { ca: authority, allowPartialTrustChain: true, agent: false }),
        path: url.pathname + url.search,
        headers: {
          ...headers,
          host: url.host,
          accept,
          ...(body !== undefined && {
            'content-type': content?.type ?? 'application/x-www-form-urlencoded',
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
          if (length > BYTES_MAX) sent.destroy(new Error(`${url.host} answers too much`))
          else chunks.push(chunk)
        })
        // A redirect is an answer like any other, and no success.
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers as Fetched['headers'],
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
        answer.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}
