/** Pages of what one row holds. */
import type { Call } from '../../kernel/gate/call.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { badToken } from './pages.ts'

export async function rowsOf<T>(
  call: Call,
  all: readonly T[],
  by: (item: T) => string,
  input: { readonly MaxResults?: number | undefined; readonly NextToken?: string | undefined },
): Promise<{ readonly items: readonly T[]; readonly rest: { readonly NextToken?: string } }> {
  const { items, next } = await pageOf(call, all, by, {
    token: input.NextToken,
    size: input.MaxResults ?? 100,
    query: null,
    bad: badToken,
  })
  return { items, rest: next === undefined ? {} : { NextToken: next } }
}
