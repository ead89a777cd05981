/**
 * Which server takes the writes: of the hosts of one URL, the one that is not in recovery and is on the newest timeline.
 * A promotion begins a new timeline, so a former primary that comes back is recognized, also behind a TCP proxy.
 */
import pg from 'pg'

export interface Host {
  readonly host: string
  readonly port: number
}

interface Role {
  readonly writable: boolean
  /** Undefined where the engine has no timelines. */
  readonly system?: string
  readonly timeline?: number
}

/** The server answers, but must not be written to. The next attempt may reach another one. */
export class NotPrimaryError extends Error {
  override readonly name = 'NotPrimaryError'
}

/** The server takes writes, but another one was promoted in its place. */
export class FormerPrimaryError extends Error {
  override readonly name = 'FormerPrimaryError'
}

/** A host that does not answer by then is out of this round. */
export const PROBE_MS_MAX = 1_000
/** After the first primary has answered, other hosts have so long to show that they are newer. */
const GRACE_MS = 250
/** While connections are open, all hosts are looked at this often: the primary may hang instead of failing. */
const WATCH_MS = 500

const ROLE = `
  SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS writable,
    (SELECT system_identifier::text FROM pg_control_system()) AS system,
    CASE WHEN pg_is_in_recovery() THEN NULL ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline`

/** The newest timeline that this process, or an earlier one, has used, by the system identifier of the cluster. */
const newest = new Map<string, number>()
let onNewer: (timelines: ReadonlyMap<string, number>) => void = () => undefined

/** Takes over what earlier processes of this node knew; `save` is called with all of it when a timeline is newer. */
export function keepTimelines(known: ReadonlyMap<string, number>, save: typeof onNewer): void {
  for (const [system, timeline] of known) newest.set(system, Math.max(timeline, newest.get(system) ?? 0))
  onNewer = save
}

async function roleOf(client: pg.ClientBase): Promise<Role> {
  try {
    const { rows } = await client.query<{ writable: boolean; system: string; timeline: string | null }>(ROLE)
    const { writable, system, timeline } = rows[0]!
    return { writable, system, ...(timeline !== null && { timeline: Number.parseInt(timeline, 16) }) }
  } catch (error) {
    // Engines that are compatible with PostgreSQL need not have these functions.
    if (!isUnsupported(error)) throw error
    const { rows } = await client.query<{ transaction_read_only: string }>('SHOW transaction_read_only')
    return { writable: rows[0]?.transaction_read_only === 'off' }
  }
}

/** Undefined function or table, feature not supported, insufficient privilege. */
const isUnsupported = (error: unknown) =>
  error instanceof pg.DatabaseError && ['42883', '42P01', '0A000', '42501'].includes(error.code ?? '')

/** Wrong user, password or database: the next attempt will not go better. */
const isMisconfigured = (error: unknown) => error instanceof pg.DatabaseError && /^(28|3D)/.test(error.code ?? '')

/** Returns the timeline. Throws `NotPrimaryError` for a standby or a read-only server, `FormerPrimaryError` for that. */
export async function primaryTimeline(client: pg.ClientBase): Promise<number | undefined> {
  const { writable, system, timeline } = await roleOf(client)
  if (!writable) throw new NotPrimaryError('the server is a standby or read-only')
  if (system === undefined || timeline === undefined) return undefined
  const known = newest.get(system) ?? 0
  if (timeline < known)
    throw new FormerPrimaryError(`the server is a former primary: its timeline is ${timeline}, the newest is ${known}`)
  if (timeline > known) {
    newest.set(system, timeline)
    onNewer(newest)
  }
  return timeline
}

/** One connection to one host, which is kept: a standby keeps its connections when it is promoted. */
class Probe {
  readonly host: Host
  readonly #open: (host: Host) => pg.Client
  #client: pg.Client | undefined

  constructor(host: Host, open: (host: Host) => pg.Client) {
    this.host = host
    this.#open = open
  }

  async timeline(): Promise<number | undefined> {
    const client = this.#client ?? this.#open(this.host)
    try {
      if (this.#client !== client) {
        client.on('error', () => undefined)
        client.on('end', () => this.#forget(client))
        await client.connect()
        unref(client)
        this.#client = client
      }
      return await primaryTimeline(client)
    } catch (error) {
      if (!(error instanceof NotPrimaryError || error instanceof FormerPrimaryError)) {
        this.#forget(client)
        abandon(client)
      }
      throw error
    }
  }

  close(): void {
    if (this.#client) abandon(this.#client)
    this.#client = undefined
  }

  #forget(client: pg.Client): void {
    if (this.#client === client) this.#client = undefined
  }
}

interface Found {
  readonly host: Host
  readonly timeline: number | undefined
}

/** The primary among several hosts. Connections to a server that another one has replaced are closed. */
export class Primary {
  readonly #probes: readonly Probe[]
  /** Open connections, and the timeline each began on. */
  readonly #clients = new Map<pg.ClientBase, number | undefined>()
  #looking: Promise<Found> | undefined
  #watch: NodeJS.Timeout | undefined

  constructor(hosts: readonly Host[], open: (host: Host) => pg.Client) {
    this.#probes = hosts.map((host) => new Probe(host, open))
  }

  async host(): Promise<Host> {
    return (await this.#look()).host
  }

  /** From now on the connection is closed as soon as a newer primary is found. */
  add(client: pg.ClientBase, timeline: number | undefined): void {
    this.#clients.set(client, timeline)
    client.on('end', () => {
      this.#clients.delete(client)
      this.#rest()
    })
    this.#watch ??= setInterval(() => void this.#look().catch(() => undefined), WATCH_MS).unref()
  }

  #look(): Promise<Found> {
    this.#looking ??= this.#newest().finally(() => {
      this.#looking = undefined
      this.#rest()
    })
    return this.#looking
  }

  async #newest(): Promise<Found> {
    const found = new Map<Probe, number | undefined>()
    const failures = new Map<Probe, Error>()
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout | undefined
      const answered = () => {
        if (found.size > 0) timer ??= setTimeout(resolve, GRACE_MS)
        if (found.size + failures.size < this.#probes.length) return
        clearTimeout(timer)
        resolve()
      }
      for (const probe of this.#probes) {
        probe.timeline().then(
          (timeline) => {
            found.set(probe, timeline)
            answered()
          },
          (error: Error) => {
            failures.set(probe, error)
            answered()
          },
        )
      }
    })
    const best = this.#probes
      .filter((probe) => found.has(probe))
      .map((probe): Found => ({ host: probe.host, timeline: found.get(probe) }))
      .reduce<Found | undefined>((a, b) => (a && (a.timeline ?? 0) >= (b.timeline ?? 0) ? a : b), undefined)
    if (!best) throw noPrimary(failures)
    this.#leaveOlder(best.timeline)
    return best
  }

  #leaveOlder(timeline: number | undefined): void {
    if (timeline === undefined) return
    for (const [client, own] of this.#clients) if (own !== undefined && own < timeline) interrupt(client, REPLACED)
  }

  /** Without connections to watch over, probes hold none either. */
  #rest(): void {
    if (this.#clients.size > 0 || this.#looking) return
    clearInterval(this.#watch)
    this.#watch = undefined
    for (const probe of this.#probes) probe.close()
  }
}

const REPLACED = 'another server has become the primary'

function noPrimary(failures: ReadonlyMap<Probe, Error>): Error {
  const misconfigured = [...failures.values()].find(isMisconfigured)
  if (misconfigured) return misconfigured
  const reasons = [...failures].map(([{ host }, { message }]) => `${host.host}:${host.port}: ${message}`)
  const message = `no host is a primary (${reasons.join('; ')})`
  const isFormer = [...failures.values()].some((error) => error instanceof FormerPrimaryError)
  return isFormer ? new FormerPrimaryError(message) : new NotPrimaryError(message)
}

interface Wire {
  readonly connection: { emit(name: 'error', error: Error): void; readonly stream: { destroy(): void } }
}
const wireOf = (client: pg.ClientBase) => (client as unknown as Wire).connection

/** Closes a connection at once. Its queries fail, also those whose answers have arrived but were not read yet. */
export function interrupt(client: pg.ClientBase, reason: string): void {
  const connection = wireOf(client)
  connection.emit('error', new Error(reason))
  connection.stream.destroy()
}

/** Closes a connection at once, without an error event. */
export function abandon(client: pg.Client): void {
  client.end().catch(() => undefined)
  wireOf(client).stream.destroy()
}

/** A probe alone keeps no process running. */
const unref = (client: pg.Client): void => (client as unknown as { unref(): void }).unref()
