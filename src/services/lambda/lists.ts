/** The functions of an account in a Region, and their versions. */
import type { Call, Scope } from '../../kernel/gate/call.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { shown } from './configuration.ts'
import { arnOf, at, type FunctionRow, functionType, invalid, lambda, latestNamed, versionOf } from './resources.ts'
import { versionsOf } from './versions.ts'

/** AWS: at most 50 in an answer, whatever `MaxItems` is. */
const PAGE_MAX = 50

export const listFunctions = lambda
  .operation('ListFunctions')
  .on(functionType.collection())
  .run(async (call, input, functions) => {
    // Replicas of Lambda@Edge, which is not implemented.
    if (input.MasterRegion !== undefined && input.MasterRegion !== 'ALL') return { Functions: [] }
    const all = input.FunctionVersion === 'ALL'
    const { items, next } = all
      ? await pageOf(call, await everyVersion(call), orderOf, pageOptions(input, [all]))
      : await functions.page(pageOptions(input, [all]))
    return {
      Functions: items.map((row) => listed(call, call, row, all)),
      ...(next !== undefined && { NextMarker: next }),
    }
  })

interface Paging {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

const pageOptions = ({ Marker, MaxItems }: Paging, query: unknown) => ({
  token: Marker,
  size: Math.min(MaxItems ?? PAGE_MAX, PAGE_MAX),
  query,
  bad: () => invalid('The Marker is not one of this list.'),
})

async function everyVersion(call: Call): Promise<readonly FunctionRow[]> {
  const ranges = [functionType.prefix(call), at.allVersions(call)].map((prefix) => call.unit.range<FunctionRow>(prefix))
  return (await Promise.all(ranges)).flat().map(({ document }) => document)
}

/** `$LATEST` first, then the versions by their numbers. */
const orderOf = ({ name, version = 0 }: FunctionRow): string => `${name}\0${String(version).padStart(10, '0')}`

function listed(call: Call, scope: Scope, row: FunctionRow, isQualified: boolean) {
  const arn = arnOf(scope, row.name)
  return shown(call.vault, scope, row, isQualified ? `${arn}:${versionOf(row)}` : arn, 'listed')
}

export const listVersionsByFunction = lambda
  .operation('ListVersionsByFunction')
  .on(latestNamed)
  .run(async (call, input, { scope, row, arn }) => {
    const rows = [row, ...(await versionsOf(call.unit, scope, row.name))]
    const { items, next } = await pageOf(call, rows, orderOf, pageOptions(input, arn))
    return {
      Versions: items.map((each) => listed(call, scope, each, true)),
      ...(next !== undefined && { NextMarker: next }),
    }
  })
