/**
 * The life of a service in a server: it opens, provides ports, starts, writes down what it gathered in memory, and closes.
 *
 * @example
 * // services/acm/index.ts
 * open: ({ store, use }) => {
 *   const watch = new RenewalWatch(store, () => use(mail))
 *   return { provides: [provide(certificates, certificatesPort(store))], start: () => watch.start(), close: () => watch.stop() }
 * }
 */
import type { Store } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import type { ActAs } from '../gate/service-caller.ts'
import type { PortTable, PortToken, Provided, Use } from '../ports/port.ts'
import type { Clock } from '../state/clock.ts'
import type { Awaitable } from './awaitable.ts'
import type { Quotas } from './quota.ts'

/** What a service gets when it opens. */
export interface ServiceContext {
  readonly store: Store
  readonly vault: Vault
  readonly clock: Clock
  readonly quotas: Quotas
  /** Ports of other services and planes. Not to be called within `open`: a provider may open later. */
  readonly use: Use
  /** Calls an operation as a service principal. Not to be called before `start`. */
  readonly actAs: ActAs
  /** To be called when work that the service does on its own, outside calls and jobs, failed and is repeated: `guardduty-detection`. */
  readonly onFailure: (work: string, error: unknown) => void
}

/** What a service is while the server runs. */
export interface OpenedService {
  /** Ports, made by `provide(token, implementation)`. */
  readonly provides?: readonly Provided[]
  /** Begins work of its own, once all services are open. */
  start?(): void
  /** Lines of the service in the Prometheus text format, of this node: collected with each scrape. */
  metrics?(): Awaitable<readonly string[]>
  /** Writes down what is gathered in memory; also called by `close` of the server. */
  flush?(): Promise<void>
  close?(): Promise<void>
}

/** The part of a service's definition that concerns its life. */
export interface ServiceLife {
  /** Ports that some service or plane must provide: the server does not start without them. */
  readonly needs?: readonly PortToken<unknown>[]
  readonly open?: (context: ServiceContext) => OpenedService
}

export interface OpenServices {
  start(): void
  /** A service that fails to measure loses its own lines. */
  metrics(): Promise<readonly string[]>
  flush(): Promise<void>
  /** In the reverse order of their opening. */
  close(): Promise<void>
}

/** Opens services in their order and provides their ports. Throws when a port has two providers. */
export function openServices(lives: readonly ServiceLife[], context: ServiceContext, ports: PortTable): OpenServices {
  const opened = lives.map(({ open }) => open?.(context) ?? {})
  for (const { provides = [] } of opened) for (const provided of provides) ports.provide(provided)
  return {
    start: () => {
      for (const each of opened) each.start?.()
    },
    metrics: async () => {
      const lines = await Promise.all(opened.map(async (each) => each.metrics?.()).map((each) => each.catch(() => [])))
      return lines.flatMap((each) => each ?? [])
    },
    flush: async () => {
      for (const each of opened) await each.flush?.()
    },
    close: async () => {
      for (const each of opened.toReversed()) await each.close?.()
    },
  }
}
