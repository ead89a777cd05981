/** Evaluates requests by the web ACL of their load balancer, and answers those that it does not let through. */
import type { AddressFacts } from '../../engines/waf/address-facts.ts'
import type { RequestOrigin } from '../../engines/waf/log-record.ts'
import { inspectedBodyBytes, type PublishedWebAcl } from '../../engines/waf/published.ts'
import type { RateLimiter } from '../../engines/waf/rate-limiter.ts'
import type { InspectedRequest } from '../../engines/waf/request.ts'
import type { TrafficRecorder } from '../../engines/waf/traffic-recorder.ts'
import type { CompiledWebAcl, EvaluationContext, Verdict } from '../../engines/waf/web-acl.ts'
import type { ReadyWebAcl } from '../../kernel/planes/compiled-web-acls.ts'
import type { PublishedLoadBalancer } from '../../kernel/planes/gateway-content.ts'
import { type Challenges, type TokenFacts, tokenOutcome } from '../../kernel/web-acl-tokens/challenge.ts'
import type { GatewayMetrics } from './gateway-metrics.ts'
import type { GatewayRequest, Header } from './request.ts'
import type { BodyStart } from './request-body.ts'
import { respondAnswer, respondStatus, respondText } from './responses.ts'

/** Reported: the evaluation's own budget is in steps, which do not depend on the machine. */
const SLOW_MS = 250

export const LOAD_BALANCER = 'APPLICATION_LOAD_BALANCER'
export const bodyLimit = (acl: PublishedWebAcl): number => inspectedBodyBytes(acl, LOAD_BALANCER)

export interface FilterParts {
  readonly rates: RateLimiter
  readonly recorder: TrafficRecorder
  readonly challenges: Challenges
  readonly metrics: GatewayMetrics
  readonly addresses: AddressFacts
  readonly onError: (message: string, details: object) => void
}

function inspected(
  request: GatewayRequest,
  body: BodyStart | undefined,
  limit: number,
  addresses: AddressFacts,
): InspectedRequest {
  const { connection } = request
  const place = addresses.placeOf(request.client)
  return {
    method: request.method,
    path: request.path,
    query: request.query ?? '',
    httpVersion: request.httpVersion,
    headers: request.headers,
    body: body ? body.bytes.subarray(0, limit).toString('latin1') : '',
    isBodyTruncated: body !== undefined && (!body.isWhole || body.bytes.length > limit),
    clientIp: request.client,
    country: place?.country,
    region: place?.region,
    asn: place?.asn,
    ja3: connection.ja3,
    ja4: connection.ja4,
  }
}

/** Returns the headers to insert, when the request may go on; undefined when it was answered. */
export function filtered(
  request: GatewayRequest,
  { arn, account }: PublishedLoadBalancer,
  { acl, compiled }: ReadyWebAcl,
  body: BodyStart | undefined,
  { rates, recorder, challenges, metrics, addresses, onError }: FilterParts,
): readonly Header[] | undefined {
  const now = Date.now()
  const token = challenges.token(request, acl)
  const look = inspected(request, body, bodyLimit(acl), addresses)
  const verdict = evaluated(
    compiled,
    look,
    { rates, now, token, addresses },
    (details) => onError('a request could not be evaluated and was refused', { webAcl: acl.arn, ...details }),
    (milliseconds) => onError('the evaluation of a request was slow', { webAcl: acl.arn, milliseconds }),
  )
  if (!verdict) {
    respondStatus(request, 503)
    return undefined
  }
  const status = verdict.action === 'ALLOW' ? undefined : answer(request, verdict, challenges, now)
  if (verdict.action !== 'ALLOW') metrics.stopped(acl.name, verdict.terminatingRuleId, verdict.action)
  const needsToken = verdict.action === 'CHALLENGE' || verdict.action === 'CAPTCHA'
  const origin: RequestOrigin = {
    now,
    sourceName: 'ALB',
    sourceId: `${account}-${arn.slice(arn.indexOf('loadbalancer/') + 'loadbalancer/'.length)}`,
    requestId: requestId(now),
    scheme: request.connection.tls ? 'https' : 'http',
    ...(status !== undefined && { responseCode: status }),
    ...(needsToken && { token: tokenOutcome(verdict.action, token, status ?? 0) }),
    ...(body?.isWhole && { bodyBytes: body.bytes.length }),
  }
  recorder.inspected(acl, look, verdict, origin)
  return status === undefined ? verdict.insertedHeaders : undefined
}

let requests = 0
/** As AWS WAF takes it from the load balancer: `1-67891233-abcdef012345678912345678`. */
function requestId(now: number): string {
  requests = (requests + 1) % 0xffffffff
  return `1-${Math.floor(now / 1_000).toString(16)}-${process.pid.toString(16).padStart(8, '0')}${requests.toString(16).padStart(16, '0')}`
}

/** undefined: closed. */
function evaluated(
  compiled: CompiledWebAcl,
  request: InspectedRequest,
  context: EvaluationContext & { readonly token: TokenFacts },
  failed: (details: object) => void,
  slow: (milliseconds: number) => void,
): Verdict | undefined {
  const begun = performance.now()
  try {
    const verdict = compiled.evaluate(request, context)
    const ms = performance.now() - begun
    if (ms > SLOW_MS) slow(Math.round(ms))
    return verdict
  } catch (error) {
    failed({ error })
  }
  return undefined
}

const TYPES: Readonly<Record<string, string>> = {
  TEXT_PLAIN: 'text/plain',
  TEXT_HTML: 'text/html',
  APPLICATION_JSON: 'application/json',
}

/** The status of the answer. */
function answer(request: GatewayRequest, verdict: Verdict, challenges: Challenges, now: number): number {
  if (verdict.action === 'CHALLENGE' || verdict.action === 'CAPTCHA') {
    const wanted = challenges.respond(request, verdict.action, now)
    respondAnswer(request, wanted)
    return wanted.status
  }
  const { response, responseBody } = verdict
  const status = Number(response?.ResponseCode ?? 403)
  const headers = (response?.ResponseHeaders ?? []).map(({ Name = '', Value = '' }): Header => [Name, Value])
  if (responseBody)
    respondText(request, status, TYPES[responseBody.type] ?? 'text/plain', responseBody.content, headers)
  else if (response) respondText(request, status, 'text/plain', '', headers)
  else respondStatus(request, 403)
  return status
}
