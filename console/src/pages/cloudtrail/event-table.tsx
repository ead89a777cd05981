/** Events in a table: time, caller, operation, and whether it was allowed. */
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import type { ReactNode } from 'react'
import { type AuditEvent, callerOf, isDenial, serviceOf } from '../../access/event.ts'
import { hrefOf } from '../../app/router.ts'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'
import type { Loaded } from '../../ui/use-call.ts'

interface Props {
  readonly title: string
  readonly loaded: Loaded<readonly AuditEvent[]>
  readonly actions?: ReactNode
  readonly empty?: ReactNode
  readonly description?: ReactNode
  readonly pageSize?: number
}

export function EventTable({ title, loaded, actions, empty, description, pageSize = 50 }: Props) {
  return (
    <ResourceTable<AuditEvent>
      title={title}
      noun="event"
      description={description}
      loaded={loaded}
      idOf={({ eventID }) => eventID}
      pageSize={pageSize}
      empty={empty}
      actions={() => actions}
      columns={[
        { header: 'Event', value: ({ eventName }) => eventName, href: ({ eventID }) => hrefOf(['audit', eventID]) },
        { header: 'Result', value: (event) => event.errorCode ?? 'Success', cell: (event) => <Result event={event} /> },
        { header: 'Caller', value: callerOf },
        { header: 'Service', value: serviceOf },
        { header: 'Resource', value: ({ resources }) => resources?.[0]?.ARN?.split(':').slice(5).join(':') },
        {
          header: 'Time',
          value: ({ eventTime }) => new Date(eventTime),
          cell: ({ eventTime }) => (
            <span title={timeShown(new Date(eventTime))}>{timeFromNow(new Date(eventTime))}</span>
          ),
        },
      ]}
    />
  )
}

export function Result({ event }: { readonly event: AuditEvent }) {
  if (!event.errorCode) return <StatusIndicator>Success</StatusIndicator>
  return isDenial(event) ? (
    <StatusIndicator type="stopped" colorOverride="red">
      Denied
    </StatusIndicator>
  ) : (
    <StatusIndicator type="warning">{event.errorCode}</StatusIndicator>
  )
}
