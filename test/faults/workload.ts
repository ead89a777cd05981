/** Clients that read and change a few registers through all nodes at random, and record the responses. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Random } from '../wire/random.ts'
import { type Action, type History, microseconds, type Operation, type Outcome, type State } from './history.ts'
import { isUntimely, KINDS, type Kind, newValue, REFUSALS } from './kinds.ts'
import type { Answered, SignedCaller } from './signed-call.ts'

export interface Target {
  readonly name: string
  readonly url: string
}

export interface Register {
  readonly name: string
  readonly kind: Kind
}

/** An answer that no fault excuses, such as a refusal for want of permission. */
export interface Surprise {
  readonly node: string
  readonly action: Action
  readonly register: string
  readonly code: string
  readonly message: string
}

export interface Workload {
  readonly asking: SignedCaller
  readonly history: History
  readonly surprises: Surprise[]
  readonly round: number
}

const USERS = 4
const SECRETS = 2
const PAUSE_MS_MAX = 40
/** After no response: a dead node must not fill the history with unknown outcomes. */
const PAUSE_UNKNOWN_MS = 250

const SHARES: readonly Action[] = ['read', 'read', 'read', 'read', 'write', 'write', 'create', 'create', 'delete']

export const registersOf = (round: number): Register[] =>
  KINDS.flatMap((kind) =>
    Array.from({ length: kind.name === 'user' ? USERS : SECRETS }, (_, n) => ({
      name: `${kind.name}-${round}-${n}`,
      kind,
    })),
  )

/** Calls until it is stopped. A client with one target stays with its node; with several it changes at random. */
export async function work(
  workload: Workload,
  client: string,
  targets: readonly Target[],
  registers: readonly Register[],
  random: Random,
  stopped: () => boolean,
): Promise<void> {
  while (!stopped()) {
    const register = random.pick(registers)
    const action = random.pick(SHARES.filter((each) => register.kind.calls[each]))
    const outcome = await perform(workload, client, random.pick(targets), register, action)
    await wait(random.below(PAUSE_MS_MAX) + (outcome === 'done' ? 0 : PAUSE_UNKNOWN_MS))
  }
}

/** What came of it: an outcome for the history, or nothing that belongs there. */
export async function perform(
  { asking, history, surprises, round }: Workload,
  client: string,
  { name: node, url }: Target,
  { name: register, kind }: Register,
  action: Action,
): Promise<'done' | 'unknown' | 'nothing'> {
  const id = history.nextId()
  const value = action === 'write' || action === 'create' ? newValue(round, id) : undefined
  const invokedAt = microseconds()
  const answer = await asking.ask(url, (api) => kind.calls[action]!(api, register, value ?? ''))
  const returnedAt = microseconds()
  const base = { id, client, node, register, action, ...(value !== undefined && { value }), invokedAt }

  const told = toldBy(action, answer)
  if (told === 'nothing') return 'nothing'
  if (told === 'surprise') {
    if (answer.is === 'refused') surprises.push({ node, action, register, code: answer.code, message: answer.message })
    return 'nothing'
  }
  if (told.outcome === 'unknown') {
    history.add({ ...base, outcome: 'unknown', ...(answer.is === 'unknown' && { why: answer.why }) })
    return 'unknown'
  }
  const requestId = answer.is === 'answered' ? { requestId: answer.requestId } : {}
  history.add({ ...base, ...told, returnedAt, ...requestId })
  return 'done'
}

type Told = { readonly outcome: Outcome; readonly read?: State } | 'nothing' | 'surprise'

function toldBy(action: Action, answer: Answered<State | undefined>): Told {
  switch (answer.is) {
    case 'answered':
      return { outcome: 'done', ...(action === 'read' && { read: answer.output! }) }
    case 'unknown':
      return { outcome: 'unknown' }
    case 'unsent':
      return 'nothing'
    case 'refused': {
      const outcome = REFUSALS[answer.code]
      if (isUntimely(answer.message)) return 'nothing'
      if (outcome === undefined) return 'surprise'
      return action === 'read' ? { outcome: 'done', read: null } : { outcome }
    }
  }
}

/** Reads every register on every node, as often as it takes; returns those that never answered. */
export async function readAll(
  workload: Workload,
  targets: readonly Target[],
  registers: readonly Register[],
  withinMs: number,
): Promise<string[]> {
  const until = Date.now() + withinMs
  const silent: string[] = []
  await Promise.all(
    targets.map(async (target) => {
      for (const register of registers) {
        let outcome = await perform(workload, 'last', target, register, 'read')
        while (outcome !== 'done' && Date.now() < until) {
          await wait(200)
          outcome = await perform(workload, 'last', target, register, 'read')
        }
        if (outcome !== 'done') silent.push(`${target.name} does not answer for ${register.name}`)
      }
    }),
  )
  return silent
}

export const changed = (operations: readonly Operation[]): Operation[] =>
  operations.filter(({ action, outcome }) => action !== 'read' && outcome === 'done')
