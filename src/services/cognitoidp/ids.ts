/** Random identifiers in the alphabets that Cognito uses. */
import { randomInt } from 'node:crypto'

export const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789'

export const idFrom = (alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')

/** Six decimal digits. */
export const newCode = (): string => String(randomInt(1_000_000)).padStart(6, '0')
