/** The values of the String operators: exact or with wildcards, with variables in both. */
import { substitute, type TextTest, type Token } from './arn-pattern.ts'
import type { Version } from './document.ts'
import { codes, compileGlob, globCodes, globMatches } from './glob.ts'
import { isVariable, pieces, resolve } from './variables.ts'

export function compileExact(text: string, version: Version, ignoreCase: boolean): TextTest {
  const parts = pieces(text, version)
  const fold = ignoreCase ? (value: string) => value.toLowerCase() : (value: string) => value
  if (!parts.some(isVariable)) {
    const wanted = fold(
      parts.map((piece) => (typeof piece === 'string' ? piece : 'literal' in piece ? piece.literal : '')).join(''),
    )
    return ignoreCase ? (value) => value.toLowerCase() === wanted : (value) => value === wanted
  }
  return (value, context) => {
    let wanted = ''
    for (const piece of parts) {
      const text = typeof piece === 'string' ? piece : 'literal' in piece ? piece.literal : resolve(piece, context)
      if (text === undefined) return undefined
      wanted += text
    }
    return fold(value) === fold(wanted)
  }
}

export function compileLike(text: string, version: Version): TextTest {
  const tokens = pieces(text, version).flatMap((piece): readonly Token[] => {
    if (typeof piece === 'string') return globCodes(piece)
    return 'literal' in piece ? codes(piece.literal) : [piece]
  })
  if (tokens.every((token) => typeof token === 'number')) return compileGlob(tokens)
  return (value, context) => {
    const pattern = substitute(tokens, context)
    return pattern && globMatches(pattern, value)
  }
}
