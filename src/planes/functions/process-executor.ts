/**
 * Runs a customer's package in a sandbox of its own (bubblewrap): no network but a relay, a read-only system, its own
 * processes and `/tmp`, an account that is nobody. What it may reach are sockets of this file: the Runtime API, the
 * signed API of Merlon, and what the function declares and the operator allows.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { FunctionCode, FunctionOutcome, FunctionRun } from '../../kernel/functions.ts'
import { answerOverHttp, type Handler } from '../../wire/node-http.ts'
import { type Egress, readEgress } from './egress.ts'
import { LogTail } from './log-tail.ts'
import { failed, succeeded, timedOut } from './outcome.ts'
import { type Ended, runtimeApi } from './runtime-api.ts'
import { NODE_RUNTIME, PYTHON_RUNTIME, RELAY } from './sandbox-scripts.ts'
import { unpack } from './zip.ts'

type Package = Extract<FunctionCode, { kind: 'process' }>

export interface ProcessHost {
  readonly egress: Egress
  /** The signed API. */
  readonly handler: Handler
  readonly now: () => number
}

const SANDBOX = 'bwrap'
/** Where things lie inside. */
const [TASK, RUN] = ['/var/task', '/run/merlon']
const API_PORT = 4566
const RUNTIME_PORT = 9001
const BODY_BYTES_MAX = 6 * 1024 * 1024
const PROCESSES_MAX = 256
const MB = 1024 * 1024

interface Interpreter {
  readonly command: readonly string[]
  /** Folders that it needs, beyond the system's. */
  readonly folders: readonly string[]
  /** Of address space; undefined where the interpreter reserves more than it uses. */
  readonly addressSpace: boolean
}

const ask = promisify(execFile)

export class ProcessExecutor {
  readonly #host: ProcessHost
  readonly #folder: string
  readonly #interpreters = new Map<string, Promise<Interpreter>>()

  constructor(host: ProcessHost) {
    this.#host = host
    this.#folder = mkdtempSync(join(tmpdir(), 'merlon-functions-'))
    for (const [name, text] of [
      ['relay.mjs', RELAY],
      ['runtime.py', PYTHON_RUNTIME],
      ['runtime.mjs', NODE_RUNTIME],
    ] as const) {
      writeFileSync(join(this.#folder, name), text)
    }
  }

  /** Why a package cannot run; undefined when it can. */
  static refusal({ runtime }: Package, environment: Readonly<Record<string, string>>): string | undefined {
    if (!/^(python3\.\d+|nodejs\d+\.x)$/.test(runtime)) {
      return `Merlon runs the runtimes python3.x and nodejs….x, with the versions installed here, not ${runtime}.`
    }
    if (!inPath(SANDBOX)) return 'Functions run in bubblewrap: install it (Debian: apt-get install bubblewrap).'
    if (runtime.startsWith('python') && !inPath('python3')) return 'There is no python3 on this machine.'
    try {
      readEgress(environment['MERLON_EGRESS'], 'MERLON_EGRESS')
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async run(code: Package, run: FunctionRun): Promise<FunctionOutcome> {
    const deadline = this.#host.now() + run.timeoutMs
    const [task, interpreter] = await Promise.all([this.#unpacked(code), this.#interpreter(code.runtime)])
    const sockets = mkdtempSync(join(this.#folder, 'run-'))
    const ending = new AbortController()
    const servers: Server[] = []
    const log = new LogTail()
    try {
      const api = runtimeApi(run, deadline)
      const ways = this.#ways(run, sockets, ending.signal)
      await listening(api.server, join(sockets, 'runtime.sock'), servers)
      for (const { server, socket } of ways) await listening(server, socket, servers)
      writeFileSync(join(sockets, 'hosts'), hostsFile(ways))
      const relay = {
        listen: [
          { host: '127.0.0.1', port: RUNTIME_PORT, socket: `${RUN}/runtime.sock` },
          ...ways.map(({ address, port, inside }) => ({ host: address, port, socket: inside })),
        ],
        command: interpreter.command,
      }
      const child = spawn(
        SANDBOX,
        sandboxWords({ task, sockets, scripts: this.#folder, run, code, relay, interpreter }),
        {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
        },
      )
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => log.add(chunk))
      const died = once(child, 'exit').then(([status, signal]) => ({ kind: 'died' as const, status, signal }))
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<{ readonly kind: 'late' }>((resolve) => {
        timer = setTimeout(() => resolve({ kind: 'late' }), run.timeoutMs)
      })
      const ended = await Promise.race([api.ended, died, late])
      clearTimeout(timer)
      child.kill('SIGKILL')
      await died
      return this.#outcome(ended, run, log.bytes())
    } finally {
      ending.abort()
      for (const server of servers) server.close()
      rmSync(sockets, { recursive: true, force: true })
    }
  }

  #outcome(ended: Ended | { kind: 'late' } | { kind: 'died'; status: number | null }, run: FunctionRun, log: Buffer) {
    switch (ended.kind) {
      case 'response':
        return succeeded(ended.body, log)
      case 'error':
        return { payload: ended.body, error: 'Unhandled', log } satisfies FunctionOutcome
      case 'late':
        return timedOut(run.requestId, run.timeoutMs, this.#host.now(), log)
      case 'died': {
        const errorMessage = `RequestId: ${run.requestId} Error: Runtime exited with error: exit status ${ended.status}`
        return failed({ errorType: 'Runtime.ExitError', errorMessage }, log)
      }
    }
  }

  /** Each way out: a socket here, an address in the sandbox. */
  #ways(run: FunctionRun, sockets: string, signal: AbortSignal): readonly Way[] {
    const { egress, handler } = this.#host
    const api = createHttpServer((request, response) => {
      answerOverHttp(handler, request, response, BODY_BYTES_MAX).catch(() => response.destroy())
    })
    const way = (name: string, server: Server, host: string, address: string, port: number): Way => ({
      server,
      socket: join(sockets, name),
      inside: `${RUN}/${name}`,
      host,
      address,
      port,
    })
    const targets = [...readEgress(run.environment['MERLON_EGRESS'], 'MERLON_EGRESS')]
    return [
      way('api.sock', api, 'merlon', '127.0.0.1', API_PORT),
      ...targets.map((target, n) => {
        const at = target.lastIndexOf(':')
        const [host, port] = [target.slice(0, at), Number(target.slice(at + 1))]
        const server = createServer((near) => {
          near.on('error', () => near.destroy())
          egress.dial(host, port, signal).then(
            (far) => {
              far.on('error', () => near.destroy())
              near.pipe(far).pipe(near)
            },
            () => near.destroy(),
          )
        })
        return way(`way-${n}.sock`, server, host, `127.0.1.${n + 1}`, port)
      }),
    ]
  }

  /** Unpacked once on this node, whole or not at all. */
  async #unpacked({ sha256, zip }: Package): Promise<string> {
    const folder = join(this.#folder, `task-${sha256}`)
    if (existsSync(folder)) return folder
    const draft = mkdtempSync(join(this.#folder, 'unpacking-'))
    unpack(await zip(), draft)
    try {
      renameSync(draft, folder)
    } catch (error) {
      // Another invocation was first.
      if (!existsSync(folder)) throw error
      rmSync(draft, { recursive: true, force: true })
    }
    return folder
  }

  #interpreter(runtime: string): Promise<Interpreter> {
    const family = runtime.startsWith('python') ? 'python' : 'node'
    let found = this.#interpreters.get(family)
    if (!found) {
      found = family === 'python' ? python() : Promise.resolve(node())
      this.#interpreters.set(family, found)
    }
    return found
  }
}

interface Way {
  readonly server: Server
  readonly socket: string
  readonly inside: string
  readonly host: string
  readonly address: string
  readonly port: number
}

const node = (): Interpreter => ({
  command: [process.execPath, `${RUN}-scripts/runtime.mjs`],
  folders: [],
  addressSpace: false,
})

async function python(): Promise<Interpreter> {
  const words = ['-c', 'import sys; print(sys.executable); print(sys.prefix); print(sys.base_prefix)']
  const { stdout } = await ask('python3', words)
  const [executable = 'python3', ...folders] = stdout.trim().split('\n')
  return {
    command: [executable, '-B', `${RUN}-scripts/runtime.py`],
    folders: [...new Set(folders)],
    addressSpace: true,
  }
}

const inPath = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, program)))

function hostsFile(ways: readonly Way[]): string {
  const lines = ways.filter(({ host }) => /[a-z]/i.test(host)).map(({ address, host }) => `${address} ${host}`)
  return ['127.0.0.1 localhost', ...lines, ''].join('\n')
}

async function listening(server: Server, path: string, servers: Server[]): Promise<void> {
  server.listen(path)
  await once(server, 'listening')
  servers.push(server)
}

interface Sandboxed {
  readonly task: string
  readonly sockets: string
  readonly scripts: string
  readonly run: FunctionRun
  readonly code: Package
  readonly relay: object
  readonly interpreter: Interpreter
}

/** The words of bwrap: everything is refused that is not named here. */
function sandboxWords({ task, sockets, scripts, run, code, relay, interpreter }: Sandboxed): readonly string[] {
  const readable = (folder: string) => ['--ro-bind', folder, folder]
  const covered = ['/usr/', '/bin/', '/lib/']
  const extra = [dirname(process.execPath), ...interpreter.folders].filter(
    (folder) => !covered.some((each) => `${folder}/`.startsWith(each)) && folder !== '/usr',
  )
  const environment = { ...run.environment, ...ownEnvironment(run, code), MERLON_RELAY: JSON.stringify(relay) }
  const limits = [
    `--nproc=${PROCESSES_MAX}`,
    `--fsize=${run.storageMb * MB}`,
    '--core=0',
    ...(interpreter.addressSpace ? [`--as=${(run.memoryMb + 1024) * MB}`] : []),
  ]
  return [
    ...['--unshare-all', '--unshare-user', '--uid', '65534', '--gid', '65534', '--die-with-parent', '--new-session'],
    ...readable('/usr'),
    ...['/lib', '/lib64', '/bin', '/sbin', '/etc/alternatives', '/etc/ssl', '/etc/ld.so.cache'].flatMap((path) => [
      '--ro-bind-try',
      path,
      path,
    ]),
    ...extra.flatMap(readable),
    ...['--proc', '/proc', '--dev', '/dev', '--size', String(run.storageMb * MB), '--tmpfs', '/tmp'],
    ...['--ro-bind', task, TASK, '--ro-bind', sockets, RUN, '--ro-bind', join(sockets, 'hosts'), '/etc/hosts'],
    ...['relay.mjs', 'runtime.py', 'runtime.mjs'].flatMap((name) => [
      '--ro-bind',
      join(scripts, name),
      `${RUN}-scripts/${name}`,
    ]),
    ...['--chdir', TASK, '--clearenv'],
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...(inPath('prlimit') ? ['prlimit', ...limits.filter((limit) => !limit.startsWith('--as'))] : []),
    ...[process.execPath, `${RUN}-scripts/relay.mjs`],
  ]
}

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
function ownEnvironment(run: FunctionRun, { handler }: Package): Readonly<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = run.credential
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: '/tmp',
    LANG: 'C.UTF-8',
    TZ: ':UTC',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_REGION: run.region,
    AWS_DEFAULT_REGION: run.region,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${API_PORT}`,
    AWS_LAMBDA_FUNCTION_NAME: run.arn.split(':').at(-1)!,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(run.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${RUNTIME_PORT}`,
    LAMBDA_TASK_ROOT: TASK,
    _HANDLER: handler,
  }
}
