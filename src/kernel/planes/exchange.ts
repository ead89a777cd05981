/**
 * Messages that planes exchange through the server while they run, such as counts of requests: small, frequent, and worthless after a
 * few seconds. It is not numbered, not kept and not repeated: records (`records.ts`) are for what must arrive.
 *
 * @example
 * // services/elbv2/index.ts
 * planeExchanges: { gateway: async (unit, { node, now, message }) => sharedCounts(unit, node, now, message) }
 */
import type { Unit } from '../../store/store.ts'
import type { PlaneScope } from './plane-scope.ts'

/** Sends a message and resolves with the answer. Rejects when the control plane cannot be reached. */
export type Exchange = (message: object) => Promise<object>

/** What a service does with the message of a plane, in a transaction; `message` is not checked. */
export type ExchangeHandler = (
  unit: Unit,
  from: {
    readonly node: string
    /** Of the plane: what it says of anything else must not count. */
    readonly scope?: PlaneScope | undefined
    readonly now: number
    readonly message: Readonly<Record<string, unknown>>
  },
) => Promise<object>

export const EXCHANGE_BYTES_MAX = 256 * 1024
