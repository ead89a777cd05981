/** The planes that work from snapshots, in the server's process or in their own. */
import type { Exchange } from '../../kernel/planes/exchange.ts'
import { GATEWAY } from '../../kernel/planes/gateway-content.ts'
import { RESOLVER } from '../../kernel/planes/observed-queries.ts'
import type { Plane } from '../../kernel/planes/plane.ts'
import type { OpenSecrets } from '../../kernel/planes/sealed-secrets.ts'
import type { SnapshotFeed } from '../../kernel/planes/snapshot.ts'
import type { GatewaySettings } from '../../planes/gateway/index.ts'

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
  /** Takes the number of observations that did not become records. */
  readonly onDropped?: (count: number) => void
  /** Opens the secrets of a snapshot. */
  readonly openSecrets: OpenSecrets
  /** Passes messages to the server and its other planes. */
  readonly exchange: Exchange
  /** The name of this plane among those of its kind. */
  readonly node: string
  /** What went wrong, for the operator's log. */
  readonly onError: (message: string, details: object) => void
  /** What the operator configured for gateways. */
  readonly gateway?: GatewaySettings | undefined
}

export type PlaneFactory = (parts: PlaneParts) => Promise<Plane>

/** Loaded when they are opened: what a plane needs for its work delays no start of a server. */
export const planeFactories: Readonly<Record<string, PlaneFactory>> = {
  [GATEWAY]: async (parts) => (await import('../../planes/gateway/index.ts')).gateway(parts),
  [RESOLVER]: async (parts) => (await import('../../planes/resolver/index.ts')).resolver(parts),
}
