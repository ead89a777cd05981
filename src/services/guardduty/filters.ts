/** Filters: saved finding criteria. Those with the action ARCHIVE suppress new findings. */

import { pageOf } from '../../kernel/service/page.ts'
import { withClientToken } from './client-tokens.ts'
import { requireCriteria } from './criteria.ts'
import { badRequest, badToken, guardduty } from './faults.ts'
import { filtersOf } from './filter-rows.ts'
import { administratorOf } from './member-rows.ts'
import { type FilterRow, filter, ofDetector, requireDetector } from './resources.ts'

const ofMember = () =>
  badRequest(
    'The request is rejected because member accounts cannot manage filters; only the administrator account can.',
  )

/** Puts a filter at its rank; those from there on move one place down, as in a list. */
function ranked(filters: readonly FilterRow[], put: FilterRow): readonly FilterRow[] {
  const others = filters.filter(({ id }) => id !== put.id)
  const at = Math.min(put.rank, others.length + 1)
  const ordered = [...others.slice(0, at - 1), { ...put, rank: at }, ...others.slice(at - 1)]
  return ordered.map((each, index) => ({ ...each, rank: index + 1 }))
}

export const createFilter = guardduty
  .operation('CreateFilter')
  .on(filter.created(({ DetectorId, Name }) => ({ DetectorId: DetectorId!, FilterName: Name! })))
  .run(async (call, input, { tags, create, assertAvailable }) => {
    await requireDetector(call, input.DetectorId)
    if (await administratorOf(call.unit, call)) throw ofMember()
    return withClientToken(
      call,
      input,
      async ({ Name }: { readonly Name: string }) =>
        (await filter.get(call.unit, call, { DetectorId: input.DetectorId!, FilterName: Name })) !== undefined,
      async () => {
        const filters = await filtersOf(call.unit, call)
        assertAvailable()
        if (filters.length >= call.quotas['guardduty/FiltersPerDetector']!)
          throw badRequest(
            'The request is rejected because the current account has reached the maximum number of filters.',
          )
        const row: FilterRow = {
          detector: input.DetectorId!,
          id: input.Name!,
          action: input.Action ?? 'NOOP',
          rank: input.Rank ?? 1,
          criteria: requireCriteria(input.FindingCriteria),
          ...(input.Description !== undefined && { description: input.Description }),
          tags,
        }
        for (const each of ranked(filters, row))
          if (each.id === row.id) create(each)
          else filter.put(call.unit, call, each)
        return { Name: row.id }
      },
    )
  })

export const getFilter = guardduty
  .operation('GetFilter')
  .on(filter.named('FilterName'))
  .run((_call, _input, { row }) => ({
    Name: row.id,
    Action: row.action,
    Rank: row.rank,
    FindingCriteria: row.criteria,
    Tags: { ...row.tags },
    Description: row.description ?? '',
  }))

export const listFilters = guardduty
  .operation('ListFilters')
  .on(ofDetector)
  .run(async (call, input) => {
    const names = (await filtersOf(call.unit, call)).map(({ id }) => id)
    const { items, next } = await pageOf(call, names, (name) => name, {
      token: input.NextToken,
      size: input.MaxResults ?? 50,
      query: input.DetectorId,
      bad: badToken,
    })
    return { FilterNames: [...items], ...(next !== undefined && { NextToken: next }) }
  })

export const updateFilter = guardduty
  .operation('UpdateFilter')
  .on(filter.named('FilterName'))
  .run(async (call, input, { row }) => {
    if (await administratorOf(call.unit, call)) throw ofMember()
    const changed: FilterRow = {
      ...row,
      action: input.Action ?? row.action,
      rank: input.Rank ?? row.rank,
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.FindingCriteria && { criteria: requireCriteria(input.FindingCriteria) }),
    }
    for (const each of ranked(await filtersOf(call.unit, call), changed)) filter.put(call.unit, call, each)
    return { Name: row.id }
  })

export const deleteFilter = guardduty
  .operation('DeleteFilter')
  .on(filter.named('FilterName'))
  .run(async (call, _input, { row, remove }) => {
    const others = (await filtersOf(call.unit, call)).filter(({ id }) => id !== row.id)
    remove()
    for (const [index, each] of others.entries()) filter.put(call.unit, call, { ...each, rank: index + 1 })
    return {}
  })
