/** The socket: HTTP/1.1 in, raw bytes to whoever answers, bytes out. Every limit on what strangers may send is here. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerOverHttp, type Handler, refuseOverHttp } from '../wire/node-http.ts'

export type { Handler } from '../wire/node-http.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly bodyBytesMax?: number
}

export interface Listener {
  readonly url: string
  readonly port: number
  /** Takes no new requests, answers those under way, then returns. */
  close(): Promise<void>
}

/** The largest request but for uploads of code: a Lambda invocation. */
const BODY_BYTES_MAX = 6 * 1024 * 1024
/** A package of 50 MB in base64. Source: the sentence Lambda refuses longer ones with. */
const UPLOAD_BYTES_MAX = 70_167_211
const UPLOADS_MAX = 4
const HEADER_BYTES_MAX = 32 * 1024
const HEADERS_MS_MAX = 10_000
const REQUEST_MS_MAX = 60_000
/** Longer than the idle time of common load balancers, so that it is never we who close under a request. */
const KEEP_ALIVE_MS = 75_000
const CONNECTIONS_MAX = 4_096
const DRAIN_MS_MAX = 10_000
const DRAIN_SWEEP_MS = 20

export async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const bodyBytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX
  const uploads = new Uploads()
  const server = createServer(
    { maxHeaderSize: HEADER_BYTES_MAX, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      // A client that hangs up is no news.
      uploads.answer(handler, request, response, bodyBytesMax).catch(() => response.destroy())
    },
  )
  server.headersTimeout = HEADERS_MS_MAX
  server.requestTimeout = REQUEST_MS_MAX
  server.maxConnections = CONNECTIONS_MAX
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return { url: `http://${host}:${port}`, port, close: () => drain(server) }
}

/**
 * Only those who upload code may send more than the others, a few at a time: strangers must not fill the memory, and
 * who is a stranger is known only once a body is read.
 */
class Uploads {
  #now = 0

  async answer(handler: Handler, request: IncomingMessage, response: ServerResponse, bodyBytesMax: number) {
    const announced = Number(request.headers['content-length'] ?? 0)
    if (announced <= bodyBytesMax || !isUpload(request)) {
      return answerOverHttp(handler, request, response, bodyBytesMax)
    }
    if (announced > UPLOAD_BYTES_MAX && isObject(request)) return refuseObject(response)
    if (this.#now >= UPLOADS_MAX) {
      return refuseOverHttp(response, 429, 'TooManyRequestsException', 'Too many uploads at once. Please try again.')
    }
    this.#now++
    try {
      await answerOverHttp(handler, request, response, UPLOAD_BYTES_MAX)
    } finally {
      this.#now--
    }
  }
}

const isUpload = ({ method, url = '', headers }: IncomingMessage): boolean =>
  isObject({ method, url, headers }) ||
  (headers.authorization !== undefined &&
    ((method === 'POST' && /^\/2015-03-31\/functions\/?$/.test(url)) ||
      (method === 'PUT' && /^\/2015-03-31\/functions\/[^/?]+\/code\/?$/.test(url))))

/** An object on its way into a bucket, by what its signature says of itself. */
const isObject = ({ method, url = '', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>): boolean =>
  method === 'PUT' &&
  (/\/s3\/aws4_request/.test(headers.authorization ?? '') || /[?&]X-Amz-Credential=[^&]*%2Fs3%2F/i.test(url))

function refuseObject(response: ServerResponse): void {
  response.writeHead(400, { 'content-type': 'application/xml', connection: 'close' })
  response.end(
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>EntityTooLarge</Code><Message>Your proposed upload exceeds the maximum allowed size</Message></Error>',
  )
}

async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection kept alive falls idle only once its answer is out.
  const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_SWEEP_MS)
  const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS_MAX)
  server.closeIdleConnections()
  await closed
  clearInterval(sweep)
  clearTimeout(late)
}
