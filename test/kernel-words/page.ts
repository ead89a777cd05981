/** The certificates of an account, by page. */
import { acm, type CertificateRow, certificate } from './resource.ts'

export const listCertificates = acm
  .operation('ListCertificates')
  .on(certificate.collection())
  .run(async (call, input, certificates) => {
    const { NextToken: token, MaxItems: size = 100, ...query } = input
    const { CertificateStatuses: wanted } = query
    const { items, next } = await certificates.page({
      token,
      size,
      query,
      keep: ({ progress }: CertificateRow) => !wanted || wanted.includes(progress.state),
      bad: () => acm.fail('ValidationException', 'The NextToken is not valid for this list.'),
    })
    return {
      CertificateSummaryList: items.map((row) => ({
        CertificateArn: certificate.arnOf(call, row),
        DomainName: row.domain,
      })),
      ...(next !== undefined && { NextToken: next }),
    }
  })
