/**
 * What runs in each end of a lab: it accepts connections, and connects when it is told to. JavaScript as a text, because it runs by
 * `node --eval` in a namespace of its own.
 *
 * Input, a line each: `{"id": 1, "host": "10.0.0.5", "port": 22, "from": "10.0.0.9", "fromPort": 40000, "waitMs": 300}`.
 * Output: `{"ready": true}` at first, then `{"id": 1, "connected": true}`.
 */
import { LAB_PORT } from '../../engines/network/lab.ts'

export interface AgentRequest {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly from: string
  readonly fromPort: number
  readonly waitMs: number
  /** Sent once connected; the other end sends it back and closes. */
  readonly text?: string
}

export const AGENT = `
const net = require('node:net')
const lines = require('node:readline').createInterface({ input: process.stdin })
const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n')
const server = net.createServer((socket) => {
  socket.on('error', () => undefined)
  socket.on('data', (bytes) => socket.end(bytes))
  socket.setTimeout(5_000, () => socket.destroy())
})
server.listen(${LAB_PORT}, '0.0.0.0', () => say({ ready: true }))
lines.on('line', (line) => {
  const { id, host, port, from, fromPort, waitMs, text } = JSON.parse(line)
  let connected = false
  const socket = net.connect({ host, port, localAddress: from, localPort: fromPort })
  const timer = setTimeout(() => socket.destroy(), waitMs)
  socket.on('connect', () => {
    connected = true
    if (text === undefined) return socket.resetAndDestroy()
    clearTimeout(timer)
    socket.end(text)
    socket.resume()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    clearTimeout(timer)
    say({ id, connected })
  })
})
lines.on('close', () => process.exit(0))
`
