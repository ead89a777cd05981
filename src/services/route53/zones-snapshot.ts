/** What resolvers know: the zones of all accounts that are answered, and the health checks that fail. */
import { RESOLVER } from '../../kernel/planes/observed-queries.ts'
import { RESOLVER_VERSION, type ResolverContent } from '../../kernel/planes/resolver-content.ts'
import type { SnapshotSource } from '../../kernel/planes/snapshot.ts'
import { under } from '../../store/store.ts'
import { allChallenges } from './challenges.ts'
import { allHealthChecks, allUnhealthy, unhealthyChecks } from './health.ts'
import { allPublishedZones } from './published-zones.ts'

export const zonesSnapshot: SnapshotSource<ResolverContent> = {
  plane: RESOLVER,
  version: RESOLVER_VERSION,
  from: [under('route53', 'zone-name'), under('route53', 'record-set'), allChallenges, allHealthChecks, allUnhealthy],
  // A scope says of which machines queries are reported; what public zones answer is no secret.
  isScoped: true,
  compute: async (reader) => {
    const zones = await allPublishedZones(reader)
    const named = new Set(zones.flatMap(({ records }) => records.flatMap(({ healthCheckId }) => healthCheckId ?? [])))
    const unhealthy = named.size === 0 ? [] : [...(await unhealthyChecks(reader))].filter((id) => named.has(id))
    return { zones, unhealthy }
  },
}
