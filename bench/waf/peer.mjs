/** Sends requests to another web application firewall byte by byte, and returns the statuses. */
import { connect } from 'node:net'

const WAIT_MS = 10_000
const TOGETHER = 8

function statusOf({ method, target, headers, body }, host, port) {
  const length = body === '' ? [] : [['Content-Length', String(body.length)]]
  const lines = [...headers, ...length, ['Connection', 'close']]
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, host)
    const end = () => {
      socket.destroy()
      resolve(Number(/^HTTP\/\d\.\d (\d{3})/.exec(answer)?.[1] ?? 0))
    }
    socket.setTimeout(WAIT_MS, end)
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      if (answer.length > 16) end()
    })
    socket.on('close', end).on('error', end)
    socket.write(Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n${body}`, 'latin1'))
  })
}

/** A status for each request; 0: none. */
export async function statusesOf(requests, url) {
  const { hostname, port } = new URL(url)
  const statuses = []
  for (let at = 0; at < requests.length; at += TOGETHER) {
    const batch = requests.slice(at, at + TOGETHER)
    statuses.push(...(await Promise.all(batch.map((each) => statusOf(each, hostname, Number(port || 80))))))
  }
  return statuses
}
