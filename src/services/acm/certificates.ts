/** Certificates: shown, listed, read and deleted. */
import type { KeyAlgorithm } from '@aws-sdk/client-acm'
import { contentsOf, describedProof, detailOf, originOf, statusOf, summaryOf } from './descriptions.ts'
import { issuance } from './issuance.ts'
import { acm, badToken, type CertificateRow, certificate, keyOf } from './resources.ts'

const PAGE_DEFAULT = 1_000

export const describeCertificate = acm
  .operation('DescribeCertificate')
  .on(certificate.named('CertificateArn'))
  .run((_call, _input, { row }) => ({ Certificate: detailOf(row) }))

export const getCertificate = acm
  .operation('GetCertificate')
  .on(certificate.named('CertificateArn'))
  .run((_call, _input, { row, arn }) => {
    if (row.progress.state === 'PENDING_VALIDATION')
      throw acm.fail(
        'RequestInProgressException',
        `The certificate ${arn} is being issued. Its domains are not validated yet.`,
      )
    if (!row.material) throw acm.fail('ResourceNotFoundException', `The certificate ${arn} was not issued.`)
    const { pem, chain } = row.material
    return { Certificate: pem, ...(chain !== undefined && { CertificateChain: chain }) }
  })

/** AWS lists only these unless the request names key types: users rely on it. */
const KEY_TYPES_DEFAULT: readonly KeyAlgorithm[] = ['RSA_1024', 'RSA_2048']

export const listCertificates = acm
  .operation('ListCertificates')
  .on(certificate.collection())
  .run(async (_call, input, certificates) => {
    const { CertificateStatuses, CertificateKeyPairOrigins, Includes = {}, SortBy, SortOrder } = input
    if ((SortBy === undefined) !== (SortOrder === undefined))
      throw acm.fail('ValidationException', 'SortBy and SortOrder must be given together.')
    if (Includes.managedBy === 'CLOUDFRONT') return { CertificateSummaryList: [] }
    const keyTypes: readonly string[] = Includes.keyTypes ?? KEY_TYPES_DEFAULT
    const isWanted = (row: CertificateRow): boolean =>
      keyTypes.includes(row.keyAlgorithm) &&
      (!CertificateStatuses?.length || CertificateStatuses.includes(statusOf(row))) &&
      (!CertificateKeyPairOrigins?.length || CertificateKeyPairOrigins.includes(originOf(row))) &&
      (!Includes.exportOption || Includes.exportOption === (row.isExportable ? 'ENABLED' : 'DISABLED')) &&
      hasAny(Includes.keyUsage, contentsOf(row)?.keyUsages) &&
      hasAny(
        Includes.extendedKeyUsage,
        contentsOf(row)?.extendedKeyUsages.map(({ Name }) => Name),
      )
    const size = input.MaxItems ?? PAGE_DEFAULT
    if (SortBy !== undefined) {
      const sorted = (await certificates.all()).filter(isWanted).sort((a, b) => a.createdAt - b.createdAt)
      if (sorted.length > size)
        throw acm.fail('ValidationException', `A sorted list is limited to MaxItems certificates.`)
      return { CertificateSummaryList: (SortOrder === 'DESCENDING' ? sorted.reverse() : sorted).map(summaryOf) }
    }
    const { NextToken: token, MaxItems: _, ...query } = input
    const { items, next } = await certificates.page({ token, size, query, keep: isWanted, bad: badToken })
    return { CertificateSummaryList: items.map(summaryOf), ...(next !== undefined && { NextToken: next }) }
  })

const hasAny = (wanted: readonly string[] | undefined, found: readonly string[] = []): boolean =>
  !wanted?.length || wanted.includes('ANY') || wanted.some((each) => found.includes(each))

export const deleteCertificate = acm
  .operation('DeleteCertificate')
  .on(certificate.named('CertificateArn'))
  .run((call, _input, { row, arn }) => {
    if (row.inUseBy.length > 0)
      throw acm.fail('ResourceInUseException', `Certificate ${arn} is in use by ${row.inUseBy.join(', ')}.`)
    issuance.leave(call.unit, keyOf(row), row)
    return {}
  })

export const listCertificateDomainValidations = acm
  .operation('ListCertificateDomainValidations')
  .on(certificate.named('CertificateArn'))
  .run((_call, input, { row }) => {
    const from = input.NextToken === undefined ? 0 : Number(input.NextToken)
    const size = Math.max(1, Math.min(input.MaxItems ?? 100, 100))
    if (!Number.isSafeInteger(from) || from < 0) throw badToken()
    const shown = row.proofs.slice(from, from + size).map((proof) => {
      const { ResourceRecord, ValidationEmails, ValidationDomain, ValidationStatus } = describedProof(proof, row.method)
      const challenge = ResourceRecord
        ? { DnsValidationChallenge: { ResourceRecord } }
        : { EmailValidationChallenge: { ValidationEmails, ValidationDomain } }
      return {
        DomainName: proof.domain,
        ActiveValidationConfiguration: {
          ...(row.method && { ValidationMethod: row.method }),
          ValidationChallenge: challenge,
          ...(ValidationStatus && { ValidationStatus }),
        },
      }
    })
    const next = from + size < row.proofs.length ? { NextToken: String(from + size) } : {}
    return { DomainValidationSummaryList: shown, ...next }
  })
