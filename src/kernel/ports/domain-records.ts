/**
 * The domain records port: what public DNS answers for a name, according to every resolver that the operator
 * configured.
 */
import { port } from './port.ts'

export interface DomainAnswer {
  /** `192.0.2.53:53` */
  readonly resolver: string
  /** `NOERROR`, `NXDOMAIN`, …; undefined when the resolver did not answer. */
  readonly rcode: string | undefined
  /** Records of the answer section, of every type: with the aliases that the resolver followed. */
  readonly records: readonly { readonly name: string; readonly type: string; readonly data: unknown }[]
}

export interface DomainRecordsPort {
  /** `name` is fully qualified, in lower case. One answer for each resolver; never throws for what DNS answers. */
  lookup(name: string, type: 'CNAME' | 'CAA'): Promise<readonly DomainAnswer[]>
}

export const domainRecords = port<DomainRecordsPort>('domain-records')
