/** The resources of a type that a caller may list: its account's, in its Region where the type has one. */
import type { Entry, RangeOptions } from '../../store/store.ts'
import type { Fault } from '../../wire/fault.ts'
import type { Call } from '../gate/call.ts'
import { type Page, page } from '../service/page.ts'

export interface PageRequest<R> {
  readonly token: string | undefined
  readonly size: number
  /** The parts of the request that must stay the same from page to page. */
  readonly query?: unknown
  readonly keep?: (row: R) => boolean
  /** The fault for a token that is not ours or belongs to another query. */
  readonly bad: () => Fault
}

export interface Collection<R> {
  page(request: PageRequest<R>): Promise<Page<R>>
  /** For the few lists that AWS does not page. */
  all(): Promise<readonly R[]>
}

export const collectionOf = <R>(
  call: Call,
  read: (options: RangeOptions) => Promise<readonly Entry<R>[]>,
): Collection<R> => ({
  page: ({ query = null, ...request }) =>
    page<R>(call, (after, limit) => read({ after, limit }), { ...request, query }),
  all: async () => (await read({})).map(({ document }) => document),
})
