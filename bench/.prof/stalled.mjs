/**
 * `node bench/stalled.mjs [CONNECTIONS …]`: what a server answers while one address keeps connections open that never finish.
 * For each number (2,300 and 4,096 by default) it opens that many connections twice, with bodies that stop after one byte and
 * with heads that stop in the middle, and requests /health and an API call without a signature every 50 ms until all stalled connections have
 * ended or 20 seconds have passed. Prints one JSON line a round. Needs `npm run build` and as many file descriptors.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const WATCHED_MS = 20_000
const EVERY_MS = 50
const PATIENCE_MS = 10_000

const BEGINNINGS = {
  'bodies of one byte':
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\nA',
  'half a head': 'POST / HTTP/1.1\r\nHost: localhost\r\nX-Half: ',
}

const merlon = fileURLToPath(new URL('../dist/merlon.js', import.meta.url))
const server = spawn(process.execPath, [merlon, 'start', '--dev', '--json', '--port', '0', '--log', 'error'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
process.on('exit', () => server.kill('SIGKILL'))
const [line] = await once(createInterface({ input: server.stdout }), 'line')
const { url } = JSON.parse(line)
const { port, hostname } = new URL(url)

/** Milliseconds and status of one request on a connection of its own; status 0: no answer. */
function requestTo(path) {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const end = (status) => {
      socket.destroy()
      resolve({ status, ms: performance.now() - startedAt })
    }
    const socket = connect({ port: Number(port), host: hostname }, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
    )
    socket.setTimeout(PATIENCE_MS, () => end(0))
    socket.once('data', (bytes) => end(Number(/^HTTP\/1\.1 (\d{3})/.exec(String(bytes))?.[1] ?? 0)))
    socket.once('error', () => end(0))
    socket.once('close', () => end(0))
  })
}

async function round(count, kind) {
  let open = 0
  const stalled = Array.from({ length: count }, () => {
    const socket = connect({ port: Number(port), host: hostname }, () => {
      open++
      socket.write(BEGINNINGS[kind])
    })
    socket.on('error', () => undefined)
    socket.once('close', () => open--)
    return socket
  })
  const answers = { '/health': [], '/': [] }
  const startedAt = performance.now()
  const requests = []
  for (let elapsed = 0; elapsed < WATCHED_MS; elapsed = performance.now() - startedAt) {
    for (const path of Object.keys(answers)) requests.push(requestTo(path).then((answer) => answers[path].push(answer)))
    await wait(EVERY_MS)
    if (elapsed > 1_000 && open <= 0) break
  }
  await Promise.all(requests)
  for (const socket of stalled) socket.destroy()
  await wait(500)
  const summary = (list) => ({
    requests: list.length,
    unanswered: list.filter(({ status }) => status === 0).length,
    busy: list.filter(({ status }) => status === 503).length,
    slowestMs: Math.round(Math.max(...list.map(({ ms }) => ms))),
  })
  console.log(
    JSON.stringify({ connections: count, kind, health: summary(answers['/health']), calls: summary(answers['/']) }),
  )
}

const counts = process.argv.slice(2).map(Number)
for (const count of counts.length > 0 ? counts : [2_300, 4_096])
  for (const kind of Object.keys(BEGINNINGS)) await round(count, kind)
process.exit(0)
