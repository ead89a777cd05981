/** Pages and filters of lists, and the faults that operations share. */
import { identitystore } from './rows.ts'

export const invalid = (text: string) => identitystore.fail('ValidationException', text)

export const badToken = () => invalid('The NextToken is not one of this list.')

interface Filter {
  readonly AttributePath: string
  readonly AttributeValue: string
}

/** The value of the one filter that AWS still answers. Throws for other paths. */
export function filterOf(filters: readonly Filter[] | undefined, path: string): string | undefined {
  const [filter] = filters ?? []
  if (!filter) return undefined
  if (filter.AttributePath.toLowerCase() !== path.toLowerCase())
    throw invalid(`Filters are supported on ${path} only, not on ${filter.AttributePath}.`)
  return filter.AttributeValue
}
