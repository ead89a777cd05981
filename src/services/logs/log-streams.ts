/** Log streams: created, listed and deleted. */
import type { LogStream as ShownStream } from '@aws-sdk/client-cloudwatch-logs'
import type { Call } from '../../kernel/gate/call.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { type Page, type PageOptions, page, pageOf } from '../../kernel/service/page.ts'
import { under } from '../../store/store.ts'
import { ERASE_STREAM, type StreamErasure } from './deletion.ts'
import { badToken, invalid, logs } from './faults.ts'
import {
  groupNamed,
  groupOf,
  type LogGroup,
  type LogStreamRow,
  logStream,
  newStream,
  streamNamed,
} from './resources.ts'

const SIZE_DEFAULT = 50
/** Streams of a group that can be listed by the time of their last event. */
const SORTED_MAX = 10_000

export const createLogStream = logs
  .operation('CreateLogStream')
  .on(newStream)
  .run((call, _input, { id, create }) => {
    create({
      group: id.LogGroupName,
      groupId: id.GroupId,
      name: id.LogStreamName,
      id: call.newId(),
      createdAt: call.now,
    })
    return {}
  })

export const deleteLogStream = logs
  .operation('DeleteLogStream')
  .on(streamNamed)
  .run(async (call, _input, stream) => {
    const { row, remove } = stream
    if ((await groupOf(call, stream)).isProtected)
      throw logs.fail('ValidationException', 'The log stream cannot be deleted while deletion protection is enabled.')
    remove()
    const { account, region } = call
    scheduleJob(call.unit, {
      id: `${ERASE_STREAM}/${row.id}`,
      kind: ERASE_STREAM,
      dueAt: call.now,
      payload: { account, region, groupId: row.groupId, streamId: row.id } satisfies StreamErasure,
    })
    return {}
  })

/** The prefix of the rows of the group's streams. */
export const streamsPrefix = ({ account, region }: Call, { row }: Pick<LogGroup, 'row'>) =>
  under('logs', logStream.spec.kind, account, region, row.id)

const shown = (call: Call, row: LogStreamRow): ShownStream => ({
  logStreamName: row.name,
  creationTime: row.createdAt,
  ...(row.first !== undefined && { firstEventTimestamp: row.first }),
  ...(row.last !== undefined && { lastEventTimestamp: row.last }),
  ...(row.ingestedAt !== undefined && { lastIngestionTime: row.ingestedAt }),
  // AWS returns it for clients that still send it back; it is ignored.
  uploadSequenceToken: '49000000000000000000000000000000000000000000000000000000',
  arn: logStream.arnOf(call, row),
  storedBytes: 0,
})

export const describeLogStreams = logs
  .operation('DescribeLogStreams')
  .on(groupNamed)
  .run(async (call, input, group) => {
    const { logStreamNamePrefix: prefix, orderBy = 'LogStreamName', descending = false } = input
    if (orderBy === 'LastEventTime' && prefix !== undefined)
      throw invalid('Cannot order by LastEventTime with a logStreamNamePrefix.')
    const place = streamsPrefix(call, group)
    const options = {
      token: input.nextToken,
      size: input.limit ?? SIZE_DEFAULT,
      query: [group.row.id, prefix, orderBy, descending],
      bad: badToken,
    }
    const { items, next } =
      orderBy === 'LastEventTime'
        ? await byLastEvent(call, group, descending, options)
        : await page<LogStreamRow>(
            call,
            (after, limit) => call.unit.range<LogStreamRow>(place, { after, limit, reverse: descending }),
            { ...options, ...(prefix !== undefined && { keep: ({ name }: LogStreamRow) => name.startsWith(prefix) }) },
          )
    return { logStreams: items.map((row) => shown(call, row)), ...(next !== undefined && { nextToken: next }) }
  })

const LATEST = 10 ** 15

/** By the time of the last event, then by name. */
async function byLastEvent(
  call: Call,
  group: Pick<LogGroup, 'row'>,
  isDescending: boolean,
  options: Omit<PageOptions<LogStreamRow>, 'keep'>,
): Promise<Page<LogStreamRow>> {
  const rows = await call.unit.range<LogStreamRow>(streamsPrefix(call, group), { limit: SORTED_MAX + 1 })
  if (rows.length > SORTED_MAX)
    throw invalid(`Merlon orders at most ${SORTED_MAX} log streams by LastEventTime. Order by LogStreamName instead.`)
  const rank = ({ last = 0, name }: LogStreamRow) =>
    `${String(isDescending ? LATEST - last : last).padStart(16, '0')} ${name}`
  return pageOf(
    call,
    rows.map(({ document }) => document),
    rank,
    options,
  )
}
