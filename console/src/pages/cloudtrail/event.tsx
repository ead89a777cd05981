/** One event: what happened, and for each decision the layers that allowed or denied it. */
import Alert from '@cloudscape-design/components/alert'
import Container from '@cloudscape-design/components/container'
import ExpandableSection from '@cloudscape-design/components/expandable-section'
import Header from '@cloudscape-design/components/header'
import Spinner from '@cloudscape-design/components/spinner'
import type { AuditEvent } from '../../access/event.ts'
import { callerOf, isDenial } from '../../access/event.ts'
import { explainEvent } from '../../access/explain-event.ts'
import type { Client } from '../../api/client.ts'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields, jsonShown } from '../../ui/fields.tsx'
import { JsonView } from '../../ui/json-view.tsx'
import { Page } from '../../ui/page.tsx'
import { timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { Decision } from './decision.tsx'
import { Result } from './event-table.tsx'
import { loadEvents } from './load-events.ts'

export default function Event({ rest }: { readonly rest: readonly string[] }) {
  const id = rest.at(-1) ?? ''
  const isRequest = rest[0] === 'request'
  const loaded = useLoaded(`event ${rest.join('/')}`, (client) =>
    isRequest ? eventOfRequest(client, id) : eventOf(client, id),
  )
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  const event = loaded.data
  if (!event) return <Spinner size="large" />
  return (
    <Page title={event.eventName} trail={[['Event history', ['audit']]]}>
      {event.errorMessage && (
        <Alert type={isDenial(event) ? 'warning' : 'error'} header={event.errorCode}>
          {event.errorMessage}
        </Alert>
      )}
      <Container header={<Header variant="h2">What happened</Header>}>
        <Fields
          items={{
            Result: <Result event={event} />,
            Caller: callerOf(event),
            Time: timeShown(new Date(event.eventTime)),
            Service: event.eventSource,
            'Source address': event.sourceIPAddress,
            Region: event.awsRegion,
            Resource: event.resources?.[0]?.ARN && <Copyable text={event.resources[0].ARN} />,
            'Event ID': <Copyable text={event.eventID} />,
            'User agent': event.userAgent,
          }}
        />
      </Container>
      <Decisions event={event} />
      <ExpandableSection headerText="The whole record" variant="container">
        <JsonView text={jsonShown(event)} label="Event record" />
      </ExpandableSection>
    </Page>
  )
}

function Decisions({ event }: { readonly event: AuditEvent }) {
  const recorded = event.additionalEventData?.merlonDecisions ?? []
  const explained = useLoaded(recorded.length > 0 ? `decisions of ${event.eventID}` : undefined, (client) =>
    explainEvent(client, event),
  )
  if (recorded.length === 0)
    return <Alert type="info">No policy was evaluated for this call, or another account's policies decided it.</Alert>
  return (
    <>
      {recorded.map((decision, at) => (
        <Decision
          key={decision.id}
          recorded={decision}
          explained={explained.data?.[at]}
          isLoading={explained.loading}
          caller={callerOf(event)}
          event={event}
        />
      ))}
      {explained.error && <ErrorAlert error={explained.error} />}
    </>
  )
}

async function eventOf(client: Client, id: string): Promise<AuditEvent> {
  const [event] = await loadEvents(client, { attribute: 'EventId', value: id }, 1)
  if (!event) throw new Error(`There is no event ${id} in this Region. Choose its Region at the top.`)
  return event
}

/** The history has no index of requests: the newest calls are searched. */
const SEARCHED = 500

async function eventOfRequest(client: Client, id: string): Promise<AuditEvent> {
  const event = (await loadEvents(client, {}, SEARCHED)).find(({ requestID }) => requestID === id)
  if (!event)
    throw new Error('The call is not among the newest events of this Region. Global services record in us-east-1.')
  return event
}
