/** Seeds of Route 53: public hosted zones with their records. */
import { randomUUID } from 'node:crypto'
import type * as Route53 from '@aws-sdk/client-route-53'
import type { Api } from '../../kernel/service/api.ts'
import { compact, inTurn, pagesOf, seedPart } from './part.ts'
import type { SeedRecord } from './seed-format.ts'

const route53: Api<typeof Route53> = { id: 'route53' }
const TTL_DEFAULT = 300

export const zones = seedPart({
  kind: 'zones',
  labels: ['name'],
  members: { name: true, id: true, comment: true, records: { name: true, type: true, ttl: true, values: true } },
  add: async ({ call }, { name, id, comment, records = [] }, step) => {
    let HostedZoneId = ''
    await step([], `zone '${name}'`, async () => {
      const { HostedZone } = await call(
        route53,
        'CreateHostedZone',
        {
          Name: name,
          CallerReference: randomUUID(),
          ...(comment !== undefined && { HostedZoneConfig: { Comment: comment } }),
        },
        id,
      )
      HostedZoneId = HostedZone!.Id!.replace('/hostedzone/', '')
    })
    for (const [n, { name: record, type, ttl = TTL_DEFAULT, values }] of records.entries())
      await step(['records', n], `record '${record} ${type}' of zone '${name}'`, () =>
        call(route53, 'ChangeResourceRecordSets', {
          HostedZoneId,
          ChangeBatch: {
            Changes: [
              {
                Action: 'UPSERT',
                ResourceRecordSet: {
                  Name: completeName(record, name),
                  Type: type as Route53.RRType,
                  TTL: ttl,
                  ResourceRecords: values.map((Value) => ({ Value })),
                },
              },
            ],
          },
        }),
      )
  },
  export: async ({ call }) => {
    const all = await pagesOf(async (Marker) => {
      const page = await call(route53, 'ListHostedZones', { Marker })
      // A seed has no words for private zones.
      const items = page.HostedZones?.filter(({ Config }) => !Config?.PrivateZone)
      return { items, next: page.IsTruncated ? page.NextMarker : undefined }
    })
    return inTurn(all, async ({ Id = '', Name = '', Config }) => {
      const HostedZoneId = Id.replace('/hostedzone/', '')
      const records: SeedRecord[] = []
      let from: Partial<Route53.ListResourceRecordSetsRequest> | undefined = {}
      while (from) {
        const page: Route53.ListResourceRecordSetsResponse = await call(route53, 'ListResourceRecordSets', {
          HostedZoneId,
          ...(from as object),
        })
        for (const set of page.ResourceRecordSets ?? []) {
          const { Name: record = '', Type = '', TTL = 0, ResourceRecords = [] } = set
          // Every zone has its own.
          if (record === Name && (Type === 'NS' || Type === 'SOA')) continue
          // A seed has no words for these.
          if (set.AliasTarget || set.SetIdentifier !== undefined) continue
          records.push({
            name: shortName(record, Name),
            type: Type,
            ...(TTL !== TTL_DEFAULT && { ttl: TTL }),
            values: ResourceRecords.map(({ Value = '' }) => Value),
          })
        }
        from = page.IsTruncated
          ? {
              StartRecordName: page.NextRecordName,
              StartRecordType: page.NextRecordType,
              StartRecordIdentifier: page.NextRecordIdentifier,
            }
          : undefined
      }
      return compact({ name: Name.replace(/\.$/, ''), id: HostedZoneId, comment: Config?.Comment, records })
    })
  },
})

function completeName(record: string, zone: string): string {
  const root = zone.endsWith('.') ? zone : `${zone}.`
  if (record === '@') return root
  return record.endsWith('.') ? record : `${record}.${root}`
}

const shortName = (record: string, zone: string): string =>
  record === zone ? '@' : record.endsWith(`.${zone}`) ? record.slice(0, -zone.length - 1) : record
