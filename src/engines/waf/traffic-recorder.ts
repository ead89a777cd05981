/**
 * What a gateway keeps of the requests that it inspects, until the next records go up: log records, samples of each rule, and the
 * addresses that rate-based rules block now. Everything is bounded; redaction and protection have happened before a record is made.
 *
 * @example
 * const recorder = new TrafficRecorder((record) => buffer.add(record))
 * recorder.inspected(acl, request, verdict, origin)
 * setInterval(() => recorder.flush(Date.now()), 1_000)
 */
import { protectedRequest } from './data-protection.ts'
import { logRecord, type RequestOrigin, type TokenOutcome, type WafLogRecord } from './log-record.ts'
import type { PublishedWebAcl } from './published.ts'
import type { InspectedRequest } from './request.ts'
import type { ActionName, RuleMatch, Verdict } from './web-acl.ts'

/** One request for `GetSampledRequests`. */
export interface WafSample {
  /** Epoch milliseconds. */
  readonly at: number
  readonly request: {
    readonly clientIp: string
    readonly country?: string | undefined
    readonly uri: string
    readonly method: string
    readonly httpVersion: string
    readonly headers: readonly (readonly [name: string, value: string])[]
  }
  /** `ALLOW`, `BLOCK`, `COUNT`, `CAPTCHA`, `CHALLENGE` */
  readonly action: ActionName
  readonly ruleWithinGroup?: string | undefined
  readonly overriddenAction?: ActionName | undefined
  readonly insertedHeaders?: readonly (readonly [name: string, value: string])[] | undefined
  readonly responseCode?: number | undefined
  readonly labels: readonly string[]
  readonly token?: TokenOutcome | undefined
}

export type WebAclRecord =
  | { readonly kind: 'waf-log'; readonly webAcl: string; readonly log: WafLogRecord }
  | {
      readonly kind: 'waf-samples'
      readonly webAcl: string
      /** The metric name of the rule; of the web ACL for the default action. */
      readonly metric: string
      /** Epoch milliseconds of the first request. */
      readonly from: number
      /** Requests, of which `samples` were taken. */
      readonly population: number
      readonly samples: readonly WafSample[]
    }
  | {
      readonly kind: 'waf-rate-keys'
      readonly webAcl: string
      readonly rule: string
      readonly groupRule?: string | undefined
      /** `IP`, `FORWARDED_IP`, `CONSTANT`, `CUSTOM_KEYS` */
      readonly keyType: string
      /** Epoch milliseconds after which the keys are no longer blocked, unless a later record has them. */
      readonly until: number
      readonly keys: readonly string[]
    }

/** Samples of one rule between two records. */
const SAMPLES_MAX = 20
/** Rules, over all web ACLs, between two records. */
const METRICS_MAX = 1_000
/** As AWS WAF: so many keys of a rule are blocked at a time. */
const KEYS_MAX = 10_000
/** What a sample shows of a request. */
const HEADERS_MAX = 100
const CHARS_MAX = 1_024

interface Reservoir {
  readonly webAcl: string
  readonly metric: string
  readonly from: number
  population: number
  readonly samples: WafSample[]
}

interface RateKeys {
  readonly record: Omit<Extract<WebAclRecord, { readonly kind: 'waf-rate-keys' }>, 'until' | 'keys'>
  readonly until: Map<string, number>
}

export class TrafficRecorder {
  readonly #emit: (record: WebAclRecord) => void
  /** In [0, 1). */
  readonly #random: () => number
  readonly #reservoirs = new Map<string, Reservoir>()
  readonly #rates = new Map<string, RateKeys>()

  constructor(emit: (record: WebAclRecord) => void, random: () => number = Math.random) {
    this.#emit = emit
    this.#random = random
  }

  inspected(acl: PublishedWebAcl, request: InspectedRequest, verdict: Verdict, origin: RequestOrigin): void {
    const log = logRecord(acl, request, verdict, origin)
    if (log) this.#emit({ kind: 'waf-log', webAcl: acl.arn, log })
    this.#sample(acl, request, verdict, origin)
    // Other keys are not shown by any operation, and may hold what logs must not.
    for (const rate of verdict.rates)
      if (rate.keyType === 'IP' || rate.keyType === 'FORWARDED_IP') this.#block(acl.arn, rate, origin.now)
  }

  /** Emits samples and blocked keys. */
  flush(now: number): void {
    for (const { webAcl, metric, from, population, samples } of this.#reservoirs.values())
      this.#emit({ kind: 'waf-samples', webAcl, metric, from, population, samples })
    this.#reservoirs.clear()
    for (const [id, { record, until }] of this.#rates) {
      for (const [key, end] of until) if (end <= now) until.delete(key)
      if (until.size === 0) this.#rates.delete(id)
      this.#emit({ ...record, until: Math.max(now, ...until.values()), keys: [...until.keys()] })
    }
  }

  #sample(acl: PublishedWebAcl, request: InspectedRequest, verdict: Verdict, origin: RequestOrigin): void {
    let shown: WafSample['request'] | undefined
    for (const { metric, action, ruleWithinGroup, overriddenAction } of sampled(acl, verdict)) {
      const id = `${acl.arn} ${metric}`
      const known = this.#reservoirs.get(id)
      if (!known && this.#reservoirs.size >= METRICS_MAX) continue
      const reservoir = known ?? { webAcl: acl.arn, metric, from: origin.now, population: 0, samples: [] }
      this.#reservoirs.set(id, reservoir)
      reservoir.population++
      // Each request has the same chance to be kept: Vitter's algorithm R.
      const place =
        reservoir.samples.length < SAMPLES_MAX
          ? reservoir.samples.length
          : Math.floor(this.#random() * reservoir.population)
      if (place >= SAMPLES_MAX) continue
      shown ??= shownRequest(protectedRequest(request, acl.dataProtection))
      reservoir.samples[place] = {
        at: origin.now,
        request: shown,
        action,
        ruleWithinGroup,
        overriddenAction,
        ...(verdict.insertedHeaders.length > 0 && { insertedHeaders: verdict.insertedHeaders }),
        responseCode: origin.responseCode,
        labels: verdict.labels,
        token: origin.token,
      }
    }
  }

  #block(webAcl: string, rate: Verdict['rates'][number], now: number): void {
    const id = JSON.stringify([webAcl, rate.groupRuleId ?? null, rate.ruleId])
    const keys = this.#rates.get(id) ?? {
      record: { kind: 'waf-rate-keys', webAcl, rule: rate.ruleId, groupRule: rate.groupRuleId, keyType: rate.keyType },
      until: new Map<string, number>(),
    }
    this.#rates.set(id, keys)
    const key = rate.key.join(',')
    if (keys.until.size < KEYS_MAX || keys.until.has(key)) keys.until.set(key, now + rate.windowSeconds * 1_000)
  }
}

interface SampledRule {
  readonly metric: string
  readonly action: ActionName
  readonly ruleWithinGroup?: string | undefined
  readonly overriddenAction?: ActionName | undefined
}

/** The rules that matched and are sampled; the web ACL itself for its default action. */
function sampled(acl: PublishedWebAcl, verdict: Verdict): readonly SampledRule[] {
  const found: SampledRule[] = []
  const add = (visibility: PublishedWebAcl['visibility'] | undefined, rule: Omit<SampledRule, 'metric'>) => {
    if (visibility?.SampledRequestsEnabled && visibility.MetricName)
      found.push({ metric: visibility.MetricName, ...rule })
  }
  const visibilityOf = (name: string) => acl.rules.find(({ Name }) => Name === name)?.VisibilityConfig
  for (const { ruleId, action } of verdict.nonTerminating) {
    const inGroup = groupMatch(acl, verdict, ruleId)
    add(visibilityOf(ruleId), {
      action,
      ruleWithinGroup: inGroup?.ruleId,
      // The group's rule would have ended the evaluation.
      overriddenAction: inGroup && inGroup.action !== action ? inGroup.action : undefined,
    })
  }
  if (verdict.terminatingRuleId === 'Default_Action') add(acl.visibility, { action: verdict.action })
  else
    add(visibilityOf(verdict.terminatingRuleId), {
      action: verdict.action,
      ruleWithinGroup: groupMatch(acl, verdict, verdict.terminatingRuleId)?.ruleId,
    })
  return found
}

/** The rule that ended a group, by the rule of the web ACL that refers to the group. */
function groupMatch(acl: PublishedWebAcl, verdict: Verdict, ruleName: string): RuleMatch | undefined {
  const statement = acl.rules.find(({ Name }) => Name === ruleName)?.Statement
  const { RuleGroupReferenceStatement: own, ManagedRuleGroupStatement: managed } = statement ?? {}
  const id = own ? own.ARN : managed && `${managed.VendorName}#${managed.Name}`
  return verdict.groups.find((group) => group.id === id)?.terminatingRule
}

const shownRequest = (request: InspectedRequest): WafSample['request'] => ({
  clientIp: request.clientIp,
  country: request.country,
  uri: `${request.path}${request.query === '' ? '' : `?${request.query}`}`.slice(0, CHARS_MAX),
  method: request.method,
  httpVersion: `HTTP/${request.httpVersion}`,
  headers: request.headers.slice(0, HEADERS_MAX).map(([name, value]) => [name, value.slice(0, CHARS_MAX)] as const),
})
