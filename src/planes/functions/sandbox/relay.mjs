/**
 * The first process in a sandbox. The sandbox has a network of its own with nothing in it; this listens there and
 * passes each connection on through one Unix socket of the host's. Then it runs the runtime. Its orders come on
 * standard input, so that no list of processes shows them.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

let text = ''
for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk
/** @type {{ doors: { address: string, port: number, socket: string }[], command: string[], env: Record<string, string>, cwd: string }} */
const { doors, command, env, cwd } = JSON.parse(text)

for (const { address, port, socket } of doors) {
  const server = createServer({ allowHalfOpen: true }, (inner) => {
    const outer = connect({ path: socket, allowHalfOpen: true })
    inner.pipe(outer).pipe(inner)
    inner.on('error', () => outer.destroy())
    outer.on('error', () => inner.destroy())
    outer.on('close', () => inner.destroy())
    inner.on('close', () => outer.destroy())
  })
  server.listen(port, address)
  await once(server, 'listening')
}

const [program, ...words] = command
const child = spawn(program, words, { env, cwd, stdio: ['ignore', 'inherit', 'inherit'] })
child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(127)
})
child.on('exit', (status, signal) => process.exit(status ?? (signal === 'SIGKILL' ? 137 : 1)))
