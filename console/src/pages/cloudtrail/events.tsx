/** The event history: filtered, on a time line, and exported. */
import BarChart from '@cloudscape-design/components/bar-chart'
import Button from '@cloudscape-design/components/button'
import ButtonDropdown from '@cloudscape-design/components/button-dropdown'
import Container from '@cloudscape-design/components/container'
import DateRangePicker, { type DateRangePickerProps } from '@cloudscape-design/components/date-range-picker'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import SegmentedControl from '@cloudscape-design/components/segmented-control'
import Select from '@cloudscape-design/components/select'
import { useState } from 'react'
import { type AuditEvent, isDenial } from '../../access/event.ts'
import { replaceQuery, usePlace } from '../../app/router.ts'
import { saveFile } from '../../ui/csv.ts'
import { Page } from '../../ui/page.tsx'
import { useLoaded } from '../../ui/use-call.ts'
import { csvOf } from './csv.ts'
import { EventTable } from './event-table.tsx'
import { type Attribute, loadEvents } from './load-events.ts'
import { timeLineOf } from './time-line.ts'

const ATTRIBUTES: readonly (readonly [Attribute, string])[] = [
  ['Username', 'User name'],
  ['EventName', 'Event name'],
  ['ResourceName', 'Resource name'],
  ['ResourceType', 'Resource type'],
  ['EventSource', 'Event source'],
  ['AccessKeyId', 'Access key ID'],
  ['EventId', 'Event ID'],
]

const LIMITS = [200, 1_000, 5_000] as const
type Outcome = 'all' | 'denied' | 'failed'

const HOUR_MS = 3_600_000
const RANGES: DateRangePickerProps.RelativeOption[] = [
  { key: 'hour', amount: 1, unit: 'hour', type: 'relative' },
  { key: 'day', amount: 24, unit: 'hour', type: 'relative' },
  { key: 'week', amount: 7, unit: 'day', type: 'relative' },
  { key: 'quarter', amount: 90, unit: 'day', type: 'relative' },
]

export default function Events() {
  const { query } = usePlace()
  const attribute = (query.get('by') ?? 'Username') as Attribute
  const value = query.get('value') ?? ''
  const [typed, setTyped] = useState(value)
  const [range, setRange] = useState<DateRangePickerProps.Value | null>(null)
  const [limit, setLimit] = useState<number>(LIMITS[0])
  const [outcome, setOutcome] = useState<Outcome>('all')
  const loaded = useLoaded(JSON.stringify([attribute, value, range, limit]), (client) => {
    const [from, to] = timesOf(range)
    return loadEvents(client, { attribute, value, from, to }, limit)
  })
  const events = loaded.data?.filter(
    (event) => outcome === 'all' || (outcome === 'denied' ? isDenial(event) : event.errorCode !== undefined),
  )
  return (
    <Page title="Event history" description="Every call to this account, allowed or not, in this Region.">
      <Container>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            replaceQuery(typed === '' ? {} : { by: attribute, value: typed })
          }}
        >
          <div className="fields-row">
            <FormField label="Find by">
              <Select
                selectedOption={{
                  value: attribute,
                  label: ATTRIBUTES.find(([id]) => id === attribute)?.[1] ?? attribute,
                }}
                options={ATTRIBUTES.map(([id, label]) => ({ value: id, label }))}
                onChange={({ detail }) =>
                  replaceQuery({ by: detail.selectedOption.value!, ...(typed !== '' && { value: typed }) })
                }
              />
            </FormField>
            <FormField label="Value">
              <Input
                value={typed}
                type="search"
                placeholder="Exactly as recorded"
                onChange={({ detail }) => setTyped(detail.value)}
              />
            </FormField>
            <FormField label="Time">
              <DateRangePicker
                value={range}
                onChange={({ detail }) => setRange(detail.value)}
                relativeOptions={RANGES}
                isValidRange={() => ({ valid: true })}
                placeholder="The last 90 days"
                rangeSelectorMode="default"
                granularity="day"
                i18nStrings={{
                  formatRelativeRange: ({ amount, unit }) => `Last ${amount} ${unit}${amount === 1 ? '' : 's'}`,
                  relativeModeTitle: 'Relative',
                  absoluteModeTitle: 'Absolute',
                  relativeRangeSelectionHeading: 'Choose a range',
                  clearButtonLabel: 'Clear',
                  cancelButtonLabel: 'Cancel',
                  applyButtonLabel: 'Apply',
                  customRelativeRangeOptionLabel: 'Another range',
                  customRelativeRangeDurationLabel: 'Duration',
                  customRelativeRangeDurationPlaceholder: 'Enter a duration',
                  customRelativeRangeUnitLabel: 'Unit',
                  startDateLabel: 'Start date',
                  endDateLabel: 'End date',
                  startTimeLabel: 'Start time',
                  endTimeLabel: 'End time',
                  previousMonthAriaLabel: 'Previous month',
                  nextMonthAriaLabel: 'Next month',
                  todayAriaLabel: 'Today',
                  dateTimeConstraintText: '',
                }}
              />
            </FormField>
            <Button variant="primary" formAction="submit" loading={loaded.loading}>
              Find
            </Button>
          </div>
        </form>
      </Container>
      {loaded.data && loaded.data.length > 0 && <TimeLine events={loaded.data} />}
      <EventTable
        title="Events"
        loaded={{ ...loaded, data: events }}
        empty="No event matches."
        description={loaded.data && loaded.data.length >= limit ? `The newest ${limit}. There are more.` : undefined}
        actions={
          <>
            <SegmentedControl
              label="Which results"
              selectedId={outcome}
              options={[
                { id: 'all', text: 'All' },
                { id: 'denied', text: 'Denied' },
                { id: 'failed', text: 'Failed' },
              ]}
              onChange={({ detail }) => setOutcome(detail.selectedId as Outcome)}
            />
            <Select
              ariaLabel="How many"
              selectedOption={{ value: String(limit), label: `${limit} events` }}
              options={LIMITS.map((each) => ({ value: String(each), label: `${each} events` }))}
              onChange={({ detail }) => setLimit(Number(detail.selectedOption.value))}
            />
            <ButtonDropdown
              items={[
                { id: 'csv', text: 'CSV' },
                { id: 'json', text: 'JSON' },
              ]}
              disabled={!events?.length}
              onItemClick={({ detail }) => save(events ?? [], detail.id as 'csv' | 'json')}
            >
              Export
            </ButtonDropdown>
          </>
        }
      />
    </Page>
  )
}

function timesOf(range: DateRangePickerProps.Value | null): [Date | undefined, Date | undefined] {
  if (!range) return [undefined, undefined]
  if (range.type === 'absolute') return [new Date(range.startDate), new Date(range.endDate)]
  const hours: Readonly<Record<string, number>> = {
    minute: 1 / 60,
    hour: 1,
    day: 24,
    week: 168,
    month: 730,
    year: 8760,
  }
  return [new Date(Date.now() - range.amount * (hours[range.unit] ?? 1) * HOUR_MS), undefined]
}

function TimeLine({ events }: { readonly events: readonly AuditEvent[] }) {
  const bars = timeLineOf(events)
  return (
    <Container>
      <BarChart
        series={[
          { title: 'Allowed', type: 'bar', data: bars.map(({ at, allowed }) => ({ x: at, y: allowed })) },
          {
            title: 'Denied',
            type: 'bar',
            color: '#d63f38',
            data: bars.map(({ at, denied }) => ({ x: at, y: denied })),
          },
        ]}
        stackedBars
        xScaleType="categorical"
        xDomain={bars.map(({ at }) => at)}
        yDomain={[0, Math.max(1, ...bars.map(({ allowed, denied }) => allowed + denied))]}
        i18nStrings={{
          xTickFormatter: (at: Date) =>
            at.toLocaleString(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' }),
        }}
        ariaLabel="Calls over time"
        xTitle="Time"
        yTitle="Calls"
        height={140}
        hideFilter
        emphasizeBaselineAxis={false}
      />
    </Container>
  )
}

function save(events: readonly AuditEvent[], as: 'csv' | 'json'): void {
  if (as === 'csv') saveFile('events.csv', csvOf(events), 'text/csv')
  else saveFile('events.json', JSON.stringify(events, undefined, 2), 'application/json')
}
