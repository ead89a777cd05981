/**
 * Filter patterns: terms (`ERROR "not found"`, `?ERROR ?WARN`, `-DEBUG`) and JSON selectors (`{ $.status >= 500 }`). Regular
 * expressions (`%…%`) and patterns of fields by place (`[ip, user, …]`) are refused.
 *
 * Work is bounded: a pattern has at most 1,024 characters, so at most some hundred comparisons, and each is linear in the event.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 *
 * @example
 * compileFilter('{ ($.level = "error") && ($.code > 499) }')('{"level":"error","code":503}') // true
 */
import { invalid } from './faults.ts'
import { type Comparison, compileSelector } from './filter-selector.ts'
import { FilterText } from './filter-text.ts'

export type Filter = (message: string) => boolean

const LENGTH_MAX = 1_024

/** Throws `InvalidParameterException` for a pattern that is not valid, or not supported. */
export function compileFilter(pattern: string): Filter {
  if (pattern.length > LENGTH_MAX) throw invalid(`A filter pattern has at most ${LENGTH_MAX} characters.`)
  const text = new FilterText(pattern)
  if (text.isOver) return () => true
  if (text.next === '{') return json(compileSelector(text))
  if (text.next === '[')
    throw invalid(
      'Merlon does not implement filter patterns of space-delimited fields ([…]). Use terms or { $.field … }.',
    )
  return terms(text)
}

function json(comparison: Comparison): Filter {
  return (message) => {
    const start = message.trimStart()[0]
    if (start !== '{' && start !== '[') return false
    try {
      return comparison(JSON.parse(message))
    } catch {
      return false
    }
  }
}

function terms(text: FilterText): Filter {
  const required: string[] = []
  const excluded: string[] = []
  const optional: string[] = []
  while (!text.isOver) {
    const among = text.take('?') ? optional : text.take('-') ? excluded : required
    among.push(text.next === '"' ? text.quoted() : text.term())
  }
  if (optional.length > 0 && required.length + excluded.length > 0)
    throw invalid('Invalid filter pattern: ? cannot be combined with terms without it.')
  return (message) =>
    required.every((term) => message.includes(term)) &&
    !excluded.some((term) => message.includes(term)) &&
    (optional.length === 0 || optional.some((term) => message.includes(term)))
}
