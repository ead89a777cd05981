/**
 * Snapshots: what a plane needs to know, computed from documents, numbered and signed by the control plane. A snapshot is
 * published after the commit that changed its documents; a plane accepts none that is older than its last.
 *
 * @example
 * export const zonesSnapshot: SnapshotSource<ZonesSnapshot> = {
 *   plane: 'resolver',
 *   version: 1,
 *   from: [under('route53', 'zone')],
 *   compute: async (reader) => ({ zones: await publicZones(reader) }),
 * }
 */
import { createHash, createPublicKey, verify } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { Commit, Key, Store, Unit } from '../../store/store.ts'
import { lengths } from '../../vault/aead.ts'
import type { Vault } from '../../vault/vault.ts'
import { PortTable, port, type Use } from '../ports/port.ts'
import type { PlaneScope } from './plane-scope.ts'

/** The service's side: what a plane's content is made of. */
export interface SnapshotSource<T> {
  /** The plane that may read it: `resolver`. */
  readonly plane: string
  /** The version of the content's form: a plane refuses one that it does not know. */
  readonly version: number
  /** Prefixes of the documents that `compute` reads. */
  readonly from: readonly Key[]
  readonly compute: (reader: Pick<Unit, 'get' | 'range'>, use: Use, scope?: PlaneScope) => Promise<T>
  /** `compute` heeds the scope: planes can be enrolled with one. */
  readonly isScoped?: boolean
}

/** As it travels and as the plane stores it. */
export interface SignedSnapshot {
  readonly plane: string
  readonly version: number
  /** The revision of the last commit that changed its documents, or a later one: one number means one content. */
  readonly number: number
  /** JSON text. */
  readonly body: string
  /** Ed25519 (RFC 8032) over all of the above, base64. */
  readonly signature: string
}

/** How a plane gets snapshots: in the same process, or over the signed API. */
export interface SnapshotFeed {
  /**
   * A snapshot with a number above `after`, as soon as there is one; undefined when there was none for `waitMs`.
   * Rejects when the control plane cannot be reached.
   */
  next(after: number, waitMs: number): Promise<SignedSnapshot | undefined>
}

/** Intent that is larger has to be split by key: one snapshot a load balancer, not one for all. */
export const SNAPSHOT_BYTES_MAX = 16 * 1024 * 1024

export class SnapshotTooLargeError extends Error {
  override readonly name = 'SnapshotTooLargeError'
}

function signedBytes({ plane, version, number, body }: Omit<SignedSnapshot, 'signature'>): Buffer {
  return lengths('merlon-snapshot', plane, String(version), String(number), createHash('sha256').update(body).digest())
}

/** Publishes one source to any number of planes. */
export class SnapshotPublisher<T> implements SnapshotFeed {
  readonly #store: Store
  readonly #vault: Pick<Vault, 'signAsInstallation'>
  readonly #source: SnapshotSource<T>
  readonly #use: Use
  readonly #scope: PlaneScope | undefined
  readonly #changes = new EventEmitter()
  readonly #unsubscribe: () => void
  /** The revision of the last commit that changed the source's documents. */
  #changedAt: number
  #latest: SignedSnapshot | undefined
  #computing: Promise<SignedSnapshot> | undefined

  constructor(
    store: Store,
    vault: Pick<Vault, 'signAsInstallation'>,
    source: SnapshotSource<T>,
    use: Use = new PortTable().use,
    scope?: PlaneScope,
  ) {
    this.#use = use
    this.#scope = scope
    this.#store = store
    this.#vault = vault
    this.#source = source
    this.#changedAt = store.revision
    this.#changes.setMaxListeners(0)
    this.#unsubscribe = store.subscribe((commit) => this.#committed(commit))
  }

  async next(after: number, waitMs: number): Promise<SignedSnapshot | undefined> {
    if (this.#changedAt <= after)
      await once(this.#changes, 'change', { signal: AbortSignal.timeout(waitMs) }).catch(() => undefined)
    if (this.#changedAt <= after) return undefined
    if (this.#latest?.number === this.#changedAt) return this.#latest
    this.#computing ??= this.#compute().finally(() => {
      this.#computing = undefined
    })
    return this.#computing
  }

  close(): void {
    this.#unsubscribe()
    this.#changes.emit('change')
  }

  #committed({ revision, changes }: Commit): void {
    if (!changes.some(({ key }) => this.#source.from.some((prefix) => key.startsWith(prefix)))) return
    this.#changedAt = revision
    this.#changes.emit('change')
  }

  /** Computed in a transaction, and again when a commit changed the documents meanwhile. */
  async #compute(): Promise<SignedSnapshot> {
    const { plane, version, compute } = this.#source
    for (;;) {
      const number = this.#changedAt
      const body = JSON.stringify(await this.#store.run((unit) => compute(unit, this.#use, this.#scope)))
      if (number !== this.#changedAt) continue
      const bytes = Buffer.byteLength(body)
      if (bytes > SNAPSHOT_BYTES_MAX)
        throw new SnapshotTooLargeError(
          `The snapshot of ${plane} has ${bytes} bytes; the limit is ${SNAPSHOT_BYTES_MAX}.`,
        )
      const unsigned = { plane, version, number, body }
      this.#latest = {
        ...unsigned,
        signature: this.#vault.signAsInstallation(signedBytes(unsigned)).toString('base64'),
      }
      return this.#latest
    }
  }
}

/** `publicKey` is DER SPKI, as `Vault.voucher` returns it; a plane pins it at enrollment. */
export function isGenuine(snapshot: SignedSnapshot, publicKey: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
  return verify(null, signedBytes(snapshot), key, Buffer.from(snapshot.signature, 'base64'))
}

/** undefined for anything that does not have the form of a signed snapshot. */
export function parseSnapshot(text: string): SignedSnapshot | undefined {
  try {
    const { plane, version, number, body, signature } = JSON.parse(text) as Partial<SignedSnapshot>
    const isWhole =
      typeof plane === 'string' &&
      Number.isSafeInteger(version) &&
      Number.isSafeInteger(number) &&
      typeof body === 'string' &&
      typeof signature === 'string'
    return isWhole ? { plane, version: version!, number: number!, body, signature } : undefined
  } catch {
    return undefined
  }
}

/** Provided by the server: the feed of a plane in the same process. Throws for a plane that has no source. */
export interface SnapshotsPort {
  /** The planes that have a source. */
  readonly planes: readonly string[]
  /** Those that can be enrolled with a scope. */
  readonly scopedPlanes: readonly string[]
  feedOf(plane: string, scope?: PlaneScope): SnapshotFeed
}
export const snapshots = port<SnapshotsPort>('snapshots')
