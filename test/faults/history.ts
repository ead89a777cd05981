/** What clients requested and what they saw, timed by one clock: the checker's input, one JSON line an operation. */
import { readFileSync, writeFileSync } from 'node:fs'

/** What a register holds; null when there is none of that name. */
export type State = string | null

export const ACTIONS = ['read', 'write', 'create', 'delete'] as const
export type Action = (typeof ACTIONS)[number]

/**
 * `done`: acknowledged. `exists`, `missing`: refused because of what the register held, which is an observation, too.
 * `unknown`: no answer, or one that says nothing; it may have taken effect, may still, or never will.
 */
export const OUTCOMES = ['done', 'exists', 'missing', 'unknown'] as const
export type Outcome = (typeof OUTCOMES)[number]

export interface Operation {
  readonly id: number
  readonly client: string
  readonly node: string
  readonly register: string
  readonly action: Action
  /** Of writes and creates; no two operations carry the same. */
  readonly value?: string
  /** Of reads that were answered. */
  readonly read?: State
  readonly outcome: Outcome
  /** Microseconds of this process's monotonic clock. */
  readonly invokedAt: number
  /** Of whatever is not unknown. */
  readonly returnedAt?: number
  /** As the response and the event in the audit log name it. */
  readonly requestId?: string
  /** Why the outcome is not known. */
  readonly why?: string
}

/** What was done to the system while the clients worked. */
export interface Disturbance {
  readonly fault: string
  readonly target: string
  readonly beganAt: number
  readonly endedAt?: number
}

/** Everything that is needed to check a round again, or to run it again. */
export interface RoundLog {
  readonly seed: number
  readonly round: number
  readonly nodes: readonly string[]
  readonly store: string
  readonly disturbances: readonly Disturbance[]
  readonly operations: readonly Operation[]
}

export const microseconds = (): number => Number(process.hrtime.bigint() / 1000n)

/** Takes down operations as they begin and end. */
export class History {
  readonly #operations: Operation[] = []
  #ids = 0

  get operations(): readonly Operation[] {
    return this.#operations
  }

  nextId(): number {
    return ++this.#ids
  }

  add(operation: Operation): void {
    this.#operations.push(operation)
  }
}

export function byRegister(operations: readonly Operation[]): ReadonlyMap<string, readonly Operation[]> {
  const registers = new Map<string, Operation[]>()
  for (const operation of operations) {
    const known = registers.get(operation.register)
    if (known) known.push(operation)
    else registers.set(operation.register, [operation])
  }
  return registers
}

/** `more` is for people: what was found wrong, and the fewest operations that show it. */
export function saveLog(file: string, log: RoundLog, more: readonly object[] = []): void {
  const { disturbances, operations, ...round } = log
  const lines = [
    { line: 'round', ...round },
    ...disturbances.map((each) => ({ line: 'disturbance', ...each })),
    ...operations.map((each) => ({ line: 'operation', ...each })),
    ...more.map((each) => ({ line: 'violation', ...each })),
  ]
  writeFileSync(file, lines.map((each) => `${JSON.stringify(each)}\n`).join(''))
}

export function loadLog(file: string): RoundLog {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  let round: Omit<RoundLog, 'disturbances' | 'operations'> | undefined
  const disturbances: Disturbance[] = []
  const operations: Operation[] = []
  lines.forEach((text, index) => {
    const { line, ...rest } = JSON.parse(text) as { line?: string }
    if (line === 'round') round = rest as typeof round
    else if (line === 'disturbance') disturbances.push(rest as Disturbance)
    else if (line === 'operation') operations.push(checked(rest, `${file}:${index + 1}`))
    else if (line !== 'violation') throw new Error(`${file}:${index + 1}: a line of no known kind.`)
  })
  if (!round) throw new Error(`${file}: no line describes the round.`)
  return { ...round, disturbances, operations }
}

/** A log that was cut or edited must not pass for a good history. */
function checked(read: object, place: string): Operation {
  const operation = read as Operation
  const { action, outcome, register, invokedAt, returnedAt } = operation
  const known = (outcome === 'unknown') === (returnedAt === undefined)
  if (!ACTIONS.includes(action) || !OUTCOMES.includes(outcome) || typeof register !== 'string' || !known)
    throw new Error(`${place}: not an operation of a history.`)
  if (typeof invokedAt !== 'number' || (returnedAt !== undefined && !(returnedAt >= invokedAt)))
    throw new Error(`${place}: an operation ends before it begins.`)
  if (action === 'read' && outcome === 'done' && operation.read === undefined)
    throw new Error(`${place}: a read without what it read.`)
  return operation
}
