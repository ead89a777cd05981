/**
 * JSON selectors of filter patterns: comparisons of one value each, with `&&`, `||` and parentheses.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
import type { FilterText } from './filter-text.ts'

/** Of the parsed event. */
export type Comparison = (event: unknown) => boolean

/** Parentheses within each other. */
const DEPTH_MAX = 32
/** Elements of an array that `[*]` looks at. */
const ELEMENTS_MAX = 1_000

/** Reads `{ … }` to its end. */
export function compileSelector(text: FilterText): Comparison {
  text.expect('{')
  const comparison = alternatives(text, 0)
  text.expect('}')
  if (!text.isOver) throw text.wrong('nothing may follow }')
  return comparison
}

function alternatives(text: FilterText, depth: number): Comparison {
  const all = [conjunction(text, depth)]
  while (text.take('||')) all.push(conjunction(text, depth))
  return (event) => all.some((each) => each(event))
}

function conjunction(text: FilterText, depth: number): Comparison {
  const all = [single(text, depth)]
  while (text.take('&&')) all.push(single(text, depth))
  return (event) => all.every((each) => each(event))
}

function single(text: FilterText, depth: number): Comparison {
  if (!text.take('(')) return compared(text)
  if (depth >= DEPTH_MAX) throw text.wrong('too many parentheses')
  const inner = alternatives(text, depth + 1)
  text.expect(')')
  return inner
}

function compared(text: FilterText): Comparison {
  const valuesOf = path(text)
  const any =
    (test: (value: unknown) => boolean): Comparison =>
    (event) =>
      valuesOf(event).some(test)
  if (text.take('IS')) {
    if (text.take('NULL')) return any((value) => value === null)
    if (text.take('TRUE')) return any((value) => value === true)
    if (text.take('FALSE')) return any((value) => value === false)
    throw text.wrong('expected NULL, TRUE or FALSE')
  }
  if (text.take('NOT')) {
    text.expect('EXISTS')
    return (event) => valuesOf(event).every((value) => value === undefined)
  }
  if (text.take('EXISTS')) return any((value) => value !== undefined)
  if (text.take('!=')) {
    const isEqual = equality(text)
    return any((value) => value !== undefined && !isEqual(value))
  }
  if (text.take('>=')) return any(ordered(text, (value, bound) => value >= bound))
  if (text.take('<=')) return any(ordered(text, (value, bound) => value <= bound))
  if (text.take('>')) return any(ordered(text, (value, bound) => value > bound))
  if (text.take('<')) return any(ordered(text, (value, bound) => value < bound))
  text.expect('=')
  return any(equality(text))
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

function ordered(text: FilterText, test: (value: number, bound: number) => boolean) {
  const word = text.word(/[\w.+-]/, 'expected a number')
  if (!NUMBER.test(word)) throw text.wrong(`${word} is not a number`)
  const bound = Number(word)
  return (value: unknown) => typeof value === 'number' && test(value, bound)
}

/** A number, or a text in which `*` matches any characters. */
function equality(text: FilterText): (value: unknown) => boolean {
  const isQuoted = text.next === '"'
  const wanted = isQuoted ? text.quoted() : text.word(/[^\s()&|{}"%]/, 'expected a value')
  if (!isQuoted && NUMBER.test(wanted)) {
    const number = Number(wanted)
    return (value) => value === number || value === wanted
  }
  const parts = wanted.split('*')
  return (value) => typeof value === 'string' && matches(parts, value)
}

/** Linear: each part is searched behind the one before. */
function matches(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts
  if (rest.length === 0) return text === first
  if (!text.startsWith(first)) return false
  let at = first.length
  const last = rest.pop()!
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - at >= last.length && text.endsWith(last)
}

type Step = string | number | '*'

/** `$.a.b[0].c`, `$.a[*]`, `$["a b"]`. */
function path(text: FilterText): (event: unknown) => readonly unknown[] {
  text.expect('$')
  const steps: { readonly step: Step; readonly isElement: boolean }[] = []
  for (;;) {
    if (text.take('.')) {
      steps.push({ step: text.word(/[\p{L}\p{N}_-]/u, 'expected the name of a field'), isElement: false })
    } else if (text.take('[')) {
      const isQuoted = text.next === '"'
      const step = isQuoted ? text.quoted() : text.word(/[\d*]/, 'expected the number of an element')
      steps.push({ step: isQuoted || step === '*' ? step : Number(step), isElement: !isQuoted })
      text.expect(']')
    } else break
  }
  if (steps.length === 0) throw text.wrong('expected the path of a field')
  return (event) =>
    steps.reduce<readonly unknown[]>((values, each) => values.flatMap((value) => below(value, each)), [event])
}

function below(value: unknown, { step, isElement }: { readonly step: Step; readonly isElement: boolean }): unknown[] {
  if (Array.isArray(value))
    return !isElement ? [undefined] : step === '*' ? value.slice(0, ELEMENTS_MAX) : [value[step as number]]
  if (isElement || typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return [undefined]
  return [(value as Readonly<Record<string, unknown>>)[step]]
}
