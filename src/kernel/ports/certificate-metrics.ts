/** The certificate metrics port: what a scrape measures about certificates and status answers; provided by ACM. */
import type { StatusResult } from '../../engines/x509/revocation.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface CertificateMeasures {
  /** Of all accounts and Regions, by the state that DescribeCertificate shows. */
  readonly states: ReadonlyMap<string, number>
  /** Certificates in use that end first, soonest first. */
  readonly soonest: readonly { readonly arn: string; readonly notAfter: number }[]
  /** Of this process since its start, by service and result. */
  readonly statusAnswers: readonly { readonly service: string; readonly result: StatusResult; readonly count: number }[]
}

export interface CertificateMetricsPort {
  countStatusAnswer(service: 'acm' | 'acm-pca', result: StatusResult): void
  /** Certificates are counted once a minute at most. */
  measure(reader: Pick<Reader, 'range'>): Promise<CertificateMeasures>
}

export const certificateMetrics = port<CertificateMetricsPort>('certificate-metrics')
