/** The servers under comparison: how each is started, and how one knows that it answers. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../dist/merlon.js', import.meta.url))

/** Merlon on disk, as a user starts it: every call signed, authorised and recorded. */
/** `before`: a server that was stopped and kept; this one goes on with its data, which then stays. */
export async function startMerlon({ before, kept = before !== undefined } = {}) {
  const data = before?.data ?? mkdtempSync(join(tmpdir(), 'merlon-bench-'))
  // One principal asks for all that the machine can give.
  const limits = ['--limits', 'account=none,principal=none']
  const words = ['start', '--data', data, '--port', '0', '--json', '--log', 'error', ...limits]
  const child = spawn(process.execPath, [script, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const { url, accounts } = JSON.parse(line)
  const [{ accountId, accessKeyId, secretAccessKey }] = before ? [{ ...before, ...before.credentials }] : accounts
  const server = running('Merlon', url, child, { accessKeyId, secretAccessKey }, () => {
    if (!kept) rmSync(data, { recursive: true, force: true })
  })
  return { ...server, data, accountId }
}

/** moto's server: in memory, checks no signature and no policy. undefined where it is not installed. */
export async function startMoto() {
  if (spawnSync('moto_server', ['--help'], { stdio: 'ignore' }).error) return undefined
  const port = await freePort()
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  return running('moto_server', `http://127.0.0.1:${port}`, child, {
    accessKeyId: 'testing',
    secretAccessKey: 'testing',
  })
}

function running(name, url, child, credentials, cleanUp = () => undefined) {
  return {
    name,
    url,
    credentials,
    /** Resident bytes of the process and its children. */
    memory: () => [child.pid, ...childrenOf(child.pid)].reduce((sum, pid) => sum + residentOf(pid), 0),
    stop: async () => {
      child.kill('SIGTERM')
      await once(child, 'exit')
      cleanUp()
    },
  }
}

function residentOf(pid) {
  const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kb ?? 0) * 1024
}

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
