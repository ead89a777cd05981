/** Waits for what a trusted proxy sends before the bytes of its client. */
import type { Socket } from 'node:net'
import { type ProxiedClient, parseProxyHead } from './proxy-protocol.ts'

/**
 * Calls `done` with what the head says; without an argument when there is none. What follows the head stays in the socket.
 * A head that is invalid, or does not come within `msMax`, ends the connection.
 */
export function awaitProxyHead(socket: Socket, msMax: number, done: (client: ProxiedClient | undefined) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  const late = setTimeout(() => socket.destroy(), msMax)
  const ignore = () => undefined
  const stop = () => {
    clearTimeout(late)
    socket.off('data', read)
    socket.off('close', stop)
  }
  const read = (chunk: Buffer) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    const head = parseProxyHead(bytes)
    if (head.kind === 'incomplete') return
    stop()
    if (head.kind === 'invalid') return void socket.destroy()
    socket.pause()
    socket.off('error', ignore)
    const rest = head.kind === 'head' ? bytes.subarray(head.length) : bytes
    if (rest.length > 0) socket.unshift(rest)
    done(head.kind === 'head' ? head.client : undefined)
  }
  socket.on('error', ignore)
  socket.on('close', stop)
  socket.on('data', read)
}
