/** Exports, renewals on demand and revocations: what is done with a certificate that leaves the installation. */
import type { RevocationReason } from '../../engines/x509/revocation.ts'
import { type IssuedRow, issuance, issuedKey, putRevoked } from './issuance.ts'
import { openKey } from './private-keys.ts'
import { acm, certificate, keyOf, notImplemented } from './resources.ts'

const PASSPHRASE_MIN = 4
const PASSPHRASE_MAX = 128

export const exportCertificate = acm
  .operation('ExportCertificate')
  .on(certificate.named('CertificateArn'))
  .run((call, { Passphrase }, { row, arn, save }) => {
    const passphrase = Buffer.from(Passphrase).toString('latin1')
    if (passphrase.length < PASSPHRASE_MIN || passphrase.length > PASSPHRASE_MAX || /[#$%]/.test(passphrase))
      throw acm.fail(
        'ValidationException',
        `The passphrase needs ${PASSPHRASE_MIN} to ${PASSPHRASE_MAX} characters other than #, $ and %.`,
      )
    if (!row.isExportable)
      throw acm.fail(
        'ValidationException',
        `The certificate ${arn} cannot be exported: it was not requested with Export ENABLED.`,
      )
    const key = openKey(call.vault, row)
    if (row.progress.state === 'PENDING_VALIDATION' || !key || !row.material)
      throw acm.fail('RequestInProgressException', `The certificate ${arn} is not issued.`)
    save({ ...row, exportedAt: call.now })
    const { pem, chain } = row.material
    return {
      Certificate: pem,
      ...(chain !== undefined && { CertificateChain: chain }),
      PrivateKey: key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString(),
    }
  })

export const renewCertificate = acm
  .operation('RenewCertificate')
  .on(certificate.named('CertificateArn'))
  .run((call, _input, { row, arn }) => {
    if (row.type !== 'PRIVATE' || row.exportedAt === undefined)
      throw acm.fail('ValidationException', `The certificate ${arn} is not a private certificate that was exported.`)
    if (row.progress.state !== 'ISSUED')
      throw acm.fail('RequestInProgressException', `The certificate ${arn} is being renewed, or is not valid.`)
    const { progress, ...rest } = row
    issuance.leave(call.unit, keyOf(row), { ...rest, progress })
    issuance.enter(
      call.unit,
      keyOf(row),
      { ...rest, renewal: { status: 'PENDING_AUTO_RENEWAL', updatedAt: call.now } },
      'RENEWING',
      call.now,
    )
    return {}
  })

export const revokeCertificate = acm
  .operation('RevokeCertificate')
  .on(certificate.named('CertificateArn'))
  .run(async (call, { RevocationReason }, { row, arn }) => {
    if (row.type !== 'AMAZON_ISSUED') throw notImplemented('RevokeCertificate of certificates that ACM did not issue')
    if (row.inUseBy.length > 0)
      throw acm.fail('ResourceInUseException', `Certificate ${arn} is in use by ${row.inUseBy.join(', ')}.`)
    if (row.progress.state === 'REVOKED') throw acm.fail('ConflictException', `Certificate ${arn} is revoked already.`)
    if (row.material?.upstream) throw notImplemented('RevokeCertificate of certificates that another authority issued')
    // The key of an ACME client's certificate was never here.
    if ((row.exportedAt === undefined && !row.acme) || !row.material?.issuer)
      throw acm.fail('ConflictException', `Certificate ${arn} was never exported.`)
    const { unit, now } = call
    const reason = RevocationReason as RevocationReason
    const at = issuedKey(row.material.issuer, row.material.serial)
    const issued = (await unit.get<IssuedRow>(at))!
    putRevoked(unit, row.material.issuer, { ...issued, revokedAt: now, reason })
    issuance.leave(unit, keyOf(row), row)
    issuance.enter(unit, keyOf(row), { ...row, revokedAt: now, revocationReason: reason }, 'REVOKED', now)
    return { CertificateArn: arn }
  })
