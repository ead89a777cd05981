/** Connections to PostgreSQL: how they are made, what is asked of each at once, and what an error on one means. */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import pg from 'pg'
import { parseIntoClientConfig } from 'pg-connection-string'
import { UnavailableError } from '../store.ts'

export interface Place {
  /** `postgres://user@host:port/database?sslmode=…`. Best without the password: that may be in a file, or in PGPASSWORD. */
  readonly url: string
  /** Holds the password, and is read anew for each connection, so that it can be changed while nodes run. */
  readonly passwordFile?: string | undefined
  /** The schema all tables lie in (default `merlon`). */
  readonly schema?: string | undefined
}

export const CONNECT_MS_MAX = 3_000
/** The server gives a statement up before we give up the connection. */
export const STATEMENT_MS_MAX = 8_000
export const ANSWER_MS_MAX = 10_000

const INT8 = 20
/** Positions, revisions and times stay far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
}

export function configOf({ url, passwordFile }: Place): pg.ClientConfig {
  const { searchParams } = new URL(url)
  const { password, ...parsed } = parseIntoClientConfig(url)
  // Where it really goes: `?host=` comes before the address's own, and the environment after both.
  const host = parsed.host || process.env['PGHOST'] || ''
  const encrypted = searchParams.has('sslmode') || isLocal(host) ? {} : { ssl: {} }
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

/** Said to each connection before anything else. Acknowledged means durable, whatever the database's default is. */
async function greet(client: pg.ClientBase, { schema = 'merlon' }: Place): Promise<void> {
  await client.query(
    `SET search_path = ${quoted(schema)}; SET synchronous_commit = on; SET default_transaction_isolation = 'read committed'`,
  )
  // To plan a statement anew takes longer than to run it. A plan from when the tables were small must go by their indexes
  // all the same. An engine that knows no such settings plans as it likes.
  await client.query('SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off').catch(() => undefined)
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export async function connect(place: Place): Promise<pg.Client> {
  const client = new pg.Client(configOf(place))
  // Whoever waits for an answer is told by its own error.
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
export function drop(client: pg.Client): void {
  client.end().catch(() => undefined)
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}

export function openPool(place: Place, max: number): pg.Pool {
  const pool = new pg.Pool({
    ...configOf(place),
    max,
    idleTimeoutMillis: 60_000,
    onConnect: (client) => greet(client, place),
  })
  pool.on('error', () => undefined)
  return pool
}

/** The server has answered with an error, and has taken the statement back. */
export const isRefusal = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && !leavesConnection(error.code)

/** What a second attempt may mend: serialisation, deadlock, a lock that was not had in time. */
export const isPassing = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && ['40001', '40P01', '55P03', '57014'].includes(error.code ?? '')

/** Classes 08 and 57P: the connection, or the server behind it, is going away. 53300: there are too many. */
const leavesConnection = (code: string | undefined): boolean => /^(08|57P|53300|25006)/.test(code ?? '')

export const unavailable = (cause: unknown): UnavailableError =>
  new UnavailableError(`the database cannot be reached: ${(cause as Error).message}`, { cause })

/** A question that changes nothing is put again, on another connection, as long as somebody may still wait for it. */
export async function asking<T>(ask: () => Promise<T>, withinMs = CONNECT_MS_MAX): Promise<T> {
  const giveUpAt = performance.now() + withinMs
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 250)) {
    try {
      return await ask()
    } catch (error) {
      if (isRefusal(error) && !isPassing(error)) throw error
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
