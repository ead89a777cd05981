/**
 * The credential report: the credentials of every user, how old they are and when they were last used.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
 */
import type { Call } from '../../../kernel/gate/call.ts'
import { anything } from '../../../kernel/resource/target.ts'
import { key } from '../../../store/store.ts'
import { type AccountRow, accountKey } from '../account/bootstrap.ts'
import { type AccessKeyRow, accessKeyKey } from '../credentials/access-keys.ts'
import { accessKeyUse } from '../credentials/last-used.ts'
import type { LoginProfileRow } from '../credentials/login-profiles.ts'
import { passwordPolicyOf } from '../credentials/password-policy.ts'
import type { SigningCertificateRow } from '../credentials/signing-certificates.ts'
import { hangingOf } from '../credentials/subordinates.ts'
import { type UserRow, user } from '../resources.ts'
import { date, iam } from '../words.ts'

const HOUR_MS = 3_600_000
/** A report is generated again after this long, and is no longer returned after {@link EXPIRED_MS}. */
const FRESH_MS = 4 * HOUR_MS
const EXPIRED_MS = 24 * HOUR_MS
const DAY_MS = 24 * HOUR_MS

interface Report {
  readonly generatedAt: number
  readonly content: string
}

const reportKey = (call: Call) => key('iam', 'credential-report', call.account)

// biome-ignore format: in the order and groups of the document
const COLUMNS = [
  'user', 'arn', 'user_creation_time',
  'password_enabled', 'password_last_used', 'password_last_changed', 'password_next_rotation', 'mfa_active',
  'access_key_1_active', 'access_key_1_last_rotated', 'access_key_1_last_used_date', 'access_key_1_last_used_region', 'access_key_1_last_used_service',
  'access_key_2_active', 'access_key_2_last_rotated', 'access_key_2_last_used_date', 'access_key_2_last_used_region', 'access_key_2_last_used_service',
  'cert_1_active', 'cert_1_last_rotated', 'cert_2_active', 'cert_2_last_rotated',
] as const

export const generateCredentialReport = iam
  .operation('GenerateCredentialReport')
  .on(anything)
  .run(async (call) => {
    const earlier = await call.unit.get<Report>(reportKey(call))
    if (earlier && earlier.generatedAt + FRESH_MS > call.now) return { State: 'COMPLETE' }
    const content = await reportOf(call)
    call.unit.put(reportKey(call), { generatedAt: call.now, content } satisfies Report)
    // As AWS answers the first question; the report is there for the next.
    return { State: 'STARTED', Description: 'No report exists. Starting a new report generation task' }
  })

export const getCredentialReport = iam
  .operation('GetCredentialReport')
  .on(anything)
  .run(async (call) => {
    const report = await call.unit.get<Report>(reportKey(call))
    if (!report) {
      throw iam.fail('CredentialReportNotPresentException', 'There is no credential report. Generate one first.')
    }
    if (report.generatedAt + EXPIRED_MS <= call.now) {
      throw iam.fail('CredentialReportExpiredException', 'The credential report has expired. Generate a new one.')
    }
    return { Content: Buffer.from(report.content), ReportFormat: 'text/csv', GeneratedTime: date(report.generatedAt) }
  })

async function reportOf(call: Call): Promise<string> {
  const users = await user.list(call.unit, call)
  const rows = [await rootRow(call), ...(await Promise.all(users.map(({ document }) => userRow(call, document))))]
  return [COLUMNS, ...rows].map((row) => row.map(field).join(',')).join('\n')
}

async function rootRow(call: Call): Promise<readonly string[]> {
  const account = await call.unit.get<AccountRow>(accountKey(call.account))
  return [
    '<root_account>',
    `arn:aws:iam::${call.account}:root`,
    dateOr(account?.createdAt),
    'not_supported',
    'no_information',
    'not_supported',
    'not_supported',
    ...(await credentials(call, call.account)),
  ]
}

async function userRow(call: Call, row: UserRow): Promise<readonly string[]> {
  const [profile] = await hangingOf<LoginProfileRow>(call, row.id, 'login-profile')
  const changedAt = profile?.document.changedAt
  const days = (await passwordPolicyOf(call))?.ageMaxDays
  return [
    row.name,
    user.arnOf(call, row),
    dateOr(row.createdAt),
    String(profile !== undefined),
    profile ? dateOr(row.passwordUsedAt, 'no_information') : 'N/A',
    dateOr(changedAt),
    dateOr(changedAt !== undefined && days ? changedAt + days * DAY_MS : undefined),
    ...(await credentials(call, row.id)),
  ]
}

/** From `mfa_active` on: alike for users and root. */
async function credentials(call: Call, ownerId: string): Promise<readonly string[]> {
  const [devices, ids, certificates] = await Promise.all([
    hangingOf(call, ownerId, 'mfa-device'),
    hangingOf<{ readonly id: string }>(call, ownerId, 'access-key'),
    hangingOf<SigningCertificateRow>(call, ownerId, 'signing-certificate'),
  ])
  return [
    String(devices.length > 0),
    ...(await keyColumns(call, ids[0]?.document.id)),
    ...(await keyColumns(call, ids[1]?.document.id)),
    ...[0, 1].flatMap((i) => {
      const certificate = certificates[i]?.document
      return [String(certificate?.active ?? false), dateOr(certificate?.uploadedAt)]
    }),
  ]
}

async function keyColumns(call: Call, id: string | undefined): Promise<readonly string[]> {
  const row = id === undefined ? undefined : await call.unit.get<AccessKeyRow>(accessKeyKey(id))
  const use = row && (await accessKeyUse(call.unit, row.id))
  return [
    String(row?.active ?? false),
    dateOr(row?.createdAt),
    dateOr(use?.timeMs),
    use?.region ?? 'N/A',
    use?.service ?? 'N/A',
  ]
}

/** Names may hold commas. Source: RFC 4180 §2. */
const field = (text: string): string => (text.includes(',') ? `"${text}"` : text)

/** `2026-01-31T12:00:00+00:00` */
function dateOr(ms: number | undefined, otherwise = 'N/A'): string {
  return ms === undefined ? otherwise : new Date(ms).toISOString().replace(/\.\d+Z$/, '+00:00')
}
