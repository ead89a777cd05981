/** Resource policies as rows keep them: compiled once for each version of a row. */
import type { CompiledPolicy, PolicySource } from '../../policy/index.ts'
import { compilePinned, type Pins } from './pinned.ts'

/** As written, with the unique ids of the principals it names. */
export interface StoredPolicy {
  readonly text: string
  readonly pins: Pins
}

/** Rows never change in place, so a compiled policy is valid as long as its row object. */
export class CompiledPolicies<R extends object> {
  readonly #compiled = new WeakMap<R, CompiledPolicy>()

  get(row: R, { text, pins }: StoredPolicy, source: PolicySource): CompiledPolicy {
    let policy = this.#compiled.get(row)
    if (!policy) {
      policy = compilePinned(text, pins, source)
      this.#compiled.set(row, policy)
    }
    return policy
  }
}
