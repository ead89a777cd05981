/**
 * A plane in the server's process. It starts with the first unsealing, and works from its last snapshot while the server is
 * sealed again: sealing takes the control plane away, not the answers.
 */
import type { Plane } from '../../kernel/planes/plane.ts'
import { type SnapshotFeed, snapshots } from '../../kernel/planes/snapshot.ts'
import type { Cloud } from '../compose/cloud.ts'
import type { Logger } from '../compose/log.ts'
import { type OpenListener, openListeners } from '../listen/plane-listeners.ts'
import { planeFactories } from './plane-factories.ts'

export interface ServerPlaneOptions {
  readonly plane: string
  readonly host: string
  /** Of all its listeners. */
  readonly port: number
  /** Where the last good snapshot is stored; undefined: in memory. */
  readonly file: string | undefined
  readonly logger: Logger
}

const RETRY_MS = 500

export class ServerPlane {
  readonly #options: ServerPlaneOptions
  #feed: SnapshotFeed | undefined
  #plane: Plane | undefined
  #listeners: readonly OpenListener[] = []

  constructor(options: ServerPlaneOptions) {
    this.#options = options
  }

  /** The port that it listens on; undefined before it does. */
  get port(): number | undefined {
    return this.#listeners[0]?.port
  }

  /** To be called with each cloud that starts. A plane that cannot listen is logged, and does not keep the server from starting. */
  async attach(cloud: Pick<Cloud, 'use' | 'vault'>): Promise<void> {
    const { plane: name, host, port, file, logger } = this.#options
    this.#feed = cloud.use(snapshots).feedOf(name)
    if (this.#plane) return
    const plane = planeFactories[name]!({
      feed: { next: (after, waitMs) => this.#next(after, waitMs) },
      publicKey: cloud.vault.installationPublicKey(),
      file,
      onRefused: (reason) => logger.log('error', 'snapshot refused', { plane: name, reason }),
    })
    this.#plane = plane
    await plane.start()
    try {
      const ports = Object.fromEntries(plane.listeners.map((listener) => [listener.name, port]))
      this.#listeners = await openListeners(plane, host, ports)
      logger.log('info', 'plane runs', { plane: name, host, port: this.port })
    } catch (error) {
      logger.log('error', 'plane cannot listen', { plane: name, host, port, error })
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()))
    await this.#plane?.close()
  }

  async #next(after: number, waitMs: number) {
    const feed = this.#feed
    if (!feed) throw new Error('the server is sealed')
    const snapshot = await feed.next(after, waitMs)
    // A feed that was closed answers at once.
    if (!snapshot) await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, RETRY_MS)).unref())
    return snapshot
  }
}
