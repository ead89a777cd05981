/** Lists by scope, in pages. */
import type { Scope as WafScope } from '@aws-sdk/client-wafv2'
import type { Call } from '../../kernel/gate/call.ts'
import type { Collection } from '../../kernel/resource/collection.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { invalidMarker } from './faults.ts'
import { type EntityRow, scopeName } from './resources.ts'

interface ListInput {
  readonly Scope: WafScope
  readonly NextMarker?: string | undefined
  readonly Limit?: number | undefined
}

const SIZE_DEFAULT = 100

interface Listed<T> {
  readonly items: readonly T[]
  readonly next: { readonly NextMarker?: string }
}

const marked = <T>({
  items,
  next,
}: {
  readonly items: readonly T[]
  readonly next: string | undefined
}): Listed<T> => ({
  items,
  next: next === undefined ? {} : { NextMarker: next },
})

/** The resources of a scope. */
export async function listed<R extends EntityRow>(
  call: Call,
  { Scope, NextMarker, Limit }: ListInput,
  collection: Collection<R>,
): Promise<Listed<R>> {
  const scope = scopeName(call, Scope)
  return marked(
    await collection.page({
      token: NextMarker,
      size: Limit ?? SIZE_DEFAULT,
      query: scope,
      keep: (row) => row.scope === scope,
      bad: () => invalidMarker(NextMarker ?? ''),
    }),
  )
}

/** The same of things in memory. */
export async function listedOf<T>(
  call: Call,
  { Scope, NextMarker, Limit }: ListInput,
  rows: readonly T[],
  by: (row: T) => string,
): Promise<Listed<T>> {
  return marked(
    await pageOf(call, rows, by, {
      token: NextMarker,
      size: Limit ?? SIZE_DEFAULT,
      query: scopeName(call, Scope),
      bad: () => invalidMarker(NextMarker ?? ''),
    }),
  )
}
