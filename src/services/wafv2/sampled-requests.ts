/**
 * Sampled requests: what gateways sampled, kept by rule and minute for three hours.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_GetSampledRequests.html
 */
import type { SampledHTTPRequest } from '@aws-sdk/client-wafv2'
import type { WafSample, WebAclRecord } from '../../engines/waf/traffic-recorder.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { invalidParameter, wafv2 } from './faults.ts'
import { scopeName, webAcl } from './resources.ts'

/** In documents that wait: never change it. */
export const FORGET_SAMPLES = 'wafv2.forget-samples'
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
export const SAMPLES_KEPT_MS = 3 * HOUR_MS
/** Of one rule in one minute. */
const SAMPLES_MAX = 50
/** AWS WAF takes its samples from so many requests. */
const POPULATION_MAX = 5_000

interface SampleRow {
  /** Requests of the minute. */
  readonly population: number
  readonly samples: readonly WafSample[]
}

type Samples = Extract<WebAclRecord, { readonly kind: 'waf-samples' }>

const samplesOf = (arn: string): Key => under('wafv2', 'sample', arn)
const minuteKey = (arn: string, metric: string, minute: number): Key =>
  key('wafv2', 'sample', arn, metric, String(minute).padStart(12, '0'))
const minuteIn = (at: Key): number => Number(at.slice(at.lastIndexOf('/') + 1))

export async function keepSamples(unit: Unit, arn: string, record: Samples, account: string): Promise<void> {
  const minute = Math.floor(record.from / MINUTE_MS)
  const at = minuteKey(arn, record.metric, minute)
  const known = await unit.get<SampleRow>(at)
  const population = (known?.population ?? 0) + record.population
  const samples = [...(known?.samples ?? []), ...record.samples]
  // Whatever is over is taken out at even distances: no part of the minute loses more than another.
  const step = samples.length / Math.min(samples.length, SAMPLES_MAX)
  const kept = Array.from({ length: Math.min(samples.length, SAMPLES_MAX) }, (_, n) => samples[Math.floor(n * step)]!)
  unit.put(at, { population, samples: kept } satisfies SampleRow)
  if (known) return
  scheduleJob(unit, {
    id: `${FORGET_SAMPLES}/${arn}`,
    kind: FORGET_SAMPLES,
    dueAt: Math.ceil((record.from + 1) / HOUR_MS) * HOUR_MS + SAMPLES_KEPT_MS,
    payload: { account, webAcl: arn },
  })
}

/** Removes what is older than three hours. */
export const forgetSamples: ServiceJob<{ readonly webAcl: string }> = {
  run: async (unit, { now }, { webAcl: arn }) => {
    for (const { key: at } of await unit.range(samplesOf(arn)))
      if (minuteIn(at) * MINUTE_MS < now - SAMPLES_KEPT_MS) unit.delete(at)
  },
}

const shown = ({ request, ...sample }: WafSample, weight: number): SampledHTTPRequest => ({
  Request: {
    ClientIP: request.clientIp,
    Country: request.country ?? '-',
    URI: request.uri,
    Method: request.method,
    HTTPVersion: request.httpVersion,
    Headers: request.headers.map(([Name, Value]) => ({ Name, Value })),
  },
  Weight: weight,
  Timestamp: new Date(sample.at),
  Action: sample.action,
  ...(sample.ruleWithinGroup !== undefined && { RuleNameWithinRuleGroup: sample.ruleWithinGroup }),
  ...(sample.insertedHeaders && {
    RequestHeadersInserted: sample.insertedHeaders.map(([Name, Value]) => ({ Name, Value })),
  }),
  ...(sample.responseCode !== undefined && { ResponseCodeSent: sample.responseCode }),
  ...(sample.labels.length > 0 && { Labels: sample.labels.map((Name) => ({ Name })) }),
  ...(sample.overriddenAction !== undefined && { OverriddenAction: sample.overriddenAction }),
  ...(sample.token?.captcha && { CaptchaResponse: tokenResponse(sample.token.captcha) }),
  ...(sample.token?.challenge && { ChallengeResponse: tokenResponse(sample.token.challenge) }),
})

const tokenResponse = (response: NonNullable<NonNullable<WafSample['token']>['captcha']>) => ({
  ...(response.responseCode !== undefined && { ResponseCode: response.responseCode }),
  SolveTimestamp: response.solveTimestamp,
  ...(response.failureReason && { FailureReason: response.failureReason }),
})

export const getSampledRequests = wafv2
  .operation('GetSampledRequests')
  .on(webAcl.named('WebAclArn', { ownAccount: true }))
  .run(async (call, input, { arn, row }) => {
    const { TimeWindow, MaxItems, RuleMetricName } = input
    const [from, to] = [TimeWindow.StartTime.getTime(), TimeWindow.EndTime.getTime()]
    if (scopeName(call, input.Scope) !== row.scope)
      throw invalidParameter('SCOPE_VALUE', input.Scope, 'The scope is not that of the web ACL.')
    if (from >= to || from < call.now - SAMPLES_KEPT_MS - MINUTE_MS)
      throw invalidParameter('WEB_ACL', 'TimeWindow', 'The time window must lie within the last three hours.')
    const last = Math.floor(to / MINUTE_MS)
    let population = 0
    let end = to
    const found: { readonly sample: WafSample; readonly weight: number }[] = []
    const rows = await call.unit.range<SampleRow>(under('wafv2', 'sample', arn, RuleMetricName), {
      after: minuteKey(arn, RuleMetricName, Math.floor(from / MINUTE_MS) - 1),
    })
    for (const { key: at, document } of rows) {
      if (minuteIn(at) > last) break
      if (population >= POPULATION_MAX) {
        end = minuteIn(at) * MINUTE_MS
        break
      }
      population += document.population
      const weight = Math.max(1, Math.round(document.population / Math.max(1, document.samples.length)))
      const within = document.samples.filter((sample) => sample.at >= from && sample.at <= to)
      found.push(...within.map((sample) => ({ sample, weight })))
    }
    const step = Math.max(1, found.length / Number(MaxItems))
    const chosen = Array.from(
      { length: Math.min(found.length, Number(MaxItems)) },
      (_, n) => found[Math.floor(n * step)]!,
    )
    return {
      SampledRequests: chosen.map(({ sample, weight }) => shown(sample, weight)),
      PopulationSize: population,
      TimeWindow: { StartTime: TimeWindow.StartTime, EndTime: new Date(end) },
    }
  })
