/** The functions of an account in a Region, and the one version that each has. */
import { page } from '../../kernel/page.ts'
import { anything } from '../../kernel/resource.ts'
import { shown } from './configuration.ts'
import { at, type FunctionRow, invalid, LATEST, lambda } from './resources.ts'
import { functionNamed } from './targets.ts'

/** AWS: at most 50 in an answer, whatever is asked. */
const PAGE_MAX = 50

export const listFunctions = lambda
  .operation('ListFunctions')
  .on(anything)
  .run(async (call, input) => {
    // Replicas of Lambda@Edge, which is not built: there are none of any other Region.
    if (input.MasterRegion !== undefined && input.MasterRegion !== 'ALL') return { Functions: [] }
    const all = input.FunctionVersion === 'ALL'
    const { items, next } = await page<FunctionRow>(
      call,
      (after, limit) => call.unit.range(at.functions(call), { after, limit }),
      {
        token: input.Marker,
        size: Math.min(input.MaxItems ?? PAGE_MAX, PAGE_MAX),
        query: [all],
        bad: () => invalid('The Marker is not one of this list.'),
      },
    )
    return {
      Functions: items.map((row) => {
        const { FunctionArn, ...rest } = shown(call.vault, call, row)
        return { ...rest, FunctionArn: all ? `${FunctionArn}:${LATEST}` : FunctionArn }
      }),
      ...(next !== undefined && { NextMarker: next }),
    }
  })

export const listVersionsByFunction = lambda
  .operation('ListVersionsByFunction')
  .on(functionNamed)
  .run((call, input, { scope, row, arn }) => {
    if (input.Marker !== undefined) throw invalid('The Marker is not one of this list.')
    return { Versions: [shown(call.vault, scope, row, `${arn}:${LATEST}`)] }
  })
