/** Audit reports: every certificate that an authority issued or revoked, written to a bucket by ACM Private CA's principal. */
import type * as S3 from '@aws-sdk/client-s3'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, key } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { type AuthorityRow, arnOf, authority, type IssuedRow, issuedBy, pca, wrongState } from './resources.ts'

const s3: Api<typeof S3> = { id: 's3' }
const PRINCIPAL = 'acm-pca.amazonaws.com'

interface ReportRow {
  readonly status: 'CREATING' | 'SUCCESS' | 'FAILED'
  readonly bucket: string
  readonly object: string
  readonly createdAt: number
}

const reportKey = (authorityId: string, id: string): Key => key('acm-pca', 'audit-report', authorityId, id)

export const createCertificateAuthorityAuditReport = pca
  .operation('CreateCertificateAuthorityAuditReport')
  .on(authority.named('CertificateAuthorityArn', { ownAccount: true }))
  .run((call, { S3BucketName: bucket, AuditReportResponseFormat: format }, { row, scope }) => {
    if (row.status === 'DELETED' || row.status === 'PENDING_CERTIFICATE') throw wrongState(row, call.now)
    const AuditReportId = call.newId()
    const object = `audit-report/${row.id}/${AuditReportId}.${format.toLowerCase()}`
    const at = reportKey(row.id, AuditReportId)
    call.unit.put(at, { status: 'CREATING', bucket, object, createdAt: call.now } satisfies ReportRow)
    scheduleJob(call.unit, {
      id: `acm-pca.report/${AuditReportId}`,
      kind: 'acm-pca.report',
      dueAt: call.now,
      payload: {
        at,
        format,
        account: row.account,
        authority: authority.key(scope, { CertificateAuthorityId: row.id }),
      },
    })
    return { AuditReportId, S3Key: object }
  })

export const describeCertificateAuthorityAuditReport = pca
  .operation('DescribeCertificateAuthorityAuditReport')
  .on(authority.named('CertificateAuthorityArn'))
  .run(async (call, { AuditReportId }, { row }) => {
    const report = await call.unit.get<ReportRow>(reportKey(row.id, AuditReportId))
    if (!report) throw pca.fail('ResourceNotFoundException', `Could not find audit report ${AuditReportId}.`)
    return {
      AuditReportStatus: report.status,
      S3BucketName: report.bucket,
      S3Key: report.object,
      CreatedAt: new Date(report.createdAt),
    }
  })

interface ReportJob {
  readonly at: Key
  readonly authority: Key
  readonly format: 'JSON' | 'CSV'
}

export const writeReport: ServiceJob<ReportJob, ReportRow['status']> = {
  effect: async ({ reader, actAs: act }, { at, authority: authorityAt, format }) => {
    const report = await reader.get<ReportRow>(at)
    const row = await reader.get<AuthorityRow>(authorityAt)
    if (!report || !row) return 'FAILED'
    const entries = (await reader.range<IssuedRow>(issuedBy(row.id))).map(({ document }) => entryOf(row, document))
    const Body = Buffer.from(format === 'JSON' ? JSON.stringify(entries, null, 2) : csv(entries))
    const acting = { service: PRINCIPAL, account: row.account, region: row.region, source: arnOf(row) }
    try {
      await act(acting, s3, 'PutObject', { Bucket: report.bucket, Key: report.object, Body: Body as never })
      return 'SUCCESS'
    } catch (error) {
      // The bucket is missing, or its policy does not let the principal in: a person has to change that.
      if (error instanceof Fault) return 'FAILED'
      throw error
    }
  },
  run: async (unit, _work, { at }, status) => {
    const report = await unit.get<ReportRow>(at)
    if (report) unit.put(at, { ...report, status })
  },
}

const iso = (at: number) => new Date(at).toISOString().replace(/\.\d+/, '')

function entryOf(row: AuthorityRow, issued: IssuedRow): Readonly<Record<string, string>> {
  const { revokedAt, reason = '' } = issued
  return {
    awsAccountId: row.account,
    requestedByServicePrincipal: issued.requestedBy.endsWith('.amazonaws.com') ? issued.requestedBy : '',
    certificateArn: `${arnOf(row)}/certificate/${BigInt(`0x${issued.serial}`)}`,
    serial: issued.serial.padStart(32, '0').replace(/..(?!$)/g, '$&:'),
    subject: issued.subject,
    notBefore: iso(issued.notBefore),
    notAfter: iso(issued.notAfter),
    issuedAt: iso(issued.issuedAt),
    ...(revokedAt !== undefined && { revokedAt: iso(revokedAt), revocationReason: reason }),
    templateArn: issued.template,
  }
}

const COLUMNS = [
  'awsAccountId',
  'requestedByServicePrincipal',
  'certificateArn',
  'serial',
  'subject',
  'notBefore',
  'notAfter',
  'issuedAt',
  'revokedAt',
  'revocationReason',
  'templateArn',
]
/** RFC 4180; a field that a spreadsheet would compute begins with an apostrophe. */
const field = (text = '') => `"${text.replace(/"/g, '""').replace(/^[=+\-@]/, "'$&")}"`
const csv = (entries: readonly Readonly<Record<string, string>>[]): string =>
  [COLUMNS.join(','), ...entries.map((entry) => COLUMNS.map((column) => field(entry[column])).join(','))].join('\r\n')
