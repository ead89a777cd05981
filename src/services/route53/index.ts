/** Route 53: hosted zones and their record sets, which the resolver plane answers, and health checks of endpoints. */
import { normalizeName } from '../../engines/dns/records.ts'
import { forgetExpired } from '../../kernel/jobs/expiring-rows.ts'
import { hostedZones as hostedZonesPort } from '../../kernel/ports/hosted-zones.ts'
import { provide } from '../../kernel/ports/port.ts'
import type { ConditionKeyTable, KeySource } from '../../kernel/resource/condition-keys.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as answers from './answers.ts'
import { deleteChallenge, FORGET_CHALLENGE, putChallenge } from './challenges.ts'
import * as changes from './changes.ts'
import * as healthChecks from './health-checks.ts'
import * as hostedZones from './hosted-zones.ts'
import { healthCheckLines } from './measures.ts'
import { PROBE, probing } from './probing.ts'
import { accountAnswering, lookupPublished } from './published-zones.ts'
import * as recordSets from './record-sets.ts'
import { route53 as words } from './resources.ts'
import * as tagging from './tagging.ts'
import * as vpcAssociations from './vpc-associations.ts'
import { zonesSnapshot } from './zones-snapshot.ts'

interface RequestedChange {
  readonly Action: string
  readonly ResourceRecordSet: { readonly Name: string; readonly Type: string }
}

const valuesOf =
  (read: (change: RequestedChange) => string) =>
  ({ input }: KeySource): readonly string[] => [...new Set<string>(input.ChangeBatch.Changes.map(read))]

/** Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html */
const conditionKeys: ConditionKeyTable = {
  'route53:ChangeResourceRecordSetsActions': valuesOf(({ Action }) => Action),
  'route53:ChangeResourceRecordSetsRecordTypes': valuesOf(({ ResourceRecordSet }) => ResourceRecordSet.Type),
  // In lower case, without the last dot.
  'route53:ChangeResourceRecordSetsNormalizedRecordNames': valuesOf(({ ResourceRecordSet: { Name } }) =>
    (normalizeName(Name) ?? Name.toLowerCase()).replace(/\.$/, '').replace(/^\*/, '\\052'),
  ),
  // `ListHostedZonesByVPC` has the members itself.
  'route53:VPCs': ({ input: { VPC, ...input } }) => {
    const { VPCId, VPCRegion } = VPC ?? input
    return VPCId === undefined ? undefined : `VPCId=${VPCId},VPCRegion=${VPCRegion}`
  },
}

export const route53 = words.service({
  operations: operationsOf(hostedZones, recordSets, changes, answers, healthChecks, tagging, vpcAssociations),
  conditionKeys,
  snapshots: [zonesSnapshot],
  jobs: { [FORGET_CHALLENGE]: forgetExpired, [PROBE]: probing },
  open: ({ store }) => ({
    metrics: () => healthCheckLines(store.reader),
    provides: [provide(hostedZonesPort, { lookup: lookupPublished, accountAnswering, putChallenge, deleteChallenge })],
  }),
})
