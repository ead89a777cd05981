/**
 * Web sites of services: pages, OAuth and OIDC endpoints, SCIM, the console's files. A site is a list of routes; each says
 * how its caller is authenticated, how large its body may be, and what of its input the audit log may show.
 */
import type { HttpRequest } from '../../wire/http.ts'
import { header } from '../../wire/http.ts'
import type { EventDraft, EventFacts } from '../events/event.ts'
import type { Bearer } from '../gate/bearer.ts'
import type { Call } from '../gate/call.ts'
import type { ActAs, CallAsPerson } from '../gate/service-caller.ts'
import type { Use } from '../ports/port.ts'
import type { BearerScheme } from '../service/bearer.ts'
import type { CheckSecret } from '../state/failure-budget.ts'
import type { Reader } from '../state/reader.ts'
import type { Html } from './html.ts'

export type Awaitable<T> = T | Promise<T>

/** What a route answers. */
export type WebAnswer =
  /** `formAction`: origins besides our own to which its forms may lead, such as an app's registered address. */
  | {
      readonly page: Html
      readonly status?: number
      readonly session?: object | 'end'
      readonly formAction?: readonly string[]
    }
  | { readonly json: object; readonly status?: number; readonly contentType?: string; readonly headers?: Headers }
  /** 204 */
  | { readonly empty: true }
  | {
      readonly file: string | Uint8Array
      readonly contentType: string
      /** 0: not cached. */
      readonly cacheSeconds: number
      readonly status?: number
      readonly headers?: Headers
    }
  /** A path of this site, or an address that was registered before: never one that only the request names. */
  // `bindsBrowser`: what comes back must come from this browser, so it gets its cookie before any page.
  | { readonly redirect: string; readonly session?: object | 'end'; readonly bindsBrowser?: true }

type Headers = Readonly<Record<string, string>>

export interface WebInput {
  /** From the route's path: `/users/:id`. */
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** The query as it came: signatures of SAML's redirect binding cover its bytes. */
  readonly rawQuery: string
  readonly form: Readonly<Record<string, string>>
  readonly json: unknown
  /** As it came, where the route takes bytes; else empty. */
  readonly bytes: Buffer
  /** To put into each form of a page, as the hidden field `csrf`. */
  readonly csrf: string
  /** The header `Authorization`, for endpoints where an OAuth client may prove itself by it (RFC 6749 section 2.3.1). */
  readonly authorization: string | undefined
}

/** What a route's body works with. A route writes its own service's rows; on other services it acts by `act`. */
export interface WebCall<C = undefined>
  extends Pick<
    Call,
    | 'now'
    | 'requestId'
    | 'origin'
    | 'unit'
    | 'vault'
    | 'ports'
    | 'use'
    | 'quotas'
    | 'event'
    | 'newId'
    | 'uniqueId'
    | 'once'
    | 'commitNow'
    | 'afterCommit'
  > {
  /** The claims of the session or the bearer token; undefined for an anonymous caller. */
  readonly claims: C
  readonly remoteAddress: string
  readonly userAgent: string
  /** Whether the client's connection was TLS. */
  readonly isSecure: boolean
  /** The first value of a header of the request, by its name in lower case: nothing of it is recorded. */
  header(name: string): string | undefined
  /**
   * The origin of pages, such as `https://console.example`, without a path: for the recipient of a SAML response, an OIDC
   * redirect or a link in a mail. `origin` is the API's.
   */
  readonly webOrigin: string
  readonly actAs: ActAs
  /** Calls an operation of another service as a signed-in person. */
  readonly callAs: CallAsPerson
  /** Throws the denial unless a signed-in person may do this to a resource of the person's own account. */
  readonly authorizeAs: (person: Parameters<CallAsPerson>[0], action: string, arn: string) => Promise<void>
  /** Compares a secret that can be guessed online, within its durable failure budget; once, although a body may be retried. */
  readonly checkSecret: CheckSecret
  /** The account and Region whose audit log gets the event; known at first only for sessions and bearer tokens. */
  recordIn(account: string, region?: string): void
  /**
   * Records an event in place of the route's own; more than one where a request is several events. Failures of anonymous
   * callers are recorded in part, unless `isBounded` says that a failure budget bounds them.
   */
  record(event: WebEvent): void
}

/** An audit event that a route defines itself. */
export interface WebEvent {
  readonly name: string
  readonly account: string
  readonly userIdentity: NonNullable<EventDraft['userIdentity']>
  readonly responseElements?: object
  readonly additionalEventData?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: string | undefined; readonly message: string }
  readonly eventType?: EventFacts['eventType']
  readonly isBounded?: boolean
}

/** Callers that signed in. The cookie is sealed, so that forged ones cost no read. */
export interface SessionScheme<C extends object> {
  /** `merlon-portal`; over TLS with the prefix `__Host-`. */
  readonly cookie: string
  readonly lifetimeMs: number
  /** Sites of one service with the same name here have one session. Default: the site's base. Sealed into cookies: never change it. */
  readonly sharedAs?: string
  /** For the audit log and the throttle. */
  readonly bearer: (claims: C) => Bearer<C>
  /** Whether the session still holds (sign-out counter, deleted user): read in the route's transaction. */
  readonly isValid: (claims: C, reader: Reader, now: number, use: Use) => Awaitable<boolean>
}

// biome-ignore-start lint/suspicious/noExplicitAny: the registry holds routes of every claim; `route()` typed them.
export type WebAuthentication =
  | 'anonymous'
  /** Static and public: no event, no throttle of its own, cacheable. */
  | 'document'
  | 'session'
  /** A session where the browser has a valid one, else anonymous: `claims` may be undefined. */
  | 'optional-session'
  | { readonly bearer: BearerScheme<any> }

export interface WebRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the site's base: `/users/:id`. */
  readonly path: string
  /** What parameters of the path must look like, for the route to be meant: `{ id: /^\d+$/ }`. Default: anything. */
  readonly patterns?: Readonly<Record<string, RegExp>>
  /** The event's name in the audit log. */
  readonly event: string
  readonly authentication: WebAuthentication
  /** `bytes`: of any content type, read by the route itself. */
  readonly body: 'none' | 'form' | 'json' | 'bytes'
  readonly bodyBytesMax: number
  /** Pages of other sites send their forms here, and what the form carries proves its sender: no CSRF token is needed. */
  readonly crossOrigin?: true
  /** Members of path, query and form that the audit log may show; nothing else is recorded. */
  readonly shown: readonly string[]
  readonly run: (call: WebCall<any>, input: WebInput) => Awaitable<WebAnswer>
}

export type SiteListener = 'web' | 'api'

export interface WebSite {
  /** The service it belongs to, by its row in `wire/services.ts`: event source. */
  readonly service: string
  /** Default: the one of the service's row. */
  readonly eventSource?: string
  /** Compared with the Host header in lower case, without its port. Undefined: any host. */
  readonly host?: RegExp
  /** `/portal`; empty for a site with a host of its own. */
  readonly base: string
  /**
   * The listener that answers the site. `web`: the origin of pages, where the API is not answered. `api`: endpoints that
   * clients expect at the API's address. Default: `web`.
   */
  readonly listener?: SiteListener
  readonly session?: SessionScheme<any>
  /**
   * The resource whose web ACL filters the requests to this site, by its ARN, before anything of them is read. `host` is that of the
   * request, without its port. undefined: the site belongs to no resource.
   */
  readonly protectedResource?: (
    reader: Reader,
    at: { readonly host: string; readonly path: Readonly<Record<string, string>> },
  ) => Promise<string | undefined>
  /** Its clients are processes of Merlon, which the web ACL of the endpoint must not keep out: it does not filter them. */
  readonly isForPlanes?: boolean
  readonly routes: readonly WebRoute[]
  /** Directives that replace those of the default content security policy: `{ 'script-src': "'self'" }`. */
  readonly contentSecurityPolicy?: Readonly<Record<string, string>>
  /**
   * How faults are shown; `path` has the parameters of the route's path. Default: a page for routes that browsers visit, JSON for bearer
   * routes.
   */
  readonly printFault?: (
    fault: { readonly code: string; readonly message: string; readonly status: number },
    path: Readonly<Record<string, string>>,
  ) => WebAnswer
}
// biome-ignore-end lint/suspicious/noExplicitAny: see above

/** Types the claims of a route's call by its authentication. */
export function route(
  definition: Omit<WebRoute, 'run' | 'authentication'> & {
    readonly authentication: 'anonymous' | 'document'
    readonly run: (call: WebCall, input: WebInput) => Awaitable<WebAnswer>
  },
): WebRoute
export function route<C>(
  definition: Omit<WebRoute, 'run' | 'authentication'> & {
    readonly authentication: { readonly bearer: BearerScheme<C> }
    readonly run: (call: WebCall<C>, input: WebInput) => Awaitable<WebAnswer>
  },
): WebRoute
export function route<C extends object>(
  definition: Omit<WebRoute, 'run' | 'authentication'> & {
    readonly authentication: 'session'
    readonly run: (call: WebCall<C>, input: WebInput) => Awaitable<WebAnswer>
  },
): WebRoute
export function route<C extends object>(
  definition: Omit<WebRoute, 'run' | 'authentication'> & {
    readonly authentication: 'optional-session'
    readonly run: (call: WebCall<C | undefined>, input: WebInput) => Awaitable<WebAnswer>
  },
): WebRoute
export function route(definition: WebRoute): WebRoute {
  return definition
}

export interface MatchedRoute {
  readonly site: WebSite
  readonly route: WebRoute
  readonly path: Readonly<Record<string, string>>
}

const PARAMETER_LENGTH_MAX = 512

/**
 * By method, host and path alone; nothing else is read. undefined when no site has the path; `'method'` when one has it for
 * other methods.
 */
export function matchRoute(
  sites: readonly WebSite[],
  request: Pick<HttpRequest, 'method' | 'path' | 'rawHeaders'>,
): MatchedRoute | 'method' | undefined {
  const host = hostOf(request)
  let isKnown = false
  for (const site of sites) {
    if (site.host && !site.host.test(host)) continue
    const { base } = site
    if (!request.path.startsWith(base) || (base !== '' && !['', '/'].includes(request.path[base.length] ?? '')))
      continue
    const segments = request.path.slice(base.length).split('/')
    for (const each of site.routes) {
      const path = parameters(each.path.split('/'), segments)
      if (!path || Object.entries(each.patterns ?? {}).some(([name, form]) => !form.test(path[name] ?? ''))) continue
      isKnown = true
      if (each.method === request.method || (each.method === 'GET' && request.method === 'HEAD'))
        return { site, route: each, path }
    }
  }
  return isKnown ? 'method' : undefined
}

function parameters(wanted: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (wanted.length !== segments.length) return undefined
  const found: [string, string][] = []
  for (const [index, part] of wanted.entries()) {
    const segment = segments[index]!
    if (!part.startsWith(':')) {
      if (part !== segment) return undefined
      continue
    }
    const value = segment.length <= PARAMETER_LENGTH_MAX ? decoded(segment) : undefined
    if (!value) return undefined
    found.push([part.slice(1), value])
  }
  return Object.fromEntries(found)
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** In lower case, without its port. */
export const hostOf = (request: Pick<HttpRequest, 'rawHeaders'>): string =>
  (header(request, 'host') ?? '').toLowerCase().replace(/:\d+$/, '')
