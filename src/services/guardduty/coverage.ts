/** Coverage: which features of a detector have a source of events here, and why the others have none. */
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import type { Call } from '../../kernel/gate/call.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { badToken, guardduty, invalidParameter } from './faults.ts'
import { visiblePlaces } from './member-rows.ts'
import { type NetworkSource, networkSources } from './network-events.ts'
import { type DetectorRow, detector, detectorIn } from './resources.ts'

interface Source {
  readonly resource: GuardDuty.ResourceType
  /** Why nothing is watched; undefined where something is. */
  readonly issue?: string
  /** Nothing is watched until events of this kind have come. */
  readonly network?: NetworkSource
}

/** Features that the audit log feeds are healthy. The others are accepted, and found unhealthy here. */
const SOURCES: Readonly<Record<string, Source>> = {
  EKS_AUDIT_LOGS: { resource: 'EKS', issue: 'There is no source of Kubernetes audit logs.' },
  EKS_RUNTIME_MONITORING: { resource: 'EKS', issue: 'There is no agent for runtime monitoring.' },
  RUNTIME_MONITORING: { resource: 'EC2', issue: 'There is no agent for runtime monitoring.' },
  EBS_MALWARE_PROTECTION: { resource: 'EC2', issue: 'There is no malware scanner.' },
  RDS_LOGIN_EVENTS: { resource: 'EC2', issue: 'There is no source of database sign-ins.' },
  LAMBDA_NETWORK_LOGS: { resource: 'EC2', issue: 'There is no source of network logs of functions.' },
  S3_DATA_EVENTS: { resource: 'EC2' },
}

/** Sources that every detector has: gateways report flows, resolvers report queries, and operators import log files of AWS. */
const FOUNDATIONS: Readonly<Record<string, Source>> = {
  FLOW_LOGS: { resource: 'EC2', issue: 'No flows of this account and Region were reported.', network: 'flow' },
  DNS_LOGS: { resource: 'EC2', issue: 'No DNS queries of this account and Region were reported.', network: 'dns' },
}

/** Only features that are enabled are covered, or should be. */
function coverageOf(row: DetectorRow, seen: readonly NetworkSource[]): readonly GuardDuty.CoverageResource[] {
  const enabled = Object.entries(row.features).filter(([, { status }]) => row.isEnabled && status === 'ENABLED')
  const always = Object.entries(row.isEnabled ? FOUNDATIONS : {}).map(([name, source]): [string, Source] => [
    name,
    source.network !== undefined && seen.includes(source.network) ? { resource: source.resource } : source,
  ])
  const sources = [
    ...always.map(([name, source]) => ({ name, source, at: row.createdAt })),
    ...enabled.flatMap(([name, { updatedAt }]) =>
      SOURCES[name] ? [{ name, source: SOURCES[name], at: updatedAt }] : [],
    ),
  ]
  return sources.map(({ name, source: { resource, issue }, at }) => ({
    ResourceId: name,
    DetectorId: row.id,
    AccountId: row.account,
    ResourceDetails: { ResourceType: resource },
    CoverageStatus: issue === undefined ? 'HEALTHY' : 'UNHEALTHY',
    ...(issue !== undefined && { Issue: issue }),
    UpdatedAt: new Date(Math.floor(at / 1000) * 1000),
  }))
}

async function covered(
  call: Call,
  criteria: GuardDuty.CoverageFilterCriteria | undefined,
): Promise<readonly GuardDuty.CoverageResource[]> {
  const places = await visiblePlaces(call.unit, call)
  const rows = await Promise.all(places.map((place) => detectorIn(call.unit, place)))
  const all = (
    await Promise.all(rows.map(async (row) => (row ? coverageOf(row, await networkSources(call.unit, row)) : [])))
  ).flat()
  return all.filter((each) => (criteria?.FilterCriterion ?? []).every((criterion) => holds(criterion, each)))
}

function holds(
  { CriterionKey, FilterCondition }: GuardDuty.CoverageFilterCriterion,
  each: GuardDuty.CoverageResource,
): boolean {
  const value = criterionValue(CriterionKey, each)
  const { Equals, NotEquals } = FilterCondition ?? {}
  return (!Equals?.length || Equals.includes(value)) && (!NotEquals?.length || !NotEquals.includes(value))
}

/** Of keys that are about clusters and instances there are none. */
function criterionValue(key: string | undefined, each: GuardDuty.CoverageResource): string {
  switch (key) {
    case 'ACCOUNT_ID':
      return each.AccountId!
    case 'RESOURCE_TYPE':
      return each.ResourceDetails!.ResourceType!
    case 'COVERAGE_STATUS':
      return each.CoverageStatus!
    case 'ISSUE':
      return each.Issue ?? ''
    case 'UPDATED_AT':
      return each.UpdatedAt!.toISOString()
    default:
      return ''
  }
}

export const listCoverage = guardduty
  .operation('ListCoverage')
  .on(detector.named('DetectorId'))
  .run(async (call, input) => {
    const rows = await covered(call, input.FilterCriteria)
    const { AttributeName, OrderBy } = input.SortCriteria ?? {}
    const sign = OrderBy === 'DESC' ? -1 : 1
    const sorted = rows.toSorted(
      (a, b) => sign * criterionValue(AttributeName, a).localeCompare(criterionValue(AttributeName, b)),
    )
    const ordered = sorted.map((each, index) => ({ each, position: String(index).padStart(9, '0') }))
    const { items, next } = await pageOf(call, ordered, ({ position }) => position, {
      token: input.NextToken,
      size: input.MaxResults ?? 50,
      query: [input.DetectorId, input.FilterCriteria, input.SortCriteria],
      bad: badToken,
    })
    return { Resources: items.map(({ each }) => each), ...(next !== undefined && { NextToken: next }) }
  })

export const getCoverageStatistics = guardduty
  .operation('GetCoverageStatistics')
  .on(detector.named('DetectorId'))
  .run(async (call, input) => {
    const types = input.StatisticsType ?? []
    if (types.length === 0) throw invalidParameter('statisticsType')
    const rows = await covered(call, input.FilterCriteria)
    const counted = (key: string): Record<string, number> => {
      const counts: Record<string, number> = {}
      for (const each of rows) counts[criterionValue(key, each)] = (counts[criterionValue(key, each)] ?? 0) + 1
      return counts
    }
    return {
      CoverageStatistics: {
        ...(types.includes('COUNT_BY_RESOURCE_TYPE') && { CountByResourceType: counted('RESOURCE_TYPE') }),
        ...(types.includes('COUNT_BY_COVERAGE_STATUS') && { CountByCoverageStatus: counted('COVERAGE_STATUS') }),
      },
    }
  })
