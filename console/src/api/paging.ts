/** Lists in pages: which members carry the token and the items follows from the model. */
import type { OperationShape } from '../../../src/wire/shape.ts'

const TOKENS: readonly (readonly [output: string, input: string])[] = [
  ['NextToken', 'NextToken'],
  ['nextToken', 'nextToken'],
  ['NextMarker', 'Marker'],
  ['NextMarker', 'NextMarker'],
  ['Marker', 'Marker'],
  ['NextContinuationToken', 'ContinuationToken'],
  ['PaginationToken', 'PaginationToken'],
  ['Position', 'Position'],
]

export interface Paging {
  readonly output: string
  readonly input: string
}

/** Undefined for an operation that answers everything at once. */
export function pagingOf({ input, output }: OperationShape): Paging | undefined {
  const has = (members: readonly { readonly name: string }[], name: string) =>
    members.some((each) => each.name === name)
  const found = TOKENS.find(([out, into]) => has(output.members, out) && has(input.members, into))
  return found && { output: found[0], input: found[1] }
}

/** The member with the items: the first list of the answer. */
export function listMemberOf({ output }: OperationShape) {
  return output.members.find(({ shape, traits }) => shape.kind === 'list' && !traits.httpHeader)
}
