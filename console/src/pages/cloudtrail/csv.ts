/** Events as CSV. */
import { type AuditEvent, callerOf } from '../../access/event.ts'
import { csvText } from '../../ui/csv.ts'

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

export const csvOf = (events: readonly AuditEvent[]): string =>
  csvText([COLUMNS.map(([name]) => name), ...events.map((event) => COLUMNS.map(([, value]) => value(event) ?? ''))])
