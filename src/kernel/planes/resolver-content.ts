/** The content of the resolver's snapshots: what the service publishes and the plane reads. */
import type { Zone } from '../../engines/dns/zones.ts'

/** 2: several record sets of one name and type, with routing and health checks; aliases. */
export const RESOLVER_VERSION = 2

export interface ResolverContent {
  readonly zones: readonly Zone[]
  /** Of the VPC that the resolver was enrolled for; where one of them contains a name, no public zone is looked at. Default: none. */
  readonly privateZones?: readonly Zone[]
  /** IDs of health checks that fail, of those that record sets name. Default: none. */
  readonly unhealthy?: readonly string[]
}
