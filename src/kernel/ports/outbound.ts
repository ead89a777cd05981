/** The outbound port: documents of other servers; provided by the server, which decides what may be reached. */
import { port } from './port.ts'

/** The world outside; provided by the server, which guards what may be reached. */
export interface OutboundPort {
  /** HTTPS only. Throws when the host may not be reached, does not answer in time, or answers too much. */
  get(url: string): Promise<{ readonly status: number; readonly body: string }>
}

export const outbound = port<OutboundPort>('outbound')
