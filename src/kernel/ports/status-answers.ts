/**
 * The status answers port: counts what answers to OCSP requests said, for `/metrics`. Provided by ACM.
 *
 * @example
 * call.use(statusAnswers).count('acm-pca', 'revoked')
 */
import type { StatusResult } from '../../engines/x509/revocation.ts'
import { port } from './port.ts'

export interface StatusAnswersPort {
  count(service: 'acm' | 'acm-pca', result: StatusResult): void
}

export const statusAnswers = port<StatusAnswersPort>('status-answers')
