/** A plane's way to its server, or to one of several nodes: enrolls, gets snapshots and sends records over HTTPS. */
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Exchange } from '../../kernel/planes/exchange.ts'
import { PLANES_PATH, POLL_MS_MAX } from '../../kernel/planes/plane-site.ts'
import type { RecordSink } from '../../kernel/planes/records.ts'
import { parseSnapshot, SNAPSHOT_BYTES_MAX, type SnapshotFeed } from '../../kernel/planes/snapshot.ts'

/** A snapshot within JSON: its quotation marks are escaped. */
const ANSWER_BYTES_MAX = 2 * SNAPSHOT_BYTES_MAX + 64 * 1024
const ANSWER_MS_MAX = 15_000
const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/

/** The server answered, and refused. */
export class PlaneRefusedError extends Error {
  override readonly name = 'PlaneRefusedError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

interface Sent {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly token?: string | undefined
  readonly body?: object
  readonly signal?: AbortSignal | undefined
}

/** Throws for an address that would send the token in the clear. */
function checked(text: string): URL {
  const url = new URL(text)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))) return url
  throw new Error(`${text} is not an https address: the token of the plane would be readable on the network`)
}

/**
 * The server of a plane: the addresses of its nodes, one of which is used until it cannot be reached or is unavailable.
 *
 * @example
 * new PlaneServer('https://a.merlon.example:4566,https://b.merlon.example:4566')
 */
export class PlaneServer {
  readonly #urls: readonly URL[]
  readonly #ca: string | undefined
  #current = 0

  /** `addresses`: separated by commas; plain HTTP on this machine only. `ca`: certificates to trust instead of the usual ones, in PEM. */
  constructor(addresses: string, ca?: string) {
    this.#urls = addresses.split(',').map((address) => checked(address.trim()))
    this.#ca = ca
  }

  /** What the server answers, as JSON. Each node is tried once; throws the failure of the last. */
  async send(request: Sent): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const tried = this.#current
      try {
        return await sendTo(this.#urls[tried]!, this.#ca, request)
      } catch (error) {
        if (!isUnavailable(error) || request.signal?.aborted) throw error
        // Unless another request has gone on to the next node already.
        if (this.#current === tried) this.#current = (tried + 1) % this.#urls.length
        if (tries >= this.#urls.length) throw error
      }
    }
  }
}

/** Not a refusal of this request: another node may answer it. */
const isUnavailable = (error: unknown): boolean => !(error instanceof PlaneRefusedError) || error.status >= 500

async function sendTo(
  server: URL,
  ca: string | undefined,
  { method, path, token, body, signal }: Sent,
): Promise<unknown> {
  const url = new URL(PLANES_PATH + path, server)
  const text = body && JSON.stringify(body)
  const limit = AbortSignal.timeout(POLL_MS_MAX + ANSWER_MS_MAX)
  const options = {
    method,
    headers: {
      accept: 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(text !== undefined && {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(text)),
      }),
    },
    signal: signal ? AbortSignal.any([limit, signal]) : limit,
    ...(ca !== undefined && { ca }),
  }
  const { status, answer } = await new Promise<{ status: number; answer: string }>((resolve, reject) => {
    const sent = (url.protocol === 'https:' ? requestTls : requestPlain)(url, options, (response) => {
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > ANSWER_BYTES_MAX) sent.destroy(new Error(`${url.host} answers too much`))
        else chunks.push(chunk)
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, answer: Buffer.concat(chunks).toString('utf8') }),
      )
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(text)
  })
  const parsed: unknown = status >= 500 ? {} : JSON.parse(answer)
  if (status === 200) return parsed
  throw new PlaneRefusedError(
    status,
    (parsed as { readonly message?: string }).message ?? `${url.host} answers ${status}`,
  )
}

/** Spends an enrollment code. */
export async function enroll(
  server: PlaneServer,
  {
    plane,
    ...spent
  }: { readonly plane: string; readonly code: string; readonly node: string; readonly sealingKey: string },
): Promise<{ readonly token: string; readonly publicKey: string }> {
  const answer = await server.send({ method: 'POST', path: `/${plane}/enroll`, body: spent })
  const { token, publicKey } = answer as { readonly token?: unknown; readonly publicKey?: unknown }
  if (typeof token !== 'string' || typeof publicKey !== 'string')
    throw new Error('the address is not that of a Merlon server')
  return { token, publicKey }
}

export function feedFrom(server: PlaneServer, plane: string, token: string, signal?: AbortSignal): SnapshotFeed {
  return {
    next: async (after, waitMs) => {
      const path = `/${plane}/snapshot?after=${after}&wait=${Math.min(waitMs, POLL_MS_MAX)}`
      const { snapshot } = (await server.send({ method: 'GET', path, token, signal })) as {
        readonly snapshot: unknown
      }
      if (snapshot === null) return undefined
      const parsed = parseSnapshot(JSON.stringify(snapshot))
      if (!parsed) throw new Error('the server sent something that is not a snapshot')
      return parsed
    },
  }
}

export function sinkTo(server: PlaneServer, plane: string, token: string): RecordSink {
  return {
    put: async (batch) => void (await server.send({ method: 'POST', path: `/${plane}/records`, token, body: batch })),
  }
}

export const exchangeWith =
  (server: PlaneServer, plane: string, token: string, signal?: AbortSignal): Exchange =>
  async (message) =>
    (await server.send({ method: 'POST', path: `/${plane}/exchange`, token, body: message, signal })) as object
