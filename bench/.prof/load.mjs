/**
 * A load generator in a process of its own: plain sockets, requests signed beforehand, one in flight a connection, and
 * as little work as can be, for it shares the machine with the server it measures.
 * Receives `{ url, connections, requests: [bytes], total, perSecond? }`; answers `{ count, seconds, p50, p99, statuses }` (ms).
 */
import { connect } from 'node:net'

const READ_BYTES = 64 * 1024
const HEAD_END = Buffer.from('\r\n\r\n')

process.once('message', ({ url, connections, requests, total, perSecond }) => {
  const { hostname, port } = new URL(url)
  const bytes = requests.map((text) => Buffer.from(text, 'latin1'))
  const latencies = new Float64Array(total)
  const statuses = {}
  let next = 0
  let done = 0

  const startedAt = performance.now()
  for (let i = 0; i < connections; i++) open()

  function answered(status, sentAt) {
    latencies[done++] = performance.now() - sentAt
    statuses[status] = (statuses[status] ?? 0) + 1
    if (done < total) return
    const seconds = (performance.now() - startedAt) / 1000
    latencies.sort()
    const at = (share) => latencies[Math.min(total - 1, Math.floor(total * share))]
    process.send({ count: done, seconds, p50: at(0.5), p99: at(0.99), statuses })
    process.disconnect()
  }

  /** One connection's share; opens another when the server closes it. A request without an answer ends everything. */
  function open() {
    let sentAt = 0
    let waiting = false
    /** Of an answer that came in pieces, what is there already. */
    let held
    const sendNext = () => {
      if (next >= total) return void socket.destroy()
      const dueInMs = perSecond === undefined ? 0 : startedAt + (next / perSecond) * 1000 - performance.now()
      if (dueInMs > 0.5) return void setTimeout(sendNext, dueInMs)
      waiting = true
      sentAt = performance.now()
      socket.write(bytes[next++ % bytes.length])
    }
    const read = (length, buffer) => {
      const answer = held ? Buffer.concat([held, buffer.subarray(0, length)]) : buffer.subarray(0, length)
      const found = parse(answer)
      if (!found) {
        held = held ? answer : Buffer.from(answer)
        return true
      }
      held = undefined
      waiting = false
      answered(found.status, sentAt)
      if (!found.closes) sendNext()
      else {
        socket.destroy()
        if (next < total) open()
      }
      return true
    }
    const socket = connect(
      {
        host: hostname,
        port: Number(port),
        noDelay: true,
        onread: { buffer: Buffer.alloc(READ_BYTES), callback: read },
      },
      sendNext,
    )
    const lost = () => {
      if (waiting) throw new Error('the server closed without an answer')
    }
    socket.once('end', lost).once('error', lost)
  }
})

/** Status, and whether the server will close; undefined while the answer is not whole. */
function parse(answer) {
  const end = answer.indexOf(HEAD_END)
  if (end < 0) return undefined
  const head = answer.latin1Slice(0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (!length) throw new Error(`an answer without a length: ${head}`)
  if (answer.length < end + HEAD_END.length + Number(length[1])) return undefined
  return { status: head.slice(9, 12), closes: /\r\nconnection: *close/i.test(head) || head.startsWith('HTTP/1.0') }
}
