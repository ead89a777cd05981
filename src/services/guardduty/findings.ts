/** Findings: listed by criteria, shown, archived, counted, and rated. */
import type { Finding } from '@aws-sdk/client-guardduty'
import type { Call } from '../../kernel/gate/call.ts'
import { pageTokens } from '../../kernel/service/page.ts'
import { compareAt, matchesCriteria, requireCriteria } from './criteria.ts'
import { badRequest, badToken, guardduty, invalidParameter } from './faults.ts'
import { allFindings, type FindingRow, findFinding, findingKey } from './finding-rows.ts'
import { shownFinding } from './finding-shape.ts'
import { administratorOf, visiblePlaces } from './member-rows.ts'
import { ofDetector } from './resources.ts'

const IDS_MAX = 50
const PAGE_MAX = 50

/** Of the caller's account, and of its members, in this Region. */
export async function visibleFindings(call: Call): Promise<readonly FindingRow[]> {
  const places = await visiblePlaces(call.unit, call)
  const found = await Promise.all(places.map((place) => allFindings(call.unit, place)))
  return found.flat()
}

export const listFindings = guardduty
  .operation('ListFindings')
  .on(ofDetector)
  .run(async (call, input) => {
    const criteria = requireCriteria(input.FindingCriteria)
    const { AttributeName = 'updatedAt', OrderBy = 'DESC' } = input.SortCriteria ?? {}
    if (!/^[A-Za-z0-9.]{1,300}$/.test(AttributeName)) throw invalidParameter('sortCriteria')
    const compare = compareAt(AttributeName)
    const direction = OrderBy === 'ASC' ? 1 : -1
    const ids = (await visibleFindings(call))
      .map(({ finding }) => finding)
      .filter((finding) => matchesCriteria(criteria, finding))
      .sort((a, b) => direction * compare(a, b) || (a.Id! < b.Id! ? -1 : 1))
      .map(({ Id }) => Id!)
    // A position is that of the last ID: it is found again although findings came or went meanwhile.
    const tokens = pageTokens(call, [input.DetectorId, criteria, AttributeName, OrderBy])
    const [last = '', index = '0'] = input.NextToken ? (tokens.open(input.NextToken)?.split(' ') ?? []) : []
    if (input.NextToken && last === '') throw badToken()
    const known = ids.indexOf(last)
    const from = last === '' ? 0 : known >= 0 ? known + 1 : Number(index)
    const FindingIds = ids.slice(from, from + Math.min(input.MaxResults ?? PAGE_MAX, PAGE_MAX))
    const end = from + FindingIds.length
    return { FindingIds, ...(end < ids.length && { NextToken: tokens.seal(`${FindingIds.at(-1)} ${end}`) }) }
  })

export const getFindings = guardduty
  .operation('GetFindings')
  .on(ofDetector)
  .run(async (call, input) => {
    const found = await named(call, input.FindingIds ?? [])
    const Findings = found.map(({ row }) => shownFinding(row.finding))
    const { AttributeName, OrderBy = 'DESC' } = input.SortCriteria ?? {}
    if (AttributeName === undefined) return { Findings }
    const compare = compareAt(AttributeName)
    return { Findings: Findings.sort((a, b) => (OrderBy === 'ASC' ? 1 : -1) * compare(a, b)) }
  })

/** Unknown IDs are left out. */
async function named(call: Call, ids: readonly string[]) {
  if (ids.length > IDS_MAX)
    throw badRequest('The request is rejected because the parameter findingIds has more than 50 values.')
  if (ids.some((id) => !/^[A-Za-z0-9]{1,300}$/.test(id))) throw invalidParameter('findingIds')
  const places = await visiblePlaces(call.unit, call)
  const found = await Promise.all([...new Set(ids)].map((id) => findFinding(call.unit, places, id)))
  return found.filter((each) => each !== undefined)
}

async function changed(
  call: Call,
  ids: readonly string[],
  change: (service: NonNullable<Finding['Service']>) => Partial<NonNullable<Finding['Service']>>,
): Promise<Record<string, never>> {
  for (const { place, row } of await named(call, ids)) {
    const Service = { ...row.finding.Service, ...change(row.finding.Service!) }
    call.unit.put(findingKey(place, row.finding.Id!), { ...row, finding: { ...row.finding, Service } })
  }
  return {}
}

/** Of a member's findings the administrator decides. */
async function refuseMember(call: Call): Promise<void> {
  if (await administratorOf(call.unit, call))
    throw badRequest(
      'The request is rejected because member accounts cannot archive findings; only the administrator account can.',
    )
}

export const archiveFindings = guardduty
  .operation('ArchiveFindings')
  .on(ofDetector)
  .run(async (call, input) => {
    await refuseMember(call)
    return changed(call, input.FindingIds ?? [], () => ({ Archived: true }))
  })

export const unarchiveFindings = guardduty
  .operation('UnarchiveFindings')
  .on(ofDetector)
  .run(async (call, input) => {
    await refuseMember(call)
    return changed(call, input.FindingIds ?? [], () => ({ Archived: false }))
  })

export const updateFindingsFeedback = guardduty
  .operation('UpdateFindingsFeedback')
  .on(ofDetector)
  .run((call, input) => changed(call, input.FindingIds ?? [], () => ({ UserFeedback: input.Feedback })))
