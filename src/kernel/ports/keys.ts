/**
 * The keys port: KMS keys by whatever name a request uses; provided by KMS.
 *
 * @example
 * const arn = await call.use(keys).arnOf(call.unit, call, 'alias/orders')
 */
import type { Arn } from '../resource/arn.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

/** KMS keys by whatever name a request uses; provided by the KMS service. */
export interface KeysPort {
  /** undefined where the name refers to no key of the scope's Region. */
  arnOf(
    reader: Reader,
    scope: Pick<Arn, 'partition' | 'region' | 'account'>,
    reference: string,
  ): Promise<string | undefined>
}

export const keys = port<KeysPort>('keys')
