/**
 * A plane in the server's process. It starts with the first unsealing, and works from its last snapshot while the server is
 * sealed again: sealing takes the control plane away, not the answers.
 */
import type { Plane } from '../../kernel/planes/plane.ts'
import { RecordBuffer } from '../../kernel/planes/record-buffer.ts'
import type { RecordBatch } from '../../kernel/planes/records.ts'
import { openedByVault } from '../../kernel/planes/sealed-secrets.ts'
import { type SnapshotFeed, snapshots } from '../../kernel/planes/snapshot.ts'
import type { GatewaySettings } from '../../planes/gateway/index.ts'
import type { Cloud } from '../compose/cloud.ts'
import type { Logger } from '../compose/log.ts'
import { FollowedListeners, type OpenListener, openListeners } from '../listen/plane-listeners.ts'
import { planeFactories } from './plane-factories.ts'

export interface ServerPlaneOptions {
  readonly plane: string
  readonly host: string
  /** Of all its listeners; where the snapshot says the ports, not needed. */
  readonly port?: number
  /** Where the last good snapshot is stored; undefined: in memory. */
  readonly file: string | undefined
  readonly logger: Logger
  readonly gateway?: (GatewaySettings & { readonly portOf?: (port: number) => number }) | undefined
}

type Attached = Pick<Cloud, 'use' | 'whole' | 'vault' | 'store' | 'clock' | 'planeHandlers'>

const RETRY_MS = 500
const RECORDS_EVERY_MS = 1_000

export class ServerPlane {
  readonly #options: ServerPlaneOptions
  #feed: SnapshotFeed | undefined
  #cloud: Attached | undefined
  #plane: Plane | undefined
  /** Begins with the first cloud. */
  #opening: Promise<void> | undefined
  #records: RecordBuffer | undefined
  #listeners: readonly OpenListener[] = []
  #followed: FollowedListeners | undefined

  constructor(options: ServerPlaneOptions) {
    this.#options = options
  }

  /** The port that it listens on; undefined before it does. */
  get port(): number | undefined {
    return this.#listeners[0]?.port
  }

  /** Where the snapshot says which listeners there are: the ports that are open, by the name of the listener. */
  get ports(): ReadonlyMap<string, number> {
    return new Map([...(this.#followed?.opened ?? [])].map(([name, { port }]) => [name, port]))
  }

  /** To be called with each cloud that starts. A plane that cannot listen is logged, and does not keep the server from starting. */
  async attach(cloud: Attached): Promise<void> {
    await cloud.whole()
    this.#feed = cloud.use(snapshots).feedOf(this.#options.plane)
    this.#cloud = cloud
    this.#opening ??= this.#open(cloud)
    await this.#opening
  }

  async #open(cloud: Attached): Promise<void> {
    const { plane: name, host, port = 0, file, logger, gateway } = this.#options
    const records = new RecordBuffer({
      sink: { put: (batch) => this.#put(batch) },
      directory: undefined,
      status: () => ({ health: plane.health(), snapshot: plane.snapshotNumber() }),
      everyMs: RECORDS_EVERY_MS,
    })
    const takesRecords = cloud.planeHandlers.records(name).length > 0
    const plane = await planeFactories[name]!({
      feed: { next: (after, waitMs) => this.#next(after, waitMs) },
      publicKey: cloud.vault.installationPublicKey(),
      file,
      onRefused: (reason) => logger.log('error', 'snapshot refused', { plane: name, reason }),
      ...(takesRecords && {
        onRecord: (record: object) => records.add(record),
        onDropped: (count: number) => records.drop(count),
      }),
      openSecrets: (sealed) => openedByVault(this.#cloud!.vault, name)(sealed),
      exchange: (message) => this.#exchange(message),
      node: cloud.store.node,
      onError: (message, details) => logger.log('error', message, { plane: name, ...details }),
      gateway,
    })
    this.#plane = plane
    await plane.start()
    if (takesRecords) {
      await records.start()
      this.#records = records
    }
    try {
      if (plane.onListeners) {
        this.#followed = new FollowedListeners(plane, host, gateway?.portOf)
        await this.#followed.start()
      } else {
        const ports = Object.fromEntries(plane.listeners.map((listener) => [listener.name, port]))
        this.#listeners = await openListeners(plane, host, ports)
      }
      logger.log('info', 'plane runs', { plane: name, host, port: this.port })
    } catch (error) {
      logger.log('error', 'plane cannot listen', { plane: name, host, port, error })
    }
  }

  /** What it counts, in the Prometheus text format. */
  metrics(): readonly string[] {
    return this.#plane?.metrics?.() ?? []
  }

  async close(): Promise<void> {
    // Why it could not be opened was logged.
    await this.#opening?.catch(() => undefined)
    await this.#plane?.drain?.()
    await this.#followed?.close()
    await Promise.all(this.#listeners.map((listener) => listener.close()))
    await this.#plane?.close()
    await this.#records?.stop()
  }

  async #next(after: number, waitMs: number) {
    const feed = this.#feed
    if (!feed) throw new Error('the server is sealed')
    const snapshot = await feed.next(after, waitMs)
    // A feed that was closed answers at once.
    if (!snapshot) await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, RETRY_MS)).unref())
    return snapshot
  }

  /** Rejects while the server is sealed: the records wait. */
  async #put({ records }: RecordBatch): Promise<void> {
    const { store, clock, planeHandlers } = this.#cloud!
    const handlers = planeHandlers.records(this.#options.plane)
    if (records.length === 0) return
    await store.run(async (unit) => {
      for (const handle of handlers) await handle(unit, { records, node: store.node, now: clock.now() })
    })
  }

  async #exchange(message: object): Promise<object> {
    const { store, clock, planeHandlers } = this.#cloud!
    const handle = planeHandlers.exchange(this.#options.plane)
    if (!handle) return {}
    const from = { node: store.node, message: message as Readonly<Record<string, unknown>> }
    return store.run((unit) => handle(unit, { ...from, now: clock.now() }))
  }
}
