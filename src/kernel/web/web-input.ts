/** The input of a route: path, query, and a form or JSON of the route's size. */
import { Fault } from '../../wire/fault.ts'
import { type HttpRequest, header } from '../../wire/http.ts'
import type { MatchedRoute, WebInput } from './site.ts'

const FIELDS_MAX = 200
const NO_BYTES = Buffer.alloc(0)

/** Throws a 413 or a 415 before anything is parsed. */
export function assertBody(request: Pick<HttpRequest, 'body' | 'rawHeaders'>, { route }: MatchedRoute): void {
  if (request.body.length > (route.body === 'none' ? 0 : route.bodyBytesMax))
    throw new Fault('ContentTooLarge', `The body is longer than ${route.bodyBytesMax} bytes.`, { status: 413 })
  const type = (header(request, 'content-type') ?? '').split(';')[0]!.trim().toLowerCase()
  const isRight =
    route.body === 'none' ||
    route.body === 'bytes' ||
    (route.body === 'form'
      ? type === 'application/x-www-form-urlencoded'
      : type === 'application/json' || type === 'application/scim+json')
  if (!isRight)
    throw new Fault('UnsupportedMediaType', `The body is not of the type that ${route.path} takes.`, { status: 415 })
}

/** A field that is repeated counts once: the first. Throws a 400. */
export function readInput(request: HttpRequest, { route, path }: MatchedRoute, csrf: string): WebInput {
  try {
    const isText = route.body === 'form' || route.body === 'json'
    const text = !isText ? '' : new TextDecoder('utf-8', { fatal: true }).decode(request.body)
    return {
      path,
      query: fieldsOf(request.query),
      rawQuery: request.query,
      form: route.body === 'form' ? fieldsOf(text) : {},
      json: route.body === 'json' ? JSON.parse(text) : undefined,
      bytes: route.body === 'bytes' ? Buffer.from(request.body) : NO_BYTES,
      csrf,
      authorization: header(request, 'authorization'),
    }
  } catch (cause) {
    throw new Fault('BadRequest', 'The request cannot be read.', { status: 400, cause })
  }
}

function fieldsOf(text: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = Object.create(null)
  let count = 0
  for (const [name, value] of new URLSearchParams(text)) {
    if (++count > FIELDS_MAX) throw new Error('too many fields')
    fields[name] ??= value
  }
  return fields
}
