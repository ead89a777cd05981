/** What a gateway counts, in the Prometheus text format 0.0.4. Names come from snapshots, never from requests. */

/** Upper bounds in seconds, from the request's head to the response's. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const
/** Of one counter; further ones are counted as `other`. */
const SERIES_MAX = 1_000

export type UpstreamFailure = 'timeout' | 'connection' | 'no_target'

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))
const labelled = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join()

class Counter {
  readonly #name: string
  readonly #help: string
  readonly #counts = new Map<string, number>()

  constructor(name: string, help: string) {
    this.#name = name
    this.#help = help
  }

  add(labels: Readonly<Record<string, string>>): void {
    const wanted = labelled(labels)
    const isKnown = this.#counts.has(wanted) || this.#counts.size < SERIES_MAX
    const series = isKnown ? wanted : labelled(Object.fromEntries(Object.keys(labels).map((name) => [name, 'other'])))
    this.#counts.set(series, (this.#counts.get(series) ?? 0) + 1)
  }

  lines(): readonly string[] {
    return [
      `# HELP ${this.#name} ${this.#help}`,
      `# TYPE ${this.#name} counter`,
      ...[...this.#counts].map(([series, count]) => `${this.#name}{${series}} ${count}`),
    ]
  }
}

/** `loadbalancer/app/shop/1f6f` of an ARN: what operators and their dashboards call it. */
const resourceOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1)

export class GatewayMetrics {
  readonly #requests = new Counter('merlon_gateway_requests_total', 'Requests answered, by load balancer and status.')
  readonly #rules = new Counter(
    'merlon_gateway_web_acl_stopped_total',
    'Requests that a web ACL did not let through, by the rule that decided.',
  )
  readonly #upstream = new Counter(
    'merlon_gateway_upstream_errors_total',
    'Requests that no target answered, by load balancer and reason.',
  )
  #refused = 0
  readonly #buckets = BUCKETS.map(() => 0)
  #seconds = 0
  #answered = 0

  answered(loadBalancer: string | undefined, status: number, tookMs: number): void {
    const name = loadBalancer === undefined ? 'none' : resourceOf(loadBalancer)
    this.#requests.add({ load_balancer: name, status: String(status) })
    this.#answered++
    this.#seconds += tookMs / 1_000
    for (let at = 0; at < BUCKETS.length; at++) if (tookMs / 1_000 <= BUCKETS[at]!) this.#buckets[at]!++
  }

  stopped(webAcl: string, rule: string, action: string): void {
    this.#rules.add({ web_acl: webAcl, rule, action })
  }

  upstreamFailed(loadBalancer: string, reason: UpstreamFailure): void {
    this.#upstream.add({ load_balancer: resourceOf(loadBalancer), reason })
  }

  /** Before anything looked at the request. */
  refused(): void {
    this.#refused++
  }

  /** `inFlight`: requests whose responses have not ended. */
  lines(inFlight: number): readonly string[] {
    const duration = 'merlon_gateway_request_duration_seconds'
    return [
      ...this.#requests.lines(),
      ...this.#rules.lines(),
      ...this.#upstream.lines(),
      '# HELP merlon_gateway_refused_total Requests and connections refused before anything looked at them.',
      '# TYPE merlon_gateway_refused_total counter',
      `merlon_gateway_refused_total ${this.#refused}`,
      `# HELP ${duration} Time from the head of a request to the head of its response.`,
      `# TYPE ${duration} histogram`,
      ...BUCKETS.map((le, at) => `${duration}_bucket{le="${le}"} ${this.#buckets[at]}`),
      `${duration}_bucket{le="+Inf"} ${this.#answered}`,
      `${duration}_sum ${this.#seconds}`,
      `${duration}_count ${this.#answered}`,
      '# HELP merlon_gateway_requests_in_flight Requests whose responses have not ended.',
      '# TYPE merlon_gateway_requests_in_flight gauge',
      `merlon_gateway_requests_in_flight ${inFlight}`,
    ]
  }
}
