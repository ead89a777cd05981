/** The last denials of one user, or of everyone. */
import { isDenial } from '../../access/event.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { EventTable } from './event-table.tsx'
import { loadEvents } from './load-events.ts'

/** Of so many events the denials are shown. */
const SEARCHED = 200

export function Denials({
  userName,
  title = 'Recent denials',
}: {
  readonly userName?: string
  readonly title?: string
}) {
  const loaded = useLoaded(`denials of ${userName ?? 'everyone'}`, async (client) => {
    const filter =
      userName === undefined ? { attribute: undefined } : { attribute: 'Username' as const, value: userName }
    return (await loadEvents(client, filter, SEARCHED)).filter(isDenial)
  })
  return (
    <EventTable
      title={title}
      loaded={loaded}
      pageSize={10}
      description={`Among the last ${SEARCHED} calls in this Region. Open one to see what decided it.`}
      empty="Nothing was denied."
    />
  )
}
