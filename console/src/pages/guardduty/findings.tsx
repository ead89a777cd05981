/** Threats: the findings of GuardDuty, the most urgent first. */
import Alert from '@cloudscape-design/components/alert'
import Badge, { type BadgeProps } from '@cloudscape-design/components/badge'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Link from '@cloudscape-design/components/link'
import SegmentedControl from '@cloudscape-design/components/segmented-control'
import Spinner from '@cloudscape-design/components/spinner'
import Tabs from '@cloudscape-design/components/tabs'
import { useState } from 'react'
import { useMerlon } from '../../app/merlon.tsx'
import { hrefOf } from '../../app/router.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorAlert } from '../../ui/error-alert.tsx'
import { jsonShown } from '../../ui/fields.tsx'
import { useNotices } from '../../ui/notices.tsx'
import { Page } from '../../ui/page.tsx'
import { ResourceTable } from '../../ui/resource-table.tsx'
import { timeFromNow } from '../../ui/time.ts'
import { useLoaded } from '../../ui/use-call.ts'
import { useDialog } from '../../ui/use-dialog.tsx'
import { Suppress } from './suppress.tsx'
import { actorOf, detectorOf, type Finding, loadFindings, targetOf, type Urgency, urgencyOf } from './threats.ts'

export default function Threats() {
  const detector = useLoaded('detector', async (client) => ({ found: await detectorOf(client) }))
  return (
    <Page title="Threats" description="What GuardDuty has detected in this account and Region, the most urgent first.">
      {detector.error && <ErrorAlert error={detector.error} onRetry={detector.reload} />}
      {detector.loading && !detector.data && <Spinner size="large" />}
      {detector.data && !detector.data.found && <Enable onDone={detector.reload} />}
      {detector.data?.found && (
        <Tabs
          tabs={[
            { id: 'findings', label: 'Findings', content: <Findings detector={detector.data.found} /> },
            { id: 'filters', label: 'Suppression', content: <Filters detector={detector.data.found} /> },
          ]}
        />
      )}
    </Page>
  )
}

function Enable({ onDone }: { readonly onDone: () => void }) {
  const { client } = useMerlon()
  const [error, setError] = useState<Error>()
  const enable = () => client.call('guardduty', 'CreateDetector', { Enable: true }).then(onDone, setError)
  return (
    <>
      <Alert
        type="warning"
        header="Nothing is watched in this Region"
        action={<Button onClick={enable}>Enable</Button>}
      >
        GuardDuty reads the audit log of the account as it is written. It begins with what happens after it is enabled.
      </Alert>
      {error && <ErrorAlert error={error} />}
    </>
  )
}

function Findings({ detector }: { readonly detector: string }) {
  const { client } = useMerlon()
  const { say } = useNotices()
  const { dialog, open } = useDialog()
  const [isArchived, setArchived] = useState(false)
  const loaded = useLoaded(
    `findings ${isArchived}`,
    async (from) => (await loadFindings(from, detector, isArchived)).findings,
  )
  const move = async (selected: readonly Finding[]) => {
    const input = { DetectorId: detector, FindingIds: selected.map(({ Id }) => Id!) }
    await client.call('guardduty', isArchived ? 'UnarchiveFindings' : 'ArchiveFindings', input).then(
      () => {
        say(isArchived ? 'The findings are current again.' : 'The findings are archived.')
        loaded.reload()
      },
      (error: Error) => say(error.message, 'error'),
    )
  }
  return (
    <>
      <ResourceTable<Finding>
        title={isArchived ? 'Archived findings' : 'Current findings'}
        noun="finding"
        loaded={loaded}
        idOf={({ Id }) => Id!}
        selectable="multi"
        empty={isArchived ? 'Nothing is archived.' : 'Nothing was detected.'}
        columns={[
          {
            header: 'Finding',
            value: ({ Title, Type }) => `${Title} ${Type}`,
            cell: ({ Id, Title, Type }) => (
              <>
                <Link href={hrefOf(['threats', Id!])}>{Title}</Link>
                <Box color="text-body-secondary">{Type}</Box>
              </>
            ),
          },
          {
            header: 'Urgency',
            value: ({ Severity }) => Severity,
            cell: (finding) => <UrgencyBadge urgency={urgencyOf(finding)} />,
          },
          { header: 'Actor', value: (finding) => actorOf(finding).name },
          { header: 'About', value: targetOf },
          { header: 'Seen', value: ({ Service }) => Service?.Count, cell: ({ Service }) => `${Service?.Count ?? 1} ×` },
          {
            header: 'Last',
            value: ({ Service }) => Service?.EventLastSeen,
            cell: ({ Service, UpdatedAt }) => timeFromNow(new Date(Service?.EventLastSeen ?? UpdatedAt!)),
          },
        ]}
        actions={(selected) => (
          <>
            <SegmentedControl
              label="Which findings"
              selectedId={isArchived ? 'archived' : 'current'}
              options={[
                { id: 'current', text: 'Current' },
                { id: 'archived', text: 'Archived' },
              ]}
              onChange={({ detail }) => setArchived(detail.selectedId === 'archived')}
            />
            <Button
              disabled={selected.length !== 1}
              onClick={() =>
                open((close) => (
                  <Suppress detector={detector} finding={selected[0]!} onClose={close} onDone={loaded.reload} />
                ))
              }
            >
              Suppress
            </Button>
            <Button disabled={selected.length === 0 || selected.length > 50} onClick={() => move(selected)}>
              {isArchived ? 'Unarchive' : 'Archive'}
            </Button>
          </>
        )}
      />
      {dialog}
    </>
  )
}

const COLORS: Readonly<Record<Urgency, NonNullable<BadgeProps['color']>>> = {
  critical: 'severity-critical',
  high: 'severity-high',
  medium: 'severity-medium',
  low: 'severity-low',
}

export function UrgencyBadge({ urgency }: { readonly urgency: Urgency }) {
  return <Badge color={COLORS[urgency]}>{urgency}</Badge>
}

function Filters({ detector }: { readonly detector: string }) {
  const { client } = useMerlon()
  const { dialog, open } = useDialog()
  const filters = useLoaded('filters', async (from) => {
    const names = await from.list('guardduty', 'ListFilters', { DetectorId: detector }, 'FilterNames')
    return Promise.all(
      names.map((FilterName) => from.call('guardduty', 'GetFilter', { DetectorId: detector, FilterName })),
    )
  })
  return (
    <>
      <ResourceTable
        title="Filters"
        noun="filter"
        description="Filters with the action ARCHIVE suppress new findings that match them."
        loaded={filters}
        idOf={({ Name }) => Name!}
        selectable="single"
        columns={[
          { header: 'Name', value: ({ Name }) => Name },
          { header: 'Action', value: ({ Action }) => Action },
          { header: 'Matches', value: ({ FindingCriteria }) => jsonShown(FindingCriteria?.Criterion) },
        ]}
        actions={([selected]) => (
          <Button
            disabled={!selected}
            onClick={() =>
              open((close) => (
                <Dialog
                  title={`Delete ${selected!.Name}?`}
                  submit="Delete"
                  onClose={close}
                  run={() =>
                    client
                      .call('guardduty', 'DeleteFilter', { DetectorId: detector, FilterName: selected!.Name! })
                      .then(filters.reload)
                  }
                >
                  New findings that it matches are shown again.
                </Dialog>
              ))
            }
          >
            Delete
          </Button>
        )}
      />
      {dialog}
    </>
  )
}
