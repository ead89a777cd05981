/** What happens to a certificate without a call, written to the audit log of its account and Region. */
import { serviceEvent } from '../../kernel/events/event.ts'
import type { Unit } from '../../store/store.ts'
import { ACM_EVENT_SOURCE, arnOf, type CertificateRow, certificate } from './resources.ts'

/**
 * The last four are events of EventBridge at AWS; here they are service events.
 * Source: https://docs.aws.amazon.com/acm/latest/userguide/supported-events.html
 */
export type CertificateEvent =
  | 'DomainValidationChecked'
  | 'CertificateRenewed'
  | 'CertificateValidationTimedOut'
  | 'CertificateFailed'
  | 'CertificateAvailable'
  | 'CertificateExpired'
  | 'CertificateApproachingExpiration'
  | 'CertificateRenewalActionRequired'

export function recordEvent(
  unit: Unit,
  row: CertificateRow,
  eventName: CertificateEvent,
  now: number,
  details: Readonly<Record<string, unknown>> = {},
): void {
  const arn = arnOf(row)
  unit.append(
    serviceEvent({
      account: row.account,
      region: row.region,
      timeMs: now,
      eventSource: ACM_EVENT_SOURCE,
      eventName,
      resources: [{ arn, type: certificate.spec.type, account: row.account }],
      details: { CertificateArn: arn, DomainName: row.domain, ...details },
    }),
  )
}
