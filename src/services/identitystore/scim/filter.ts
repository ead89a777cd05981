/** Filters of provisioning (RFC 7644, section 3.4.2.2), as far as AWS answers them: `eq`, joined by `and`. */
import { bad } from './faults.ts'

export interface Comparison {
  /** In lower case. */
  readonly path: string
  readonly value: string
}

const LENGTH_MAX = 2_048
const PART = /^\s*([A-Za-z][\w.:$-]{0,200})\s+eq\s+(?:"((?:[^"\\]|\\.){0,1024})"|(true|false|\d{1,15}))\s*/i
const AND = /^and\s+/i

/** Throws for what is not such a filter. Linear in the length of the text. */
export function readFilter(text: string): readonly Comparison[] {
  if (text.length > LENGTH_MAX) throw bad('The filter is too long.', 'invalidFilter')
  const found: Comparison[] = []
  for (let rest = text; ; ) {
    const match = PART.exec(rest)
    if (!match) throw bad('The filter is not supported: use attribute eq "value", joined by and.', 'invalidFilter')
    const [whole, path = '', quoted, plain] = match
    found.push({ path: path.toLowerCase(), value: quoted === undefined ? plain! : quoted.replace(/\\(.)/g, '$1') })
    rest = rest.slice(whole.length)
    if (rest === '') return found
    const and = AND.exec(rest)
    if (!and) throw bad('The filter is not supported: use attribute eq "value", joined by and.', 'invalidFilter')
    rest = rest.slice(and[0].length)
  }
}
