/** The outbound port: documents of other servers; provided by the server, which decides what may be reached. */
import { port } from './port.ts'

/** Requests to other hosts; provided by the server, which restricts what may be reached. */
export interface OutboundPort {
  /**
   * HTTPS only. Throws when the host may not be reached, does not answer in time, or answers too much. `thumbprints`
   * (SHA-1, hexadecimal) name the certificates accepted as the top of a chain that no trusted authority has signed;
   * throws a `ThumbprintMismatchError` for others.
   */
  get(url: string, thumbprints?: readonly string[]): Promise<{ readonly status: number; readonly body: string }>
}

export const outbound = port<OutboundPort>('outbound')
