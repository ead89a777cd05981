/** Certificates that were issued: shown with their chain, and revoked. */
import type { RevocationReason } from '../../engines/x509/revocation.ts'
import { planCrl } from './crl-delivery.ts'
import { authority, type IssuedRow, issuedKey, pca, revokedKey, statusOf, wrongState } from './resources.ts'
import { templateOf } from './templates.ts'

export const getCertificate = pca
  .operation('GetCertificate')
  .on(authority.named('CertificateAuthorityArn'))
  .run(async (call, { CertificateArn }, { row, arn }) => {
    if (row.status === 'DELETED') throw wrongState(row, call.now)
    const decimal = CertificateArn.startsWith(`${arn}/certificate/`) ? CertificateArn.slice(arn.length + 13) : ''
    if (!/^\d{1,60}$/.test(decimal)) throw pca.fail('InvalidArnException', `Invalid arn ${CertificateArn}`)
    const issued = await call.unit.get<IssuedRow>(issuedKey(row.id, BigInt(decimal).toString(16)))
    if (!issued) throw pca.fail('ResourceNotFoundException', `Could not find certificate ${CertificateArn}.`)
    // A root's own certificate has nothing above it.
    const isOwnRoot = templateOf(issued.template).isRoot
    const chain = isOwnRoot ? '' : [row.certificate, row.chain].filter((each) => each !== undefined).join('\n')
    return { Certificate: issued.pem, ...(chain !== '' && { CertificateChain: chain }) }
  })

export const revokeCertificate = pca
  .operation('RevokeCertificate')
  .on(authority.named('CertificateAuthorityArn'))
  .run(async (call, { CertificateSerial, RevocationReason: reason }, { row, arn }) => {
    if (statusOf(row, call.now) === 'DELETED' || row.certificate === undefined) throw wrongState(row, call.now)
    const serial = CertificateSerial.replace(/:/g, '').toLowerCase().replace(/^0+/, '')
    const at = issuedKey(row.id, serial)
    const issued = /^[0-9a-f]{1,40}$/.test(serial) ? await call.unit.get<IssuedRow>(at) : undefined
    if (!issued)
      throw pca.fail('ResourceNotFoundException', `${arn} issued no certificate with serial ${CertificateSerial}.`)
    if (issued.revokedAt !== undefined)
      throw pca.fail('RequestAlreadyProcessedException', `The certificate ${CertificateSerial} is revoked already.`)
    if (row.serial?.toLowerCase().replace(/^0+/, '') === serial)
      throw pca.fail('InvalidRequestException', 'Self-signed certificate can not be revoked')
    const revoked: IssuedRow = { ...issued, revokedAt: call.now, reason: reason as RevocationReason }
    call.unit.put(at, revoked)
    call.unit.put(revokedKey(row.id, serial), revoked)
    planCrl(call.unit, row, call.newId(), call.now)
    return {}
  })
