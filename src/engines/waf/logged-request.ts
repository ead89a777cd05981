/** Requests out of log records, to be evaluated again. Bodies are not logged; redacted and protected fields stay replaced. */
import { REDACTED } from './data-protection.ts'
import type { TokenResponse, WafLogRecord } from './log-record.ts'
import type { InspectedRequest } from './request.ts'
import type { EvaluationContext } from './web-acl.ts'

export interface LoggedRequest {
  readonly request: InspectedRequest
  readonly token: EvaluationContext['token']
  /** Epoch milliseconds. */
  readonly at: number
  /** What was decided then. */
  readonly action: WafLogRecord['action']
  readonly ruleId: string
  /** A rule could have looked at something that the record does not show: a body, or a redacted field. */
  readonly isIncomplete: boolean
}

const ACTIONS: readonly unknown[] = ['ALLOW', 'BLOCK', 'CAPTCHA', 'CHALLENGE'] satisfies WafLogRecord['action'][]
const solvedAt = (response: TokenResponse | undefined): number | undefined =>
  response?.solveTimestamp && response.failureReason === undefined ? response.solveTimestamp * 1_000 : undefined

const isText = (value: unknown): value is string => typeof value === 'string'

/** undefined for what is no log record of AWS WAF, of this or another origin. */
export function loggedRequest(record: unknown): LoggedRequest | undefined {
  const log = (record ?? {}) as Partial<WafLogRecord>
  const http = log.httpRequest as Partial<WafLogRecord['httpRequest']> | undefined
  if (!http || !isText(http.clientIp) || !isText(http.uri) || !isText(http.httpMethod)) return undefined
  if (typeof log.timestamp !== 'number' || !ACTIONS.includes(log.action)) return undefined
  const headers = (Array.isArray(http.headers) ? http.headers : []).filter(
    ({ name, value }) => isText(name) && isText(value),
  )
  const size = Number(headers.find(({ name }) => name.toLowerCase() === 'content-length')?.value ?? 0)
  const texts = [http.uri, http.args ?? '', http.httpMethod, ...headers.map(({ value }) => value)]
  return {
    request: {
      method: http.httpMethod,
      path: http.uri,
      query: http.args ?? '',
      fragment: http.fragment,
      httpVersion: (http.httpVersion ?? '1.1').replace(/^HTTP\//, ''),
      headers: headers.map(({ name, value }) => [name, value] as const),
      body: '',
      isBodyTruncated: false,
      clientIp: http.clientIp,
      country: http.country === '-' ? undefined : http.country,
      ja3: log.ja3Fingerprint,
      ja4: log.ja4Fingerprint,
    },
    token: { challengedAt: solvedAt(log.challengeResponse), solvedAt: solvedAt(log.captchaResponse) },
    at: log.timestamp,
    action: log.action!,
    ruleId: log.terminatingRuleId ?? 'Default_Action',
    isIncomplete: size > 0 || (log.requestBodySize ?? 0) > 0 || texts.includes(REDACTED),
  }
}
