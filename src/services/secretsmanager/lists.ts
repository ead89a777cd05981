/** The secrets of an account in a Region. */
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
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
    const place = SortOrder === 'asc' ? ascending : descending
    // Not its number in the list: others may go between two pages.
    const { items, next } = await pageOf(call, shown, (row) => `${place(by(row))}\0${row.name}`, {
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

/** Texts that sort like their values: times, and names, which are ASCII. */
const ascending = (value: number | string) => (typeof value === 'number' ? digits(value) : value)

/** Of two names that begin alike the longer comes first. */
const descending = (value: number | string) =>
  typeof value === 'number' ? digits(TIME_MAX - value) : `${value.replace(/./g, mirrored)}\x7f`

const TIME_MAX = 1e15 - 1
const digits = (time: number) => String(time).padStart(15, '0')
const mirrored = (character: string) => String.fromCharCode(0x7f - character.charCodeAt(0))
