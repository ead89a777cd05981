/** The newest denials in a small table: the home page does without the large one, to open quickly. */
import Box from '@cloudscape-design/components/box'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import Link from '@cloudscape-design/components/link'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import { callerOf, isDenial, serviceOf } from '../access/event.ts'
import { hrefOf } from '../app/router.ts'
import { ErrorAlert } from '../ui/error-alert.tsx'
import { timeFromNow } from '../ui/time.ts'
import { useLoaded } from '../ui/use-call.ts'
import { loadEvents } from './cloudtrail/load-events.ts'

const SEARCHED = 200
const SHOWN_MAX = 10

export function RecentDenials() {
  const loaded = useLoaded('recent denials', async (client) =>
    (await loadEvents(client, {}, SEARCHED)).filter(isDenial).slice(0, SHOWN_MAX),
  )
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  const description = `Among the last ${SEARCHED} calls in this Region. Open one to see what decided it.`
  return (
    <Container
      header={
        <Header variant="h2" description={description} actions={<Link href={hrefOf(['audit'])}>Event history</Link>}>
          Denied lately
        </Header>
      }
    >
      {!loaded.data && <StatusIndicator type="loading">Loading events</StatusIndicator>}
      {loaded.data?.length === 0 && <StatusIndicator>Nothing was denied</StatusIndicator>}
      {loaded.data && loaded.data.length > 0 && (
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">Event</th>
              <th scope="col">Caller</th>
              <th scope="col">Service</th>
              <th scope="col">Time</th>
            </tr>
          </thead>
          <tbody>
            {loaded.data.map((event) => (
              <tr key={event.eventID}>
                <td>
                  <Link href={hrefOf(['audit', event.eventID])}>{event.eventName}</Link>
                </td>
                <td>{callerOf(event)}</td>
                <td>{serviceOf(event)}</td>
                <td>
                  <Box variant="span" color="text-body-secondary">
                    {timeFromNow(new Date(event.eventTime))}
                  </Box>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Container>
  )
}
