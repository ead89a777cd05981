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
import type { Seed, SeedAccount } from '../server/seed/seed-format.ts'
import { type MerlonEvent, type RecordedDecision, recordedDecisions } from './events.ts'
import { signedFetch } from './signed-fetch.ts'

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

/** A seed. A single account may leave out its id. */
export type TestSeed =
  | Omit<Seed, 'placeOf'>
  | (Omit<SeedAccount, 'id'> & { readonly id?: string; readonly accounts?: undefined })

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface ClientSettings {
  readonly endpoint: string
  readonly region: string
  readonly credentials: Credentials
  /** For S3: buckets in the path, not in the host name. */
  readonly forcePathStyle: true
}

export interface Merlon extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string
  readonly region: string
  readonly accountId: string
  /** Of the administrator: an IAM user who may do everything. With a seed of one's own: of the root user. */
  readonly credentials: Credentials
  readonly rootCredentials: Credentials
  /** For programs that the test starts: `AWS_ENDPOINT_URL`, `AWS_REGION` and the credentials. */
  readonly environment: Readonly<Record<string, string>>
  /** An AWS SDK client of this server. */
  client<C, O extends object>(Client: new (settings: O & ClientSettings) => C, options?: Partial<O>): C
  /** A new access key of an IAM user of the first account. Throws when there is no such user. */
  credentialsFor(userName: string): Promise<Credentials>
  /** Adds what a seed has, until the next reset. */
  seed(seed: TestSeed): Promise<void>
  /**
   * Makes everything as it was after the start: data, clock and keys. With an account, only what that account has; its events
   * and the clock stay.
   */
  reset(only?: { readonly account: string }): Promise<void>
  readonly clock: MerlonClock
  /** What was recorded, in order, since the start or the last reset: one event for each call. */
  events(): Promise<readonly MerlonEvent[]>
  /** The decisions among {@link events} that denied. */
  denied(): Promise<readonly RecordedDecision[]>
  stop(): Promise<void>
}

export interface MerlonClock {
  now(): Promise<Date>
  /** Moves it forward. Sessions expire and jobs fall due by it. */
  advance(by: {
    readonly days?: number
    readonly hours?: number
    readonly minutes?: number
    readonly seconds?: number
  }): Promise<Date>
  set(to: Date | string): Promise<Date>
}

const DEFAULT_ACCOUNT = '123456789012'
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

  const call = signedFetch({ endpoint, region, credentials: rootCredentials })
  const development = async <T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> =>
    JSON.parse(await call('merlon', method, `/_merlon/${path}`, body ? JSON.stringify(body) : '')) as T
  const clock = async (body?: object) =>
    new Date((await development<{ now: string }>(body ? 'POST' : 'GET', 'clock', body)).now)

  const events = async (): Promise<readonly MerlonEvent[]> => {
    const found: MerlonEvent[] = []
    for (let after = 0; ; ) {
      const page = await development<{ events: MerlonEvent[]; next: number; more: boolean }>(
        'GET',
        `events?after=${after}`,
      )
      found.push(...page.events)
      if (!page.more) return found.filter(({ eventSource }) => eventSource !== 'merlon')
      after = page.next
    }
  }
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
    await ended
    clearTimeout(late)
  }

  return {
    endpoint,
    region,
    accountId: account.accountId,
    credentials,
    rootCredentials,
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    client: (Client, more) => {
      const settings: ClientSettings = { endpoint, region, credentials, forcePathStyle: true }
      return new Client({ ...settings, ...more } as ConstructorParameters<typeof Client>[0])
    },
    credentialsFor: async (userName) => {
      const form = new URLSearchParams({ Action: 'CreateAccessKey', Version: '2010-05-08', UserName: userName })
      const xml = await call('iam', 'POST', '/', form.toString(), 'application/x-www-form-urlencoded')
      const value = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)![1]!
      return { accessKeyId: value('AccessKeyId'), secretAccessKey: value('SecretAccessKey') }
    },
    seed: async (more) => void (await development('POST', 'seed', wholeSeed(more, account.accountId))),
    reset: async (only) => void (await development('POST', 'reset', only)),
    clock: {
      now: () => clock(),
      advance: ({ days = 0, hours = 0, minutes = 0, seconds = 0 }) =>
        clock({ advanceSeconds: ((days * 24 + hours) * 60 + minutes) * 60 + seconds }),
      set: (to) => clock({ now: new Date(to).toISOString() }),
    },
    events,
    denied: async () => (await events()).flatMap(recordedDecisions).filter(({ effect }) => effect === 'Deny'),
    stop,
    [Symbol.asyncDispose]: stop,
  }
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

function wholeSeed(seed: TestSeed, accountId = DEFAULT_ACCOUNT): Omit<Seed, 'placeOf'> {
  if (seed.accounts !== undefined) return seed
  const { accounts, ...account } = seed
  return { accounts: [{ id: accountId, ...account }] }
}

/** The command line beside this module; from the sources, in the build. */
function commandLine(): string {
  const beside = fileURLToPath(new URL('./merlon.js', import.meta.url))
  return existsSync(beside) ? beside : fileURLToPath(new URL('../../dist/merlon.js', import.meta.url))
}
