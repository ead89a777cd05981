/**
 * What each network may have evaluated by web ACLs in the server's process, before anything shows who calls: in steps, as the budget of one
 * evaluation is counted. Clients that spend it are refused without an evaluation.
 */
import { type Bucket, Buckets } from '../../kernel/gate/token-bucket.ts'
import { networkOf } from '../../kernel/gate/unauthenticated-refusals.ts'

/** A call takes about 50,000 steps, a body of 16 KB a million at most: some hundred milliseconds of processor time a second. */
const RATE = { perSecond: 50_000_000, burst: 200_000_000, runningMax: Number.POSITIVE_INFINITY }
const NETWORKS_MAX = 10_000

export class EvaluationBudget {
  readonly #buckets = new Buckets(RATE, NETWORKS_MAX)

  /** Whether the network of this address has steps left. */
  admits(address: string, now: number): boolean {
    return this.#at(address, now).tokens > 0
  }

  spend(address: string, now: number, steps: number): void {
    this.#at(address, now).tokens -= steps
  }

  #at(address: string, now: number): Bucket {
    return this.#buckets.at(networkOf(address), now)
  }
}
