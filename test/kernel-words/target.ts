/** Certificates are requested and deleted: a target that is created, and one that exists. */
import { issuance } from './lifecycle.ts'
import { requireRoom } from './quota.ts'
import { acm, type CertificateRow, certificate, keyOf } from './resource.ts'

export const requestCertificate = acm
  .operation('RequestCertificate')
  .on(certificate.created((_input, call) => ({ CertificateId: call.newId() }), { generated: true }))
  .run(async (call, { DomainName }, { id, arn, tags, create }) => {
    await requireRoom(call)
    const { account, region, now } = call
    const row: Omit<CertificateRow, 'progress'> = { id: id.CertificateId, account, region, domain: DomainName, tags }
    const created = create({ ...row, progress: { state: 'PENDING_VALIDATION', since: now, turn: 0 } })
    issuance.enter(call.unit, keyOf(created), row, 'PENDING_VALIDATION', now)
    return { CertificateArn: arn }
  })

export const deleteCertificate = acm
  .operation('DeleteCertificate')
  .on(certificate.named('CertificateArn'))
  .run((call, _input, { row }) => {
    issuance.leave(call.unit, keyOf(row), row)
    return {}
  })
