/**
 * The geography port: where addresses are, by the operator's file; provided by threat detection.
 *
 * @example
 * const country = call.use(geography).locate(call.remoteAddress)?.country
 */
import type { Geography } from '../../engines/detect/types.ts'
import { port } from './port.ts'

export interface GeographyPort {
  /** undefined where it is not known: without a file, of no address. */
  locate(address: string): Geography | undefined
}

export const geography = port<GeographyPort>('geography')
