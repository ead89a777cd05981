/**
 * A text as the audit log keeps it. Two things are taken out: what a URL carries before its host, which is a user name and
 * a password; and blanks of JSON documents, which quotas do not count, so that without this a caller could make a policy
 * too long for the log and yet valid. Both passes are linear.
 */

/** Shorter texts fit, whatever is in them. */
const COMPACTED_FROM = 1024
/** Of blanks within the strings of a document: a longer run is shown by its length. */
const BLANKS_MAX = 64

export function recordable(text: string): string {
  const plain = text.includes('://') ? withoutUserinfo(text) : text
  return plain.length >= COMPACTED_FROM && looksLikeJson(plain) ? compacted(plain) : plain
}

/** `https://user:password@host/` → `https://host/`. RFC 3986 §3.2: an authority ends at a slash, `?` or `#`. */
export function withoutUserinfo(text: string): string {
  let out = ''
  let from = 0
  for (let scheme = text.indexOf('://'); scheme >= 0; ) {
    const begin = scheme + 3
    let end = begin
    let at = -1
    for (; end < text.length && !isEnd(text.charCodeAt(end)); end++) if (text[end] === '@') at = end
    out += text.slice(from, begin)
    from = at < 0 ? begin : at + 1
    if (from < end) {
      out += text.slice(from, end)
      from = end
    }
    // A colon that ends one authority may begin the next.
    scheme = text.indexOf('://', Math.max(end - 1, begin))
  }
  return out + text.slice(from)
}

/** `/ ? #`, blanks, quotes, `< > , ; \\` and control characters: nothing that an authority may contain. */
function isEnd(code: number): boolean {
  return code <= 0x22 || ENDS.has(code)
}
const ENDS: ReadonlySet<number> = new Set([...'/?#<>,\\'].map((character) => character.charCodeAt(0)))

function looksLikeJson(text: string): boolean {
  let i = 0
  while (i < text.length && isBlank(text.charCodeAt(i))) i++
  return text[i] === '{' || text[i] === '['
}

/** RFC 8259 §2, and what other parsers of white space take for it. */
const isBlank = (code: number): boolean =>
  code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0 || code === 0xfeff

function compacted(text: string): string {
  const parts: string[] = []
  let inString = false
  let from = 0
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i)
    if (isBlank(code)) {
      let end = i + 1
      while (end < text.length && isBlank(text.charCodeAt(end))) end++
      const isShort = inString && end - i <= BLANKS_MAX
      if (!isShort) {
        parts.push(text.slice(from, i))
        if (inString) parts.push(`…(${end - i} blanks)…`)
        from = end
      }
      i = end
      continue
    }
    if (inString && code === 0x5c) i++
    else if (code === 0x22) inString = !inString
    i++
  }
  parts.push(text.slice(from))
  return parts.join('')
}
