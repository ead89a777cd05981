/**
 * A plane's copy of its snapshot: verified, never older than the one before, with the last good one on disk. A plane works
 * from it while the control plane is away; without one it is closed.
 */
import { open, readFile, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isGenuine, parseSnapshot, type SignedSnapshot, SNAPSHOT_BYTES_MAX, type SnapshotFeed } from './snapshot.ts'

export interface MirrorOptions<T> {
  readonly feed: SnapshotFeed
  readonly plane: string
  readonly version: number
  /** The installation's public key, pinned at enrollment: DER SPKI. */
  readonly publicKey: Uint8Array
  /** Where the last good snapshot is stored; undefined for a plane in memory. */
  readonly file: string | undefined
  /** Turns the content into what the plane works with. Throws for content that it cannot use: it keeps the one before. */
  readonly read: (content: unknown) => T
  /** A snapshot was refused, or could not be stored. */
  readonly onRefused?: ((reason: string) => void) | undefined
  /** A snapshot is in use from now on. */
  readonly onTaken?: ((content: T) => void) | undefined
  /** Milliseconds of one long poll. Default: 20,000. */
  readonly waitMs?: number | undefined
}

const WAIT_MS = 20_000
const RETRY_MS = 500
/** The text around the body, with space for its escapes. */
const FILE_BYTES_MAX = 2 * SNAPSHOT_BYTES_MAX

interface Current<T> {
  readonly number: number
  readonly content: T
}

export class Mirror<T> {
  readonly #options: MirrorOptions<T>
  readonly #stopped = new AbortController()
  #current: Current<T> | undefined
  #contactAt: number | undefined
  #following: Promise<void> = Promise.resolve()

  constructor(options: MirrorOptions<T>) {
    this.#options = options
  }

  /** The stored snapshot counts at once; newer ones are verified, stored, and only then used. */
  async start(): Promise<void> {
    const stored = await this.#stored()
    if (stored !== undefined) this.#use(stored)
    this.#following = this.#follow()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#following
  }

  /** undefined: the plane is closed. */
  get content(): T | undefined {
    return this.#current?.content
  }

  /** Below all numbers of snapshots without one. */
  get number(): number {
    return this.#current?.number ?? -1
  }

  /** Milliseconds since the control plane was last in contact, for planes that may not go on without it for ever. */
  get silentMs(): number {
    return this.#contactAt === undefined ? Number.POSITIVE_INFINITY : performance.now() - this.#contactAt
  }

  async #stored(): Promise<SignedSnapshot | undefined> {
    const { file, onRefused } = this.#options
    if (file === undefined) return undefined
    try {
      if ((await stat(file)).size > FILE_BYTES_MAX) throw new Error('it is too large')
      const snapshot = parseSnapshot(await readFile(file, 'utf8'))
      if (!snapshot) throw new Error('it is not a snapshot')
      return snapshot
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onRefused?.(`${file}: ${(error as Error).message}`)
      return undefined
    }
  }

  async #follow(): Promise<void> {
    const { feed, waitMs = WAIT_MS } = this.#options
    const { signal } = this.#stopped
    while (!signal.aborted) {
      try {
        const next = await Promise.race([feed.next(this.number, waitMs), aborted(signal)])
        if (signal.aborted) return
        this.#contactAt = performance.now()
        const taken = next && (await this.#take(next))
        // A feed that repeats what was refused must not become a busy loop.
        if (next && !taken) await sleep(RETRY_MS, undefined, { signal, ref: false })
      } catch {
        await sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined)
      }
    }
  }

  async #take(snapshot: SignedSnapshot): Promise<boolean> {
    const next = this.#verified(snapshot)
    if (!next) return false
    await this.#store(snapshot)
    this.#current = next
    this.#options.onTaken?.(next.content)
    return true
  }

  #use(snapshot: SignedSnapshot): void {
    const stored = this.#verified(snapshot)
    if (!stored) return
    this.#current = stored
    this.#options.onTaken?.(stored.content)
  }

  /** undefined for a snapshot that is refused. */
  #verified(snapshot: SignedSnapshot): Current<T> | undefined {
    const { plane, version, publicKey, read, onRefused } = this.#options
    const refuse = (reason: string): undefined => {
      onRefused?.(reason)
      return undefined
    }
    if (snapshot.plane !== plane || snapshot.version !== version)
      return refuse(`it is for ${snapshot.plane} version ${snapshot.version}, not for ${plane} version ${version}`)
    if (snapshot.number <= this.number) return refuse(`number ${snapshot.number} is not newer than ${this.number}`)
    if (!isGenuine(snapshot, publicKey)) return refuse('its signature is invalid')
    try {
      return { number: snapshot.number, content: read(JSON.parse(snapshot.body)) }
    } catch (error) {
      return refuse(`its content cannot be used: ${(error as Error).message}`)
    }
  }

  /** Durable before it is used: after a crash the plane must not go back to an older one. */
  async #store(snapshot: SignedSnapshot): Promise<void> {
    const { file } = this.#options
    if (file === undefined) return
    const handle = await open(`${file}.new`, 'w', 0o600)
    try {
      await handle.writeFile(JSON.stringify(snapshot))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(`${file}.new`, file)
    const folder = await open(dirname(file))
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
