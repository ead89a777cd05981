/**
 * PutLogEvents: a batch of events in the order of their time.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
 */
import type { RejectedLogEventsInfo } from '@aws-sdk/client-cloudwatch-logs'
import type { Call } from '../../kernel/gate/call.ts'
import { sealerFor } from './event-keys.ts'
import {
  addStoredBytes,
  byMinute,
  bytesOf,
  chunkName,
  EVENT_OVERHEAD_BYTES,
  type LogEvent,
  putChunk,
} from './event-rows.ts'
import { invalid, logs } from './faults.ts'
import { groupOf, type LogGroupRow, type LogStream, streamNamed } from './resources.ts'
import { expiredBefore } from './retention.ts'

const BATCH_BYTES_MAX = 1_048_576
/** An event alone in a batch. */
const EVENT_BYTES_MAX = BATCH_BYTES_MAX - EVENT_OVERHEAD_BYTES
const HOUR_MS = 60 * 60_000
const AHEAD_MS_MAX = 2 * HOUR_MS
const AGE_MS_MAX = 14 * 24 * HOUR_MS
const SPAN_MS_MAX = 24 * HOUR_MS

/** Throws for a batch that no part of is stored. */
function assertBatch(events: readonly LogEvent[]): void {
  for (const [index, { timestamp, message }] of events.entries()) {
    const bytes = Buffer.byteLength(message)
    if (bytes > EVENT_BYTES_MAX)
      throw invalid(`Log event too large: ${bytes} bytes exceeds limit of ${EVENT_BYTES_MAX}`)
    if (index > 0 && timestamp < events[index - 1]!.timestamp)
      throw invalid('Log events in a single PutLogEvents request must be in chronological order.')
  }
  const bytes = bytesOf(events)
  if (bytes > BATCH_BYTES_MAX) throw invalid(`Upload too large: ${bytes} bytes exceeds limit of ${BATCH_BYTES_MAX}`)
}

interface Sorted {
  readonly accepted: readonly LogEvent[]
  readonly rejected: RejectedLogEventsInfo
}

/** Which events are stored, and where in the batch those begin and end that are not. */
function sorted(events: readonly LogEvent[], group: LogGroupRow, now: number): Sorted {
  const expired = expiredBefore(group, now)
  const tooOld = events.filter(({ timestamp }) => timestamp < now - AGE_MS_MAX).length
  const past = events.filter(({ timestamp }) => timestamp < Math.max(expired, now - AGE_MS_MAX)).length
  const tooNew = events.findIndex(({ timestamp }) => timestamp > now + AHEAD_MS_MAX)
  const expiredEnd = events.filter(({ timestamp }) => timestamp < expired).length
  return {
    accepted: events.slice(past, tooNew < 0 ? undefined : tooNew),
    rejected: {
      ...(tooNew >= 0 && { tooNewLogEventStartIndex: tooNew }),
      ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
      ...(expiredEnd > tooOld && { expiredLogEventEndIndex: expiredEnd }),
    },
  }
}

async function store(call: Call, group: LogGroupRow, { row, save }: LogStream, events: readonly LogEvent[]) {
  const seal = group.kmsKeyId === undefined ? undefined : await sealerFor(call, group.name, group.kmsKeyId)
  for (const chunk of byMinute(events)) {
    const pairs = chunk.map(({ timestamp, message }) => [timestamp, message] as const)
    const [first, last] = [chunk[0]!.timestamp, chunk.at(-1)!.timestamp]
    const name = chunkName(first, call.now)
    putChunk(call.unit, group.id, name, {
      stream: row.name,
      streamId: row.id,
      first,
      last,
      ingestedAt: call.now,
      bytes: bytesOf(chunk),
      ...(seal ? { sealed: seal(name, pairs) } : { events: pairs }),
    })
  }
  await addStoredBytes(call.unit, group.id, row.id, bytesOf(events))
  save({
    ...row,
    first: Math.min(row.first ?? Number.POSITIVE_INFINITY, events[0]!.timestamp),
    last: Math.max(row.last ?? 0, events.at(-1)!.timestamp),
    ingestedAt: call.now,
  })
}

export const putLogEvents = logs
  .operation('PutLogEvents')
  .on(streamNamed)
  .dataEvent()
  .run(async (call, { logEvents }, stream) => {
    const events = logEvents.map(({ timestamp, message }) => ({ timestamp, message }))
    assertBatch(events)
    const group = await groupOf(call, stream)
    const { accepted, rejected } = sorted(events, group, call.now)
    if (accepted.length > 0 && accepted.at(-1)!.timestamp - accepted[0]!.timestamp > SPAN_MS_MAX)
      throw invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.')
    if (accepted.length > 0) await store(call, group, stream, accepted)
    const rejectedLogEventsInfo = Object.keys(rejected).length > 0 ? rejected : undefined
    return {
      // AWS returns it for clients that still send it back; it is ignored.
      nextSequenceToken: '49000000000000000000000000000000000000000000000000000000',
      ...(rejectedLogEventsInfo && { rejectedLogEventsInfo }),
    }
  })
