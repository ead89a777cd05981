/** Events as CSV (RFC 4180). Values that a spreadsheet would run as a formula are preceded by an apostrophe. */
import { type AuditEvent, callerOf } from '../../access/event.ts'

const COLUMNS: readonly (readonly [name: string, value: (event: AuditEvent) => string | undefined])[] = [
  ['eventTime', ({ eventTime }) => eventTime],
  ['eventName', ({ eventName }) => eventName],
  ['eventSource', ({ eventSource }) => eventSource],
  ['caller', callerOf],
  ['callerArn', ({ userIdentity }) => userIdentity?.arn],
  ['sourceIPAddress', ({ sourceIPAddress }) => sourceIPAddress],
  ['errorCode', ({ errorCode }) => errorCode],
  ['errorMessage', ({ errorMessage }) => errorMessage],
  ['resources', ({ resources }) => resources?.map(({ ARN }) => ARN ?? '').join(' ')],
  ['awsRegion', ({ awsRegion }) => awsRegion],
  ['userAgent', ({ userAgent }) => userAgent],
  ['eventID', ({ eventID }) => eventID],
]

export function csvOf(events: readonly AuditEvent[]): string {
  const rows = [COLUMNS.map(([name]) => name), ...events.map((event) => COLUMNS.map(([, value]) => value(event) ?? ''))]
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('')
}

function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
