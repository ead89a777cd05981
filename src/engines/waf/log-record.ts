/**
 * The record of an inspected request, as AWS WAF logs it.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html
 */
import type { HTTPHeader, RateBasedStatement } from '@aws-sdk/client-wafv2'
import { aggregateKey } from './aggregate-key.ts'
import { protectedRequest, REDACTED, redactedRequest } from './data-protection.ts'
import { isKept } from './log-filter.ts'
import type { PublishedWebAcl } from './published.ts'
import type { InspectedRequest } from './request.ts'
import type { GroupResult, RuleMatch, Verdict } from './web-acl.ts'

/** What the resource knows of the request, besides what is inspected. */
export interface RequestOrigin {
  /** Epoch milliseconds. */
  readonly now: number
  /** `ALB`, `COGNITOIDP` */
  readonly sourceName: string
  /** `111122223333-app/web/50dc6c495c0c9188`; without one `-`. */
  readonly sourceId: string
  readonly requestId: string
  readonly scheme: 'http' | 'https'
  /** Of the answer that the web ACL caused; undefined where the request was passed on. */
  readonly responseCode?: number | undefined
  /** What the client's token said, where a rule wanted one. */
  readonly token?: TokenOutcome | undefined
  /** Of the whole body, where it is known. */
  readonly bodyBytes?: number | undefined
}

export interface TokenOutcome {
  readonly captcha?: TokenResponse | undefined
  readonly challenge?: TokenResponse | undefined
}

export interface TokenResponse {
  /** Epoch seconds; 0 when the token was not solved. */
  readonly solveTimestamp: number
  readonly responseCode?: number | undefined
  readonly failureReason?: 'TOKEN_MISSING' | 'TOKEN_EXPIRED' | 'TOKEN_INVALID' | 'TOKEN_DOMAIN_MISMATCH' | undefined
}

export interface LoggedRule {
  readonly ruleId: string
  readonly action: string
  readonly ruleMatchDetails: readonly object[]
}

export interface WafLogRecord {
  readonly timestamp: number
  readonly formatVersion: 1
  readonly webaclId: string
  readonly terminatingRuleId: string
  readonly terminatingRuleType: Verdict['terminatingRuleType']
  readonly action: Verdict['action']
  readonly terminatingRuleMatchDetails: readonly object[]
  readonly httpSourceName: string
  readonly httpSourceId: string
  readonly ruleGroupList: readonly object[]
  readonly rateBasedRuleList: readonly object[]
  readonly nonTerminatingMatchingRules: readonly LoggedRule[]
  readonly requestHeadersInserted: readonly HTTPHeader[] | null
  readonly responseCodeSent: number | null
  readonly httpRequest: {
    readonly clientIp: string
    readonly country: string
    readonly headers: readonly { readonly name: string; readonly value: string }[]
    readonly uri: string
    readonly args: string
    readonly httpVersion: string
    readonly httpMethod: string
    readonly requestId: string
    readonly scheme: string
    readonly host: string
    readonly fragment?: string | undefined
  }
  readonly labels?: readonly { readonly name: string }[] | undefined
  readonly oversizeFields?: readonly string[] | undefined
  readonly captchaResponse?: TokenResponse | undefined
  readonly challengeResponse?: TokenResponse | undefined
  readonly ja3Fingerprint?: string | undefined
  readonly ja4Fingerprint?: string | undefined
  readonly requestBodySize?: number | undefined
  readonly requestBodySizeInspectedByWAF?: number | undefined
}

/**
 * The record, with redacted and protected fields already replaced; undefined where the web ACL does not log, or its filter drops
 * the request.
 */
export function logRecord(
  acl: PublishedWebAcl,
  request: InspectedRequest,
  verdict: Verdict,
  origin: RequestOrigin,
): WafLogRecord | undefined {
  if (!acl.logging || !isKept(acl.logging.filter, verdict)) return undefined
  const shown = redactedRequest(protectedRequest(request, acl.dataProtection), acl.logging.redactedFields)
  const oversize = oversizeFields(request)
  return {
    timestamp: origin.now,
    formatVersion: 1,
    webaclId: acl.arn,
    terminatingRuleId: verdict.terminatingRuleId,
    terminatingRuleType: verdict.terminatingRuleType,
    action: verdict.action,
    terminatingRuleMatchDetails: [],
    httpSourceName: origin.sourceName,
    httpSourceId: origin.sourceId,
    ruleGroupList: verdict.groups.map(loggedGroup),
    rateBasedRuleList: verdict.rates.map((rate) => loggedRate(acl, rate, shownKey(acl, request, verdict, rate))),
    nonTerminatingMatchingRules: verdict.nonTerminating.map(loggedRule),
    requestHeadersInserted:
      verdict.insertedHeaders.length === 0
        ? null
        : verdict.insertedHeaders.map(([name, value]) => ({ Name: name, Value: value })),
    responseCodeSent: origin.responseCode ?? null,
    httpRequest: {
      clientIp: shown.clientIp,
      country: shown.country ?? '-',
      headers: shown.headers.map(([name, value]) => ({ name, value })),
      uri: shown.path,
      args: shown.query,
      httpVersion: `HTTP/${shown.httpVersion}`,
      httpMethod: shown.method,
      requestId: origin.requestId,
      scheme: origin.scheme,
      host: hostOf(shown),
      ...(shown.fragment !== undefined && { fragment: shown.fragment }),
    },
    ...(verdict.labels.length > 0 && { labels: verdict.labels.map((name) => ({ name })) }),
    ...(oversize.length > 0 && { oversizeFields: oversize }),
    ...(origin.token?.captcha && { captchaResponse: origin.token.captcha }),
    ...(origin.token?.challenge && { challengeResponse: origin.token.challenge }),
    ...(request.ja3 !== undefined && { ja3Fingerprint: request.ja3 }),
    ...(request.ja4 !== undefined && { ja4Fingerprint: request.ja4 }),
    ...(origin.bodyBytes !== undefined && {
      requestBodySize: origin.bodyBytes,
      requestBodySizeInspectedByWAF: request.body.length,
    }),
  }
}

const hostOf = ({ headers }: InspectedRequest): string =>
  headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? ''

const loggedRule = ({ ruleId, action }: RuleMatch): LoggedRule => ({ ruleId, action, ruleMatchDetails: [] })

const loggedGroup = ({ id, terminatingRule, nonTerminating }: GroupResult) => ({
  ruleGroupId: id,
  terminatingRule: terminatingRule
    ? { ruleId: terminatingRule.ruleId, action: terminatingRule.action, ruleMatchDetails: null }
    : null,
  nonTerminatingMatchingRules: nonTerminating.map(loggedRule),
  excludedRules: null,
  customerConfig: null,
})

/** The values by which a rule counts, of fields as the log shows them: protection that excludes rates leaves them as they came. */
function shownKey(
  { rules, ruleGroups, dataProtection, logging }: PublishedWebAcl,
  request: InspectedRequest,
  { labels }: Verdict,
  { keyType, key, ruleId, groupRuleId }: Verdict['rates'][number],
): readonly string[] {
  const protections = dataProtection.filter(({ ExcludeRateBasedDetails }) => !ExcludeRateBasedDetails)
  const redacted = logging?.redactedFields ?? []
  if (keyType !== 'CUSTOM_KEYS' || protections.length + redacted.length === 0) return key
  const ruleNamed = (from: typeof rules, name: string) => from.find(({ Name }) => Name === name)?.Statement
  const group = groupRuleId === undefined ? undefined : ruleNamed(rules, groupRuleId)?.RuleGroupReferenceStatement?.ARN
  const statement = ruleNamed(groupRuleId === undefined ? rules : (ruleGroups[group ?? '']?.rules ?? []), ruleId)
  const shown = redactedRequest(protectedRequest(request, protections), redacted)
  const rate = statement?.RateBasedStatement as RateBasedStatement | undefined
  return (rate && aggregateKey(rate, { request: shown, labels: new Set(labels) })) ?? [REDACTED]
}

const loggedRate = (acl: PublishedWebAcl, rate: Verdict['rates'][number], key: readonly string[]) => ({
  rateBasedRuleId: acl.arn,
  rateBasedRuleName: rate.ruleId,
  limitKey: rate.keyType,
  limitValue: key.join(','),
  maxRateAllowed: rate.limit,
  evaluationWindowSec: rate.windowSeconds,
})

/** AWS WAF looks at the first 8 KB and 200 of headers, and of cookies. */
const HEADER_BYTES_MAX = 8_192
const HEADERS_MAX = 200

function oversizeFields({ headers, isBodyTruncated }: InspectedRequest): readonly string[] {
  const size = headers.reduce((total, [name, value]) => total + name.length + value.length, 0)
  const cookies = headers.filter(([name]) => name.toLowerCase() === 'cookie').map(([, value]) => value)
  const cookieSize = cookies.reduce((total, value) => total + value.length, 0)
  return [
    ...(isBodyTruncated ? ['REQUEST_BODY'] : []),
    ...(size > HEADER_BYTES_MAX || headers.length > HEADERS_MAX ? ['REQUEST_HEADERS'] : []),
    ...(cookieSize > HEADER_BYTES_MAX ? ['REQUEST_COOKIES'] : []),
  ]
}
