/** The one way in which a request, of the API or of a web route, becomes a commit. */
import { type Store, UnavailableError, type Unit } from '../../store/store.ts'
import type { EventDraft } from '../events/event.ts'

/** One run of a request towards a commit. A retry begins a new one. */
export interface Attempt {
  /** What the audit log will say. */
  readonly draft: EventDraft
  /** Run after the commit. */
  readonly effects: (() => void)[]
  /** How many of the steps that `once` did before it has come by; shared with operations that are forwarded. */
  readonly steps: { count: number }
  /** Operations that were forwarded and refused: recorded whether or not the caller goes on without them. */
  readonly refused: ((unit: Unit) => void)[]
}

export const newAttempt = (draft: EventDraft): Attempt => ({ draft, effects: [], steps: { count: 0 }, refused: [] })

/** Does something once, over all attempts of a request: `done` belongs to the request, the count of steps to the attempt. */
export const onceIn =
  (done: Promise<unknown>[], { steps }: Pick<Attempt, 'steps'>) =>
  <T>(effect: () => Promise<T>): Promise<T> =>
    (done[steps.count++] ??= effect()) as Promise<T>

export interface Transaction<A extends Attempt, T> {
  begin(): A
  run(unit: Unit, attempt: A): Promise<T>
  /** Nothing was written: records the failure in a transaction of its own. */
  refuse(error: unknown, attempt: A): Promise<void>
}

/** Runs until a commit succeeds, then its effects. Throws what the last attempt threw. */
export async function transact<A extends Attempt, T>(
  store: Pick<Store, 'run'>,
  { begin, run, refuse }: Transaction<A, T>,
): Promise<T> {
  let last: A | undefined
  try {
    const output = await store.run(async (unit) => {
      const attempt = begin()
      last = attempt
      const output = await run(unit, attempt)
      for (const record of attempt.refused) record(unit)
      return output
    })
    for (const effect of last?.effects ?? []) effect()
    return output
  } catch (error) {
    // The change and its event are both written, or neither: which is not known, and an event of a failure might be wrong.
    if (!(error instanceof UnavailableError)) await refuse(error, last ?? begin())
    throw error
  }
}
