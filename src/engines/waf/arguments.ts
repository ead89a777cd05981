/** Arguments of query strings, and cookies. Names and values are not decoded: transformations do that. */

export interface Argument {
  readonly name: string
  readonly value: string
}

/** The arguments of a query string, in their order. */
export const argumentsOf = (query: string): readonly Argument[] => (query === '' ? [] : query.split('&').map(argument))

/** The cookies of all Cookie headers, in their order. */
export const cookiesOf = (headers: readonly string[]): readonly Argument[] =>
  headers
    .flatMap((header) => header.split(';'))
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(argument)

function argument(text: string): Argument {
  const equals = text.indexOf('=')
  return equals < 0 ? { name: text, value: '' } : { name: text.slice(0, equals), value: text.slice(equals + 1) }
}
