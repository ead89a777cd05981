/** Filters in effect: which findings are archived as soon as they are found. */
import type { Finding } from '@aws-sdk/client-guardduty'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Unit } from '../../store/store.ts'
import { matchesCriteria } from './criteria.ts'
import { type FilterRow, filter } from './resources.ts'

interface Place {
  readonly account: string
  readonly region: string
}

/** In the order of their rank. */
export async function filtersOf(reader: Pick<Reader, 'range'>, place: Place): Promise<readonly FilterRow[]> {
  const rows = await filter.list(reader, place)
  return rows.map(({ document }) => document).sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1))
}

/** The first filter that matches decides. */
export function isSuppressed(filters: readonly FilterRow[], finding: Finding): boolean {
  return filters.find(({ criteria }) => matchesCriteria(criteria, finding))?.action === 'ARCHIVE'
}

export async function removeFilters(unit: Unit, place: Place): Promise<void> {
  for (const { key: at } of await filter.list(unit, place)) unit.delete(at)
}
