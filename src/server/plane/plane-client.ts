/** A plane's way to its server: enrolls, gets snapshots and sends records over HTTPS. */
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Exchange } from '../../kernel/planes/exchange.ts'
import { PLANES_PATH, POLL_MS_MAX } from '../../kernel/planes/plane-site.ts'
import type { RecordSink } from '../../kernel/planes/records.ts'
import { parseSnapshot, SNAPSHOT_BYTES_MAX, type SnapshotFeed } from '../../kernel/planes/snapshot.ts'

export interface PlaneServer {
  /** `https://merlon.example:4566`; plain HTTP on this machine only. */
  readonly url: string
  /** Certificates to trust instead of the usual ones, in PEM. */
  readonly ca?: string | undefined
}

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
export function checkServer(text: string): URL {
  const url = new URL(text)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))) return url
  throw new Error(`${text} is not an https address: the token of the plane would be readable on the network`)
}

async function send(server: PlaneServer, { method, path, token, body, signal }: Sent): Promise<unknown> {
  const url = new URL(PLANES_PATH + path, checkServer(server.url))
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
    ...(server.ca !== undefined && { ca: server.ca }),
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
  const parsed: unknown = JSON.parse(answer)
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
  const answer = await send(server, { method: 'POST', path: `/${plane}/enroll`, body: spent })
  const { token, publicKey } = answer as { readonly token?: unknown; readonly publicKey?: unknown }
  if (typeof token !== 'string' || typeof publicKey !== 'string')
    throw new Error(`${server.url} is not a Merlon server`)
  return { token, publicKey }
}

export function feedFrom(server: PlaneServer, plane: string, token: string, signal?: AbortSignal): SnapshotFeed {
  return {
    next: async (after, waitMs) => {
      const path = `/${plane}/snapshot?after=${after}&wait=${Math.min(waitMs, POLL_MS_MAX)}`
      const { snapshot } = (await send(server, { method: 'GET', path, token, signal })) as {
        readonly snapshot: unknown
      }
      if (snapshot === null) return undefined
      const parsed = parseSnapshot(JSON.stringify(snapshot))
      if (!parsed) throw new Error(`${server.url} sent something that is not a snapshot`)
      return parsed
    },
  }
}

export function sinkTo(server: PlaneServer, plane: string, token: string): RecordSink {
  return {
    put: async (batch) => void (await send(server, { method: 'POST', path: `/${plane}/records`, token, body: batch })),
  }
}

export const exchangeWith =
  (server: PlaneServer, plane: string, token: string, signal?: AbortSignal): Exchange =>
  async (message) =>
    (await send(server, { method: 'POST', path: `/${plane}/exchange`, token, body: message, signal })) as object
