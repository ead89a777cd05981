/** What happened: the events of the caller's account in the Region of the call, newest first. */
import type { Event, LookupEventsRequest } from '@aws-sdk/client-cloudtrail'
import { DATA_EVENT, MANAGEMENT_EVENT } from '../../kernel/events/event.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageTokens } from '../../kernel/service/page.ts'
import type { LogEntry } from '../../store/store.ts'
import { cloudtrail } from './resources.ts'

const SECOND_MS = 1000
/** AWS: "the last 90 days". https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html */
const HISTORY_MS = 90 * 24 * 60 * 60 * SECOND_MS
const PAGE_SIZE_DEFAULT = 50

export const lookupEvents = cloudtrail
  .operation('LookupEvents')
  .on(anything)
  .run(async (call, input) => {
    if (input.EventCategory !== undefined) {
      throw cloudtrail.fail(
        'InvalidEventCategoryException',
        'Insights events are not recorded; leave EventCategory out.',
      )
    }
    const attribute = attributeOf(input.LookupAttributes ?? [])
    const range = rangeOf(input.StartTime, input.EndTime)
    const tokens = pageTokens(call, [attribute, range, call.region])
    const after = input.NextToken === undefined ? undefined : tokens.open(input.NextToken)
    if (input.NextToken !== undefined && after === undefined) {
      throw cloudtrail.fail('InvalidNextTokenException', 'Invalid token provided.')
    }

    const size = input.MaxResults ?? PAGE_SIZE_DEFAULT
    const entries = await call.ports.events.query({
      account: call.account,
      region: call.region,
      fromMs: Math.max(range.fromMs ?? 0, call.now - HISTORY_MS),
      toMs: range.toMs,
      attribute: attribute ?? MANAGEMENT_EVENT,
      after,
      // One more shows whether another page follows.
      limit: size + 1,
    })
    // Their own ids find data events, too: this history is not theirs.
    const shown = entries.slice(0, size).filter(({ attributes }) => !attributes.some(isDataEvent))
    return {
      Events: shown.map(shownEvent),
      ...(entries.length > size && { NextToken: tokens.seal(shown.at(-1)!.position) }),
    }
  })

const isDataEvent = ([name, value]: readonly [string, string]): boolean =>
  name === DATA_EVENT[0] && value === DATA_EVENT[1]

type Attributes = NonNullable<LookupEventsRequest['LookupAttributes']>

function attributeOf(attributes: Attributes): readonly [string, string] | undefined {
  if (attributes.length > 1) {
    throw cloudtrail.fail('InvalidLookupAttributesException', 'You can only specify one attribute in a lookup request.')
  }
  const [only] = attributes
  return only && [only.AttributeKey!, only.AttributeValue!]
}

/** Events are shown at whole seconds, so bounds are meant in whole seconds too. */
function rangeOf(start: Date | undefined, end: Date | undefined) {
  const fromMs = start && wholeSecond(start)
  const toMs = end && wholeSecond(end) + SECOND_MS - 1
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs) {
    throw cloudtrail.fail('InvalidTimeRangeException', 'The start time must not be later than the end time.')
  }
  return { fromMs, toMs }
}

function wholeSecond(date: Date): number {
  return Math.floor(date.getTime() / SECOND_MS) * SECOND_MS
}

interface RecordedResources {
  readonly resources?: readonly { readonly type: string; readonly ARN: string }[]
}

function shownEvent(entry: LogEntry): Event {
  const of = (name: string) => entry.attributes.find(([candidate]) => candidate === name)?.[1]
  const { resources = [] } = JSON.parse(entry.body) as RecordedResources
  return {
    EventId: entry.id,
    EventName: of('EventName'),
    ReadOnly: of('ReadOnly'),
    AccessKeyId: of('AccessKeyId'),
    EventTime: new Date(Math.floor(entry.timeMs / SECOND_MS) * SECOND_MS),
    EventSource: of('EventSource'),
    Username: of('Username'),
    Resources: resources.map(({ type, ARN }) => ({ ResourceType: type, ResourceName: ARN })),
    CloudTrailEvent: entry.body,
  }
}
