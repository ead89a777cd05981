/** HTTP/2 on connections whose clients chose it, with limits on what a connection may cost. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, createServer, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'

export interface Http2Front {
  /** Serves a connection whose handshake is over; `end` ends it at once. */
  take(socket: Socket, end: () => void): void
  /** Sessions take no new streams, and end once those that are open have been answered. */
  leave(): void
}

export interface Http2Limits {
  readonly headerBytesMax: number
  readonly idleMs: number
}

/** A page with its assets needs a dozen at a time. */
const STREAMS_MAX = 64
const HEADERS_MAX = 128
const SESSION_MEGABYTES_MAX = 4
/**
 * Streams that a client resets before they are answered (CVE-2023-44487): a browser does so when its user navigates away.
 * Beyond these, a session is ended.
 */
const RESETS_MAX = 200
const FAREWELL_MS = 50

type Answer = (request: IncomingMessage, response: ServerResponse) => void

export function openHttp2(answer: Answer, { headerBytesMax, idleMs }: Http2Limits): Http2Front {
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer({
    settings: { maxConcurrentStreams: STREAMS_MAX, maxHeaderListSize: headerBytesMax, enablePush: false },
    maxHeaderListPairs: HEADERS_MAX,
    maxSessionMemory: SESSION_MEGABYTES_MAX,
    maxSessionInvalidFrames: 32,
    maxSessionRejectedStreams: 32,
    maxOutstandingPings: 4,
  })
  // Node's requests and responses of HTTP/2 have what those of HTTP/1.1 have, as far as the listener uses them.
  server.on('request', (request, response) =>
    answer(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  )
  let taken: () => void = () => undefined
  server.on('session', (session) => {
    const end = taken
    sessions.add(session)
    let resets = 0
    session.on('stream', (stream) => {
      stream.once('close', () => {
        const isReset = stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR
        if (!isReset || ++resets <= RESETS_MAX || session.destroyed) return
        session.destroy(new Error('the client resets its streams'), constants.NGHTTP2_ENHANCE_YOUR_CALM)
        // Time for the frame that says why.
        setTimeout(end, FAREWELL_MS).unref()
      })
    })
    session.setTimeout(idleMs, () => session.close())
    session.once('close', () => sessions.delete(session))
  })
  server.on('sessionError', () => undefined)
  return {
    take: (socket, end) => {
      // The session begins at once.
      taken = end
      server.emit('connection', socket)
    },
    leave: () => {
      for (const session of sessions) session.close()
    },
  }
}
