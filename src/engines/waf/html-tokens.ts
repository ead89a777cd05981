/**
 * A tokenizer of HTML as browsers read it: tags with their attributes, whatever is wrong with them. Linear; tags only, text between
 * them is skipped. Source: https://html.spec.whatwg.org/multipage/parsing.html#tokenization
 */

export interface HtmlAttribute {
  /** Lower case. */
  readonly name: string
  /** Not decoded; empty when there is none. */
  readonly value: string
  readonly hasValue: boolean
}

export interface HtmlTag {
  /** Lower case; with `/` before it for end tags, `!` for declarations and comments, `?` for processing instructions. */
  readonly name: string
  readonly attributes: readonly HtmlAttribute[]
}

/** More says nothing new. */
const TAGS_MAX = 200
const ATTRIBUTES_MAX = 1_000

/** Between attributes, browsers skip these. */
const GAP = /[\s\0/]*/y
/** An equals sign where a name begins is part of it. */
const ATTRIBUTE_NAME = /[^\s\0/>][^\s/>=]*/y
const EQUALS = /[\s\0]*=[\s\0]*/y
const UNQUOTED = /[^\s>]*/y
const TAG_NAME = /[A-Za-z][^\s/>]*/y

const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a

interface Cursor {
  readonly text: string
  at: number
}

const take = (cursor: Cursor, pattern: RegExp): string | undefined => {
  pattern.lastIndex = cursor.at
  const match = pattern.exec(cursor.text)
  if (!match) return undefined
  cursor.at = pattern.lastIndex
  return match[0]
}

/** Attributes up to the end of the tag; afterwards the cursor is behind its `>`. */
function takeAttributes(cursor: Cursor): readonly HtmlAttribute[] {
  const attributes: HtmlAttribute[] = []
  while (cursor.at < cursor.text.length && attributes.length < ATTRIBUTES_MAX) {
    take(cursor, GAP)
    if (cursor.text[cursor.at] === '>') {
      cursor.at++
      break
    }
    const name = take(cursor, ATTRIBUTE_NAME)
    if (name === undefined) {
      cursor.at++
      continue
    }
    const hasValue = take(cursor, EQUALS) !== undefined
    attributes.push({
      name: name.replaceAll('\0', '').toLowerCase(),
      value: hasValue ? takeValue(cursor) : '',
      hasValue,
    })
  }
  return attributes
}

function takeValue(cursor: Cursor): string {
  const quote = cursor.text[cursor.at]
  // Old browsers take accents for quotes.
  if (quote !== '"' && quote !== "'" && quote !== '`') return take(cursor, UNQUOTED) ?? ''
  const end = cursor.text.indexOf(quote, cursor.at + 1)
  const value = cursor.text.slice(cursor.at + 1, end < 0 ? undefined : end)
  cursor.at = end < 0 ? cursor.text.length : end + 1
  return value
}

/** The tags of a text. `inTag`: it begins within a tag, before an attribute; these come first, under an empty name. */
export function htmlTags(text: string, inTag = false): readonly HtmlTag[] {
  const cursor: Cursor = { text, at: 0 }
  const tags: HtmlTag[] = []
  if (inTag) tags.push({ name: '', attributes: takeAttributes(cursor) })
  while (tags.length < TAGS_MAX) {
    const open = text.indexOf('<', cursor.at)
    if (open < 0) break
    cursor.at = open + 1
    const next = text[cursor.at] ?? ''
    const mark = next !== '' && '/!?%'.includes(next) ? next : ''
    if (mark) cursor.at++
    if (mark === '!' || mark === '?' || mark === '%') {
      const end = text.indexOf('>', cursor.at)
      const content = text.slice(cursor.at, Math.min(end < 0 ? text.length : end, cursor.at + 64))
      tags.push({ name: `${mark}${content.toLowerCase()}`, attributes: [] })
      continue
    }
    const name = isLetter(text.charCodeAt(cursor.at)) ? take(cursor, TAG_NAME) : undefined
    if (name !== undefined)
      tags.push({ name: mark + name.replaceAll('\0', '').toLowerCase(), attributes: takeAttributes(cursor) })
  }
  return tags
}
