/** Random passwords: every character equally likely, whole passwords are drawn until one fits. */
import { randomText } from '../../kernel/service/id.ts'

export interface PasswordRules {
  readonly length: number
  readonly excluded: string
  readonly lowercase: boolean
  readonly uppercase: boolean
  readonly numbers: boolean
  readonly punctuation: boolean
  readonly space: boolean
  readonly eachType: boolean
}

const TYPES = {
  lowercase: 'abcdefghijklmnopqrstuvwxyz',
  uppercase: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  numbers: '0123456789',
  // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
  punctuation: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
  space: ' ',
} as const

/**
 * A password by the rules; undefined when there is none (nothing left to choose from, or more types than places).
 * With `eachType` whole passwords are drawn until one has every type, so that no place is more predictable.
 */
export function randomPassword(rules: PasswordRules): string | undefined {
  const types = (Object.keys(TYPES) as (keyof typeof TYPES)[])
    .filter((type) => rules[type])
    .map((type) => [...TYPES[type]].filter((character) => !rules.excluded.includes(character)))
  const alphabet = types.flat()
  if (alphabet.length === 0) return undefined
  if (!rules.eachType) return randomText(alphabet, rules.length)
  if (types.some((type) => type.length === 0) || types.length > rules.length) return undefined
  for (;;) {
    const password = randomText(alphabet, rules.length)
    if (types.every((type) => type.some((character) => password.includes(character)))) return password
  }
}
