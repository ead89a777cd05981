/**
 * Conditions of rules: `selection and not 1 of filter_*`. A recursive-descent parser with a budget of text and depth.
 * Source: https://sigmahq.io/sigma-specification/specification/sigma-rules-specification.html
 */

export type Condition =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Condition[] }

export class OperatorRuleError extends Error {
  override readonly name = 'OperatorRuleError'
}

const LENGTH_MAX = 2_000
const DEPTH_MAX = 20

/** `names`: the selections that exist. Throws an `OperatorRuleError`. */
export function parseCondition(text: string, names: readonly string[]): Condition {
  if (text.length > LENGTH_MAX) throw new OperatorRuleError(`The condition has more than ${LENGTH_MAX} characters.`)
  if (text.includes('|'))
    throw new OperatorRuleError('The condition aggregates (|), which is not supported: rules look at one event.')
  const tokens = text.match(/[()]|[^\s()]+/g) ?? []
  let at = 0

  const peek = (): string | undefined => tokens[at]?.toLowerCase()
  function take(word: string): boolean {
    if (peek() !== word) return false
    at += 1
    return true
  }
  const fail = (): never => {
    const found = tokens[at]
    throw new OperatorRuleError(found ? `The condition cannot be read at '${found}'.` : 'The condition ends too early.')
  }

  function list(kind: 'and' | 'or', next: (depth: number) => Condition, depth: number): Condition {
    const of = [next(depth)]
    while (take(kind)) of.push(next(depth))
    return of.length === 1 ? of[0]! : { kind, of }
  }
  const any = (depth: number): Condition => list('or', all, depth)
  const all = (depth: number): Condition => list('and', unary, depth)

  function unary(depth: number): Condition {
    if (depth > DEPTH_MAX) throw new OperatorRuleError(`The condition is nested more than ${DEPTH_MAX} levels deep.`)
    if (take('not')) return { kind: 'not', of: unary(depth + 1) }
    if (take('(')) {
      const inner = any(depth + 1)
      return take(')') ? inner : fail()
    }
    const quantifier = peek()
    if (
      (quantifier === '1' || quantifier === 'any' || quantifier === 'all') &&
      tokens[at + 1]?.toLowerCase() === 'of'
    ) {
      at += 2
      const pattern = tokens[at++] ?? fail()
      const of = matching(pattern).map((name) => ({ kind: 'name', name }) as const)
      if (of.length === 0)
        throw new OperatorRuleError(`The condition names '${pattern}', and no selection has such a name.`)
      return of.length === 1 ? of[0]! : { kind: quantifier === 'all' ? 'and' : 'or', of }
    }
    const name = tokens[at]
    if (name === undefined || name === ')' || name === '(') return fail()
    if (!names.includes(name)) throw new OperatorRuleError(`The condition names '${name}', which is no selection.`)
    at += 1
    return { kind: 'name', name }
  }

  /** `them` leaves out names that begin with an underscore. */
  function matching(pattern: string): readonly string[] {
    if (pattern.toLowerCase() === 'them') return names.filter((name) => !name.startsWith('_'))
    if (!pattern.endsWith('*')) return names.filter((name) => name === pattern)
    return names.filter((name) => name.startsWith(pattern.slice(0, -1)))
  }

  const condition = any(0)
  return at === tokens.length ? condition : fail()
}
