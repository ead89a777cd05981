/** The served domains port: names of customers that this installation serves with certificates of theirs; provided by Cognito. */
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface ServedDomainsPort {
  /** The ARN of the certificate for a host name in lower case; undefined for a name that is not served. */
  certificateOf(reader: Pick<Reader, 'get'>, name: string): Promise<string | undefined>
}

export const servedDomains = port<ServedDomainsPort>('served-domains')
