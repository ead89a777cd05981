/**
 * The response to a client before its request is read: it costs little, reads no body, and uses the caller's own
 * protocol.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Detected, guessProtocol } from '../../wire/detect.ts'
import { Fault } from '../../wire/fault.ts'
import { encodeFault } from '../../wire/fault-answer.ts'
import type { HttpRequest } from '../../wire/http.ts'
import { closeAfter } from '../../wire/node-http.ts'
import { serviceBySigningName } from '../../wire/services.ts'

/** So much of a body is thrown away for the sake of the connection; to read more would be work. */
const DISCARDED_BYTES_MAX = 64 * 1024
/** Not all at the same instant. */
const RETRY_MS = { least: 500, more: 1_000 }

export function refuseBusy(request: IncomingMessage, response: ServerResponse): void {
  const retryAfterMs = RETRY_MS.least + Math.random() * RETRY_MS.more
  const message = 'The server has as much to do as it can take. Please try again.'
  refuse(request, response, new Fault('ServiceUnavailable', message, { retryAfterMs }))
}

export function refuseSlow(request: IncomingMessage, response: ServerResponse): void {
  const message = 'Your connection to the server was not written to within the timeout period.'
  refuse(request, response, new Fault('RequestTimeout', message, { status: 408 }), false)
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault,
  keepsConnection = canBeDiscarded(request),
): void {
  if (response.headersSent || response.destroyed) return
  const like: HttpRequest = {
    method: request.method ?? 'GET',
    path: '',
    query: '',
    rawHeaders: request.rawHeaders,
    body: Buffer.alloc(0),
    remoteAddress: '',
    secure: false,
  }
  const { status, headers, body } = encodeFault(like, supposed(like, request), undefined, fault, randomUUID())
  if (!keepsConnection) closeAfter(response)
  response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) })
  response.end(body)
}

/** The service that the credential scope names, in what looks like its protocol. Nothing is verified. */
function supposed(like: HttpRequest, { headers, url = '' }: IncomingMessage): Detected | undefined {
  const [, name = ''] =
    /\/([a-z0-9-]+)\/aws4_request/.exec(headers.authorization ?? '') ??
    /X-Amz-Credential=[^&]*(?:%2F|\/)([a-z0-9-]+)(?:%2F|\/)aws4_request/i.exec(url) ??
    []
  const service = serviceBySigningName.get(name)
  if (!service) return undefined
  const looks = guessProtocol(like)
  const protocol = looks === 'query' && service.also.includes('query') ? 'query' : service.protocol
  return { service, protocol, operation: undefined }
}

/** What was begun to be read and is not read to its end keeps the connection from being used again. */
const canBeDiscarded = ({ headers, readableDidRead }: IncomingMessage): boolean =>
  !readableDidRead &&
  headers['transfer-encoding'] === undefined &&
  Number(headers['content-length'] ?? 0) <= DISCARDED_BYTES_MAX
