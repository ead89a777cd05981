/**
 * What a `Resource` element and an Arn operator match. Six parts divided by colons; the sixth keeps its own colons.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
import type { Context } from './context.ts'
import type { Version } from './document.ts'
import { ANY, ANY_BUT_COLON, codes, compileGlob, globMatches, ONE, ONE_BUT_COLON } from './glob.ts'
import { isVariable, pieces, resolve, type Variable } from './variables.ts'

/** Undefined: the result is unknown, because the pattern is invalid, or one of its variables has no value. */
export type TextTest = (text: string, context: Context) => boolean | undefined

/** A code of a pattern, or what will become several. */
export type Token = number | Variable

const COLON = 58
const STAR = 42
const QUESTION = 63
const LAST_PART = 5

/** A star that ends its part may run over the colons after it; an ARN cut short means every rest. */
export function compileResource(text: string, version: Version): TextTest {
  return text === '*' ? () => true : compileTokens(resourceTokens(text, version))
}

/** The pattern itself, its variables not yet resolved. */
export function resourceTokens(text: string, version: Version): readonly Token[] {
  if (text === '*') return [ANY]
  const { tokens, colons } = tokenize(text, version, true)
  if (colons < LAST_PART && tokens.at(-1) !== ANY) tokens.push(COLON, ANY)
  return tokens
}

/** What every resource it matches begins with; empty when that is unknown. */
export function resourcePrefix(text: string, version: Version): string {
  let prefix = ''
  for (const token of tokenize(text, version, true).tokens) {
    if (typeof token !== 'number' || token < 0) break
    prefix += String.fromCharCode(token)
  }
  return prefix
}

/** For ArnLike and its kin: part by part, nothing runs over a colon before the sixth part. */
export function compileArnLike(text: string, version: Version): TextTest {
  const { tokens, colons } = tokenize(text, version, false)
  if (colons < LAST_PART) return () => undefined
  return compileTokens(tokens)
}

function tokenize(text: string, version: Version, runOver: boolean): { tokens: Token[]; colons: number } {
  const tokens: Token[] = []
  let colons = 0
  for (const piece of pieces(text, version)) {
    if (isVariable(piece)) {
      // AWS resolves variables after the fifth colon only; before it the text is itself, and no ARN contains it.
      if (runOver && colons < LAST_PART) tokens.push(...codes('${' + piece.name + '}'))
      else tokens.push(piece)
      continue
    }
    if (typeof piece === 'object') {
      tokens.push(...codes(piece.literal))
      continue
    }
    for (const code of codes(piece)) {
      if (code === COLON) {
        colons++
        if (runOver && colons <= LAST_PART && tokens.at(-1) === ANY_BUT_COLON) tokens[tokens.length - 1] = ANY
      }
      const inside = colons < LAST_PART
      if (code === STAR) tokens.push(inside ? ANY_BUT_COLON : ANY)
      else if (code === QUESTION) tokens.push(inside ? ONE_BUT_COLON : ONE)
      else tokens.push(code)
    }
  }
  if (runOver && tokens.at(-1) === ANY_BUT_COLON) tokens[tokens.length - 1] = ANY
  return { tokens, colons }
}

function compileTokens(tokens: readonly Token[]): TextTest {
  if (tokens.every((token) => typeof token === 'number')) return compileGlob(tokens)
  return (text, context) => {
    const pattern = substitute(tokens, context)
    return pattern && globMatches(pattern, text)
  }
}

/** Undefined when a variable has no value: such a pattern matches nothing. */
export function substitute(tokens: readonly Token[], context: Context): number[] | undefined {
  const pattern: number[] = []
  for (const token of tokens) {
    if (typeof token === 'number') {
      pattern.push(token)
      continue
    }
    const value = resolve(token, context)
    if (value === undefined) return undefined
    for (let i = 0; i < value.length; i++) pattern.push(value.charCodeAt(i))
  }
  return pattern
}
