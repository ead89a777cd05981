/**
 * CORS on the API (Fetch Standard §3.2): closed but for the console's own origin and those that an operator lists. A
 * preflight is answered before authentication, from headers alone. Cookies are never allowed: calls are signed.
 */
import { type HttpRequest, type HttpResponse, header } from '../../wire/http.ts'

type IsAllowed = (origin: string, request: HttpRequest) => boolean

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
/** What AWS's SDKs send from browsers. */
const REQUEST_HEADER =
  /^(?:authorization|cache-control|content-(?:disposition|encoding|language|md5|type)|expires|if-(?:none-)?match|if-(?:un)?modified-since|range|smithy-protocol|(?:x-amzn?|amz-sdk)-[a-z0-9-]{1,64})$/
const RESPONSE_HEADERS =
  'x-amzn-requestid, x-amz-request-id, x-amzn-errortype, x-merlon-authorization-message, date, etag, retry-after'
const MAX_AGE_SECONDS = 7_200

export class Cors {
  readonly #isAllowed: IsAllowed

  constructor(origins: ReadonlySet<string>, isConsole: IsAllowed) {
    this.#isAllowed = (origin, request) => origins.has(origin) || isConsole(origin, request)
  }

  /** The answer to a preflight of an allowed origin; undefined for any other request. */
  preflight(request: HttpRequest): HttpResponse | undefined {
    if (request.method !== 'OPTIONS' || header(request, 'access-control-request-method') === undefined) return undefined
    const origin = this.#originOf(request)
    if (origin === undefined) return undefined
    const requested = (header(request, 'access-control-request-headers') ?? '').toLowerCase().split(',')
    const allowed = requested.map((name) => name.trim()).filter((name) => REQUEST_HEADER.test(name))
    return {
      status: 204,
      headers: {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': METHODS,
        ...(allowed.length > 0 && { 'access-control-allow-headers': allowed.join(', ') }),
        'access-control-max-age': String(MAX_AGE_SECONDS),
        vary: 'origin, access-control-request-method, access-control-request-headers',
      },
      body: '',
    }
  }

  /** Lets a page of an allowed origin read the response. */
  allow(request: HttpRequest, response: HttpResponse): HttpResponse {
    const origin = this.#originOf(request)
    if (origin === undefined) return response
    const { vary } = response.headers
    return {
      ...response,
      headers: {
        ...response.headers,
        'access-control-allow-origin': origin,
        'access-control-expose-headers': RESPONSE_HEADERS,
        vary: vary === undefined ? 'origin' : `${vary}, origin`,
      },
    }
  }

  #originOf(request: HttpRequest): string | undefined {
    const origin = header(request, 'origin')
    return origin !== undefined && this.#isAllowed(origin, request) ? origin : undefined
  }
}
