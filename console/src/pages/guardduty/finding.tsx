/** One finding and its story: what the actor did around it, from the audit log. */
import Alert from '@cloudscape-design/components/alert'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import { type AuditEvent, serviceOf } from '../../access/event.ts'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { Copyable, Fields, Muted } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { Result } from '../cloudtrail/event-table.tsx'
import { loadEvents } from '../cloudtrail/load-events.ts'
import { UrgencyBadge } from './findings.tsx'
import { Suppress } from './suppress.tsx'
import { actorOf, addressOf, behindOf, detectorOf, type Finding, targetOf, urgencyOf } from './threats.ts'

export default function FindingPage({ rest: [id = ''] }: { readonly rest: readonly string[] }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const loaded = useLoaded(`finding ${id}`, async (from) => {
    const detector = await detectorOf(from)
    if (detector === undefined) throw new Error('GuardDuty is not enabled in this Region.')
    const { Findings } = await from.call('guardduty', 'GetFindings', { DetectorId: detector, FindingIds: [id] })
    if (!Findings?.[0]) throw new Error('There is no such finding. Findings are kept for 90 days.')
    return { detector, finding: Findings[0] }
  })
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  if (!loaded.data) return <Spinner size="large" />
  const { detector, finding } = loaded.data
  const isArchived = finding.Service?.Archived ?? false
  const change = (work: Promise<unknown>, text: string) =>
    work.then(
      () => {
        say(text)
        loaded.reload()
      },
      (error: Error) => say(error.message, 'error'),
    )
  const input = { DetectorId: detector, FindingIds: [id] }
  const archive = () =>
    change(
      client.call('guardduty', isArchived ? 'UnarchiveFindings' : 'ArchiveFindings', input),
      isArchived ? 'The finding is current again.' : 'The finding is archived.',
    )
  const answer = async (isExpected: boolean) => {
    const Feedback = isExpected ? ('NOT_USEFUL' as const) : ('USEFUL' as const)
    await client.call('guardduty', 'UpdateFindingsFeedback', { ...input, Feedback })
    if (isExpected) await client.call('guardduty', 'ArchiveFindings', input)
  }
  return (
    <Page
      title={finding.Title ?? id}
      trail={[['Threats', ['threats']]]}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button
            onClick={() =>
              open((close) => <Suppress detector={detector} finding={finding} onClose={close} onDone={loaded.reload} />)
            }
          >
            Suppress
          </Button>
          <Button onClick={archive}>{isArchived ? 'Unarchive' : 'Archive'}</Button>
        </SpaceBetween>
      }
    >
      {!isArchived && (
        <Feedback
          finding={finding}
          onYes={() => change(answer(true), 'It is recorded as expected, and archived.')}
          onNo={() => change(answer(false), 'It is recorded as a threat.')}
        />
      )}
      <Facts finding={finding} />
      <Story finding={finding} />
      {dialog}
    </Page>
  )
}

interface FeedbackProps {
  readonly finding: Finding
  readonly onYes: () => void
  readonly onNo: () => void
}

function Feedback({ finding, onYes, onNo }: FeedbackProps) {
  if (finding.Service?.UserFeedback === 'USEFUL')
    return (
      <Alert type="error" header="This was reported as a threat">
        <NextStep finding={finding} />
      </Alert>
    )
  return (
    <Alert
      type="info"
      header="Was this you?"
      action={
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={onYes}>Yes, archive it</Button>
          <Button onClick={onNo}>No</Button>
        </SpaceBetween>
      }
    >
      {actorOf(finding).name}
      {addressOf(finding) && ` from ${addressOf(finding)}`}, {timeShown(new Date(finding.Service!.EventLastSeen!))}
    </Alert>
  )
}

function NextStep({ finding }: { readonly finding: Finding }) {
  const key = finding.Resource?.AccessKeyDetails
  if (key?.UserType === 'IAMUser' && key.UserName)
    return (
      <>
        Deactivate the access keys of <Link href={hrefOf(['iam', 'users', key.UserName])}>{key.UserName}</Link>, then
        look at what it did below.
      </>
    )
  return <>Look at what the actor did below, and take away its access.</>
}

function Facts({ finding }: { readonly finding: Finding }) {
  const { unusual, signals } = behindOf(finding)
  return (
    <Container header={<Header variant="h2">What happened</Header>}>
      <SpaceBetween size="m">
        <Box>{finding.Description}</Box>
        <Fields
          columns={4}
          items={{
            Urgency: <UrgencyBadge urgency={urgencyOf(finding)} />,
            Type: finding.Type,
            Actor: actorOf(finding).name,
            About: targetOf(finding),
            From: addressOf(finding),
            Seen: `${finding.Service?.Count ?? 1} ×, first ${timeFromNow(new Date(finding.Service!.EventFirstSeen!))}`,
            Last: timeShown(new Date(finding.Service!.EventLastSeen!)),
            ID: <Copyable text={finding.Id!} />,
          }}
        />
        {unusual.length > 0 && (
          <table className="plain-table">
            <thead>
              <tr>
                <th scope="col">Unusual</th>
                <th scope="col">Observed</th>
                <th scope="col">Expected</th>
              </tr>
            </thead>
            <tbody>
              {unusual.map(({ dimension, observed, expected }) => (
                <tr key={`${dimension} ${observed}`}>
                  <td>{dimension}</td>
                  <td>{observed}</td>
                  <td>{expected.join(', ') || 'never seen before'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {signals.length > 0 && (
          <div>
            Steps of the attack:{' '}
            {signals.map((signal, n) => (
              <span key={signal}>
                {n > 0 && ', '}
                <Link href={hrefOf(['threats', signal])}>step {n + 1}</Link>
              </span>
            ))}
          </div>
        )}
      </SpaceBetween>
    </Container>
  )
}

const AROUND_MS = 3_600_000
const SHOWN_MAX = 100

/** The calls of the actor, from an hour before the first sighting to an hour after the last, oldest first. */
function Story({ finding }: { readonly finding: Finding }) {
  const { attribute, value, name } = actorOf(finding)
  const { eventIds } = behindOf(finding)
  const loaded = useLoaded(`story of ${finding.Id}`, async (client) => {
    const { EventFirstSeen, EventLastSeen } = finding.Service!
    const from = new Date(Date.parse(EventFirstSeen!) - AROUND_MS)
    const to = new Date(Date.parse(EventLastSeen!) + AROUND_MS)
    const around = attribute ? await loadEvents(client, { attribute, value, from, to }, SHOWN_MAX) : []
    const known = new Set(around.map(({ eventID }) => eventID))
    const missing = eventIds.filter((id) => !known.has(id))
    const own = await Promise.all(missing.map((id) => loadEvents(client, { attribute: 'EventId', value: id }, 1)))
    return [...around, ...own.flat()].sort((a, b) => (a.eventTime < b.eventTime ? -1 : 1))
  })
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="From an hour before it was first seen to an hour after the last time."
          actions={
            attribute &&
            value && <Link href={hrefOf(['audit'], { by: attribute, value })}>All events of the actor</Link>
          }
        >
          The story of {name}
        </Header>
      }
    >
      {loaded.loading && !loaded.data && <Spinner />}
      {loaded.error && <ErrorAlert error={loaded.error} onRetry={loaded.reload} />}
      {loaded.data?.length === 0 && <Muted>No event of the actor is recorded in this Region.</Muted>}
      <ol className="time-line">
        {(loaded.data ?? []).map((event) => (
          <Step key={event.eventID} event={event} isBehind={eventIds.includes(event.eventID)} />
        ))}
      </ol>
    </Container>
  )
}

function Step({ event, isBehind }: { readonly event: AuditEvent; readonly isBehind: boolean }) {
  return (
    <li data-kind={isBehind ? 'current' : 'other'}>
      <Link href={hrefOf(['audit', event.eventID])}>{event.eventName}</Link> <Muted>{serviceOf(event)}</Muted>{' '}
      <Result event={event} /> {isBehind && <strong>made the finding</strong>}
      <Box color="text-body-secondary">
        {timeShown(new Date(event.eventTime))}
        {event.sourceIPAddress && `, from ${event.sourceIPAddress}`}
        {event.userAgent && `, ${event.userAgent.split(' ')[0]}`}
      </Box>
    </li>
  )
}
