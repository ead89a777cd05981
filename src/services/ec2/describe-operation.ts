/** Descriptions of resources: by IDs, filters and pages. */
import type { Call } from '../../kernel/gate/call.ts'
import { listTags } from '../../kernel/resource/tags.ts'
import { page } from '../../kernel/service/page.ts'
import type { LooseInput, Operation } from '../../kernel/service/service.ts'
import { nothing, operationOn } from './define-operation.ts'
import { fault, invalid } from './faults.ts'
import { type Filter, parseFilters } from './filters.ts'
import type { Operations } from './operations.ts'
import type { Item, Kind } from './words.ts'

interface DescribeOptions<S, R extends Item<S>> {
  /** The member that names resources. */
  readonly ids?: string
  /** The member of the answer. */
  readonly result: string
  /** Names of filters: `vpc-id` reads `VpcId`, others say what they read: `cidr=CidrBlock`. */
  readonly filters: string
  /** Where AWS names the actions otherwise, or shows other members. */
  readonly show?: (row: R, call: Call, related: LooseInput) => LooseInput
  /** What showing needs besides the row, read once. */
  readonly load?: (call: Call) => Promise<LooseInput>
  readonly filterMember?: string
  /** Other members of the request that say which resources are shown. */
  readonly narrow?: (shown: S, input: LooseInput) => boolean
}

/** The description of a kind's resources, by IDs, filters and pages. */
export function describe<S, R extends Item<S>>(
  name: keyof Operations,
  kind: Kind<S, R>,
  { ids, result, filters, show, load, filterMember = 'Filters', narrow }: DescribeOptions<S, R>,
): Operation {
  const known = parseFilters(filters)
  return operationOn(name, nothing, async (call, loose) => {
    const wanted: readonly string[] = (ids && loose[ids]) || []
    if (wanted.length > IDS_MAX) throw invalid(`The request names ${wanted.length} resources: at most ${IDS_MAX}.`)
    const filter = known((loose[filterMember] ?? []) as readonly Filter[])
    const keeps = (each: LooseInput) => filter.keeps(each) && (narrow?.(each as S, loose) ?? true)
    const related = await load?.(call)
    const shown = (row: R): LooseInput =>
      show ? { ...show(row, call, related), Tags: listTags(row.tags) } : kind.show(row, call.now)
    if (wanted.length > 0) {
      const rows: R[] = []
      for (const id of wanted) rows.push(await kind.require(call, id))
      return { [result]: rows.map(shown).filter(keeps) } as LooseInput
    }
    const { items, next } = await pageRows(call, kind, loose, (row) => keeps(shown(row)))
    return { [result]: items.map(shown), ...(next !== undefined && { NextToken: next }) } as LooseInput
  })
}

/** A page of a kind's rows; all of them where the request sets no size, as EC2 answers. */
export async function pageRows<S, R extends Item<S>>(
  call: Call,
  kind: Kind<S, R>,
  input: LooseInput,
  keep: (row: R) => boolean,
): Promise<{ readonly items: readonly R[]; readonly next: string | undefined }> {
  const isOver = (row: R) => kind.spec.isGone?.(row, call.now) ?? false
  const { MaxResults, NextToken, ...query } = input
  if (MaxResults !== undefined && (MaxResults < 1 || MaxResults > PAGE_MAX)) {
    throw invalid(
      `Value ( ${MaxResults} ) for parameter maxResults is invalid. Expecting a value between 5 and ${PAGE_MAX}.`,
    )
  }
  if (MaxResults === undefined && NextToken === undefined) {
    const rows = await kind.all(call)
    return { items: rows.filter((row) => keep(row)), next: undefined }
  }
  return page<R>(call, (after, limit) => kind.type.list(call.unit, call, { after, limit }), {
    size: MaxResults ?? PAGE_MAX,
    token: NextToken,
    query,
    keep: (row) => !isOver(row) && keep(row),
    bad: () => fault('InvalidNextToken', 'The token is invalid.'),
  })
}

/** Of one request. */
const IDS_MAX = 1000
const PAGE_MAX = 1000
