/** The hosted zones port: what the zones of this installation answer, provided by Route 53. */
import type { LookupResult } from '../../engines/dns/zones.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface HostedZonesPort {
  /**
   * The answer of the installation's own zones, as its resolver gives it; undefined when none of them contains the name.
   * `name` is fully qualified, in lower case; `type` such as `CNAME`.
   */
  lookup(reader: Reader, name: string, type: string): Promise<LookupResult | undefined>
}

export const hostedZones = port<HostedZonesPort>('hosted-zones')
