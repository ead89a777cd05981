/**
 * The issued domains port: the certificate of a domain; provided by ACM.
 *
 * @example
 * const id = await call.use(issuedDomains).idOf(call, 'example.com')
 */
import type { Scope } from '../../src/kernel/gate/call.ts'
import { port } from '../../src/kernel/ports/port.ts'

export interface IssuedDomainsPort {
  /** The ID of the domain's issued certificate in this account and Region; undefined when there is none. */
  idOf(scope: Pick<Scope, 'account' | 'region'>, domain: string): Promise<string | undefined>
}

export const issuedDomains = port<IssuedDomainsPort>('issued-domains')
