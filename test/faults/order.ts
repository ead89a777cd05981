/** The weaker things that linearizability promises, each with a name and sentence of its own: what people look for first. */
import type { Operation, State } from './history.ts'
import { effectOf, onlyLooks } from './register.ts'

export interface Broken {
  readonly property: string
  readonly text: string
  readonly witness: readonly Operation[]
}

/** Every rule holds of each linearizable history; that they are enough is not said. */
export const RULES: readonly ((operations: readonly Operation[]) => Broken | undefined)[] = [
  phantom,
  lostOrStale,
  backwards,
]

const writes = (operations: readonly Operation[]) => operations.filter((each) => !onlyLooks(each))
const reads = (operations: readonly Operation[]) =>
  operations.filter(({ action, outcome }) => action === 'read' && outcome === 'done')
const before = (a: Operation, b: Operation) => a.returnedAt !== undefined && a.returnedAt < b.invokedAt
const shown = (state: State) => (state === null ? 'nothing' : `'${state}'`)

/** A value that was never written, that was refused, or that is read before it was requested. */
function phantom(operations: readonly Operation[]): Broken | undefined {
  const wrote = new Map(operations.flatMap((each) => (each.value === undefined ? [] : [[each.value, each] as const])))
  for (const read of reads(operations)) {
    if (read.read === null) continue
    const writer = wrote.get(read.read!)
    const why = !writer
      ? 'which was never written'
      : onlyLooks(writer)
        ? `though writing it was refused (${writer.outcome})`
        : before(read, writer)
          ? 'before it was requested'
          : undefined
    if (why) {
      const text = `${read.node} answered ${shown(read.read!)}, ${why}.`
      return { property: 'phantom write', text, witness: writer ? [writer, read] : [read] }
    }
  }
  return undefined
}

/** An acknowledged change that a later read does not see: lost when no read ever does, stale otherwise. */
function lostOrStale(operations: readonly Operation[]): Broken | undefined {
  for (const write of writes(operations)) {
    if (write.outcome !== 'done') continue
    const later = reads(operations).filter((read) => before(write, read))
    const blind = later.filter((read) => olderThan(operations, read, write))
    if (blind.length === 0) continue
    const [read] = blind
    const lost = blind.length === later.length
    const same = read!.node === write.node
    const text = `${write.node} acknowledged ${write.action} of ${shown(effectOf(write))}, then ${same ? 'the same node' : read!.node} answered ${shown(read!.read!)}, from before it${lost ? ', and so did every read after' : ''}.`
    const property = lost ? 'lost acknowledged write' : same ? 'stale read on one node' : 'stale read on another node'
    return { property, text, witness: [write, read!] }
  }
  return undefined
}

/** A read that shows less than an earlier one has shown. */
function backwards(operations: readonly Operation[]): Broken | undefined {
  const all = reads(operations)
  for (const first of all) {
    const writer = operations.find(({ value }) => value !== undefined && value === first.read)
    if (!writer) continue
    for (const second of all) {
      if (!before(first, second) || !olderThan(operations, second, writer)) continue
      const where = first.node === second.node ? 'on one node' : 'across nodes'
      const text = `${first.node} answered ${shown(first.read!)}, then ${second.node} answered ${shown(second.read!)}, which is older.`
      return { property: `reads go backwards ${where}`, text, witness: [writer, first, second] }
    }
  }
  return undefined
}

/** Whether everything that can have produced the value had ended before the change was requested. */
function olderThan(operations: readonly Operation[], read: Operation, change: Operation): boolean {
  if (read.read === effectOf(change)) return false
  return writes(operations)
    .filter((each) => each !== change && effectOf(each) === read.read && !before(read, each))
    .every((each) => before(each, change))
}
