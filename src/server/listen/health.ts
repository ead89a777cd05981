/**
 * Health in three answers, unsigned. `/health/live`: the process runs. `/health/ready`: it can answer calls, which takes a
 * store that can be read and written. `/health` is the same as ready. What a reason says is public, so it names no host.
 */
import { UnavailableError } from '../../store/store.ts'
import { type HttpRequest, type HttpResponse, header } from '../../wire/http.ts'
import { services } from '../../wire/services.ts'
import { asOperatorError, codeOf } from '../compose/operator-errors.ts'

export interface Health {
  /** `ok` and `fenced` answer calls. */
  readonly status: 'ok' | 'fenced' | 'starting' | 'leaving' | 'sealed' | 'unavailable'
  /** Only where unavailable. */
  readonly reason?: Trouble['reason']
  readonly message?: string
}

export interface Trouble {
  readonly reason: 'disk_full' | 'database_unreachable' | 'store_not_writable'
  readonly message: string
}

const PATHS = ['/health', '/health/ready', '/health/live', '/metrics'] as const
type WatchedPath = (typeof PATHS)[number]

/** What probes and Prometheus request. `url` has no query. */
export const isWatched = (method: string, url: string): boolean =>
  (method === 'GET' || method === 'HEAD') && PATHS.some((path) => path === url)

/** undefined for any other request. A signed request for the same path is an API call. */
export function watchedPath(request: HttpRequest): WatchedPath | undefined {
  if (request.query !== '' || header(request, 'authorization') !== undefined) return undefined
  return isWatched(request.method, request.path) ? (request.path as WatchedPath) : undefined
}

export const isReady = ({ status }: Pick<Health, 'status'>): boolean => status === 'ok' || status === 'fenced'

export const healthAnswer = (path: WatchedPath, version: string, health: Health): HttpResponse => ({
  status: path === '/health/live' || isReady(health) ? 200 : 503,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify({ ...health, version }),
})

/** What programs written for LocalStack poll until a server is there; `--dev` answers it. Nothing else of LocalStack's is imitated. */
export const isLocalStackHealth = ({ method, path }: HttpRequest): boolean =>
  (method === 'GET' || method === 'HEAD') && path === '/_localstack/health'

/** Every service that is built, under the id that clients know. */
export const localStackHealth = (version: string, health: Health): HttpResponse => ({
  status: isReady(health) ? 200 : 503,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify({
    services: Object.fromEntries(services.map(({ id }) => [id, isReady(health) ? 'running' : 'starting'])),
    edition: 'merlon',
    version,
  }),
})

export const metricsAnswer = (text: string): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
  body: text,
})

/** A result serves for so long: however many requests come, the store is probed once in this time. */
const FRESH_MS = 1_000
/** Probes of load balancers time out after a few seconds. */
const PROBE_MS_MAX = 2_000

/** Whether the store can be read and written. */
export class Readiness {
  readonly #probe: () => Promise<void> | undefined
  #probing: Promise<Trouble | undefined> | undefined
  #probedAt = Number.NEGATIVE_INFINITY
  #trouble: Trouble | undefined

  /** `probe` rejects when the store cannot be written now. */
  constructor(probe: () => Promise<void> | undefined) {
    this.#probe = probe
  }

  /** What is wrong; undefined when nothing is. */
  async trouble(): Promise<Trouble | undefined> {
    if (performance.now() - this.#probedAt < FRESH_MS) return this.#trouble
    // One probe at a time, however long it takes: a store that does not answer must not gather them.
    this.#probing ??= this.#run().finally(() => {
      this.#probing = undefined
    })
    let late: NodeJS.Timeout | undefined
    const giveUp = new Promise<Trouble>((resolve) => {
      late = setTimeout(() => resolve(troubleOf(undefined)), PROBE_MS_MAX)
    })
    return Promise.race([this.#probing, giveUp]).finally(() => clearTimeout(late))
  }

  async #run(): Promise<Trouble | undefined> {
    try {
      await this.#probe()
      this.#trouble = undefined
    } catch (error) {
      this.#trouble = troubleOf(error)
    }
    this.#probedAt = performance.now()
    return this.#trouble
  }
}

/** undefined: it did not answer in time. */
function troubleOf(error: unknown): Trouble {
  if (codeOf(asOperatorError(error)) === 'MERLON_DISK_FULL')
    return { reason: 'disk_full', message: 'The disk of the store is full.' }
  if (error === undefined || error instanceof UnavailableError)
    return { reason: 'database_unreachable', message: 'The database does not answer.' }
  return { reason: 'store_not_writable', message: 'The store cannot be written. The log of the server says why.' }
}
