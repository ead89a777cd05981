/** IAM's own errors for names and paths with invalid characters. It checks them after lengths and enumerations. */
import { InvalidInputFault, type Violation } from '../../wire/constraints.ts'
import { Fault } from '../../wire/fault.ts'

/** By the model's pattern. */
const WORDS: Readonly<Record<string, string>> = {
  '[\\w+=,.@-]+': 'It must contain only alphanumeric characters and/or the following: +=,.@_-',
  '(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)':
    'It must begin and end with / and contain only alphanumeric characters and/or / characters.',
  '((/[A-Za-z0-9\\.,\\+@=_-]+)*)/':
    'It must begin and end with / and contain only alphanumeric characters and/or / characters.',
  '\\u002F[\\u0021-\\u007F]*': 'It must begin with / and contain only alphanumeric characters and/or / characters.',
}

const wordsFor = ({ rule, pattern = '' }: Violation): string | undefined =>
  rule === 'pattern' && Object.hasOwn(WORDS, pattern) ? WORDS[pattern] : undefined

export function invalidInput(violations: readonly Violation[]): Fault | undefined {
  const others = violations.filter((each) => wordsFor(each) === undefined)
  if (others.length > 0) return new InvalidInputFault('ValidationError', others)
  const [first] = violations
  return first && new Fault('ValidationError', `The specified value for ${first.at} is invalid. ${wordsFor(first)}`)
}
