/** The event log port: recorded calls, as CloudTrail shows them; provided by the server from its store. */
import type { LogEntry, LogQuery } from '../../store/store.ts'
import { port } from './port.ts'

/** The event log as CloudTrail shows it; provided by the store. */
export interface EventLogPort {
  /** Newest first. */
  query(query: LogQuery): Promise<readonly LogEntry[]>
}

export const eventLog = port<EventLogPort>('event-log')
