/** Documents to read: a transaction, or the committed state of the store. */
import type { Unit } from '../../store/store.ts'

export type Reader = Pick<Unit, 'get' | 'range'>
