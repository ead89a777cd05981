/** Runs a customer's own code: in a sandbox that lives for one invocation, under the limits the function has. */
import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import type { FunctionOutcome, FunctionRun } from '../../kernel/ports/functions.ts'
import type { Handler } from '../../wire/node-http.ts'
import { type Egress, readEgress } from './egress.ts'
import { LogTail } from './log-tail.ts'
import { cgroupOf, type Excess, watch } from './memory-watch.ts'
import { failed, succeeded, timedOut } from './outcome.ts'
import type { Packages } from './packages.ts'
import { runtimeApi, type Said } from './runtime-api.ts'
import { type Runtime, runtimeOf } from './runtimes.ts'
import { confined, INSIDE, sandboxed } from './sandbox.ts'
import { SandboxSockets } from './sandbox-sockets.ts'
import { seccompFilter } from './seccomp.ts'
import { temporaryFolder } from './temporary.ts'

export interface ProcessHost {
  readonly egress: Egress
  readonly api: Handler
  readonly packages: Packages
  /** The folder of `relay.mjs` and the bootstraps. */
  readonly scripts: string
}

type ProcessRun = FunctionRun & { readonly code: Extract<FunctionRun['code'], { kind: 'process' }> }

/** The variable by which a function says where it wants to go. */
export const TARGETS = 'MERLON_EGRESS'
const TARGETS_MAX = 32
const RUNTIME_API = { address: '127.0.0.1', port: 9001 }
const API = { address: '127.0.0.1', port: 4566 }

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html (the init phase) */
const INIT_MS_MAX = 10_000

/** The first after the standard ones. */
const FILTER_FD = 3

interface Target {
  readonly host: string
  readonly port: number
  /** Of the sandbox's own loopback, by which its `/etc/hosts` knows the name. */
  readonly address: string
}

/** Throws for what cannot be a target. */
export function targetsOf(environment: Readonly<Record<string, string>>): readonly Target[] {
  const list = [...readEgress(environment[TARGETS], TARGETS)]
  if (list.length > TARGETS_MAX) throw new Error(`${TARGETS} names more than ${TARGETS_MAX} targets`)
  const addresses = new Map<string, string>()
  return list.map((entry) => {
    const [, host, port] = /^(.*):(.*)$/.exec(entry)!
    // Inside, only names can be led to the relay; a port is listened on one by one.
    if (isIP(host!) !== 0 || host === 'localhost')
      throw new Error(`${TARGETS}: '${entry}' needs a name, not an address`)
    if (port === '*') throw new Error(`${TARGETS}: '${entry}' needs one port`)
    if (!addresses.has(host!)) addresses.set(host!, `127.0.1.${addresses.size + 1}`)
    return { host: host!, port: Number(port), address: addresses.get(host!)! }
  })
}

export function runProcess(run: ProcessRun, host: ProcessHost): Promise<FunctionOutcome> {
  const runtime = runtimeOf(run.code.runtime)
  if (typeof runtime === 'string') throw new Error(runtime)
  return host.packages.during(run.code.sha256, run.code.zip, async (code) => {
    const io = temporaryFolder('fn')
    const sockets = new SandboxSockets(io)
    try {
      return await inSandbox({ run, runtime, code, io, sockets, host })
    } finally {
      sockets.close()
      rmSync(io, { recursive: true, force: true })
    }
  })
}

interface Prepared {
  readonly run: ProcessRun
  readonly runtime: Runtime
  readonly code: string
  readonly io: string
  readonly sockets: SandboxSockets
  readonly host: ProcessHost
}

async function inSandbox({ run, runtime, code, io, sockets, host }: Prepared): Promise<FunctionOutcome> {
  const log = new LogTail()
  const targets = targetsOf(run.environment)
  writeEtc(io, targets)

  let onOutcome: (said: Said | 'late' | Excess) => void = () => undefined
  const saying = new Promise<Said | 'late' | Excess>((resolve) => {
    onOutcome = resolve
  })
  let limitMs = INIT_MS_MAX
  let timer = setTimeout(() => onOutcome('late'), limitMs)
  const began = () => {
    clearTimeout(timer)
    limitMs = run.timeoutMs
    timer = setTimeout(() => onOutcome('late'), limitMs)
    // The function compares this with the clock of its machine, so it is that clock's time.
    return Date.now() + limitMs
  }
  const answer = runtimeApi(run, { began, said: onOutcome })
  await sockets.http(RUNTIME_API.address, RUNTIME_API.port, (request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await sockets.api(API.address, API.port, host.api)
  for (const target of targets) await sockets.target(target, host.egress, (line) => log.line(line))

  const lowPorts = targets.some(({ port }) => port < 1024)
  const filter = seccompFilter()
  const cell = {
    runtime,
    code,
    io,
    scripts: host.scripts,
    storageMb: run.storageMb,
    lowPorts,
    cpuSeconds: Math.ceil((INIT_MS_MAX + run.timeoutMs) / 1000) + 1,
    filter: filter && FILTER_FD,
  }
  const group = cgroupOf(run.memoryMb)
  const [program, ...words] = [...(group?.entry ?? []), ...sandboxed(cell)]
  // The customer's variables do not touch the programs that build the sandbox: they would run outside it.
  const child = spawn(program!, words, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  const filtering = child.stdio[FILTER_FD] as Writable
  filtering.on('error', () => undefined)
  filtering.end(filter)
  const closed = new Promise<number | null>((resolve) => {
    child.on('error', (error) => {
      log.line(error.message)
      resolve(null)
    })
    child.on('close', (status) => resolve(status))
  })
  child.stdout.on('data', (chunk: Buffer) => log.add(chunk))
  child.stderr.on('data', (chunk: Buffer) => log.add(chunk))
  const unwatch =
    child.pid === undefined ? () => undefined : watch(child.pid, run.memoryMb, (excess) => onOutcome(excess))
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify(ordersOf(run, runtime, sockets, lowPorts)))

  try {
    const said = await Promise.race([saying, closed.then((status) => ({ kind: 'exit' as const, status }))])
    // With the first process of the sandbox all of them die; then whatever they wrote has been read.
    child.kill('SIGKILL')
    await closed
    if (said === 'late') return timedOut(run.requestId, limitMs, Date.now(), log.bytes())
    if (said === 'memory' || said === 'processes') return ended(EXCESSES[said], run, log)
    return outcomeOf(said, run, log)
  } finally {
    clearTimeout(timer)
    unwatch()
    child.kill('SIGKILL')
    group?.remove()
  }
}

/** AWS reports the first so; it has no sentence for the second. */
const EXCESSES: Readonly<Record<Excess, string>> = {
  memory: 'Runtime exited with error: signal: killed',
  processes: 'Runtime exited with error: too many processes',
}

function ended(reason: string, run: FunctionRun, log: LogTail): FunctionOutcome {
  const errorMessage = `RequestId: ${run.requestId} Error: ${reason}`
  return failed({ errorType: 'Runtime.ExitError', errorMessage }, log.bytes())
}

function outcomeOf(
  said: Said | { kind: 'exit'; status: number | null },
  run: FunctionRun,
  log: LogTail,
): FunctionOutcome {
  switch (said.kind) {
    case 'response':
      return succeeded(said.body, log.bytes())
    case 'error':
    case 'init-error':
      return { payload: jsonOf(said.body), error: 'Unhandled', log: log.bytes() }
    case 'too-large':
      return succeeded(Buffer.alloc(TOO_LARGE), log.bytes())
    case 'exit': {
      const how = said.status === 137 || said.status === null ? 'signal: killed' : `exit status ${said.status}`
      return ended(`Runtime exited with error: ${how}`, run, log)
    }
  }
}

/** Longer than any answer may be. */
const TOO_LARGE = 8 * 1024 * 1024

/** A runtime may send anything; callers receive JSON. */
function jsonOf(body: Buffer): Buffer {
  try {
    JSON.parse(body.toString('utf8'))
    return body
  } catch {
    return Buffer.from(JSON.stringify({ errorType: 'Runtime.Unknown', errorMessage: body.toString('utf8') }))
  }
}

function writeEtc(io: string, targets: readonly Target[]): void {
  const hosts = new Map(targets.map(({ host, address }) => [host, address]))
  const lines = ['127.0.0.1 localhost', ...[...hosts].map(([host, address]) => `${address} ${host}`)]
  writeFileSync(join(io, 'hosts'), `${lines.join('\n')}\n`)
  writeFileSync(join(io, 'passwd'), 'nobody:x:65534:65534::/tmp:/bin/false\n')
  writeFileSync(join(io, 'nsswitch.conf'), 'passwd: files\nhosts: files\n')
}

/** The orders of the relay. */
function ordersOf(run: ProcessRun, runtime: Runtime, sockets: SandboxSockets, lowPorts: boolean) {
  const script = `${INSIDE.scripts}/${runtime.bootstrap}`
  return {
    doors: sockets.doors,
    command: confined({ memoryMb: run.memoryMb, lowPorts }, [...runtime.command(run.memoryMb), script]),
    env: environmentOf(run),
    cwd: INSIDE.task,
  }
}

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (defined runtime environment variables) */
function environmentOf(run: ProcessRun): Readonly<Record<string, string>> {
  const name = run.arn.split(':')[6]!
  const { accessKeyId, secretAccessKey, sessionToken } = run.credential
  const endpoint = `http://${API.address}:${API.port}`
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: '/tmp',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    AWS_ENDPOINT_URL: endpoint,
    // AWS's own rotation code reads it by this name.
    SECRETS_MANAGER_ENDPOINT: endpoint,
    ...run.environment,
    _HANDLER: run.code.handler,
    LAMBDA_TASK_ROOT: INSIDE.task,
    LAMBDA_RUNTIME_DIR: INSIDE.scripts,
    AWS_LAMBDA_RUNTIME_API: `${RUNTIME_API.address}:${RUNTIME_API.port}`,
    AWS_EXECUTION_ENV: `AWS_Lambda_${run.code.runtime}`,
    AWS_REGION: run.region,
    AWS_DEFAULT_REGION: run.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: run.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(run.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `[${run.version}]${run.requestId.replaceAll('-', '')}`,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  }
}
