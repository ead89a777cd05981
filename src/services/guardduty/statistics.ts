/** Findings counted: by severity, and grouped by account, day, type, resource or severity. */
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import { matchesCriteria, requireCriteria } from './criteria.ts'
import { badRequest, guardduty } from './faults.ts'
import { resourceNameOf } from './finding-shape.ts'
import { visibleFindings } from './findings.ts'
import { ofDetector } from './resources.ts'

const GROUPS_MAX = 100

interface Group {
  readonly first: GuardDuty.Finding
  count: number
  lastMs: number
}

export const getFindingsStatistics = guardduty
  .operation('GetFindingsStatistics')
  .on(ofDetector)
  .run(async (call, input) => {
    const { FindingStatisticTypes: types = [], GroupBy, OrderBy = 'DESC', MaxResults = 25 } = input
    if (types.length > 0 === (GroupBy !== undefined))
      throw badRequest(
        'The request is rejected because exactly one of findingStatisticTypes and groupBy must be specified.',
      )
    const criteria = requireCriteria(input.FindingCriteria)
    const findings = (await visibleFindings(call))
      .map(({ finding }) => finding)
      .filter((finding) => matchesCriteria(criteria, finding))
    if (GroupBy === undefined) {
      const CountBySeverity: Record<string, number> = {}
      for (const { Severity = 0 } of findings) {
        const name = Severity.toFixed(1)
        CountBySeverity[name] = (CountBySeverity[name] ?? 0) + 1
      }
      return { FindingStatistics: { CountBySeverity } }
    }
    const groups = grouped(findings, KEYS[GroupBy])
      .sort((a, b) => (OrderBy === 'ASC' ? 1 : -1) * (a.count - b.count) || b.lastMs - a.lastMs)
      .slice(0, Math.min(MaxResults, GROUPS_MAX))
    return { FindingStatistics: SHOWN[GroupBy](groups) }
  })

const dayOf = (finding: GuardDuty.Finding): string => finding.UpdatedAt!.slice(0, 10)

const KEYS: Readonly<Record<GuardDuty.GroupByType, (finding: GuardDuty.Finding) => string>> = {
  ACCOUNT: ({ AccountId }) => AccountId!,
  DATE: (finding) => `${dayOf(finding)} ${finding.Severity}`,
  FINDING_TYPE: ({ Type }) => Type!,
  RESOURCE: (finding) => `${finding.AccountId} ${finding.Resource?.ResourceType} ${resourceNameOf(finding)}`,
  SEVERITY: ({ Severity }) => String(Severity),
}

function grouped(findings: readonly GuardDuty.Finding[], keyOf: (finding: GuardDuty.Finding) => string): Group[] {
  const groups = new Map<string, Group>()
  for (const finding of findings) {
    const name = keyOf(finding)
    const group = groups.get(name) ?? { first: finding, count: 0, lastMs: 0 }
    group.count += 1
    group.lastMs = Math.max(group.lastMs, Date.parse(finding.UpdatedAt!))
    groups.set(name, group)
  }
  return [...groups.values()]
}

const facts = ({ count, lastMs }: Group) => ({
  TotalFindings: count,
  LastGeneratedAt: new Date(Math.floor(lastMs / 1000) * 1000),
})

const SHOWN: Readonly<Record<GuardDuty.GroupByType, (groups: readonly Group[]) => GuardDuty.FindingStatistics>> = {
  ACCOUNT: (groups) => ({
    GroupedByAccount: groups.map((group) => ({ AccountId: group.first.AccountId, ...facts(group) })),
  }),
  DATE: (groups) => ({
    GroupedByDate: groups.map((group) => ({
      Date: new Date(`${dayOf(group.first)}T00:00:00Z`),
      Severity: group.first.Severity,
      ...facts(group),
    })),
  }),
  FINDING_TYPE: (groups) => ({
    GroupedByFindingType: groups.map((group) => ({ FindingType: group.first.Type, ...facts(group) })),
  }),
  RESOURCE: (groups) => ({
    GroupedByResource: groups.map((group) => ({
      AccountId: group.first.AccountId,
      ResourceId: resourceNameOf(group.first),
      ResourceType: group.first.Resource?.ResourceType,
      ...facts(group),
    })),
  }),
  SEVERITY: (groups) => ({
    GroupedBySeverity: groups.map((group) => ({ Severity: group.first.Severity, ...facts(group) })),
  }),
}
