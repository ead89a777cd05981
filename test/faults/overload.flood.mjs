/**
 * A flood in a process of its own: plain sockets, requests made beforehand, the next as soon as the last is answered.
 * Receives `{ url, floods: [{ name, connections, request, stallsAt? }] }`, floods until it receives `stop`, and sends
 * for each flood `{ sent, unanswered, statuses }`. With `stallsAt` a request stops after so many bytes and is never
 * finished.
 */
import { connect } from 'node:net'

const AGAIN_MS = 200

process.once('message', ({ url, floods }) => {
  const { hostname, port } = new URL(url)
  let stopped = false
  const sockets = new Set()
  const told = {}

  for (const { name, connections, request, stallsAt } of floods) {
    const count = (told[name] = { sent: 0, unanswered: 0, statuses: {} })
    const bytes = Buffer.from(request, 'latin1')
    const part = stallsAt === undefined ? bytes : Buffer.concat([bytes, Buffer.alloc(stallsAt, 97)])
    for (let i = 0; i < connections; i++) drive(count, part)
  }

  process.on('message', () => {
    stopped = true
    for (const socket of sockets) socket.destroy()
    // Their closing is counted first.
    setImmediate(() => setImmediate(() => process.send(told, () => process.disconnect())))
  })

  function drive(count, bytes) {
    if (stopped) return
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    sockets.add(socket)
    let text = ''
    let asked = false
    const ask = () => {
      text = ''
      asked = true
      count.sent++
      socket.write(bytes)
    }
    socket.on('connect', ask)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end + 2))
      if (!asked || end < 0 || (length && text.length < end + 4 + Number(length[1]))) return
      asked = false
      const status = text.slice(9, 12)
      count.statuses[status] = (count.statuses[status] ?? 0) + 1
      if (/\r\nconnection: *close/i.test(text.slice(0, end + 2))) socket.end()
      else if (!stopped) ask()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      if (asked) count.unanswered++
      setTimeout(() => drive(count, bytes), AGAIN_MS)
    })
  }
})
