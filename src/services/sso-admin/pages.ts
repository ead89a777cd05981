/** Pages of lists. */
import type { Call } from '../../kernel/gate/call.ts'
import { page } from '../../kernel/service/page.ts'
import type { Key } from '../../store/store.ts'
import { invalid } from './resources.ts'

export const badToken = () => invalid('The NextToken is not one of this list.')

interface Paged {
  readonly MaxResults?: number | undefined
  readonly NextToken?: string | undefined
}

/** Rows below a key. */
export async function rowsBelow<T extends object>(
  call: Call,
  prefix: Key,
  { MaxResults, NextToken }: Paged,
  keep?: (row: T) => boolean,
): Promise<{ readonly items: readonly T[]; readonly rest: { readonly NextToken?: string } }> {
  const { items, next } = await page<T>(call, (after, limit) => call.unit.range<T & object>(prefix, { after, limit }), {
    token: NextToken,
    size: MaxResults ?? 100,
    query: prefix,
    bad: badToken,
    ...(keep && { keep }),
  })
  return { items, rest: next === undefined ? {} : { NextToken: next } }
}
