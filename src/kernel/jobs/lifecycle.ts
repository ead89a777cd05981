/**
 * The lifecycle of a slow resource: a certificate waits for validation, a load balancer is provisioned. Its states are a
 * table, and durable jobs walk it: one job per row, each a turn. A change to the row by a caller wins over a turn that is
 * in progress.
 *
 * @example
 * export const issuance = lifecycle<State, CertificateRow>('acm.issue', {
 *   PENDING_VALIDATION: {
 *     everyMs: 60_000,
 *     ends: { afterMs: 72 * HOUR_MS, to: 'VALIDATION_TIMED_OUT' },
 *     step: async (context, row) => ((await isValidated(context, row)) ? { to: 'ISSUED' } : {}),
 *   },
 *   ISSUED: { everyMs: DAY_MS, step: renewWhenDue },
 *   VALIDATION_TIMED_OUT: 'end',
 * })
 */
import type { Key, Unit } from '../../store/store.ts'
import type { JobContext, ServiceJob } from '../service/service.ts'
import { cancelJob, scheduleJob } from './jobs.ts'

/** Where a row is in its lifecycle; stored in the row. */
export interface Progress<S extends string> {
  readonly state: S
  /** When it entered the state, in epoch milliseconds. */
  readonly since: number
  /** Counts the row's turns: a job whose turn is not the current one is outdated. */
  readonly turn: number
  /** The job of the current turn; absent in an end state. */
  readonly job?: Key
}

export interface WithProgress<S extends string> {
  readonly progress: Progress<S>
}

/** What a step found; members that are left out do not change. */
export interface StepResult<S extends string, R> {
  readonly to?: S
  /** Members to change in the row. */
  readonly row?: Partial<Omit<R, 'progress'>>
}

export interface State<S extends string, R> {
  /**
   * Observes the outside world, before the transaction; may run twice for one turn. When it throws, the turn changes
   * nothing and is reported, and the state's deadline still holds.
   */
  readonly step: (context: JobContext, row: R) => Promise<StepResult<S, R>>
  /** Milliseconds between two turns in this state; by the row, where one waits longer the longer it has waited. */
  readonly everyMs: number | ((row: R, now: number) => number)
  /** A deadline: the state that follows when the row has been in this one for so long. */
  readonly ends?: { readonly afterMs: number; readonly to: S }
}

export interface LifecycleHooks<S extends string, R> {
  /** In the transaction that changes the state: writes the service's event, releases what the row held. */
  readonly onChange?: (unit: Unit, context: JobContext, before: R, after: R) => Promise<void> | void
  /** In the transaction of every turn that is not dropped, before {@link onChange}. */
  readonly onTurn?: (unit: Unit, context: JobContext, before: R, after: R) => Promise<void> | void
  /** A step threw. */
  readonly onStepError?: (error: unknown, state: S, row: R) => void
}

export interface Lifecycle<S extends string, R extends WithProgress<S>> {
  /** In the operation's transaction: writes the row in `state` and schedules its first turn at once. */
  enter(unit: Unit, at: Key, row: Omit<R, 'progress'>, state: S, now: number): R
  /** Writes a changed row in its present state, so that a turn in progress is dropped, and schedules a turn at once. */
  hurry(unit: Unit, at: Key, row: R, now: number): R
  /** In the transaction that deletes the row. */
  leave(unit: Unit, at: Key, row: R): void
  /** For the service's `jobs`. */
  readonly jobs: Readonly<Record<string, ServiceJob>>
}

interface TurnPayload {
  readonly at: Key
  readonly turn: number
}

/** `kind` names the jobs in the store: never change it after release. A state that is `'end'` has no more turns. */
export function lifecycle<S extends string, R extends WithProgress<S>>(
  kind: string,
  states: Readonly<Record<S, State<S, R> | 'end'>>,
  { onChange, onTurn, onStepError }: LifecycleHooks<S, R> = {},
): Lifecycle<S, R> {
  const stateOf = ({ progress }: R): State<S, R> | undefined => {
    const state: State<S, R> | 'end' | undefined = states[progress.state]
    return state === 'end' ? undefined : state
  }

  /** Writes the row with its progress, and replaces the job of the turn before. */
  function write(
    unit: Unit,
    at: Key,
    row: Omit<R, 'progress'>,
    next: Omit<Progress<S>, 'job'>,
    before?: R,
    dueAt = 0,
  ): R {
    if (before?.progress.job) cancelJob(unit, before.progress.job)
    const job =
      states[next.state] === 'end'
        ? undefined
        : scheduleJob(unit, {
            id: `${kind}/${at}/${next.turn}`,
            kind,
            dueAt,
            payload: { at, turn: next.turn } satisfies TurnPayload,
          })
    const written = { ...row, progress: { ...next, ...(job && { job }) } } as R
    unit.put(at, written)
    return written
  }

  const turnJob: ServiceJob<TurnPayload, StepResult<S, R> | undefined> = {
    effect: async (context, { at, turn }) => {
      const row = await context.reader.get<R>(at)
      const state = row?.progress.turn === turn ? stateOf(row) : undefined
      if (!row || !state) return undefined
      try {
        return await state.step(context, row)
      } catch (error) {
        // A world that never answers must not keep the row from its deadline.
        onStepError?.(error, row.progress.state, row)
        return {}
      }
    },
    run: async (unit, context, { at, turn }, result) => {
      const before = await unit.get<R>(at)
      const state = before?.progress.turn === turn ? stateOf(before) : undefined
      if (!before || !state || !result) return
      const { now } = context
      const { progress } = before
      const isLate = state.ends !== undefined && now - progress.since >= state.ends.afterMs
      const to = result.to ?? (isLate ? state.ends!.to : progress.state)
      const next = states[to]
      const changed = { ...before, ...result.row } as R
      const everyMs = next === 'end' ? 0 : next.everyMs
      const waitMs = typeof everyMs === 'function' ? everyMs(changed, now) : everyMs
      const after = write(
        unit,
        at,
        changed,
        { state: to, since: to === progress.state ? progress.since : now, turn: turn + 1 },
        before,
        next === 'end' ? 0 : now + waitMs,
      )
      await onTurn?.(unit, context, before, after)
      if (to !== progress.state) await onChange?.(unit, context, before, after)
    },
  }

  return {
    enter: (unit, at, row, state, now) => write(unit, at, row, { state, since: now, turn: 1 }, undefined, now),
    hurry: (unit, at, row, now) =>
      write(unit, at, row, { ...withoutJob(row.progress), turn: row.progress.turn + 1 }, row, now),
    leave: (unit, at, { progress }) => {
      if (progress.job) cancelJob(unit, progress.job)
      unit.delete(at)
    },
    jobs: { [kind]: turnJob },
  }
}

function withoutJob<S extends string>({ state, since, turn }: Progress<S>): Omit<Progress<S>, 'job'> {
  return { state, since, turn }
}
