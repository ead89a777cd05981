/** Requests of `node:http` in our own form, and our answers back: for every socket we listen on. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpRequest, HttpResponse } from './http.ts'

export type Handler = (request: HttpRequest) => Promise<HttpResponse>

export async function answerOverHttp(
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
  bodyBytesMax: number,
): Promise<void> {
  const body = await readBody(request, bodyBytesMax)
  if (!body) {
    refuseOverHttp(response, 413, 'RequestEntityTooLargeException', 'Request body is too large.')
    return
  }
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
    rawHeaders: request.rawHeaders,
    body,
    // A Unix socket has no address: whoever is at its other end is on this machine.
    remoteAddress: plainAddress(request.socket.remoteAddress ?? '127.0.0.1'),
    secure: false,
  })
  // To HEAD the length is told of what GET would bring.
  const { 'content-length': told, ...others } = headers
  const length = (request.method === 'HEAD' && told) || String(Buffer.byteLength(answered))
  // The length last: Node refuses a content-disposition in Latin-1 that comes behind it.
  response.writeHead(status, { ...others, 'content-length': length })
  // A text goes out in one write with the head; bytes would need two.
  response.end(request.method === 'HEAD' ? undefined : answered)
}

/** The rest of the body is not read: the connection cannot be used again. */
export function refuseOverHttp(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': code, connection: 'close' })
  response.end(JSON.stringify({ __type: code, message }))
}

/** undefined when it is longer than allowed. */
export function readBody(request: IncomingMessage, max: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > max) return resolve(undefined)
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= max) chunks.push(chunk)
      else {
        request.pause()
        resolve(undefined)
      }
    })
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.on('error', reject)
    // Who hangs up half way has asked nothing.
    request.on('close', () => reject(new Error('the request was cut off')))
  })
}

/** `127.0.0.1` for `::ffff:127.0.0.1`: policies compare addresses. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
