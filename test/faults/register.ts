/** The sequential truth about one register: what each operation does to it, and which answers it can give. */
import type { Action, Operation, Outcome, State } from './history.ts'

type Step = (state: State, operation: Operation) => State | undefined

const impossible: Step = () => undefined
const ifThere: Step = (state) => (state === null ? undefined : state)
const ifMissing: Step = (state) => (state === null ? state : undefined)

/** The state after; undefined when the operation cannot have had this outcome in this state. */
const STEPS: Record<Action, Record<Outcome, Step>> = {
  read: {
    done: (state, { read }) => (state === read ? state : undefined),
    exists: impossible,
    missing: impossible,
    unknown: (state) => state,
  },
  write: {
    done: (state, { value }) => (state === null ? undefined : value!),
    exists: impossible,
    missing: ifMissing,
    unknown: (state, { value }) => (state === null ? undefined : value!),
  },
  create: {
    done: (state, { value }) => (state === null ? value! : undefined),
    exists: ifThere,
    missing: impossible,
    unknown: (state, { value }) => (state === null ? value! : undefined),
  },
  delete: {
    done: (state) => (state === null ? undefined : null),
    exists: impossible,
    missing: ifMissing,
    unknown: (state) => (state === null ? undefined : null),
  },
}

export const step: Step = (state, operation) => STEPS[operation.action][operation.outcome](state, operation)

/** Whether it leaves the register as it was, whatever that is. */
export const onlyLooks = ({ action, outcome }: Operation): boolean =>
  action === 'read' || outcome === 'exists' || outcome === 'missing'

/** What the register holds once the operation has taken effect. */
export const effectOf = ({ action, value }: Operation): State => (action === 'delete' ? null : value!)
