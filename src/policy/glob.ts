/**
 * Wildcard matching without regular expressions: linear pointers over a pattern of codes, so that no policy text can
 * make it slow, and no text put in place of a variable can become a wildcard.
 */

/** A character's UTF-16 code, or one of the four wildcards below. */
export type Pattern = readonly number[]

/** `*` where anything may follow. */
export const ANY = -1
/** `*` that stays within its part of an ARN. */
export const ANY_BUT_COLON = -2
/** `?` */
export const ONE = -3
/** `?` that stays within its part of an ARN. */
export const ONE_BUT_COLON = -4

const COLON = 58

export function codes(text: string): number[] {
  const result = new Array<number>(text.length)
  for (let i = 0; i < text.length; i++) result[i] = text.charCodeAt(i)
  return result
}

/** `*` and `?` as wildcards that match any character. */
export function globCodes(text: string): number[] {
  return codes(text).map((code) => (code === 42 ? ANY : code === 63 ? ONE : code))
}

/**
 * Two levels of going back: to the last star within a part while no colon is passed, else to the last free star.
 * Earlier stars never need another try: whatever they could still yield, a later one of the same kind covers.
 */
export function globMatches(pattern: Pattern, text: string): boolean {
  const end = text.length
  const length = pattern.length
  let at = 0
  let p = 0
  let freeStar = -1
  let freeAt = 0
  let partStar = -1
  let partAt = 0

  while (at < end || p < length) {
    const wanted = p < length ? pattern[p]! : undefined
    if (wanted === ANY) {
      freeStar = ++p
      freeAt = at
      partStar = -1
      if (p === length) return true
      continue
    }
    if (wanted === ANY_BUT_COLON) {
      partStar = ++p
      partAt = at
      continue
    }
    if (wanted !== undefined && at < end) {
      const code = text.charCodeAt(at)
      if (wanted === code || wanted === ONE || (wanted === ONE_BUT_COLON && code !== COLON)) {
        at++
        p++
        continue
      }
    }
    if (partStar >= 0 && partAt < end && text.charCodeAt(partAt) !== COLON) {
      at = ++partAt
      p = partStar
    } else if (freeStar >= 0 && freeAt < end) {
      at = ++freeAt
      p = freeStar
      partStar = -1
    } else {
      return false
    }
  }
  return true
}

/** The pattern as a test, with the common shapes recognized beforehand. */
export function compileGlob(pattern: Pattern): (text: string) => boolean {
  const firstWild = pattern.findIndex((code) => code < 0)
  if (firstWild < 0) {
    const literal = literalPrefix(pattern)
    return (text) => text === literal
  }
  const prefix = literalPrefix(pattern)
  if (firstWild === pattern.length - 1 && pattern[firstWild] === ANY) {
    return prefix === '' ? () => true : (text) => text.startsWith(prefix)
  }
  return (text) => text.startsWith(prefix) && globMatches(pattern, text)
}

export function literalPrefix(pattern: Pattern): string {
  let prefix = ''
  for (const code of pattern) {
    if (code < 0) break
    prefix += String.fromCharCode(code)
  }
  return prefix
}
