/**
 * Whether operations on one register can be put into one order that respects real time and the register's truth.
 * Wing & Gong's search with Lowe's memory of (what is ordered, what it left): G. Lowe, "Testing for linearizability".
 */
import type { Operation, State } from './history.ts'
import { onlyLooks, step } from './register.ts'

/** States of the search. A history that needs more is reported as undecided, which is no pass. */
const BUDGET = 2_000_000

export type Answer = 'yes' | 'no' | 'undecided'

export function linearizable(given: readonly Operation[], initial: State = null, budget = BUDGET): Answer {
  const operations = worthTrying(given).sort((a, b) => a.invokedAt - b.invokedAt)
  const known = bits(operations, ({ outcome }) => outcome !== 'unknown')
  const classOf = operations.map((operation) => sameness(operation, given))
  const seen = new Set<string>()
  let left = budget

  const search = (ordered: bigint, state: State): boolean => {
    if ((ordered & known) === known) return true
    const memory = `${ordered.toString(36)} ${state ?? ''}`
    if (seen.has(memory)) return false
    if (--left < 0) throw new Exhausted()
    seen.add(memory)

    const candidates = next(operations, ordered)
    // What only looks, and fits, loses nothing by going first.
    const look = candidates.find((index) => onlyLooks(operations[index]!) && step(state, operations[index]!) === state)
    if (look !== undefined) return search(ordered | (1n << BigInt(look)), state)

    const tried = new Set<string>()
    for (const index of candidates) {
      const after = step(state, operations[index]!)
      if (after === undefined || tried.has(classOf[index]!)) continue
      tried.add(classOf[index]!)
      if (search(ordered | (1n << BigInt(index)), after)) return true
    }
    return false
  }

  try {
    return search(0n, initial) ? 'yes' : 'no'
  } catch (error) {
    if (error instanceof Exhausted) return 'undecided'
    throw error
  }
}

class Exhausted extends Error {}

function bits(operations: readonly Operation[], which: (operation: Operation) => boolean): bigint {
  return operations.reduce((mask, operation, index) => (which(operation) ? mask | (1n << BigInt(index)) : mask), 0n)
}

/** Those that nothing else had to end before; what is known comes first, since what is not may never have happened. */
function next(operations: readonly Operation[], ordered: bigint): number[] {
  const open = operations.map((_, index) => index).filter((index) => !((ordered >> BigInt(index)) & 1n))
  const firstEnd = Math.min(...open.map((index) => operations[index]!.returnedAt ?? Number.POSITIVE_INFINITY))
  const candidates = open.filter((index) => operations[index]!.invokedAt <= firstEnd)
  const unsure = (index: number) => Number(operations[index]!.outcome === 'unknown')
  return candidates.sort((a, b) => unsure(a) - unsure(b))
}

/**
 * An unanswered read proves nothing; nor does an unanswered write whose value was never read: leaving it out changes no
 * result.
 */
function worthTrying(operations: readonly Operation[]): Operation[] {
  const read = valuesRead(operations)
  return operations.filter(
    ({ action, outcome, value }) =>
      outcome !== 'unknown' || !(action === 'read' || (action === 'write' && !read.has(value!))),
  )
}

/** Unanswered operations that do the same may be tried in the order they came: the earlier is free whenever the later is. */
function sameness({ id, action, outcome, value }: Operation, all: readonly Operation[]): string {
  if (outcome !== 'unknown') return String(id)
  return `${action} ${value !== undefined && valuesRead(all).has(value) ? value : ''}`
}

const valuesRead = (operations: readonly Operation[]): ReadonlySet<State> =>
  new Set(operations.flatMap(({ read }) => (read === undefined ? [] : [read])))
