/** Checks a history, register by register, and shows of what is wrong as few operations as still prove it. */
import { byRegister, type Operation } from './history.ts'
import { linearizable } from './linearizable.ts'
import { type Broken, RULES } from './order.ts'
import { onlyLooks } from './register.ts'

export interface Violation extends Broken {
  readonly register: string
}

/** Registers begin absent. */
export function violations(operations: readonly Operation[], budget?: number): Violation[] {
  return [...byRegister(operations)].flatMap(([register, own]) => {
    const broken = judge(own, budget)
    return broken ? [{ register, ...broken }] : []
  })
}

function judge(operations: readonly Operation[], budget?: number): Broken | undefined {
  for (const rule of RULES) {
    const broken = rule(operations)
    if (broken) return broken
  }
  const answer = linearizable(operations, null, budget)
  if (answer === 'yes') return undefined
  if (answer === 'undecided') {
    const text = `${operations.length} operations are too many for the search: fewer a register, or fewer unanswered.`
    return { property: 'undecided', text, witness: operations }
  }
  const witness = smallest(operations)
  const text = `No order of these ${witness.length} operations explains their answers.`
  return { property: 'not linearizable', text, witness }
}

/**
 * Leaves out only what proves more by being there: what ended late, what only looked, and what was acknowledged but
 * need not have been. What is left is as impossible as the whole.
 */
function smallest(operations: readonly Operation[]): readonly Operation[] {
  const impossible = (some: readonly Operation[]) => linearizable(some) === 'no'
  let kept = shortestPrefix(operations, impossible)
  for (const each of [...kept].reverse()) {
    const without = kept.filter(({ id }) => id !== each.id)
    if (onlyLooks(each)) {
      if (impossible(without)) kept = without
      continue
    }
    const unread = each.action === 'write' && !kept.some(({ read }) => read === each.value)
    const relaxed = kept.map((other) => (other.id === each.id ? unanswered(other) : other))
    if (each.outcome === 'unknown' ? unread : unread && impossible(relaxed)) kept = without
  }
  return kept
}

/** Up to the answer with which it became impossible: what had not ended by then is unanswered. */
function shortestPrefix(operations: readonly Operation[], impossible: (some: readonly Operation[]) => boolean) {
  const ends = operations.flatMap(({ returnedAt }) => (returnedAt === undefined ? [] : [returnedAt])).sort(numerically)
  const prefix = (end: number) =>
    operations
      .filter(({ invokedAt }) => invokedAt <= end)
      .map((each) => (each.returnedAt !== undefined && each.returnedAt > end ? unanswered(each) : each))
      .filter(({ action, outcome }) => action !== 'read' || outcome !== 'unknown')
  let [low, high] = [0, ends.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (impossible(prefix(ends[middle]!))) high = middle
    else low = middle + 1
  }
  return prefix(ends[low]!)
}

const numerically = (a: number, b: number) => a - b

function unanswered({ returnedAt: _, read: __, ...rest }: Operation): Operation {
  return { ...rest, outcome: 'unknown' }
}
