/** Counters of what was answered, in the Prometheus text format 0.0.4. */
import type { RequestOutcome } from '../../kernel/gate/gate.ts'
import type { ThrottleScope } from '../../kernel/gate/throttle.ts'
import type { StreamStatus } from '../../planes/streams/stream.ts'
import type { Load } from './admission.ts'
import type { Gauges } from './gauges.ts'

/** Upper bounds in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const
/** Operation names come from requests: beyond this many series, further ones are counted as `other`. */
const SERIES_MAX = 2_000

interface Series {
  readonly labels: string
  count: number
  seconds: number
  readonly buckets: number[]
}

export class Metrics {
  readonly #series = new Map<string, Series>()
  readonly #throttled: Record<ThrottleScope, number> = { account: 0, principal: 0, address: 0 }
  #decisionErrors = 0
  readonly #serviceFailures = new Map<string, number>()
  readonly #startedAt = Date.now()

  observe({ service, operation, status, code, throttled, tookMs }: RequestOutcome): void {
    // Names that no model knows are the caller's invention: they must not become labels.
    const known = code !== 'UnknownOperation' && code !== 'InvalidAction' && operation !== 'unknown'
    const series = this.#of(service, known ? operation : 'unknown', status)
    if (throttled) this.#throttled[throttled]++
    const seconds = tookMs / 1000
    series.count++
    series.seconds += seconds
    for (let i = 0; i < BUCKETS.length; i++) if (seconds <= BUCKETS[i]!) series.buckets[i]!++
  }

  /** A call denied because its policies could not be evaluated. */
  countDecisionError(): void {
    this.#decisionErrors++
  }

  /** Work of a service's own that failed and is repeated; `work` is a name in the code. */
  countServiceFailure(work: string): void {
    this.#serviceFailures.set(work, (this.#serviceFailures.get(work) ?? 0) + 1)
  }

  /** `planes`: lines of the planes in this process. */
  text(streams: readonly StreamStatus[] = [], load?: Load, gauges?: Gauges, planes: readonly string[] = []): string {
    const all = [...this.#series.values()]
    const lines = [
      '# HELP merlon_requests_total Requests answered.',
      '# TYPE merlon_requests_total counter',
      ...all.map(({ labels, count }) => `merlon_requests_total{${labels}} ${count}`),
      '# HELP merlon_request_duration_seconds Time from the first byte parsed to the answer.',
      '# TYPE merlon_request_duration_seconds histogram',
      ...all.flatMap(({ labels, count, seconds, buckets }) => [
        ...BUCKETS.map((le, i) => `merlon_request_duration_seconds_bucket{${labels},le="${le}"} ${buckets[i]}`),
        `merlon_request_duration_seconds_bucket{${labels},le="+Inf"} ${count}`,
        `merlon_request_duration_seconds_sum{${labels}} ${seconds}`,
        `merlon_request_duration_seconds_count{${labels}} ${count}`,
      ]),
      ...streamMetrics(streams),
      '# HELP merlon_throttled_total Calls refused because an account, a principal or an unsigned address exceeded its rate limit.',
      '# TYPE merlon_throttled_total counter',
      ...Object.entries(this.#throttled).map(([scope, count]) => `merlon_throttled_total{scope="${scope}"} ${count}`),
      '# HELP merlon_decision_errors_total Calls denied because their policies could not be evaluated.',
      '# TYPE merlon_decision_errors_total counter',
      `merlon_decision_errors_total ${this.#decisionErrors}`,
      '# HELP merlon_service_failures_total Attempts of work of a service that failed and are repeated.',
      '# TYPE merlon_service_failures_total counter',
      ...[...this.#serviceFailures].map(([work, count]) => `merlon_service_failures_total{work="${work}"} ${count}`),
      ...(load ? loadMetrics(load) : []),
      ...(gauges ? gaugeLines(gauges) : []),
      ...planes,
      '# HELP process_start_time_seconds Start of the process, seconds since the epoch.',
      '# TYPE process_start_time_seconds gauge',
      `process_start_time_seconds ${this.#startedAt / 1000}`,
      '# HELP process_resident_memory_bytes Resident memory.',
      '# TYPE process_resident_memory_bytes gauge',
      `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    ]
    return `${lines.join('\n')}\n`
  }

  #of(service: string, operation: string, status: number): Series {
    const labels = `service="${service}",operation="${operation}",status="${status}"`
    const found = this.#series.get(labels)
    if (found) return found
    if (this.#series.size >= SERIES_MAX && operation !== 'other') return this.#of('other', 'other', status)
    const series: Series = { labels, count: 0, seconds: 0, buckets: BUCKETS.map(() => 0) }
    this.#series.set(labels, series)
    return series
  }
}

function loadMetrics({ requests, bodyBytes, answerBytes, refused }: Load): readonly string[] {
  return [
    '# HELP merlon_refused_total Requests and connections refused or closed before authentication.',
    '# TYPE merlon_refused_total counter',
    ...Object.entries(refused).map(([reason, count]) => `merlon_refused_total{reason="${reason}"} ${count}`),
    '# HELP merlon_requests_in_flight Requests whose answers are not out yet.',
    '# TYPE merlon_requests_in_flight gauge',
    `merlon_requests_in_flight ${requests}`,
    '# HELP merlon_body_bytes Bytes of bodies in memory.',
    '# TYPE merlon_body_bytes gauge',
    `merlon_body_bytes ${bodyBytes}`,
    '# HELP merlon_unread_answer_bytes Bytes of answers that wait for their readers.',
    '# TYPE merlon_unread_answer_bytes gauge',
    `merlon_unread_answer_bytes ${answerBytes}`,
  ]
}

function gaugeLines({ isSealed, eventLoopDelay, diskFreeBytes, store }: Gauges): readonly string[] {
  return [
    '# HELP merlon_event_loop_delay_seconds Delay of the event loop since the last scrape.',
    '# TYPE merlon_event_loop_delay_seconds gauge',
    `merlon_event_loop_delay_seconds{quantile="max"} ${eventLoopDelay.maxSeconds}`,
    `merlon_event_loop_delay_seconds{quantile="0.99"} ${eventLoopDelay.p99Seconds}`,
    '# HELP merlon_sealed Whether the server is sealed.',
    '# TYPE merlon_sealed gauge',
    `merlon_sealed ${Number(isSealed)}`,
    ...(diskFreeBytes === undefined
      ? []
      : [
          '# HELP merlon_disk_free_bytes Bytes that are free where the data directory is.',
          '# TYPE merlon_disk_free_bytes gauge',
          `merlon_disk_free_bytes ${diskFreeBytes}`,
        ]),
    ...(store === undefined
      ? []
      : [
          '# HELP merlon_database_reachable Whether the database answered this scrape within a second.',
          '# TYPE merlon_database_reachable gauge',
          `merlon_database_reachable ${Number(store.isReachable)}`,
          '# HELP merlon_feed_lag_revisions Commits of other nodes that this node had not seen before the scrape.',
          '# TYPE merlon_feed_lag_revisions gauge',
          `merlon_feed_lag_revisions ${store.lagRevisions}`,
        ]),
  ]
}

function streamMetrics(streams: readonly StreamStatus[]): readonly string[] {
  const labels = ({ target, kind }: StreamStatus) => `kind="${kind}",target="${target.replace(/[\\"\n]/g, '\\$&')}"`
  return streams.length === 0
    ? []
    : [
        '# HELP merlon_stream_lines_total What a stream brought to its target since the start.',
        '# TYPE merlon_stream_lines_total counter',
        ...streams.map((each) => `merlon_stream_lines_total{${labels(each)}} ${each.sent}`),
        '# HELP merlon_stream_failing Whether the target of a stream takes nothing at the moment.',
        '# TYPE merlon_stream_failing gauge',
        ...streams.map((each) => `merlon_stream_failing{${labels(each)}} ${each.error === undefined ? 0 : 1}`),
      ]
}
