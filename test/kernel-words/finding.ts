/** The finding of a caller that tried to delete a certificate without permission. */
import type { FindingResource, Sighting } from '../../src/kernel/events/findings.ts'

/** The members of a CloudTrail event that the detector reads. */
export interface LoggedEvent {
  readonly eventName?: string
  readonly eventTime: string
  readonly awsRegion: string
  readonly recipientAccountId: string
  readonly errorCode?: string
  readonly userIdentity?: { readonly arn?: string }
}

export const isRefusedDeletion = ({ eventName, errorCode }: LoggedEvent): boolean =>
  eventName === 'DeleteCertificate' && errorCode === 'AccessDenied'

interface CallerResource extends FindingResource {
  readonly resourceType: 'Caller'
  readonly callerDetails: { readonly arn: string }
}

/** Each sighting of the same caller counts at one finding. */
export function sightingOf(event: LoggedEvent): Sighting<CallerResource> {
  const arn = event.userIdentity?.arn ?? 'unknown'
  const atMs = Date.parse(event.eventTime)
  return {
    product: 'acm',
    type: 'Impact:ACM/DeletionRefused',
    resourceId: [arn],
    account: event.recipientAccountId,
    region: event.awsRegion,
    severity: 5,
    title: 'A certificate was to be deleted without permission.',
    description: `${arn} called DeleteCertificate, and was denied.`,
    resource: { resourceType: 'Caller', callerDetails: { arn } },
    firstMs: atMs,
    lastMs: atMs,
    count: 1,
  }
}
