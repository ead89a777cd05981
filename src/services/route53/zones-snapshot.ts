/**
 * What resolvers know: the public zones of all accounts, and the health checks that fail. Private zones reach only a resolver that
 * was enrolled for their VPC and nothing else. A client's address does not say which VPC it is in: networks overlap, and each account
 * chooses those of its VPCs, so it could answer for names of clients that are not its own.
 */

import type { Zone } from '../../engines/dns/zones.ts'
import { RESOLVER } from '../../kernel/planes/observed-queries.ts'
import type { PlaneScope } from '../../kernel/planes/plane-scope.ts'
import { RESOLVER_VERSION, type ResolverContent } from '../../kernel/planes/resolver-content.ts'
import type { SnapshotSource } from '../../kernel/planes/snapshot.ts'
import { type Unit, under } from '../../store/store.ts'
import { allChallenges } from './challenges.ts'
import { allHealthChecks, allUnhealthy, unhealthyChecks } from './health.ts'
import { allPublishedZones, readZone } from './published-zones.ts'
import { allVpcZones, type VpcZoneRow, zonesOfVpc } from './vpc-associations.ts'

export const zonesSnapshot: SnapshotSource<ResolverContent> = {
  plane: RESOLVER,
  version: RESOLVER_VERSION,
  from: [
    ...['zone-name', 'record-set'].map((kind) => under('route53', kind)),
    ...[allVpcZones, allChallenges, allHealthChecks, allUnhealthy],
  ],
  // What public zones answer is no secret, so they are in every scope.
  isScoped: true,
  compute: async (reader, _use, scope) => {
    const zones = await allPublishedZones(reader)
    const privateZones = await zonesOfScope(reader, scope)
    const named = new Set(
      [...zones, ...privateZones].flatMap(({ records }) => records.flatMap(({ healthCheckId }) => healthCheckId ?? [])),
    )
    const unhealthy = named.size === 0 ? [] : [...(await unhealthyChecks(reader))].filter((id) => named.has(id))
    return { zones, privateZones, unhealthy }
  },
}

const VPC = /^arn:[\w-]+:ec2:([\w-]+):(\d{12}):vpc\/([\w-]+)$/

async function zonesOfScope(reader: Pick<Unit, 'get' | 'range'>, scope: PlaneScope = []): Promise<readonly Zone[]> {
  const [, region, account, id] = (scope.length === 1 && VPC.exec(scope[0]!)) || []
  if (region === undefined || account === undefined || id === undefined) return []
  const rows = await reader.range<VpcZoneRow>(zonesOfVpc({ account, region, id }))
  return Promise.all(rows.map(({ document }) => readZone(reader, document)))
}
