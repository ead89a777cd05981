/** What resolvers know: the zones of all accounts that are answered. */
import type { Zone } from '../../engines/dns/zones.ts'
import { RESOLVER } from '../../kernel/planes/observed-queries.ts'
import type { SnapshotSource } from '../../kernel/planes/snapshot.ts'
import { under } from '../../store/store.ts'
import { allChallenges } from './challenges.ts'
import { allPublishedZones } from './published-zones.ts'

export const zonesSnapshot: SnapshotSource<{ readonly zones: readonly Zone[] }> = {
  plane: RESOLVER,
  version: 1,
  from: [under('route53', 'zone-name'), under('route53', 'record-set'), allChallenges],
  // A scope says of which machines queries are reported; what public zones answer is no secret.
  isScoped: true,
  compute: async (reader) => ({ zones: await allPublishedZones(reader) }),
}
