/** The service's way of listing: NextToken, twenty a page at most. */
import type { Call } from '../../kernel/gate/call.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { invalidInput } from './resources.ts'

const SIZE = 20

/** A page of things at hand, ordered by `by`, and the token for the next; spread `rest` into the answer. */
export async function listed<T>(
  call: Call,
  all: readonly T[],
  by: (item: T) => string,
  input: { readonly NextToken?: string | undefined; readonly MaxResults?: number | undefined },
) {
  const { NextToken, MaxResults, ...query } = input
  const bad = () => invalidInput('INVALID_NEXT_TOKEN', 'You provided an invalid next token.')
  const { items, next } = await pageOf(call, all, by, { token: NextToken, size: MaxResults ?? SIZE, query, bad })
  return { items, rest: next === undefined ? {} : { NextToken: next } }
}
