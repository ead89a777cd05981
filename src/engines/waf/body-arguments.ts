/**
 * The values that a body carries, by its declared type: forms, multipart, JSON; for rules of managed groups. Bodies of other types
 * are one text, binary ones none: they are never taken apart.
 */
import { type Argument, argumentsOf } from './arguments.ts'
import { jsonStrings } from './json-strings.ts'
import { headerValues, type InspectedRequest } from './request.ts'
import { transform } from './transformations.ts'

/** What is not read of a body shows in the oversize handling of its rules. */
const ARGUMENTS_MAX = 1_000

/** Decoded texts: names and values of forms, keys and values of JSON, names, file names and values of multipart. */
export function bodyArguments(request: InspectedRequest): readonly string[] {
  if (request.body === '') return []
  const type = headerValues(request, 'content-type')[0]?.toLowerCase() ?? ''
  if (type.includes('multipart/')) return multipart(request.body, type)
  if (/[/+]json/.test(type)) return jsonStrings(request.body, false).items.map(({ key, value }) => key ?? value!)
  if (/^(?:image|audio|video|font)\/|octet-stream|zip|pdf/.test(type)) return []
  if (type.includes('urlencoded') || type === '') return formArguments(request.body)
  return [request.body]
}

const decoded = (text: string): string => transform(text, ['URL_DECODE_UNI'])

const formArguments = (body: string): readonly string[] =>
  argumentsOf(body)
    .slice(0, ARGUMENTS_MAX)
    .flatMap(({ name, value }: Argument) => (value === '' ? [decoded(name)] : [decoded(name), decoded(value)]))

function multipart(body: string, type: string): readonly string[] {
  const boundary = /boundary="?([^";,\s]{1,200})/.exec(type)?.[1]
  if (boundary === undefined) return [body]
  // Boundaries have a case; the declared type was folded.
  const delimiter = new RegExp(`--${boundary.replace(/[^\w]/g, '\\$&')}`, 'gi')
  return body
    .split(delimiter)
    .slice(1, ARGUMENTS_MAX)
    .flatMap((part) => {
      const end = part.search(/\r?\n\r?\n/)
      if (end < 0) return []
      const head = part.slice(0, end)
      const names = [...head.matchAll(/\b(?:file)?name\*?="?([^";\r\n]{0,500})/gi)].map(([, name]) => name!)
      return [...names, part.slice(end).trim()]
    })
}
