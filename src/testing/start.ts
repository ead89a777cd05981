/**
 * A Merlon server for tests: a process of its own, in memory, on a free port, that ends with the test process.
 *
 * @example
 * await using merlon = await startMerlon({ seed: { accounts: [{ id: '123456789012', users: [{ name: 'ann' }] }] } })
 * const kms = merlon.client(KMSClient, { credentials: await merlon.credentialsFor('ann') })
 * await expect(kms.send(new ListKeysCommand())).rejects.toThrow('not authorized')
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Seed } from '../server/seed/seed-format.ts'
import { type Credentials, connect, type Merlon, type TestSeed, wholeSeed } from './connect.ts'

export interface StartOptions {
  /** What the server begins with, again after each reset: an object, or the path of a YAML or JSON file. */
  readonly seed?: string | TestSeed
  /** Twelve digits. Default: that of the seed's first account, or 123456789012. */
  readonly accountId?: string
  /** Default: `us-east-1`. */
  readonly region?: string
  /** Further options of `merlon start`, such as `['--functions', 'process']`. */
  readonly args?: readonly string[]
  /** Milliseconds to wait until the server is ready. Default: 15,000. */
  readonly timeoutMs?: number
}

const READY_MS_MAX = 15_000
const STOP_MS_MAX = 5_000

/** Starts a server. Throws with the server's own output when it does not become ready. */
export async function startMerlon(options: StartOptions = {}): Promise<Merlon> {
  const { region = 'us-east-1' } = options
  const seed = typeof options.seed === 'object' ? wholeSeed(options.seed, options.accountId) : options.seed
  const accountId = options.accountId ?? (typeof seed === 'object' ? seed.accounts[0]?.id : undefined)
  const { child, ready } = await launch(seed, accountId, options)
  const account = ready.accounts.find((each) => each.accountId === accountId) ?? ready.accounts[0]!
  const { accessKeyId, secretAccessKey, administrator } = account
  const rootCredentials = { accessKeyId, secretAccessKey }
  const credentials = administrator
    ? { accessKeyId: administrator.accessKeyId, secretAccessKey: administrator.secretAccessKey }
    : rootCredentials
  const endpoint = ready.url

  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
    await ended
    clearTimeout(late)
  }

  return connect({ endpoint, region, accountId: account.accountId, credentials, rootCredentials, stop })
}

interface Ready {
  readonly url: string
  readonly accounts: readonly (Credentials & {
    readonly accountId: string
    readonly administrator?: Credentials & { readonly userName: string }
  })[]
}

async function launch(
  seed: string | Omit<Seed, 'placeOf'> | undefined,
  accountId: string | undefined,
  { args = [], timeoutMs = READY_MS_MAX }: StartOptions,
): Promise<{ readonly child: ChildProcess; readonly ready: Ready }> {
  const folder = typeof seed === 'object' ? mkdtempSync(join(tmpdir(), 'merlon-seed-')) : undefined
  const file = folder === undefined ? (seed as string | undefined) : join(folder, 'seed.json')
  if (folder !== undefined) writeFileSync(file!, JSON.stringify(seed), { mode: 0o600 })
  const { MERLON_ROOT_ACCESS_KEY_ID, MERLON_ROOT_SECRET_ACCESS_KEY, ...environment } = process.env
  const child = spawn(
    process.execPath,
    [
      commandLine(),
      ...['start', '--dev', '--json', '--port', '0', '--log', 'error', '--exit-with-parent'],
      ...(accountId === undefined ? [] : ['--account', accountId]),
      ...(file === undefined ? [] : ['--seed', file]),
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: environment },
  )
  let complaint = ''
  child.stderr!.on('data', (chunk) => (complaint = `${complaint}${chunk}`.slice(-10_000)))
  const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  try {
    const line = once(createInterface({ input: child.stdout! }), 'line')
    const ended = once(child, 'exit').then(() => undefined)
    const ready = await Promise.race([line, ended])
    if (!ready)
      throw new Error(
        `Merlon did not start. ${complaint.trim() || `It ended with ${child.signalCode ?? child.exitCode}.`}`,
      )
    // The test's process may end while the server runs: the server then ends, too.
    child.unref()
    for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref?(): void }).unref?.()
    return { child, ready: JSON.parse(ready[0] as string) as Ready }
  } finally {
    clearTimeout(late)
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}

/** The command line beside this module; from the sources, in the build. */
function commandLine(): string {
  const beside = fileURLToPath(new URL('./merlon.js', import.meta.url))
  return existsSync(beside) ? beside : fileURLToPath(new URL('../../dist/merlon.js', import.meta.url))
}
