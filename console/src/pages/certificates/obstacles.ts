/** What stops a certificate from being issued, in sentences: what each domain has to prove, and what the last check found. */
import type { AuditEvent } from '../../access/event.ts'
import type { Client } from '../../api/client.ts'
import type { Output } from '../../api/sdk.ts'

export type CertificateDetail = NonNullable<Output<'acm', 'DescribeCertificate'>['Certificate']>

export interface Obstacle {
  readonly domain: string
  readonly isProved: boolean
  readonly record?: { readonly name: string; readonly value: string }
  readonly mailboxes: readonly string[]
  /** Of the last check; absent, too, where the event history may not be read. */
  readonly found?: string
  readonly checkedAt?: Date
}

/** A service event of ACM, written when a check finds something else than the one before. */
interface CheckedEvent extends AuditEvent {
  readonly serviceEventDetails?: {
    readonly domains?: readonly { readonly domain: string; readonly finding?: string }[]
  }
}

const EVENTS_SEARCHED = 50

export async function obstaclesOf(client: Client, certificate: CertificateDetail): Promise<readonly Obstacle[]> {
  const arn = certificate.CertificateArn!
  const checked =
    certificate.Status === 'PENDING_VALIDATION' || certificate.RenewalSummary ? await lastCheck(client, arn) : undefined
  return (certificate.DomainValidationOptions ?? []).map((proof): Obstacle => {
    const { DomainName, ValidationStatus, ResourceRecord: record, ValidationEmails: mailboxes = [] } = proof
    const found = checked?.serviceEventDetails?.domains?.find(({ domain }) => domain === DomainName)?.finding
    return {
      domain: DomainName!,
      isProved: ValidationStatus === 'SUCCESS',
      mailboxes,
      ...(record && { record: { name: record.Name!, value: record.Value! } }),
      ...(found !== undefined && { found, checkedAt: new Date(checked!.eventTime) }),
    }
  })
}

async function lastCheck(client: Client, arn: string): Promise<CheckedEvent | undefined> {
  const input = { LookupAttributes: [{ AttributeKey: 'ResourceName' as const, AttributeValue: arn }] }
  const events = await client.list('cloudtrail', 'LookupEvents', input, 'Events', EVENTS_SEARCHED).catch(() => [])
  return events
    .map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent!) as CheckedEvent)
    .find(({ eventName }) => eventName === 'DomainValidationChecked')
}

const FAILURES: Readonly<Record<string, string>> = {
  CAA_ERROR: 'The CAA records of the domain do not allow this authority to issue for it.',
  DOMAIN_NOT_ALLOWED: 'The domain is not one for which certificates are issued.',
  DOMAIN_VALIDATION_DENIED: 'An administrator of the domain refused the request.',
  NO_AVAILABLE_CONTACTS: 'No mailbox of the domain takes mail.',
  PCA_INVALID_ARN: 'The private authority does not exist.',
  PCA_INVALID_STATE: 'The private authority is not active.',
  PCA_ACCESS_DENIED: 'ACM may not issue with the private authority.',
}

/** One sentence about the whole certificate; undefined for one that is in force. */
export function stateSentence({ Status, FailureReason, NotAfter }: CertificateDetail): string | undefined {
  switch (Status) {
    case 'PENDING_VALIDATION':
      return 'It is issued as soon as the control of each domain is proved.'
    case 'VALIDATION_TIMED_OUT':
      return 'The domains were not proved within 72 hours. Request the certificate again.'
    case 'FAILED':
      return FAILURES[FailureReason ?? ''] ?? `It failed: ${FailureReason ?? 'for an unknown reason'}.`
    case 'EXPIRED':
      return `It expired on ${NotAfter?.toLocaleDateString()}.`
    case 'REVOKED':
      return 'It was revoked.'
    default:
      return undefined
  }
}
