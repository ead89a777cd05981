/** The secrets of an account in a Region. */
import { pageOf } from '../../kernel/page.ts'
import { anything } from '../../kernel/resource.ts'
import { filtered } from './filters.ts'
import { arnOf, type SecretRow, secrets, secretsmanager } from './resources.ts'
import { described, stagesOf } from './secrets.ts'
import { badToken } from './versions.ts'

const BY: Readonly<Record<string, (row: SecretRow) => number | string>> = {
  'created-date': ({ createdAt }) => createdAt,
  'last-accessed-date': ({ lastAccessedDay = 0 }) => lastAccessedDay,
  'last-changed-date': ({ changedAt }) => changedAt,
  name: ({ name }) => name,
}

export const listSecrets = secretsmanager
  .operation('ListSecrets')
  .on(anything)
  .run(async (call, input) => {
    const { SortBy = 'created-date', SortOrder = 'desc', IncludePlannedDeletion: planned = false } = input
    const rows = (await secrets.list(call, call)).map(({ document }) => document)
    const shown = filtered(
      rows.filter(({ deletion }) => planned || !deletion),
      input.Filters,
    )
    const by = BY[SortBy]!
    const sign = SortOrder === 'asc' ? 1 : -1
    const order = [...shown].sort((a, b) => sign * (compare(by(a), by(b)) || compare(a.name, b.name)))
    const positions = new Map(order.map((row, at) => [row, String(at).padStart(9, '0')]))
    const { items, next } = await pageOf(call, order, (row) => positions.get(row)!, {
      token: input.NextToken,
      size: input.MaxResults ?? 100,
      query: [input.Filters, SortBy, SortOrder, planned],
      bad: badToken,
    })
    return {
      SecretList: items.map((row) => ({
        ARN: arnOf(call, row),
        ...described(row),
        SecretVersionsToStages: stagesOf(row),
      })),
      ...(next !== undefined && { NextToken: next }),
    }
  })

const compare = (a: number | string, b: number | string) => (a < b ? -1 : a > b ? 1 : 0)
