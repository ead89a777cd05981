/**
 * A load generator in a process of its own: plain sockets, requests signed beforehand, one in flight a connection.
 * Receives `{ url, connections, requests: [bytes], repeat }`; answers `{ count, seconds, p50, p99, statuses }` (ms).
 */
import { connect } from 'node:net'

process.once('message', async ({ url, connections, requests, total }) => {
  const { hostname, port } = new URL(url)
  const bytes = requests.map((text) => Buffer.from(text, 'latin1'))
  const latencies = new Float64Array(total)
  const statuses = {}
  let next = 0
  let done = 0

  const startedAt = performance.now()
  await Promise.all(Array.from({ length: connections }, () => drive()))
  const seconds = (performance.now() - startedAt) / 1000
  latencies.sort()
  const at = (share) => latencies[Math.min(total - 1, Math.floor(total * share))]
  process.send({ count: done, seconds, p50: at(0.5), p99: at(0.99), statuses })
  process.disconnect()

  /** One connection's share; opens another when the server closes it. */
  async function drive() {
    let socket
    while (next < total) {
      const mine = next++
      const sentAt = performance.now()
      socket ??= await open()
      const { status, closes } = await exchange(socket, bytes[mine % bytes.length])
      latencies[mine] = performance.now() - sentAt
      statuses[status] = (statuses[status] ?? 0) + 1
      done++
      if (closes) {
        socket.destroy()
        socket = undefined
      }
    }
    socket?.destroy()
  }

  function open() {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => resolve(socket))
      socket.once('error', reject)
    })
  }
})

/** Sends a request and reads its whole answer. */
function exchange(socket, request) {
  return new Promise((resolve, reject) => {
    let text = ''
    const finish = (closes) => {
      socket.removeAllListeners()
      resolve({ status: text.slice(9, 12), closes })
    }
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = text.slice(0, end).toLowerCase()
      const length = /\r\ncontent-length: *(\d+)/.exec(head)
      const closes = /\r\nconnection: *close/.test(head) || head.startsWith('http/1.0')
      if (length && text.length >= end + 4 + Number(length[1])) finish(closes)
    })
    socket.once('close', () => (text ? finish(true) : reject(new Error('the server closed without an answer'))))
    socket.once('error', reject)
    socket.write(request)
  })
}
