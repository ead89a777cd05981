/**
 * The arguments of `merlon encrypt` and `decrypt`, as the AWS Encryption CLI has them: short names, and options with
 * several values.
 */
import { UsageError } from '../command.ts'

const SHORT: Readonly<Record<string, string>> = {
  '-i': '--input',
  '-o': '--output',
  '-w': '--wrapping-keys',
  '-c': '--encryption-context',
  '-r': '--recursive',
  '-S': '--suppress-metadata',
}

/** Each takes all arguments up to the next option. */
const SEVERAL: ReadonlySet<string> = new Set([
  '--wrapping-keys',
  '--encryption-context',
  '--required-encryption-context-keys',
  '--caching',
])

/** Long names, and the values of an option that takes several as one JSON list, which {@link listOf} reads. */
export function normalizedWords(words: readonly string[]): string[] {
  const normalized: string[] = []
  for (let at = 0; at < words.length; ) {
    const word = words[at++]!
    const [name = '', ...rest] = word.split('=')
    const long = SHORT[name] ?? name
    if (!SEVERAL.has(long)) {
      normalized.push(long === name ? word : [long, ...rest].join('='))
      continue
    }
    const values = rest.length > 0 ? [rest.join('=')] : []
    while (at < words.length && (!words[at]!.startsWith('-') || words[at] === '-')) values.push(words[at++]!)
    normalized.push(`${long}=${JSON.stringify(values)}`)
  }
  return normalized
}

/** The values of each occurrence of an option. */
export const groupsOf = (given: readonly string[]): readonly (readonly string[])[] =>
  given.map((text) => JSON.parse(text) as string[])

export const listOf = (given: readonly string[]): readonly string[] => groupsOf(given).flat()

/**
 * `name=value` arguments. Throws a `UsageError` for an argument without `=`, and for a name that is not one of `names`.
 */
export function pairsOf(
  words: readonly string[],
  option: string,
  names?: readonly string[],
): readonly (readonly [string, string])[] {
  return words.map((word) => {
    const at = word.indexOf('=')
    if (at <= 0) throw new UsageError(`--${option} is NAME=VALUE, not '${word}'.`)
    const name = word.slice(0, at)
    if (names && !names.includes(name))
      throw new UsageError(`--${option} has no setting '${name}'. It has: ${names.join(', ')}.`)
    return [name, word.slice(at + 1)] as const
  })
}

/** Throws a `UsageError` for what is no whole number from `least`. */
export function wholeNumber(text: string | undefined, option: string, least: number): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < least)
    throw new UsageError(`--${option} is a whole number from ${least}, not '${text}'.`)
  return number
}
