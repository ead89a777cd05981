/** The built server in a process of its own, as a user starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const merlonScript = fileURLToPath(new URL('../dist/merlon.js', import.meta.url))

export interface MadeAccount {
  readonly accountId: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface Running {
  readonly url: string
  /** Where the web console is served. */
  readonly console?: string
  /** How many processes answer there. */
  readonly nodes: number
  /** Accounts made by this start; empty when the data directory had one. */
  readonly accounts: readonly MadeAccount[]
  readonly process: ChildProcess
  /** What it wrote to standard error so far. */
  log(): string
  /** Returns the exit status; null after a kill. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Of an installation of its own, in an unused directory. */
export const installation = (): string[] => ['--data', join(temporaryFolder(), 'data')]

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'merlon-test-'))

/** Runs a command to its end. */
export async function merlon(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return ended(launch(words, { ...environment, ...(isOnMany(words) && (await placeOnMany(words))) }))
}

/** The same for one server, also where a suite is run on many nodes. */
export const merlonAlone = (words: readonly string[]): Promise<Ended> => ended(launch(words, {}))

/** The same as another user of the system, which only root may start. */
export const merlonAs = (uid: number, words: readonly string[]): Promise<Ended> => ended(launch(words, {}, uid))

async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout!.on('data', (chunk) => (stdout += chunk))
  child.stderr!.on('data', (chunk) => (stderr += chunk))
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}

/** {@link startAlone}, or, where a suite is run on many nodes, as many of them over one store and one address. */
export async function startMerlon(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Running> {
  return isOnMany(words) ? (await import('./nodes.ts')).startNodes(words, environment) : startAlone(words, environment)
}

const isOnMany = (words: readonly string[]) =>
  process.env['MERLON_TEST_POSTGRES'] !== undefined && words.includes('--data')

async function placeOnMany(words: readonly string[]) {
  const { placeOf, saidBy } = await import('./nodes.ts')
  return placeOf(saidBy(words, '--data')!)
}

/**
 * `merlon start … --port 0 --json`; returns when it is ready, throws with its complaint when it ends instead. One that is
 * not ready within `withinMs` is killed.
 */
export async function startAlone(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  withinMs?: number,
): Promise<Running> {
  const child = launch(['start', '--port', '0', '--json', ...words], environment)
  let stderr = ''
  child.stderr!.on('data', (chunk) => (stderr += chunk))
  const late = withinMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), withinMs)
  const exit = once(child, 'exit')
  const line = once(createInterface({ input: child.stdout! }), 'line')
  const ready = await Promise.race([line, exit.then(() => undefined)])
  clearTimeout(late)
  if (!ready) throw new Error(stderr || `merlon start ended with status ${child.exitCode ?? child.signalCode}`)
  return {
    ...(JSON.parse(ready[0]) as Pick<Running, 'url' | 'console' | 'accounts'>),
    nodes: 1,
    process: child,
    log: () => stderr,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      const [status] = await exit
      return status
    },
  }
}

function launch(words: readonly string[], environment: Readonly<Record<string, string>>, uid?: number): ChildProcess {
  if (!existsSync(merlonScript)) throw new Error(`${merlonScript} is missing: run 'npm run build' first`)
  return spawn(process.execPath, [merlonScript, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    ...(uid !== undefined && { uid, gid: uid }),
  })
}
