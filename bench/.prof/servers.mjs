/** The servers under comparison: how each is started, how one knows that it answers, what it takes of the machine. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { headersOf, signedQuery } from './requests.mjs'

export const script = fileURLToPath(new URL('../../dist/merlon.js', import.meta.url))
/**
 * One caller makes all requests here, so the limits of one caller are raised out of its way; they are checked all the
 * same.
 */
const LIMITS = 'account=1000000,principal=1000000'
const READY_MS_MAX = 60_000
/** USER_HZ, the unit of times in /proc. */
const TICK_MS = 10

/**
 * Merlon on disk, as a user starts it: every call signed, authorized and recorded. `before`: a server that was stopped
 * and kept; this one goes on with its data, which then stays. `options`: of `merlon start`, besides.
 */
export async function startMerlon({ before, kept = before !== undefined, options = [] } = {}) {
  const data = before?.data ?? mkdtempSync(join(tmpdir(), 'merlon-bench-'))
  const words = ['start', '--data', data, '--port', '0', '--json', '--log', 'error', '--limits', LIMITS, ...options]
  const child = spawn(process.execPath, ['--trace-gc', script, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  const remove = () => rmSync(data, { recursive: true, force: true })
  // In this order: what still runs would write on.
  endWithUs(child)
  if (!before) process.once('exit', remove)
  const line = await new Promise((ok) => createInterface({ input: child.stdout }).on('line', (l) => { if (l.startsWith('{')) ok(l); else if (/Mark-Compact|\d\d\.\d \//.test(l.split('MB, ')[1] ?? '') || /Mark/.test(l)) console.log('GC', Math.round(performance.now()), l) }))
  const { url, accounts, console: consoleUrl } = JSON.parse(line)
  const [{ accountId, accessKeyId, secretAccessKey }] = before ? [{ ...before, ...before.credentials }] : accounts
  const server = running('Merlon', url, child, { accessKeyId, secretAccessKey }, () => {
    if (!kept) remove()
  })
  /** Of pages: sign-in, portal, console. */
  const web = consoleUrl && new URL(consoleUrl).origin
  return { ...server, data, accountId, web, remove }
}

/** moto's server: in memory, checks no signature and no policy. undefined where it is not installed. */
export async function startMoto() {
  if (spawnSync('moto_server', ['--help'], { stdio: 'ignore' }).error) return undefined
  const port = await freePort()
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' }
  const server = running('moto_server', `http://127.0.0.1:${port}`, child, credentials)
  await answered(server, await signedQuery(server, 'sts', { Action: 'GetCallerIdentity' }))
  return server
}

/** Repeats the request until it is answered. */
export async function answered({ url }, request) {
  const giveUpAt = performance.now() + READY_MS_MAX
  while (performance.now() < giveUpAt) {
    try {
      const { headers, body } = headersOf(request)
      const answer = await fetch(url, { method: 'POST', headers, body })
      if (answer.ok) return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  throw new Error(`${url} never answered`)
}

export function running(name, url, child, credentials, cleanUp = () => undefined) {
  endWithUs(child)
  const processes = () => [child.pid, ...childrenOf(child.pid)]
  return {
    name,
    url,
    credentials,
    /** Resident bytes of the process and its children. */
    memory: () => processes().reduce((sum, pid) => sum + residentOf(pid), 0),
    /** Processor time of the process, its threads and its children so far. */
    cpuMs: () => processes().reduce((sum, pid) => sum + cpuMsOf(pid), 0),
    /** Microseconds that each thread of the process itself has run so far, by its id; the first is the main thread. */
    threadsUs: () => threadsUsOf(child.pid),
    stop: async () => {
      child.kill('SIGTERM')
      await once(child, 'exit')
      cleanUp()
    },
  }
}

/** A bench that fails leaves nothing behind that runs. */
export function endWithUs(child) {
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}

function residentOf(pid) {
  const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kb ?? 0) * 1024
}

/** Source: proc(5), fields 14 and 15 of stat; the name in field 2 may hold anything. */
function cpuMsOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** Source: https://docs.kernel.org/scheduler/sched-stats.html, `/proc/PID/task/TID/schedstat`, nanoseconds on the processor. */
function threadsUsOf(pid) {
  const ids = readdirSync(`/proc/${pid}/task`).map(Number)
  const read = (id, file) => readFileSync(`/proc/${pid}/task/${id}/${file}`, 'utf8').trim()
  return new Map(
    ids
      .toSorted((a, b) => a - b)
      .map((id) => [id, { name: read(id, 'comm'), us: Number(read(id, 'schedstat').split(' ')[0]) / 1000 }]),
  )
}

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
