/** Connections to PostgreSQL: how they are opened, what each is queried for first, and what an error on one means. */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import pg from 'pg'
import { parseIntoClientConfig } from 'pg-connection-string'
import { UnavailableError } from '../store.ts'
import { FencedError, LostCommitsError } from './fenced.ts'
import { abandon, type Host, interrupt, PROBE_MS_MAX, Primary, primaryTimeline } from './primary.ts'
import { hostUrls } from './url.ts'

export interface ConnectionSettings {
  /**
   * `postgres://user@host:port/database?sslmode=…`, or several hosts: `postgres://user@a:5432,b:5432/database`. Best without
   * the password: that may be in a file, or in PGPASSWORD.
   */
  readonly url: string
  /** Holds the password, and is read anew for each connection, so that it can be changed while nodes run. */
  readonly passwordFile?: string | undefined
  /** The schema of all tables (default `merlon`). */
  readonly schema?: string | undefined
  /** The newest revision that was reported to this process as durable. A database that has less has lost commits. */
  readonly acknowledged?: () => number
}

export const CONNECT_MS_MAX = 3_000
/** The server cancels a statement before the client drops the connection. */
export const STATEMENT_MS_MAX = 8_000
export const ANSWER_MS_MAX = 10_000

const INT8 = 20
/** Positions, revisions and times stay far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
}

/** Of the first host; every other setting is the same for all hosts. */
export function configOf({ url, passwordFile }: ConnectionSettings): pg.ClientConfig {
  const urls = hostUrls(url)
  const { searchParams } = new URL(urls[0])
  const { password, ...parsed } = parseIntoClientConfig(urls[0])
  const encrypted = searchParams.has('sslmode') || hostsOf(url).every(({ host }) => isLocal(host)) ? {} : { ssl: {} }
  return {
    ...parsed,
    // Across a network without TLS goes only who says so: sslmode=disable.
    ...encrypted,
    ...(password ? { password } : passwordFile !== undefined && { password: () => readPassword(passwordFile) }),
    types,
    application_name: 'merlon',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    query_timeout: ANSWER_MS_MAX,
  }
}

/** The addresses connections really use: `?host=` comes before the URL's own host, and the environment after both. */
function hostsOf(url: string): readonly Host[] {
  return hostUrls(url).map((each) => {
    const { host, port } = parseIntoClientConfig(each)
    return { host: host || process.env['PGHOST'] || '', port: port ?? Number(process.env['PGPORT'] || 5432) }
  })
}

/** One for each URL with several hosts, so that all connections of a node move together. */
const primaries = new Map<string, Primary>()

function primaryOf(place: ConnectionSettings): Primary | undefined {
  const hosts = hostsOf(place.url)
  if (hosts.length === 1) return undefined
  const key = JSON.stringify([place.url, place.passwordFile])
  let primary = primaries.get(key)
  if (!primary) {
    const limits = { connectionTimeoutMillis: PROBE_MS_MAX, query_timeout: PROBE_MS_MAX }
    primary = new Primary(hosts, (host) => new pg.Client({ ...configOf(place), ...host, ...limits }))
    primaries.set(key, primary)
  }
  return primary
}

/** A client that connects to the host that is the primary at that moment. */
const followingClient = (primary: Primary): typeof pg.Client =>
  class extends pg.Client {
    override connect(): Promise<pg.Client>
    override connect(callback: (error: Error | null, client?: pg.Client) => void): void
    override connect(callback?: (error: Error | null, client?: pg.Client) => void): Promise<pg.Client> | undefined {
      const connected = this.#connect()
      if (!callback) return connected
      connected.then((client) => callback(null, client), callback)
      return undefined
    }

    async #connect(): Promise<pg.Client> {
      const { host, port } = await primary.host()
      if ((this as unknown as { _ending: boolean })._ending) throw new Error('the connection was closed')
      Object.assign(this, { host, port })
      return super.connect()
    }
  }

/** Not connected yet. The caller handles its errors. */
export function clientOf(place: ConnectionSettings, more: pg.ClientConfig = {}): pg.Client {
  const primary = primaryOf(place)
  const Client = primary ? followingClient(primary) : pg.Client
  return new Client({ ...configOf(place), ...more })
}

/**
 * Checks and prepares each new connection: it leads to the primary, and acknowledged means durable, whatever the defaults
 * of the database are.
 */
async function greet(client: pg.ClientBase, place: ConnectionSettings): Promise<void> {
  const timeline = await primaryTimeline(client)
  client.on('notice', ({ routine }) => {
    // A commit was canceled while it waited for the synchronous standby: it is on this server only. A lost connection makes
    // the writer find out, by a commit of its own that waits for the standby.
    if (routine === 'SyncRepWaitForLSN') interrupt(client, 'the commit was not confirmed by the synchronous standby')
  })
  await client.query(
    `SET search_path = ${quoted(place.schema ?? 'merlon')}; SET synchronous_commit = on; SET default_transaction_isolation = 'read committed'`,
  )
  // To plan a statement anew takes longer than to run it. A plan from when the tables were small must go by their indexes
  // all the same. An engine that knows no such settings plans as it likes.
  await client.query('SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off').catch(() => undefined)
  await refuseLostCommits(client, place)
  primaryOf(place)?.add(client, timeline)
}

/** Checked on each new connection, since it may lead to a server that was a standby before. */
async function refuseLostCommits(client: pg.ClientBase, place: ConnectionSettings): Promise<void> {
  const acknowledged = place.acknowledged?.() ?? 0
  if (acknowledged === 0) return
  const { rows } = await client.query<{ revision: number }>('SELECT revision FROM state WHERE id = 1')
  const revision = rows[0]?.revision ?? 0
  if (revision < acknowledged)
    throw new LostCommitsError(`it is at revision ${revision}, and ${acknowledged} was acknowledged`)
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export async function connect(place: ConnectionSettings): Promise<pg.Client> {
  const client = clientOf(place)
  // Callers that wait for an answer get an error of their own.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await greet(client, place)
    return client
  } catch (error) {
    drop(client)
    throw error
  }
}

/** At once, and without a word: the other side may not be listening. */
export const drop = abandon

export function openPool(place: ConnectionSettings, max: number): pg.Pool {
  const primary = primaryOf(place)
  const pool = new pg.Pool({
    ...configOf(place),
    max,
    idleTimeoutMillis: 60_000,
    ...(primary && { Client: followingClient(primary) }),
    onConnect: (client) => greet(client, place),
  })
  pool.on('error', () => undefined)
  return pool
}

/** The server has answered with an error, and has taken the statement back. */
export const isRefusal = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && !leavesConnection(error.code)

/** What a second attempt may fix: serialization, deadlock, a lock that was not acquired in time. */
export const isPassing = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && ['40001', '40P01', '55P03', '57014'].includes(error.code ?? '')

/** Classes 08 and 57P: the connection, or the server behind it, is going away. 53300: there are too many. */
const leavesConnection = (code: string | undefined): boolean => /^(08|57P|53300|25006)/.test(code ?? '')

export const unavailable = (cause: unknown): UnavailableError =>
  new UnavailableError(`the database cannot be reached: ${(cause as Error).message}`, { cause })

/** A query that changes nothing is retried, on another connection, as long as a caller may still wait for it. */
export async function retryingQuery<T>(query: () => Promise<T>, withinMs = CONNECT_MS_MAX): Promise<T> {
  const giveUpAt = performance.now() + withinMs
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 250)) {
    try {
      return await query()
    } catch (error) {
      if (error instanceof FencedError || (isRefusal(error) && !isPassing(error))) throw error
      if (performance.now() + waitMs > giveUpAt) throw unavailable(error)
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
  }
}

async function readPassword(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
}

function isLocal(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '')
  return (
    name === '' ||
    name === 'localhost' ||
    name.startsWith('/') ||
    name === '::1' ||
    (isIP(name) === 4 && name.startsWith('127.'))
  )
}
