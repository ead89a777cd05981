/** String match conditions, byte for byte. */
import type { PositionalConstraint } from '@aws-sdk/client-wafv2'

const isWordCharacter = (c: string | undefined): boolean => c !== undefined && /\w/.test(c)

/** `CONTAINS_WORD`: no letter, digit or underscore next to it. */
function containsWord(text: string, wanted: string, spend: (steps: number) => void): boolean {
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    // In a text that repeats itself each character begins another candidate.
    spend(wanted.length)
    if (!isWordCharacter(text[at - 1]) && !isWordCharacter(text[at + wanted.length])) return true
  }
  return false
}

/** `spend` is called with the steps that candidates of a word take. @example bytesMatch('/login/x', '/login', 'STARTS_WITH') // true */
export function bytesMatch(
  text: string,
  wanted: string,
  constraint: PositionalConstraint,
  spend: (steps: number) => void = () => undefined,
): boolean {
  switch (constraint) {
    case 'EXACTLY':
      return text === wanted
    case 'STARTS_WITH':
      return text.startsWith(wanted)
    case 'ENDS_WITH':
      return text.endsWith(wanted)
    case 'CONTAINS':
      return text.includes(wanted)
    case 'CONTAINS_WORD':
      return containsWord(text, wanted, spend)
  }
}
