/** The log heads port: the last record of each chain of the log. Provided by the server from its store. */
import type { Head } from '../../store/chain.ts'
import { port } from './port.ts'

export interface LogHeadsPort {
  /** The last links of all chains of all nodes, as they are on disk. */
  heads(): Promise<readonly Head[]>
}

export const logHeads = port<LogHeadsPort>('log-heads')
