/**
 * The directives of a file in SecLang, the language of ModSecurity and Coraza, as words: nothing of them is understood here.
 *
 * Source: https://github.com/owasp-modsecurity/ModSecurity/wiki/Reference-Manual-(v3.x)
 *
 * @example
 * directives('SecRule ARGS "@contains x" "id:1,deny"') // [{ name: 'SecRule', words: ['ARGS', '@contains x', 'id:1,deny'], line: 1 }]
 */

export interface Directive {
  readonly name: string
  readonly words: readonly string[]
  /** Counted from 1. */
  readonly line: number
}

/** Lines that end with a backslash go on; lines that begin with `#` are comments. */
export function directives(text: string): readonly Directive[] {
  const found: Directive[] = []
  let [joined, begin] = ['', 0]
  text.split(/\r?\n/).forEach((line, at) => {
    if (joined === '') {
      if (/^\s*(?:#|$)/.test(line)) return
      begin = at + 1
    }
    if (/\\\s*$/.test(line)) {
      joined += line.replace(/\\\s*$/, '')
      if (joined === '') joined = ' '
      return
    }
    const [name, ...words] = wordsOf(joined + line)
    joined = ''
    if (name !== undefined) found.push({ name, words, line: begin })
  })
  return found
}

/** Words between spaces, or in quotes, where a backslash keeps a quote. */
function wordsOf(text: string): readonly string[] {
  const words: string[] = []
  let at = 0
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at++
    if (at >= text.length) return words
    const quote = text[at] === '"' || text[at] === "'" ? text[at]! : undefined
    let word = ''
    for (at += quote ? 1 : 0; at < text.length; at++) {
      const c = text[at]!
      if (quote ? c === quote : /\s/.test(c)) break
      if (quote && c === '\\' && text[at + 1] === quote) word += text[++at]
      else word += c
    }
    at++
    words.push(word)
  }
}

/** The parts of a list: commas within single quotes are no separators. */
export function listOf(text: string, separator: ',' | '|'): readonly string[] {
  const parts: string[] = []
  let [part, isQuoted] = ['', false]
  for (let at = 0; at < text.length; at++) {
    const c = text[at]!
    if (c === '\\' && text[at + 1] === "'") {
      part += "'"
      at++
    } else if (c === "'") isQuoted = !isQuoted
    else if (c === separator && !isQuoted) {
      parts.push(part.trim())
      part = ''
    } else part += c
  }
  return [...parts, part.trim()].filter((each) => each !== '')
}
