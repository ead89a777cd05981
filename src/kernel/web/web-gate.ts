/**
 * The gate of web routes: the same stages as for API calls, whatever the site. Route and size, throttle by address,
 * authenticate (session, bearer token or anonymous), throttle by subject, parse, CSRF, run in a transaction with the event,
 * answer with the headers that browsers need.
 */
import { randomUUID } from 'node:crypto'
import type { Store, Unit } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'
import { type HttpRequest, type HttpResponse, header } from '../../wire/http.ts'
import { services as serviceRows } from '../../wire/services.ts'
import { type EventDraft, type EventFacts, eventRecord, newDraft } from '../events/event.ts'
import type { Bearer } from '../gate/bearer.ts'
import { asFault } from '../gate/faults.ts'
import type { RequestOutcome } from '../gate/invocation.ts'
import type { ActAs, AuthorizeAs, CallAs } from '../gate/service-caller.ts'
import { type Throttle, ThrottledFault } from '../gate/throttle.ts'
import { type Attempt, newAttempt, onceIn, transact } from '../gate/transaction.ts'
import { refusalCountEvent, smallFacts, UnauthenticatedRefusals } from '../gate/unauthenticated-refusals.ts'
import type { Use } from '../ports/port.ts'
import type { Ports } from '../ports/ports.ts'
import { type EndpointFilter, requestFilter } from '../ports/request-filter.ts'
import { webOrigin } from '../ports/web-origin.ts'
import { uniqueId } from '../service/id.ts'
import type { Quotas } from '../service/quota.ts'
import type { Clock } from '../state/clock.ts'
import { checkSecret } from '../state/failure-budget.ts'
import { assertSameOrigin, csrfToken } from './csrf.ts'
import { browserOf, endedSessionCookie, readSession, sessionCookie } from './session-cookie.ts'
import {
  hostOf,
  type MatchedRoute,
  matchRoute,
  type SiteListener,
  type WebAnswer,
  type WebCall,
  type WebEvent,
  type WebSite,
} from './site.ts'
import { faultAnswer, printAnswer, webHeaders } from './web-answer.ts'
import { assertBody, readInput } from './web-input.ts'

export interface WebGateOptions {
  readonly store: Store
  readonly vault: Vault
  readonly clock: Clock
  readonly ports: Ports
  readonly use: Use
  readonly quotas: Quotas
  readonly throttle: Throttle
  readonly actAs: ActAs
  readonly callAs: CallAs
  readonly authorizeAs: AuthorizeAs
  readonly sites: readonly WebSite[]
  /** How clients reach the API. Default: as each request reached it. */
  readonly publicUrl?: string | undefined
  /** How browsers reach the pages. Default: as each request reached them. */
  readonly webUrl?: string | undefined
  readonly observe?: ((outcome: RequestOutcome) => void) | undefined
  /** The web ACL of the endpoint, for sites that belong to no resource. */
  readonly endpointFilter?: EndpointFilter | undefined
}

/** What one request is about, constant over retries of its transaction. */
interface WebRequest {
  readonly request: HttpRequest
  readonly matched: MatchedRoute
  readonly requestId: string
  readonly now: number
  /** Of the API. */
  readonly origin: string
  /** Of pages. */
  readonly webOrigin: string
  /** undefined for an anonymous caller. */
  readonly bearer: Bearer<unknown> | undefined
  /** The session's id, or the browser's before sign-in: what CSRF tokens are bound to. */
  readonly boundTo: string
  /** To set when nothing else is: the browser's id before sign-in. */
  readonly browserCookie: string | undefined
  /** What {@link WebCall.once} has done, in order. */
  readonly done: Promise<unknown>[]
  /** The same of each operation that the route calls. */
  readonly doneByCalls: Promise<unknown>[][]
}

/** Where the event of a request is recorded. */
interface EventPlace {
  account: string
  region: string
}

/** One run of a route towards a commit. */
interface WebAttempt extends Attempt {
  readonly place: EventPlace
  /** Events that the route has worded. */
  readonly recorded: WebEvent[]
}

const STATUS: Readonly<Record<string, number>> = { InternalFailure: 500, ServiceUnavailable: 503, AccessDenied: 403 }
const DEFAULT_REGION = 'us-east-1'
const NO_CALLER = { principal: { kind: 'anonymous' }, subject: { kind: 'nobody' }, accessKeyId: '' } as const

export class WebGate {
  readonly #options: WebGateOptions
  readonly #sites: Record<SiteListener, Readonly<Record<'host' | 'path', readonly WebSite[]>>> = {
    web: { host: [], path: [] },
    api: { host: [], path: [] },
  }
  /** Listener, method, host and path of each route. */
  readonly #routes = new Set<string>()
  readonly #refusals = new UnauthenticatedRefusals(async (count) => {
    const { store, clock } = this.#options
    await store.run((unit) => unit.append(refusalCountEvent(count, clock.now())))
  })

  /** Throws when two routes of one host and listener answer the same method and path. */
  constructor(options: WebGateOptions) {
    this.#options = options
    this.add(options.sites)
  }

  /** Serves more sites. Throws like the constructor. */
  add(sites: readonly WebSite[]): void {
    for (const site of sites) {
      const { host, base, routes, listener = 'web' } = site
      for (const { method, path } of routes) {
        const name = `${method} ${host?.source ?? '*'}${base}${path.replace(/:[^/]+/g, ':')}`
        if (this.#routes.has(`${listener} ${name}`)) throw new Error(`Two routes answer ${name}.`)
        this.#routes.add(`${listener} ${name}`)
      }
      const by = host ? 'host' : 'path'
      const of = this.#sites[listener]
      this.#sites[listener] = { ...of, [by]: [...of[by], site] }
    }
  }

  /**
   * The route of a request among the sites of a listener. On the API's listener, calls are detected in between: first sites
   * with a host, last sites by path.
   */
  match(request: HttpRequest, by: 'host' | 'path', listener: SiteListener): MatchedRoute | 'method' | undefined {
    const sites = this.#sites[listener][by]
    return sites.length === 0 ? undefined : matchRoute(sites, request)
  }

  /** Never throws. */
  async handle(request: HttpRequest, matched: MatchedRoute): Promise<HttpResponse> {
    const startedAt = performance.now()
    const requestId = randomUUID()
    const { site, route } = matched
    let fault: Fault | undefined
    let response: HttpResponse
    let principal: string | undefined
    try {
      assertBody(request, matched)
      response = await this.#admitted(request, matched, requestId, (bearer) => {
        principal = bearer.identity.principalId
      })
    } catch (error) {
      fault = asFault(error)
      response = this.#printFault(request, matched, fault)
    }
    this.#options.observe?.({
      requestId,
      service: site.service,
      operation: route.event,
      status: response.status,
      code: fault?.code,
      throttled: fault instanceof ThrottledFault ? fault.scope : undefined,
      principal,
      tookMs: performance.now() - startedAt,
      cause: fault?.details.cause,
    })
    return response
  }

  async #admitted(
    request: HttpRequest,
    matched: MatchedRoute,
    requestId: string,
    onCaller: (bearer: Bearer<unknown>) => void,
  ): Promise<HttpResponse> {
    const { store, throttle } = this.#options
    const { body, remoteAddress } = request
    const address = throttle.unsigned(remoteAddress, body.length)
    if ('scope' in address) throw new ThrottledFault(address)
    try {
      if (store.shared) await store.sync()
      const refusal = await this.#filtered(request, matched, requestId)
      if (refusal) return refusal
      const web = await this.#authenticated(request, matched, requestId)
      if (!web.bearer) return await this.#answered(web)
      onCaller(web.bearer)
      const subject = throttle.bearer(web.bearer.account, web.bearer.identity.principalId, body.length)
      if ('scope' in subject) throw new ThrottledFault(subject)
      try {
        return await this.#answered(web)
      } finally {
        subject.release()
      }
    } finally {
      address.release()
    }
  }

  /** The web ACL of the resource that the site belongs to comes first; that of the endpoint where it belongs to none. */
  async #filtered(
    request: HttpRequest,
    { site, path }: MatchedRoute,
    requestId: string,
  ): Promise<HttpResponse | undefined> {
    const { store, use, endpointFilter } = this.#options
    const arn = await site.protectedResource?.(store.reader, { host: hostOf(request), path })
    const refusal =
      arn !== undefined
        ? await use(requestFilter).refusal(arn, request, requestId)
        : site.isForPlanes
          ? undefined
          : await endpointFilter?.(request, requestId)
    return refusal && { ...refusal, headers: { ...webHeaders(undefined, request.secure), ...refusal.headers } }
  }

  async #authenticated(request: HttpRequest, matched: MatchedRoute, requestId: string): Promise<WebRequest> {
    const { vault, clock, store } = this.#options
    const { site, route } = matched
    const now = clock.now()
    const base = {
      request,
      matched,
      requestId,
      now,
      ...this.#originsOf(request, site),
      done: [],
      doneByCalls: [],
      browserCookie: undefined,
    }
    const { authentication } = route
    if (authentication === 'document') return { ...base, bearer: undefined, boundTo: '' }
    if (authentication === 'anonymous') {
      const { id, cookie } = browserOf(request, site)
      return { ...base, bearer: undefined, boundTo: id, browserCookie: cookie }
    }
    if (authentication === 'optional-session') {
      const session = site.session && readSession(request, vault, site, site.session, now)
      if (session) return { ...base, bearer: site.session!.bearer(session.claims), boundTo: session.id }
      return { ...base, bearer: undefined, boundTo: browserOf(request, site).id }
    }
    if (authentication === 'session') {
      const scheme = site.session
      if (!scheme) throw new Error(`The site ${site.service} ${site.base} has no sessions.`)
      const session = readSession(request, vault, site, scheme, now)
      if (!session) throw unauthorized('Sign in first.')
      return { ...base, bearer: scheme.bearer(session.claims), boundTo: session.id }
    }
    const { bearer } = authentication
    const verified = await bearer.verify(bearer.token(request, {}), { vault, now, reader: store.reader })
    return { ...base, bearer: verified, boundTo: '' }
  }

  async #answered(web: WebRequest): Promise<HttpResponse> {
    const { request, matched, boundTo } = web
    const { site, route } = matched
    const input = readInput(request, matched, csrfToken(this.#options.vault, site, boundTo))
    const isForm = typeof route.authentication === 'string' && route.authentication !== 'document'
    if (isForm && route.method !== 'GET' && !route.crossOrigin)
      assertSameOrigin(request, input, site.listener === 'api' && !site.host ? web.origin : web.webOrigin)
    const answer = await this.#transact(web, (call) => route.run(call, input))
    return printAnswer(answer, site, this.#cookieOf(web, answer), request.secure)
  }

  #cookieOf({ request, matched: { site }, now, browserCookie }: WebRequest, answer: WebAnswer): string | undefined {
    const session = 'session' in answer ? answer.session : undefined
    if (session === undefined)
      return 'page' in answer || ('redirect' in answer && answer.bindsBrowser) ? browserCookie : undefined
    if (!site.session) throw new Error(`The site ${site.service} ${site.base} has no sessions.`)
    return session === 'end'
      ? endedSessionCookie(site.session, request.secure)
      : sessionCookie(this.#options.vault, site, site.session, { claims: session, now, secure: request.secure })
  }

  /** Runs until a commit succeeds. A refusal writes nothing but its event. */
  #transact(web: WebRequest, run: (call: WebCall<unknown>) => Promise<WebAnswer> | WebAnswer): Promise<WebAnswer> {
    const { store } = this.#options
    const { route } = web.matched
    const isRecorded = route.authentication !== 'document'
    // An anonymous visitor who only looks must not cost a write.
    const isSilent = !isRecorded || (web.bearer === undefined && route.method === 'GET')
    const place: EventPlace = { account: web.bearer?.account ?? '', region: web.bearer?.region ?? DEFAULT_REGION }
    return transact<WebAttempt, WebAnswer>(store, {
      begin: () => ({ ...newAttempt(newDraft(web.now)), place, recorded: [] }),
      run: async (unit, attempt) => {
        const caller = await this.#current(web, unit)
        const answer = await run(this.#call(caller, unit, attempt))
        for (const event of attempt.recorded) this.#recordWorded(unit, caller, event, place)
        if (!isSilent && !attempt.draft.isUnrecorded && attempt.recorded.length === 0)
          this.#record(unit, web, attempt.draft, place, undefined)
        return answer
      },
      refuse: async (error, { draft }) => {
        if (isRecorded && this.#isRefusalRecorded(web, place, asFault(error)))
          await store.run((unit) => this.#record(unit, web, draft, place, asFault(error)))
      },
    })
  }

  /** Whether the session still is valid is read in the transaction. Throws where the route needs one. */
  async #current(web: WebRequest, unit: Unit): Promise<WebRequest> {
    const { site, route } = web.matched
    const { authentication } = route
    if (!web.bearer || (authentication !== 'session' && authentication !== 'optional-session')) return web
    if (await site.session!.isValid(web.bearer.claims, unit, web.now, this.#options.use)) return web
    if (authentication === 'session') throw unauthorized('The session has ended. Sign in again.')
    return { ...web, bearer: undefined }
  }

  /** Of anonymous callers a bounded part: see {@link UnauthenticatedRefusals}. */
  #isRefusalRecorded({ bearer, request, matched, now }: WebRequest, place: EventPlace, fault: Fault): boolean {
    if (place.account === '') return false
    if (bearer) return true
    const kind = {
      ...place,
      eventSource: eventSourceOf(matched.site),
      eventName: matched.route.event,
      errorCode: fault.code,
      resource: undefined,
      remoteAddress: request.remoteAddress,
    }
    return this.#refusals.admit(kind, now)
  }

  /** Writes down what it has counted. */
  close(): Promise<void> {
    return this.#refusals.close()
  }

  #call(web: WebRequest, unit: Unit, attempt: WebAttempt): WebCall<unknown> {
    const { draft, effects, place, recorded } = attempt
    const { vault, ports, use, quotas, actAs: act, callAs, store } = this.#options
    let calls = 0
    const once = onceIn(web.done, attempt)
    return {
      now: web.now,
      requestId: web.requestId,
      origin: web.origin,
      webOrigin: web.webOrigin,
      unit,
      vault,
      ports,
      use,
      quotas,
      event: draft,
      claims: web.bearer?.claims,
      remoteAddress: web.request.remoteAddress,
      userAgent: header(web.request, 'user-agent') ?? '',
      isSecure: web.request.secure,
      header: (name) => header(web.request, name),
      newId: (make = randomUUID) => make(),
      uniqueId,
      once,
      actAs: act,
      authorizeAs: (person, action, arn) => {
        const { request, now } = web
        const from = { ...person, region: DEFAULT_REGION, request, now, unit, effects, done: [] }
        return this.#options.authorizeAs(from, action, arn)
      },
      callAs: (person, api, name, input) => {
        const { request, now } = web
        const done = (web.doneByCalls[calls++] ??= [])
        return callAs({ region: DEFAULT_REGION, ...person, request, now, unit, effects, done }, api, name, input)
      },
      checkSecret: (secret, compare) =>
        once(() => checkSecret(store, secret, { now: web.now, region: place.region }, compare)),
      commitNow: (write) => once(() => store.run(write)),
      record: (event) => void recorded.push(event),
      afterCommit: (effect) => void effects.push(effect),
      recordIn: (account, region = DEFAULT_REGION) => {
        place.account = account
        place.region = region
      },
    }
  }

  /** An event that the route has worded. Of anonymous callers' failures a bounded part. */
  #recordWorded(unit: Unit, web: WebRequest, event: WebEvent, { region }: EventPlace): void {
    const { name, account, userIdentity, error, additionalEventData } = event
    const { request, matched } = web
    if (error && !web.bearer && !event.isBounded) {
      const { remoteAddress } = request
      const kind = { account, region, eventSource: eventSourceOf(matched.site), eventName: name, resource: undefined }
      if (!this.#refusals.admit({ ...kind, errorCode: error.code ?? error.message, remoteAddress }, web.now)) return
    }
    const draft = newDraft(web.now)
    draft.userIdentity = userIdentity
    if (additionalEventData) draft.additionalEventData = additionalEventData
    const facts: EventFacts = {
      draft,
      caller: NO_CALLER,
      account,
      region,
      timeMs: web.now,
      eventSource: eventSourceOf(matched.site),
      eventName: name,
      readOnly: false,
      sourceAddress: request.remoteAddress,
      userAgent: header(request, 'user-agent') ?? '',
      requestId: web.requestId,
      tlsHost: header(request, 'host'),
      tls: request.tls,
      requestParameters: null,
      responseElements: event.responseElements ?? null,
      error,
      eventType: event.eventType,
    }
    unit.append(eventRecord(error && !web.bearer ? smallFacts(facts) : facts))
  }

  /** Nothing is recorded for a caller that names no account of this installation. */
  #record(unit: Unit, web: WebRequest, draft: EventDraft, place: EventPlace, fault: Fault | undefined): void {
    if (place.account === '') return
    const { request, matched, bearer } = web
    const { site, route, path } = matched
    draft.userIdentity ??= bearer?.identity ?? { type: 'Unknown', principalId: 'anonymous' }
    const facts: EventFacts = {
      draft,
      caller: NO_CALLER,
      account: place.account,
      region: place.region,
      timeMs: web.now,
      eventSource: eventSourceOf(site),
      eventName: route.event,
      readOnly: route.method === 'GET',
      sourceAddress: request.remoteAddress,
      userAgent: header(request, 'user-agent') ?? '',
      requestId: web.requestId,
      tlsHost: header(request, 'host'),
      tls: request.tls,
      requestParameters: this.#shown(web, path),
      responseElements: null,
      error: fault && { code: fault.code, message: fault.message },
    }
    unit.append(eventRecord(fault && !bearer ? smallFacts(facts) : facts))
  }

  /** Only what the route lists: forms carry passwords and codes. */
  #shown({ request, matched }: WebRequest, path: MatchedRoute['path']): Readonly<Record<string, string>> {
    let fields: Readonly<Record<string, string>> = path
    try {
      const { query, form } = readInput(request, matched, '')
      fields = { ...query, ...form, ...path }
    } catch {
      // What cannot be read is not shown.
    }
    return Object.fromEntries(
      matched.route.shown.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])),
    )
  }

  #printFault(request: HttpRequest, { site, route, path }: MatchedRoute, fault: Fault): HttpResponse {
    const status = fault instanceof ThrottledFault ? 429 : (fault.details.status ?? STATUS[fault.code] ?? 400)
    const shown = { code: fault.code, message: fault.message, status }
    const isBearer = typeof route.authentication === 'object'
    const answer = site.printFault?.(shown, path) ?? faultAnswer(shown, isBearer || route.body === 'json')
    const response = printAnswer(answer, site, undefined, request.secure)
    const retryAfterMs = fault.details.retryAfterMs
    return retryAfterMs === undefined
      ? response
      : { ...response, headers: { ...response.headers, 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } }
  }

  /** Where an origin is not configured, it is the one that the request reached. */
  #originsOf(request: HttpRequest, { listener, host }: WebSite): Pick<WebRequest, 'origin' | 'webOrigin'> {
    const { publicUrl, webUrl, use } = this.#options
    const reached = `${request.secure ? 'https' : 'http'}://${header(request, 'host') ?? 'localhost'}`
    // A site with a host of its own is an origin of its own.
    if (host) return { origin: reached, webOrigin: reached }
    const origin = publicUrl ?? reached
    if (listener !== 'api') return { origin, webOrigin: webUrl ?? reached }
    return { origin, webOrigin: webUrl ?? use(webOrigin).origin() ?? origin }
  }
}

const eventSourceOf = ({ service, eventSource }: WebSite): string =>
  eventSource ?? serviceRows.find(({ id }) => id === service)?.eventSource ?? service

const unauthorized = (message: string): Fault => new Fault('Unauthorized', message, { status: 401 })
