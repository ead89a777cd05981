/** The planes that work from snapshots, in the server's process or in their own. */
import type { Plane } from '../../kernel/planes/plane.ts'
import type { SnapshotFeed } from '../../kernel/planes/snapshot.ts'
import { RESOLVER, resolver } from '../../planes/resolver/index.ts'

export interface PlaneParts {
  readonly feed: SnapshotFeed
  /** Of the installation: DER SPKI. */
  readonly publicKey: Uint8Array
  /** Where the last good snapshot is stored. */
  readonly file: string | undefined
  readonly onRefused?: (reason: string) => void
  /** Milliseconds of one long poll. */
  readonly waitMs?: number | undefined
  /** Takes a record that goes up to the server. */
  readonly onRecord?: (record: object) => void
}

export type PlaneFactory = (parts: PlaneParts) => Plane

export const planeFactories: Readonly<Record<string, PlaneFactory>> = { [RESOLVER]: resolver }
