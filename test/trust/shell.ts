/** Commands with something on their standard input, servers that are forgotten no more, and keys to look for. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { readKeyFile } from '../../src/vault/file-sealer.ts'
import { storeKek, unwrapAccountKey } from '../../src/vault/key-tree.ts'
import { readKeyring } from '../../src/vault/keyring-file.ts'
import { openRootKey } from '../../src/vault/sealer.ts'
import { type Ended, type MadeAccount, merlonScript, type Running, startMerlon, temporaryFolder } from '../process.ts'

const running: Running[] = []
const folders: string[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')))
})
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export function folder(): string {
  const made = temporaryFolder()
  folders.push(made)
  return made
}

export async function start(data: string, words: readonly string[] = [], environment = {}): Promise<Running> {
  const server = await startMerlon(['--data', data, ...words], { ...quiet, ...environment })
  running.push(server)
  return server
}

/** Test runners set what production refuses. */
const quiet = { NODE_OPTIONS: '', NODE_V8_COVERAGE: '' }

export async function merlon(words: readonly string[], input = '', environment = {}): Promise<Ended> {
  const child = spawn(process.execPath, [merlonScript, ...words], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...quiet, ...environment },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}

/** How long `work` takes on this machine now: kills are spread over that time, so that each outcome occurs on any machine. */
export async function durationOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** The moment of kill `n` of `count`, from the first steps of something that takes `tookMs` until after its end. */
export const killMoment = (n: number, count: number, tookMs: number): number =>
  tookMs * (0.3 + (0.9 * n) / Math.max(1, count - 1))

/** What a command answers as JSON; throws what it complains of. */
export async function merlonJson<T>(words: readonly string[], input = '', environment = {}): Promise<T> {
  const ended = await merlon([...words, '--json'], input, environment)
  if (ended.status !== 0) throw new Error(ended.stderr || `status ${ended.status}: ${ended.stdout}`)
  return JSON.parse(ended.stdout.trim().split('\n').at(-1)!) as T
}

export interface WithShares {
  readonly shares: readonly string[]
  readonly root: MadeAccount
}

export async function initWithShares(data: string, shares = 5, threshold = 3): Promise<WithShares> {
  const words = ['init', '--data', data, '--shares', String(shares), '--threshold', String(threshold), '--json']
  const lines = (await merlon(words)).stdout.trim().split('\n')
  return { shares: JSON.parse(lines[0]!).shares, root: JSON.parse(lines[1]!) }
}

export const lines = (...secrets: readonly (string | undefined)[]): string => `${secrets.join('\n')}\n`

export const clientOf = (url: string, { accessKeyId, secretAccessKey }: Omit<MadeAccount, 'accountId'>): Client =>
  new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(url) })

export async function health(url: string): Promise<{ readonly http: number; readonly status: string }> {
  const answer = await fetch(`${url}/health`)
  return { http: answer.status, status: ((await answer.json()) as { status: string }).status }
}

/** Every key under a key file beside the data, by what it is. */
export function keysOf(data: string): ReadonlyMap<string, Buffer> {
  const { body } = readKeyring(join(data, 'merlon.keyring'))!
  const seed = readKeyFile(join(data, 'root.key')).rootKey
  const record = body.sealers.find(({ settings }) => settings.kind === 'file')!
  const rootKey = openRootKey(body, record, Buffer.from(seed))
  const kek = storeKek(rootKey, body.installId)
  const accounts = Object.entries(body.accounts).flatMap(([account, wrapped]) =>
    wrapped === null ? [] : [[`account ${account}`, unwrapAccountKey(kek, body.installId, account, wrapped)] as const],
  )
  return new Map([['root key', rootKey], ['store-kek', kek], ['seed', seed], ...accounts])
}

/** How a key could be written down. */
export function spellings(key: Buffer): readonly Buffer[] {
  return [
    key,
    ...(['hex', 'base64', 'base64url'] as const).map((encoding) => Buffer.from(key.toString(encoding))),
    Buffer.from(key.toString('hex').toUpperCase()),
  ]
}

/** The names of the secrets that the bytes contain. */
export function foundIn(bytes: Buffer, secrets: ReadonlyMap<string, readonly Buffer[]>): string[] {
  return [...secrets].filter(([, spelt]) => spelt.some((each) => bytes.includes(each))).map(([name]) => name)
}

export const readAll = (...files: readonly string[]): Buffer => Buffer.concat(files.map((file) => readFileSync(file)))
