/** SearchCertificates: filters that combine, over all key types, sorted. */
import { X509Certificate } from 'node:crypto'
import type {
  CertificateFilter,
  CertificateFilterStatement,
  CertificateSearchResult,
  SearchCertificatesSortBy,
  X509AttributeFilter,
} from '@aws-sdk/client-acm'
import { certificateParts } from '../../engines/x509/certificate-builder.ts'
import { attributeOids, readName } from '../../engines/x509/names.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { contentsOf, eligibilityOf, originOf, statusOf } from './descriptions.ts'
import { acm, arnOf, badToken, type CertificateRow, certificate } from './resources.ts'

const PAGE_DEFAULT = 100
/** Of a statement that nests: each node costs a look at every certificate. */
const FILTER_NODES_MAX = 100

type Test = (row: CertificateRow) => boolean

export const searchCertificates = acm
  .operation('SearchCertificates')
  .on(certificate.collection())
  .run(async (call, input, certificates) => {
    const budget = { left: FILTER_NODES_MAX }
    const test = input.FilterStatement
      ? compiled(input.FilterStatement as CertificateFilterStatement, budget)
      : () => true
    const by = input.SortBy ?? 'CREATED_AT'
    const descending = input.SortOrder === 'DESCENDING'
    const rows = (await certificates.all()).filter(test)
    const sorted = rows.sort((a, b) => (sortValue(a, by) < sortValue(b, by) ? -1 : 1) * (descending ? -1 : 1))
    const place = new Map(sorted.map((row, index) => [row.id, String(index).padStart(9, '0')]))
    const { NextToken: token, MaxResults, ...query } = input
    const { items, next } = await pageOf(call, sorted, (row) => place.get(row.id)!, {
      token,
      size: MaxResults ?? PAGE_DEFAULT,
      query,
      bad: badToken,
    })
    return { Results: items.map(result), ...(next !== undefined && { NextToken: next }) }
  })

const invalid = (message: string) => acm.fail('ValidationException', message)

function compiled(statement: CertificateFilterStatement, budget: { left: number }): Test {
  if (budget.left-- === 0) throw invalid(`A filter statement can have at most ${FILTER_NODES_MAX} parts.`)
  if (statement.And) {
    const tests = statement.And.map((each) => compiled(each, budget))
    return (row) => tests.every((test) => test(row))
  }
  if (statement.Or) {
    const tests = statement.Or.map((each) => compiled(each, budget))
    return (row) => tests.some((test) => test(row))
  }
  if (statement.Not) {
    const test = compiled(statement.Not, budget)
    return (row) => !test(row)
  }
  if (statement.Filter) return filtered(statement.Filter)
  throw invalid('A filter statement needs And, Or, Not or Filter.')
}

function filtered(filter: CertificateFilter): Test {
  if (filter.CertificateArn !== undefined) return (row) => arnOf(row) === filter.CertificateArn
  if (filter.AcmCertificateMetadataFilter) {
    const wanted = Object.entries(filter.AcmCertificateMetadataFilter)
    return (row) => wanted.every(([member, value]) => (metadata(row) as Record<string, unknown>)[member] === value)
  }
  if (filter.X509AttributeFilter) return attributes(filter.X509AttributeFilter)
  throw invalid('A filter needs CertificateArn, X509AttributeFilter or AcmCertificateMetadataFilter.')
}

const compared = (found: string, value = '', operator = 'EQUALS'): boolean =>
  operator === 'EQUALS'
    ? found.toLowerCase() === value.toLowerCase()
    : found.toLowerCase().includes(value.toLowerCase())

function attributes(filter: X509AttributeFilter): Test {
  const { KeyAlgorithm, KeyUsage, ExtendedKeyUsage, SerialNumber, NotAfter, NotBefore } = filter
  if (KeyAlgorithm) return (row) => row.keyAlgorithm === KeyAlgorithm
  if (KeyUsage) return (row) => contentsOf(row)?.keyUsages.includes(KeyUsage) ?? false
  if (ExtendedKeyUsage)
    return (row) => contentsOf(row)?.extendedKeyUsages.some(({ Name }) => Name === ExtendedKeyUsage) ?? false
  if (SerialNumber)
    return ({ material }) => material?.serial.toLowerCase() === SerialNumber.replace(/[: ]/g, '').toLowerCase()
  const range = NotAfter ?? NotBefore
  if (range) {
    const { Start, End } = range
    return ({ material }) => {
      const at = material && (NotAfter ? material.notAfter : material.notBefore)
      return at !== undefined && (!Start || at >= +Start) && (!End || at <= +End)
    }
  }
  const name = filter.Subject?.CommonName
  if (name) return (row) => compared(row.domain, name.Value, name.ComparisonOperator)
  const dns = filter.SubjectAlternativeName?.DnsName
  if (dns) return (row) => row.names.some((each) => compared(each, dns.Value, dns.ComparisonOperator))
  throw invalid('The X509AttributeFilter has no member that is known.')
}

const metadata = (row: CertificateRow) => ({
  CreatedAt: new Date(row.createdAt),
  Exported: row.exportedAt !== undefined,
  ...(row.importedAt !== undefined && { ImportedAt: new Date(row.importedAt) }),
  InUse: row.inUseBy.length > 0,
  ...(row.issuedAt !== undefined && { IssuedAt: new Date(row.issuedAt) }),
  RenewalEligibility: eligibilityOf(row),
  ...(row.revokedAt !== undefined && { RevokedAt: new Date(row.revokedAt) }),
  Status: statusOf(row),
  ...(row.renewal && { RenewalStatus: row.renewal.status }),
  Type: row.type,
  ExportOption: row.isExportable ? ('ENABLED' as const) : ('DISABLED' as const),
  ...(row.method && { ValidationMethod: row.method }),
  CertificateKeyPairOrigin: originOf(row),
  ...(row.acme && { AcmeEndpointArn: row.acme.endpointArn, AcmeAccountId: row.acme.accountId }),
})

const time = (at: number | undefined): string => String(at ?? 0).padStart(15, '0')

const SORTED: Readonly<Record<SearchCertificatesSortBy, (row: CertificateRow) => string>> = {
  ACME_ACCOUNT_ID: ({ acme }) => acme?.accountId ?? '',
  ACME_ENDPOINT_ARN: ({ acme }) => acme?.endpointArn ?? '',
  CERTIFICATE_ARN: arnOf,
  CERTIFICATE_KEY_PAIR_ORIGIN: originOf,
  COMMON_NAME: ({ domain }) => domain,
  CREATED_AT: ({ createdAt }) => time(createdAt),
  EXPORTED: ({ exportedAt }) => String(exportedAt !== undefined),
  EXPORT_OPTION: ({ isExportable }) => String(isExportable),
  IMPORTED_AT: ({ importedAt }) => time(importedAt),
  IN_USE: ({ inUseBy }) => String(inUseBy.length > 0),
  ISSUED_AT: ({ issuedAt }) => time(issuedAt),
  KEY_ALGORITHM: ({ keyAlgorithm }) => keyAlgorithm,
  MANAGED_BY: () => '',
  NOT_AFTER: ({ material }) => time(material?.notAfter),
  NOT_BEFORE: ({ material }) => time(material?.notBefore),
  RENEWAL_ELIGIBILITY: eligibilityOf,
  RENEWAL_STATUS: ({ renewal }) => renewal?.status ?? '',
  REVOKED_AT: ({ revokedAt }) => time(revokedAt),
  STATUS: statusOf,
  TYPE: ({ type }) => type,
  VALIDATION_METHOD: ({ method }) => method ?? '',
}
/** Rows of one value in the order of their creation. */
const sortValue = (row: CertificateRow, by: SearchCertificatesSortBy): string =>
  `${SORTED[by](row)} ${time(row.createdAt)} ${row.id}`

function distinguished(name: Buffer): Readonly<Record<string, string>> {
  const names = Object.entries(attributeOids)
  const known = readName(name).flatMap(({ oid, value }) => {
    const found = names.find(([member, each]) => each === oid && member !== 'DomainComponent')
    return found ? [[found[0], value] as const] : []
  })
  return Object.fromEntries(known)
}

function result(row: CertificateRow): CertificateSearchResult {
  const contents = contentsOf(row)
  const parts = row.material && certificateParts(new X509Certificate(row.material.pem).raw)
  return {
    CertificateArn: arnOf(row),
    X509Attributes: {
      ...(parts && { Issuer: distinguished(parts.issuer), Subject: distinguished(parts.subject) }),
      ...(!parts && { Subject: { CommonName: row.domain } }),
      SubjectAlternativeNames: row.names.map((DnsName) => ({ DnsName })),
      KeyAlgorithm: row.keyAlgorithm,
      ...(contents && {
        KeyUsages: [...contents.keyUsages],
        ExtendedKeyUsages: contents.extendedKeyUsages.map(({ Name }) => Name),
      }),
      ...(row.material && {
        SerialNumber: row.material.serial.toLowerCase().replace(/..(?!$)/g, '$&:'),
        NotAfter: new Date(row.material.notAfter),
        NotBefore: new Date(row.material.notBefore),
      }),
    },
    CertificateMetadata: { AcmCertificateMetadata: metadata(row) },
  }
}
