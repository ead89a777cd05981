/** Certificates: requested, imported again, shown, listed and deleted. */
import { acm, certificate } from './resources.ts'

export const requestCertificate = acm
  .operation('RequestCertificate')
  .on(certificate.created((_input, call) => ({ CertificateId: call.newId() }), { generated: true }))
  .run((call, input, { id, arn, tags, create }) => {
    create({ id: id.CertificateId, domain: input.DomainName, createdAt: call.now, tags })
    return { CertificateArn: arn }
  })

export const importCertificate = acm
  .operation('ImportCertificate')
  .on(certificate.createdOrReplaced('CertificateArn', (_input, call) => ({ CertificateId: call.newId() })))
  .run((call, input, { id, arn, before, tags, put }) => {
    if (before && input.Tags?.length) throw acm.fail('InvalidParameterException', 'An import again takes no tags.')
    put({ id: id.CertificateId, domain: 'imported', createdAt: call.now, tags: before?.tags ?? tags })
    return { CertificateArn: arn }
  })

export const describeCertificate = acm
  .operation('DescribeCertificate')
  .on(certificate.named('CertificateArn'))
  .run((_call, _input, { row, arn }) => ({ Certificate: { CertificateArn: arn, DomainName: row.domain } }))

export const listCertificates = acm
  .operation('ListCertificates')
  .on(certificate.collection())
  .run(async (call, input, certificates) => {
    const { items, next } = await certificates.page({
      token: input.NextToken,
      size: input.MaxItems ?? 100,
      bad: () => acm.fail('ValidationException', 'The NextToken is not one of this list.'),
    })
    const CertificateSummaryList = items.map((row) => ({
      CertificateArn: certificate.arnOf(call, row),
      DomainName: row.domain,
    }))
    return { CertificateSummaryList, ...(next !== undefined && { NextToken: next }) }
  })

export const deleteCertificate = acm
  .operation('DeleteCertificate')
  .on(certificate.named('CertificateArn'))
  .run((_call, _input, { remove }) => {
    remove()
    return {}
  })
