/**
 * The components of a request that statements inspect: each gives the texts to look at, or says that the component is too large
 * and what that means for the statement.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-fields-list.html
 */
import type { FieldToMatch, MapMatchScope, OversizeHandling } from '@aws-sdk/client-wafv2'
import { type Argument, argumentsOf, cookiesOf } from './arguments.ts'
import { bodyArguments } from './body-arguments.ts'
import { jsonStrings } from './json-strings.ts'
import { headerValues, type InspectedRequest } from './request.ts'

/** AWS WAF looks at the first 8 KB and 200 of headers, and of cookies. */
const MAP_BYTES_MAX = 8_192
const MAP_ENTRIES_MAX = 200

/** Texts to inspect; or `MATCH`, `NO_MATCH`: decided without looking. */
export type Component = readonly string[] | 'MATCH' | 'NO_MATCH'

/** Fields of the API, and those that only managed rules have. */
export interface InspectedField extends FieldToMatch {
  /** What the body carries, by its type. */
  readonly BodyArguments?: Pick<NonNullable<FieldToMatch['Body']>, 'OversizeHandling'>
  /** Names of query arguments and cookies, which injections hide in, too. */
  readonly ArgumentNames?: object
}

/** A component's key: statements with equal keys look at the same texts. */
export const componentKey = (field: InspectedField): string => JSON.stringify(field)

/** What a field of this request holds. An absent header or argument has no texts: no statement matches it. */
export function componentOf(request: InspectedRequest, field: InspectedField): Component {
  if (field.SingleHeader) return headerValues(request, field.SingleHeader.Name!)
  if (field.SingleQueryArgument) {
    const wanted = field.SingleQueryArgument.Name!.toLowerCase()
    return argumentsOf(request.query)
      .filter(({ name }) => name.toLowerCase() === wanted)
      .map(({ value }) => value)
  }
  if (field.AllQueryArguments) return argumentsOf(request.query).map(({ value }) => value)
  if (field.UriPath) return [request.path]
  if (field.UriFragment)
    return request.fragment === undefined ? fallback(field.UriFragment.FallbackBehavior) : [request.fragment]
  if (field.QueryString) return [request.query]
  if (field.Method) return [request.method]
  if (field.Body) return truncated(request, field.Body.OversizeHandling, () => [request.body])
  if (field.BodyArguments) return truncated(request, field.BodyArguments.OversizeHandling, () => bodyArguments(request))
  if (field.ArgumentNames)
    return [...argumentsOf(request.query), ...cookiesOf(headerValues(request, 'cookie'))].map(({ name }) => name)
  if (field.JsonBody) {
    const { OversizeHandling: oversize } = field.JsonBody
    return truncated(request, oversize, () => jsonComponent(request.body, field.JsonBody!))
  }
  if (field.Headers) {
    const { MatchPattern: pattern, MatchScope: scope, OversizeHandling: oversize } = field.Headers
    const entries = request.headers.map(([name, value]) => ({ name, value }))
    return mapComponent(entries, scope, oversize, isChosen(pattern?.IncludedHeaders, pattern?.ExcludedHeaders, true))
  }
  if (field.Cookies) {
    const { MatchPattern: pattern, MatchScope: scope, OversizeHandling: oversize } = field.Cookies
    const entries = cookiesOf(headerValues(request, 'cookie'))
    return mapComponent(entries, scope, oversize, isChosen(pattern?.IncludedCookies, pattern?.ExcludedCookies, false))
  }
  if (field.HeaderOrder) {
    const { held, isOversize } = bounded(request.headers.map(([name, value]) => ({ name, value })))
    return overflow(isOversize, field.HeaderOrder.OversizeHandling, () => [held.map(({ name }) => name).join(':')])
  }
  if (field.JA3Fingerprint)
    return request.ja3 === undefined ? fallback(field.JA3Fingerprint.FallbackBehavior) : [request.ja3]
  if (field.JA4Fingerprint)
    return request.ja4 === undefined ? fallback(field.JA4Fingerprint.FallbackBehavior) : [request.ja4]
  throw new Error('A field that the model does not have.')
}

const fallback = (behavior: string | undefined): Component => (behavior === 'MATCH' ? 'MATCH' : 'NO_MATCH')

const overflow = (isOversize: boolean, handling: OversizeHandling | undefined, texts: () => Component): Component =>
  !isOversize || handling === undefined || handling === 'CONTINUE' ? texts() : handling

const truncated = (
  { isBodyTruncated }: InspectedRequest,
  handling: OversizeHandling | undefined,
  texts: () => Component,
): Component => overflow(isBodyTruncated, handling, texts)

/** Names of headers have no case; those of cookies have. */
function isChosen(
  included: readonly string[] | undefined,
  excluded: readonly string[] | undefined,
  foldsCase: boolean,
) {
  const folded = (name: string) => (foldsCase ? name.toLowerCase() : name)
  const names = new Set((included ?? excluded ?? []).map(folded))
  return ({ name }: Argument) => (included ? names.has(folded(name)) : !names.has(folded(name)))
}

function bounded(entries: readonly Argument[]): { readonly held: readonly Argument[]; readonly isOversize: boolean } {
  let size = 0
  const held: Argument[] = []
  for (const entry of entries) {
    const left = MAP_BYTES_MAX - size - entry.name.length
    if (held.length >= MAP_ENTRIES_MAX || left < 0) return { held, isOversize: true }
    size += entry.name.length + entry.value.length
    held.push(entry.value.length > left ? { ...entry, value: entry.value.slice(0, left) } : entry)
    if (entry.value.length > left) return { held, isOversize: true }
  }
  return { held, isOversize: false }
}

function mapComponent(
  entries: readonly Argument[],
  scope: MapMatchScope | undefined,
  handling: OversizeHandling | undefined,
  chosen: (entry: Argument) => boolean,
): Component {
  const { held, isOversize } = bounded(entries)
  return overflow(isOversize, handling, () =>
    held
      .filter(chosen)
      .flatMap(({ name, value }) => (scope === 'KEY' ? [name] : scope === 'VALUE' ? [value] : [name, value])),
  )
}

function jsonComponent(body: string, field: NonNullable<FieldToMatch['JsonBody']>): Component {
  const { items, isValid } = jsonStrings(body)
  if (!isValid && body !== '') {
    if (field.InvalidFallbackBehavior === 'EVALUATE_AS_STRING') return [body]
    if (field.InvalidFallbackBehavior) return fallback(field.InvalidFallbackBehavior)
  }
  const paths = field.MatchPattern?.IncludedPaths
  const isIncluded = (path: string) =>
    paths === undefined || paths.some((included) => path === included || path.startsWith(`${included}/`))
  return items
    .filter(({ path }) => isIncluded(path))
    .flatMap(({ key, value }) => {
      if (key !== undefined) return field.MatchScope === 'VALUE' ? [] : [key]
      return field.MatchScope === 'KEY' ? [] : [value!]
    })
}
