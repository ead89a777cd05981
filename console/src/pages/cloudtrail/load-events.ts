/** Events of the audit log, newest first. */
import type { AuditEvent } from '../../access/event.ts'
import type { Client } from '../../api/client.ts'

export type Attribute =
  | 'EventId'
  | 'EventName'
  | 'Username'
  | 'ResourceName'
  | 'ResourceType'
  | 'EventSource'
  | 'AccessKeyId'
  | 'ReadOnly'

export interface EventFilter {
  readonly attribute?: Attribute | undefined
  readonly value?: string | undefined
  readonly from?: Date | undefined
  readonly to?: Date | undefined
}

export async function loadEvents(
  client: Client,
  { attribute, value, from, to }: EventFilter,
  max: number,
): Promise<readonly AuditEvent[]> {
  const input = {
    MaxResults: 50,
    ...(attribute && value && { LookupAttributes: [{ AttributeKey: attribute, AttributeValue: value }] }),
    ...(from && { StartTime: from }),
    ...(to && { EndTime: to }),
  }
  const events = await client.list('cloudtrail', 'LookupEvents', input, 'Events', max)
  return events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent!) as AuditEvent)
}
