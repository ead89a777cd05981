/** Counters of a node for `/metrics`: sign-ins by result, tokens, messages with codes, and calls of triggers by outcome. */
import type { UserPoolCount, UserPoolCountsPort } from '../../kernel/ports/user-pool-counts.ts'

const HELP: Readonly<Record<UserPoolCount, string>> = {
  sign_ins: 'Answers to sign-ins: success, wrong (a password, code or device), refused (too many wrong ones before).',
  tokens: 'Access tokens issued, by what they were issued for.',
  messages: 'Messages with codes, by kind and medium.',
  trigger_calls: 'Calls of functions of user pools, by trigger and outcome.',
}

export class Counts implements UserPoolCountsPort {
  readonly #counts = new Map<UserPoolCount, Map<string, number>>()

  count(what: UserPoolCount, labels: Readonly<Record<string, string>>): void {
    const series = this.#counts.get(what) ?? new Map<string, number>()
    this.#counts.set(what, series)
    const text = Object.entries(labels)
      .map(([name, value]) => `${name}="${value}"`)
      .join(',')
    series.set(text, (series.get(text) ?? 0) + 1)
  }

  /** Prometheus text format 0.0.4. */
  lines(): readonly string[] {
    return [...this.#counts].flatMap(([what, series]) => [
      `# HELP merlon_user_pool_${what}_total ${HELP[what]}`,
      `# TYPE merlon_user_pool_${what}_total counter`,
      ...[...series].map(([labels, count]) => `merlon_user_pool_${what}_total{${labels}} ${count}`),
    ])
  }
}
