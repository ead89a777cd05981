/**
 * Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}` for the characters.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
import type { Context } from './context.ts'
import type { Version } from './document.ts'

export type Piece = string | Literal | Variable

/** Text that is never a wildcard. */
export interface Literal {
  readonly literal: string
}
export interface Variable {
  /** As written. */
  readonly name: string
  /** In lower case. */
  readonly key: string
  readonly fallback: string | undefined
}

const VARIABLE = /\$\{([^}]*)\}/g

/** Plain pieces may hold wildcards; in documents older than 2012-10-17 everything is plain. */
export function pieces(text: string, version: Version): readonly Piece[] {
  if (version === '2008-10-17' || !text.includes('${')) return [text]
  const result: Piece[] = []
  let from = 0
  for (const match of text.matchAll(VARIABLE)) {
    if (match.index > from) result.push(text.slice(from, match.index))
    from = match.index + match[0].length
    result.push(variable(match[1]!, match[0]))
  }
  if (from < text.length || result.length === 0) result.push(text.slice(from))
  return result
}

function variable(inside: string, whole: string): Piece {
  if (inside === '*' || inside === '?' || inside === '$') return { literal: inside }
  const comma = inside.indexOf(',')
  const name = (comma < 0 ? inside : inside.slice(0, comma)).trim()
  const fallback = comma < 0 ? undefined : /^'([^']*)'$/.exec(inside.slice(comma + 1).trim())?.[1]
  if (name === '' || (comma >= 0 && fallback === undefined)) return { literal: whole }
  return { name, key: name.toLowerCase(), fallback }
}

export function isVariable(piece: Piece): piece is Variable {
  return typeof piece === 'object' && 'key' in piece
}

/** Undefined: it cannot be resolved, because the key is absent without a fallback, or has several values. */
export function resolve(variable: Variable, context: Context): string | undefined {
  const value = context.lookup(variable.key)
  if (value === undefined) return variable.fallback
  if (typeof value === 'string') return value
  if (value.length === 0) return variable.fallback
  return value.length === 1 ? value[0] : undefined
}
