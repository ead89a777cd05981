/** When the whole log was last verified, and with what result: kept, because only an operator's command verifies it. */
import { type Key, key, type Unit } from '../../store/store.ts'
import type { Reader } from '../state/reader.ts'

export interface Verification {
  /** Epoch milliseconds. */
  readonly at: number
  /** Of all accounts. */
  readonly records: number
  /** How many records, or checkpoints, were not what they should be. */
  readonly findings: number
}

const LAST: Key = key('kernel', 'log-verification')

export const keepVerification = (unit: Pick<Unit, 'put'>, verification: Verification): void => {
  unit.put(LAST, verification)
}

/** undefined before the first. */
export const lastVerification = (reader: Pick<Reader, 'get'>): Promise<Verification | undefined> =>
  reader.get<Verification>(LAST)
