/**
 * What runs in each end of a lab: it accepts connections, connects at the lab's request, and passes on what services of the lab
 * answer. JavaScript as a text, because it runs by `node --eval` in a namespace of its own.
 *
 * Its argument is an {@link AgentSetup} as JSON. Input, a line each: `{"id": 1, "host": "10.0.0.5", "port": 22, "from": "10.0.0.9",
 * "fromPort": 40000, "waitMs": 300}`, and `{"query": 3, "message": "…"}`, the response to a DNS query in base64.
 * Output: `{"ready": true}` at first, then `{"id": 1, "connected": true}`, and `{"query": 3, "message": "…", "address": "10.0.0.5"}`.
 */
import { LAB_PORT } from '../../engines/network/lab.ts'

export interface AgentSetup {
  /** Connections to an address of the end that go on to a Unix socket. */
  readonly relays: readonly AgentRelay[]
  /** Addresses at which DNS queries are taken, over UDP. */
  readonly resolvers: readonly string[]
}

export interface AgentRelay {
  readonly host: string
  readonly port: number
  readonly path: string
  /** Whether a line of the PROXY protocol names the client first. */
  readonly isNamed: boolean
}

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
const dgram = require('node:dgram')
const { relays, resolvers } = JSON.parse(process.argv[1])
const lines = require('node:readline').createInterface({ input: process.stdin })
const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n')
const RELAYED_MAX = 200
const QUERIES_MAX = 1000
let relayed = 0
let queries = 0
const waiting = new Map()
const listening = []
const started = (server, ...place) => listening.push(new Promise((done) => server.listen(...place, done)))
started(net.createServer((socket) => {
  socket.on('error', () => undefined)
  socket.on('data', (bytes) => socket.end(bytes))
  socket.setTimeout(5_000, () => socket.destroy())
}), ${LAB_PORT}, '0.0.0.0')
for (const { host, port, path, isNamed } of relays) {
  started(net.createServer({ allowHalfOpen: true }, (socket) => {
    if (relayed >= RELAYED_MAX) return socket.destroy()
    relayed++
    const other = net.connect({ path, allowHalfOpen: true })
    if (isNamed) other.write('PROXY TCP4 ' + socket.remoteAddress + ' ' + host + ' ' + socket.remotePort + ' ' + port + '\\r\\n')
    socket.pipe(other).pipe(socket)
    socket.setTimeout(300_000, () => socket.destroy())
    socket.on('error', () => undefined).on('close', () => {
      relayed--
      other.destroy()
    })
    other.on('error', () => socket.destroy()).on('close', () => socket.end())
  }), { host, port })
}
for (const host of resolvers) {
  const socket = dgram.createSocket('udp4')
  socket.on('error', () => undefined)
  socket.on('message', (message, { address, port }) => {
    if (waiting.size >= QUERIES_MAX || message.length > 1024) return
    waiting.set(++queries, (answer) => socket.send(answer, port, address, () => undefined))
    say({ query: queries, message: message.toString('base64'), address })
  })
  listening.push(new Promise((done) => socket.bind(53, host, done)))
}
Promise.all(listening).then(() => say({ ready: true }))
lines.on('line', (line) => {
  const { id, query, message, host, port, from, fromPort, waitMs, text } = JSON.parse(line)
  if (query !== undefined) {
    if (message !== undefined) waiting.get(query)?.(Buffer.from(message, 'base64'))
    return void waiting.delete(query)
  }
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
