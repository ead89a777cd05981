/** Every vector of a file is checked, or left out for a reason in the output. */
import type { Group, Vector } from './files.ts'

/** Whether the vector was accepted, or why it could not be checked. */
export type Verdict = boolean | { readonly skipped: string }

/** Refused by KMS by rule, whatever the vector says: it must be refused here as well. */
export const refusedByRule = (accepted: boolean, rule: string): Verdict => {
  if (accepted) throw new Error(`accepted against the rule: ${rule}`)
  return { skipped: `${rule}; refused, as it must be` }
}

export class Tally {
  readonly wrong: string[] = []
  judged = 0
  readonly skipped = new Map<string, number>()

  async over(groups: readonly Group[], judge: (vector: Vector, group: Group) => Promise<Verdict>): Promise<void> {
    for (const group of groups) for (const vector of group.tests) this.#count(vector, await judge(vector, group))
  }

  get total(): number {
    return [...this.skipped.values()].reduce((sum, count) => sum + count, this.judged)
  }

  /** As the output shows it. */
  told(file: string): string {
    const reasons = [...this.skipped].map(([reason, count]) => `\n    ${count} not checked: ${reason}`)
    return `${file}: ${this.judged} of ${this.total} checked${reasons.join('')}`
  }

  #count({ tcId, result }: Vector, verdict: Verdict): void {
    if (typeof verdict !== 'boolean') {
      this.skipped.set(verdict.skipped, (this.skipped.get(verdict.skipped) ?? 0) + 1)
      return
    }
    this.judged++
    // Either answer will do for what is merely acceptable.
    if (result !== 'acceptable' && verdict !== (result === 'valid')) this.wrong.push(`tcId ${tcId} is ${result}`)
  }
}
