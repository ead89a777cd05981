/** One operation on a certificate, and one on none. */
import { anything } from '../../src/kernel/resource/target.ts'
import { acm, certificate } from './resource.ts'

export const describeCertificate = acm
  .operation('DescribeCertificate')
  .on(certificate.named('CertificateArn'))
  .run((_call, _input, { row, arn }) => ({
    Certificate: { CertificateArn: arn, DomainName: row.domain, Status: row.progress.state },
  }))

export const getAccountConfiguration = acm
  .operation('GetAccountConfiguration')
  .on(anything)
  .run(() => ({ ExpiryEvents: { DaysBeforeExpiry: 45 } }))
