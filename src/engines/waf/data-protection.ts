/**
 * What is replaced in requests before they are recorded: fields that a logging configuration redacts, and fields that a web ACL
 * protects.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-data-protection-and-logging.html
 */
import { createHash } from 'node:crypto'
import type { DataProtection, FieldToMatch } from '@aws-sdk/client-wafv2'
import type { Json } from './json.ts'
import type { InspectedRequest } from './request.ts'

export const REDACTED = 'REDACTED'

type Replace = (text: string) => string

const substituted: Replace = () => REDACTED
const hashed: Replace = (text) => createHash('sha256').update(text, 'latin1').digest('hex')

/** Names of headers, cookies and arguments are compared in any case. */
const chosen = (names: readonly string[]) => {
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  return (name: string) => wanted.has(name.toLowerCase())
}

const replacedHeaders = (request: InspectedRequest, isChosen: (name: string) => boolean, replace: Replace) => ({
  ...request,
  headers: request.headers.map(([name, value]) => [name, isChosen(name) ? replace(value) : value] as const),
})

const replacedCookies = (request: InspectedRequest, isChosen: (name: string) => boolean, replace: Replace) => ({
  ...request,
  headers: request.headers.map(([name, value]) =>
    name.toLowerCase() === 'cookie'
      ? ([name, replacedPairs(value, ';', isChosen, replace)] as const)
      : ([name, value] as const),
  ),
})

/** `a=1; b=2` or `a=1&b=2`, with the values of chosen names replaced. */
const replacedPairs = (
  text: string,
  separator: string,
  isChosen: (name: string) => boolean,
  replace: Replace,
): string =>
  text
    .split(separator)
    .map((pair) => {
      const equals = pair.indexOf('=')
      const name = (equals < 0 ? pair : pair.slice(0, equals)).trim()
      return equals >= 0 && isChosen(decoded(name))
        ? `${pair.slice(0, equals + 1)}${replace(pair.slice(equals + 1))}`
        : pair
    })
    .join(separator)

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** The request as logs show it: a redacted field says `REDACTED`. */
export function redactedRequest(request: InspectedRequest, fields: readonly Json<FieldToMatch>[]): InspectedRequest {
  let shown = request
  for (const field of fields) {
    if (field.SingleHeader) shown = replacedHeaders(shown, chosen([field.SingleHeader.Name!]), substituted)
    if (field.UriPath) shown = { ...shown, path: REDACTED }
    if (field.QueryString) shown = { ...shown, query: REDACTED }
    if (field.Method) shown = { ...shown, method: REDACTED }
  }
  return shown
}

/** The request as logs and samples show it: a protected field is replaced by a fixed text or by its SHA-256, in hexadecimal. */
export function protectedRequest(
  request: InspectedRequest,
  protections: readonly Json<DataProtection>[],
): InspectedRequest {
  let shown = request
  for (const { Field, Action } of protections) {
    const replace = Action === 'HASH' ? hashed : substituted
    const isChosen = Field?.FieldKeys ? chosen(Field.FieldKeys) : () => true
    switch (Field?.FieldType) {
      case 'SINGLE_HEADER':
        shown = replacedHeaders(shown, isChosen, replace)
        break
      case 'SINGLE_COOKIE':
        shown = replacedCookies(shown, isChosen, replace)
        break
      case 'SINGLE_QUERY_ARGUMENT':
        shown = { ...shown, query: replacedPairs(shown.query, '&', isChosen, replace) }
        break
      case 'QUERY_STRING':
        shown = { ...shown, query: replace(shown.query) }
        break
      case 'BODY':
        shown = { ...shown, body: replace(shown.body) }
        break
    }
  }
  return shown
}
