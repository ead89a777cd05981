/**
 * Events of one stream (GetLogEvents) and of a group (FilterLogEvents). The tokens of GetLogEvents lead on in both directions;
 * at an end, the token that was passed is returned again.
 */
import { pageTokens } from '../../kernel/service/page.ts'
import { chunksOf, eventId, timelineOf } from './event-rows.ts'
import { badToken, invalid, logs, streamMissing } from './faults.ts'
import { compileFilter } from './filter-pattern.ts'
import { type Position, positionAt, readEvents, startOf } from './reading.ts'
import { groupNamed, groupOf, logStream, streamNamed } from './resources.ts'
import { expiredBefore } from './retention.ts'

const EVENTS_MAX = 10_000
const FORWARD = 'f/'
const BACKWARD = 'b/'

function positionIn(text: string | undefined): Position {
  if (text === undefined) throw badToken()
  return JSON.parse(text)
}

export const getLogEvents = logs
  .operation('GetLogEvents')
  .on(streamNamed)
  .dataEvent()
  .run(async (call, { startTime, endTime, nextToken, limit = EVENTS_MAX, startFromHead = false }, stream) => {
    const group = await groupOf(call, stream)
    const prefix = chunksOf(stream.row.id)
    const tokens = pageTokens(call, stream.row.id)
    const isReversed = nextToken === undefined ? !startFromHead : nextToken.startsWith(BACKWARD)
    if (nextToken !== undefined && !isReversed && !nextToken.startsWith(FORWARD)) throw badToken()
    const times = {
      from: Math.max(startTime ?? 0, expiredBefore(group, call.now)),
      to: endTime ?? Number.POSITIVE_INFINITY,
    }
    const { events, at, isOver } = await readEvents(call, {
      prefix,
      group: group.name,
      ...times,
      isReversed,
      limit,
      at: nextToken === undefined ? undefined : positionIn(tokens.open(nextToken.slice(2))),
      isWanted: () => true,
      matches: () => true,
    })
    const found = isReversed ? events.toReversed() : events
    const edge = isReversed ? found.at(-1) : found[0]
    const other = edge
      ? positionAt(prefix, edge, !isReversed)
      : { after: startOf({ prefix, ...times, isReversed: !isReversed }) }
    const isEnd = isOver && events.length === 0 && nextToken !== undefined
    const token = (mark: string, position: Position) => mark + tokens.seal(JSON.stringify(position))
    const [ahead, behind] = isReversed ? [BACKWARD, FORWARD] : [FORWARD, BACKWARD]
    const [onward, back] = [isEnd ? nextToken : token(ahead, at), token(behind, other)]
    return {
      events: found.map(({ timestamp, message, ingestedAt }) => ({ timestamp, message, ingestionTime: ingestedAt })),
      nextForwardToken: isReversed ? back : onward,
      nextBackwardToken: isReversed ? onward : back,
    }
  })

export const filterLogEvents = logs
  .operation('FilterLogEvents')
  .on(groupNamed)
  .dataEvent()
  .run(async (call, input, { row: group }) => {
    const { logStreamNames: names, logStreamNamePrefix: prefix, startTime, endTime, filterPattern = '' } = input
    if (names !== undefined && prefix !== undefined)
      throw invalid('logStreamNames and logStreamNamePrefix are mutually exclusive parameters.')
    const matches = compileFilter(filterPattern)
    const ids = names && new Set(await Promise.all(names.map(idOf)))
    const tokens = pageTokens(call, [group.id, names, prefix, startTime, endTime, filterPattern])
    const { events, at, isOver } = await readEvents(call, {
      prefix: timelineOf(group.id),
      group: group.name,
      from: Math.max(startTime ?? 0, expiredBefore(group, call.now)),
      // Events at the end of the range are returned, too.
      to: endTime === undefined ? Number.POSITIVE_INFINITY : endTime + 1,
      isReversed: false,
      limit: input.limit ?? EVENTS_MAX,
      at: input.nextToken === undefined ? undefined : positionIn(tokens.open(input.nextToken)),
      isWanted: ({ stream, streamId }) =>
        (ids === undefined || ids.has(streamId)) && (prefix === undefined || stream.startsWith(prefix)),
      matches,
    })
    return {
      events: events.map(({ timestamp, message, ingestedAt, stream, chunk, index }) => ({
        logStreamName: stream,
        timestamp,
        message,
        ingestionTime: ingestedAt,
        eventId: eventId(chunk, index, timestamp),
      })),
      // Always empty on AWS.
      searchedLogStreams: [],
      ...(!isOver && { nextToken: tokens.seal(JSON.stringify(at)) }),
    }

    async function idOf(LogStreamName: string): Promise<string> {
      const id = { GroupId: group.id, LogGroupName: group.name, LogStreamName }
      const stream = await logStream.get(call.unit, call, id)
      if (!stream) throw streamMissing()
      return stream.id
    }
  })

/** Which lines of a list a pattern matches, before it is used. */
export const testMetricFilter = logs
  .operation('TestMetricFilter')
  .withoutPermission('reads nothing of the account')
  .run((_call, { filterPattern, logEventMessages }) => {
    const matches = compileFilter(filterPattern)
    return {
      matches: logEventMessages.flatMap((eventMessage, index) =>
        matches(eventMessage) ? [{ eventNumber: index + 1, eventMessage, extractedValues: {} }] : [],
      ),
    }
  })
