/**
 * The certificate domains port: which certificate a domain has; provided by ACM.
 *
 * @example
 * const id = await call.use(certificateDomains).idOf(call.unit, call, 'example.com')
 */
import { port } from '../../src/kernel/ports/port.ts'
import type { Arn } from '../../src/kernel/resource/arn.ts'
import type { Reader } from '../../src/kernel/state/reader.ts'

export interface CertificateDomainsPort {
  /** The newest certificate of the domain in this account and Region; undefined when there is none. */
  idOf(
    reader: Pick<Reader, 'get'>,
    scope: Pick<Arn, 'partition' | 'region' | 'account'>,
    domain: string,
  ): Promise<string | undefined>
}

export const certificateDomains = port<CertificateDomainsPort>('certificate-domains')
