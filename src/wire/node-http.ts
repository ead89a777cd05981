/** Requests of `node:http` in our own form, and our answers back: for every socket we listen on. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { HttpRequest, HttpResponse, Peer } from './http.ts'

export type Handler = (request: HttpRequest) => Promise<HttpResponse>

/** What watches over a body while it comes. */
export interface BodyBudget {
  /** False when there is no place for so many more. */
  take(bytes: number): boolean
  /** It has all come, as far as it will. */
  complete(): void
  /** Set by the reader: ends the reading with this error. */
  abort?: (error: Error) => void
}

/** There are too many requests whose bodies have come. */
export class NoPlaceError extends Error {
  override readonly name = 'NoPlaceError'
}

/** The budget had no space for a body. */
export class BodyBudgetError extends Error {
  override readonly name = 'NoRoomError'
}

/** So many small pieces are joined at a time: a body of single bytes would else cost hundreds of times its length. */
const PIECES_MAX = 1_024
/** On average, or shorter. */
const SMALL_BYTES = 1_024
/** A larger body is joined in slices of this: between two of them the event loop answers other requests. */
const SLICE_BYTES = 2 * 1024 * 1024

export async function answerOverHttp(
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
  bodyBytesMax: number,
  room?: BodyBudget,
  /** Called once the body has come; false when too many are being answered. */
  enter: () => boolean = () => true,
  peer: Peer = directPeer(request.socket),
): Promise<void> {
  const body = await readBody(request, bodyBytesMax, room)
  if (!body) {
    refuseOverHttp(response, 413, 'RequestEntityTooLargeException', 'Request body is too large.')
    return
  }
  if (!enter()) throw new NoPlaceError()
  const target = request.url ?? '/'
  const question = target.indexOf('?')
  const {
    status,
    headers,
    body: answered,
  } = await handler({
    method: request.method ?? 'GET',
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? '' : target.slice(question + 1),
    rawHeaders: request.httpVersionMajor === 2 ? http1Headers(request.rawHeaders) : request.rawHeaders,
    body,
    remoteAddress: peer.remoteAddress,
    secure: peer.secure,
    tls: peer.tls,
  })
  // A response to HEAD has the length of what GET would return.
  const length = (request.method === 'HEAD' && headers['content-length']) || String(Buffer.byteLength(answered))
  const lines: string[] = []
  for (const name in headers) if (name !== 'content-length') lines.push(name, headers[name]!)
  // RFC 9110 §8.6 and §15.3.5: such an answer has neither a body nor a length.
  if (status === 204 || status === 304) {
    response.writeHead(status, lines)
    response.end()
    return
  }
  // The length last: Node refuses a content-disposition in Latin-1 that comes behind it.
  lines.push('content-length', length)
  response.writeHead(status, lines)
  // A text goes out in one write with the head; bytes would need two.
  response.end(request.method === 'HEAD' ? undefined : answered)
}

/** The rest of the body is not read: the connection cannot be used again. */
export function refuseOverHttp(response: ServerResponse, status: number, code: string, message: string): void {
  closeAfter(response)
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': code })
  response.end(JSON.stringify({ __type: code, message }))
}

/** undefined when it is longer than allowed. Throws {@link BodyBudgetError}. */
export function readBody(request: IncomingMessage, max: number, room?: BodyBudget): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > max) return resolve(undefined)
    if (room) room.abort = reject
    const chunks: Buffer[] = []
    let pieces: Buffer[] = []
    let length = 0
    let joinedLength = 0
    const join = () => {
      if (length - joinedLength > pieces.length * SMALL_BYTES) chunks.push(...pieces)
      else if (pieces.length > 0) chunks.push(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
      pieces = []
      joinedLength = length
    }
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > max) {
        request.pause()
        return resolve(undefined)
      }
      if (room && !room.take(chunk.length)) {
        request.pause()
        return reject(new BodyBudgetError())
      }
      if (pieces.push(chunk) === PIECES_MAX) join()
    })
    request.on('end', () => {
      room?.complete()
      join()
      if (chunks.length === 1) resolve(chunks[0]!)
      else if (length <= SLICE_BYTES) resolve(Buffer.concat(chunks, length))
      else joinInTurns(chunks, length).then(resolve, reject)
    })
    request.on('error', reject)
    // A client that disconnects half way has sent no request. Errors are costly, and every request closes.
    request.on('close', () => request.readableEnded || reject(new Error('the request was cut off')))
  })
}

/** Its memory is first touched here, which takes as long as the copying. */
async function joinInTurns(chunks: readonly Buffer[], length: number): Promise<Buffer> {
  const body = Buffer.allocUnsafeSlow(length)
  let at = 0
  let pausedAt = 0
  for (const chunk of chunks) {
    at += chunk.copy(body, at)
    if (at - pausedAt < SLICE_BYTES) continue
    pausedAt = at
    await nextTurn()
  }
  return body
}

/** Makes the response the last one on its connection; in HTTP/2 (RFC 9113 §8.2.2) no header can say so. */
export function closeAfter(response: ServerResponse): void {
  if (!('stream' in response)) response.setHeader('connection', 'close')
}

/**
 * Headers of an HTTP/2 request as HTTP/1.1 has them (RFC 9113 §8.3): signatures and routes know `host`, not `:authority`.
 * A `host` beside it must name the same.
 */
export function http1Headers(rawHeaders: readonly string[]): string[] {
  const headers: string[] = []
  let authority: string | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i]!, rawHeaders[i + 1]!]
    if (name === ':authority') authority = value
    else if (!name.startsWith(':') && (name !== 'host' || authority === undefined)) headers.push(name, value)
  }
  return authority === undefined ? headers : ['host', authority, ...headers]
}

/** A Unix socket has no address: its client is on this machine. */
export const directPeer = (socket: IncomingMessage['socket']): Peer => ({
  remoteAddress: plainAddress(socket.remoteAddress ?? '127.0.0.1'),
  secure: false,
})

/** `127.0.0.1` for `::ffff:127.0.0.1`: policies compare addresses. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
