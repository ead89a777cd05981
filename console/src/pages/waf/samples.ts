/** Sampled requests of a rule, and what would change if a rule that counts blocked. */
import type { Client } from '../../api/client.ts'
import type { Output } from '../../api/sdk.ts'

type Sampled = Output<'wafv2', 'GetSampledRequests'>
export type Sample = NonNullable<Sampled['SampledRequests']>[number]

export interface Samples {
  /** Requests that matched, of which some were sampled. */
  readonly population: number
  readonly samples: readonly Sample[]
}

const HOURS_3_MS = 3 * 3_600_000
const SAMPLES_MAX = 500

/** Of the last three hours, the newest first. */
export async function loadSamples(client: Client, webAcl: string, metric: string): Promise<Samples> {
  const now = Date.now()
  const { PopulationSize, SampledRequests } = await client.call('wafv2', 'GetSampledRequests', {
    WebAclArn: webAcl,
    RuleMetricName: metric,
    Scope: 'REGIONAL',
    TimeWindow: { StartTime: new Date(now - HOURS_3_MS), EndTime: new Date(now) },
    MaxItems: SAMPLES_MAX as never,
  })
  const samples = (SampledRequests ?? []).toSorted((a, b) => timeOf(b) - timeOf(a))
  return { population: Number(PopulationSize ?? 0), samples }
}

const timeOf = ({ Timestamp }: Sample): number => Timestamp?.getTime() ?? 0

export interface BlockEffect {
  /** Requests that the rule matched, as estimated from the samples. */
  readonly matched: number
  /** Of them, those that passed, and would be blocked. */
  readonly blocked: number
  readonly clients: number
  /** The paths that most of them were for. */
  readonly paths: readonly (readonly [path: string, requests: number])[]
  readonly examples: readonly Sample[]
}

const PATHS_SHOWN = 5
const EXAMPLES_SHOWN = 20

/** A sample that AWS WAF answered itself was stopped by another rule already. */
const hasPassed = ({ ResponseCodeSent }: Sample): boolean => ResponseCodeSent === undefined

export function blockEffect({ population, samples }: Samples): BlockEffect {
  const passed = samples.filter(hasPassed)
  const share = samples.length === 0 ? 0 : population / samples.length
  const paths = new Map<string, number>()
  for (const { Request } of passed) {
    const path = Request?.URI?.split('?')[0] ?? '/'
    paths.set(path, (paths.get(path) ?? 0) + 1)
  }
  return {
    matched: population,
    blocked: Math.round(passed.length * share),
    clients: new Set(passed.map(({ Request }) => Request?.ClientIP)).size,
    paths: [...paths]
      .sort(([, a], [, b]) => b - a)
      .slice(0, PATHS_SHOWN)
      .map(([path, count]) => [path, Math.round(count * share)] as const),
    examples: passed.slice(0, EXAMPLES_SHOWN),
  }
}
