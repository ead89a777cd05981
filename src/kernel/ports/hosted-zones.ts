/** The hosted zones port: what the zones of this installation answer, provided by Route 53. */
import type { LookupResult } from '../../engines/dns/zones.ts'
import type { Unit } from '../../store/store.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface HostedZonesPort {
  /**
   * The answer of the installation's own zones, as its resolver gives it; undefined when none of them contains the name.
   * `name` is fully qualified, in lower case; `type` such as `CNAME`.
   */
  lookup(reader: Reader, name: string, type: string): Promise<LookupResult | undefined>
  /** The account whose zone answers the name; undefined when none does. */
  accountAnswering(reader: Reader, name: string): Promise<string | undefined>
  /**
   * Answers a TXT record beside those of the zone, at the latest until `expiresAt` (epoch milliseconds). `value` is a digest in
   * base64url. The zone has to be one of the account for which this is done: see `accountAnswering`.
   */
  putChallenge(unit: Unit, name: string, value: string, expiresAt: number): void
  deleteChallenge(unit: Unit, name: string, value: string): void
}

export const hostedZones = port<HostedZonesPort>('hosted-zones')
