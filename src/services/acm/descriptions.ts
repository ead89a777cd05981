/** Certificates as answers show them. */
import { X509Certificate } from 'node:crypto'
import type {
  CertificateDetail,
  CertificateStatus,
  CertificateSummary,
  DomainValidation,
  ExtendedKeyUsage,
  ExtendedKeyUsageName,
  KeyUsageName,
} from '@aws-sdk/client-acm'
import { describeCertificate } from '../../engines/x509/certificate.ts'
import { certificateParts } from '../../engines/x509/certificate-builder.ts'
import { elements, only, readObjectId } from '../../engines/x509/der-read.ts'
import { extensionOids } from '../../engines/x509/extensions.ts'
import { signatureAlgorithmOf } from '../../engines/x509/signature-algorithms.ts'
import { isRenewable } from './renewal-rules.ts'
import { arnOf, type CertificateRow, type DomainProof, type Material } from './resources.ts'

const NAMES_IN_SUMMARY_MAX = 100

export const statusOf = ({ progress: { state } }: CertificateRow): CertificateStatus =>
  state === 'RENEWING' ? 'ISSUED' : state

/** What is read from the certificate itself. */
export interface Contents {
  readonly subject: string
  readonly issuer: string
  readonly signatureAlgorithm: string | undefined
  readonly dnsNames: readonly string[]
  readonly keyUsages: readonly KeyUsageName[]
  readonly extendedKeyUsages: readonly (ExtendedKeyUsage & { readonly Name: ExtendedKeyUsageName })[]
}

/** By the certificate's material, which is never changed. */
const read = new WeakMap<Material, Contents>()

export function contentsOf({ material }: CertificateRow): Contents | undefined {
  if (!material) return undefined
  const found = read.get(material) ?? parsed(material)
  read.set(material, found)
  return found
}

function parsed({ pem }: Material): Contents {
  const certificate = new X509Certificate(pem)
  const { signatureOid, extensions } = certificateParts(certificate.raw)
  const { subject, issuer, dnsNames } = describeCertificate(certificate)
  const usage = extensions.get(extensionOids.keyUsage)?.value
  const extended = extensions.get(extensionOids.extendedKeyUsage)?.value
  return {
    subject: withoutBlanks(subject),
    issuer: withoutBlanks(issuer),
    signatureAlgorithm: signatureAlgorithmOf(signatureOid),
    dnsNames,
    keyUsages: usage ? KEY_USAGES.filter((_name, bit) => hasBit(only(usage, 0x03).content.subarray(1), bit)) : [],
    extendedKeyUsages: extended
      ? elements(only(extended, 0x30).content).map((oid) => extendedUsage(readObjectId(oid)))
      : [],
  }
}

/** As ACM prints names: `CN=a,O=b`. */
const withoutBlanks = (name: string): string => name.replace(/, (?=[A-Za-z.0-9]+=)/g, ',')
const hasBit = (bytes: Uint8Array, bit: number): boolean => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0

/** In the order of their bits (RFC 5280 §4.2.1.3). */
const KEY_USAGES: readonly KeyUsageName[] = [
  'DIGITAL_SIGNATURE',
  'NON_REPUDIATION',
  'KEY_ENCIPHERMENT',
  'DATA_ENCIPHERMENT',
  'KEY_AGREEMENT',
  'CERTIFICATE_SIGNING',
  'CRL_SIGNING',
  'ENCIPHER_ONLY',
  'DECIPHER_ONLY',
]

const EXTENDED: Readonly<Record<string, ExtendedKeyUsageName>> = {
  '1.3.6.1.5.5.7.3.1': 'TLS_WEB_SERVER_AUTHENTICATION',
  '1.3.6.1.5.5.7.3.2': 'TLS_WEB_CLIENT_AUTHENTICATION',
  '1.3.6.1.5.5.7.3.3': 'CODE_SIGNING',
  '1.3.6.1.5.5.7.3.4': 'EMAIL_PROTECTION',
  '1.3.6.1.5.5.7.3.5': 'IPSEC_END_SYSTEM',
  '1.3.6.1.5.5.7.3.6': 'IPSEC_TUNNEL',
  '1.3.6.1.5.5.7.3.7': 'IPSEC_USER',
  '1.3.6.1.5.5.7.3.8': 'TIME_STAMPING',
  '1.3.6.1.5.5.7.3.9': 'OCSP_SIGNING',
  '2.5.29.37.0': 'ANY',
}
const extendedUsage = (OID: string) => ({ Name: EXTENDED[OID] ?? 'CUSTOM', OID })

const dates = ({ createdAt, issuedAt, importedAt, revokedAt, material }: CertificateRow) => ({
  CreatedAt: new Date(createdAt),
  ...(issuedAt !== undefined && { IssuedAt: new Date(issuedAt) }),
  ...(importedAt !== undefined && { ImportedAt: new Date(importedAt) }),
  ...(revokedAt !== undefined && { RevokedAt: new Date(revokedAt) }),
  ...(material && { NotBefore: new Date(material.notBefore), NotAfter: new Date(material.notAfter) }),
})

export const originOf = ({ type, acme }: CertificateRow) =>
  acme ? ('ACME' as const) : type === 'IMPORTED' ? ('CUSTOMER_PROVIDED' as const) : ('AWS_MANAGED' as const)
export const eligibilityOf = (row: CertificateRow) =>
  row.progress.state !== 'PENDING_VALIDATION' && isRenewable(row) ? ('ELIGIBLE' as const) : ('INELIGIBLE' as const)

/** What proves each name; of one that needs both, the record and the mailboxes. */
export const describedProof = (proof: DomainProof, method: CertificateRow['method']): DomainValidation => {
  const isProved = proof.methods.every((each) => proof.proved.includes(each))
  return {
    DomainName: proof.domain,
    ValidationDomain: proof.validationDomain,
    ValidationStatus: proof.isDenied ? 'FAILED' : isProved ? 'SUCCESS' : 'PENDING_VALIDATION',
    ...(method && { ValidationMethod: method }),
    ...(proof.record && {
      ResourceRecord: { Name: proof.record.name, Type: 'CNAME' as const, Value: proof.record.value },
    }),
    ...(proof.mailboxes && { ValidationEmails: [...proof.mailboxes] }),
  }
}

export function detailOf(row: CertificateRow): CertificateDetail {
  const contents = contentsOf(row)
  const proofs = row.proofs.map((proof) => describedProof(proof, row.method))
  return {
    CertificateArn: arnOf(row),
    DomainName: row.domain,
    SubjectAlternativeNames: [...row.names],
    ...(proofs.length > 0 && { DomainValidationOptions: proofs }),
    ...(row.material && { Serial: row.material.serial.toLowerCase().replace(/..(?!$)/g, '$&:') }),
    Subject: contents?.subject ?? `CN=${row.domain}`,
    ...(contents && { Issuer: contents.issuer, SignatureAlgorithm: contents.signatureAlgorithm }),
    ...dates(row),
    Status: statusOf(row),
    ...(row.revocationReason && {
      RevocationReason: row.revocationReason as NonNullable<CertificateDetail['RevocationReason']>,
    }),
    KeyAlgorithm: row.keyAlgorithm,
    InUseBy: [...row.inUseBy],
    ...(row.progress.state === 'FAILED' && { FailureReason: row.failure }),
    Type: row.type,
    ...(row.renewal && {
      RenewalSummary: {
        RenewalStatus: row.renewal.status,
        DomainValidationOptions: proofs,
        ...(row.renewal.reason && { RenewalStatusReason: row.renewal.reason }),
        UpdatedAt: new Date(row.renewal.updatedAt),
      },
    }),
    KeyUsages: (contents?.keyUsages ?? []).map((Name) => ({ Name })),
    ExtendedKeyUsages: (contents?.extendedKeyUsages ?? []).map((each) => ({ ...each })),
    ...(row.authorityArn !== undefined && { CertificateAuthorityArn: row.authorityArn }),
    RenewalEligibility: eligibilityOf(row),
    Options: {
      CertificateTransparencyLoggingPreference: row.logsTransparency ? 'ENABLED' : 'DISABLED',
      ...(row.type !== 'IMPORTED' && { Export: row.isExportable ? ('ENABLED' as const) : ('DISABLED' as const) }),
    },
    CertificateKeyPairOrigin: originOf(row),
    ...(row.acme && { AcmeEndpointArn: row.acme.endpointArn, AcmeAccountId: row.acme.accountId }),
  }
}

export function summaryOf(row: CertificateRow): CertificateSummary {
  const contents = contentsOf(row)
  return {
    CertificateArn: arnOf(row),
    DomainName: row.domain,
    SubjectAlternativeNameSummaries: row.names.slice(0, NAMES_IN_SUMMARY_MAX),
    HasAdditionalSubjectAlternativeNames: row.names.length > NAMES_IN_SUMMARY_MAX,
    Status: statusOf(row),
    Type: row.type,
    KeyAlgorithm: row.keyAlgorithm,
    KeyUsages: [...(contents?.keyUsages ?? [])],
    ExtendedKeyUsages: (contents?.extendedKeyUsages ?? []).map(({ Name }) => Name),
    ...(row.type !== 'IMPORTED' && { ExportOption: row.isExportable ? ('ENABLED' as const) : ('DISABLED' as const) }),
    InUse: row.inUseBy.length > 0,
    Exported: row.exportedAt !== undefined,
    RenewalEligibility: eligibilityOf(row),
    ...dates(row),
    CertificateKeyPairOrigin: originOf(row),
  }
}
