/** A log group and a stream for tests, and a client. */
import * as Logs from '@aws-sdk/client-cloudwatch-logs'
import { cloud } from '../../../test/cloud.ts'

export async function logging(options: Parameters<typeof cloud>[0] = {}) {
  const it = await cloud(options)
  // Clients sign with the time they were made for.
  const now = () => it.client(Logs.CloudWatchLogsClient)
  const begin = it.clock.now()
  const [logGroupName, logStreamName] = ['/app/orders', 'node/1']
  await now().send(new Logs.CreateLogGroupCommand({ logGroupName, tags: { team: 'a' } }))
  const stream = (name: string, group = logGroupName) =>
    now().send(new Logs.CreateLogStreamCommand({ logGroupName: group, logStreamName: name }))
  await stream(logStreamName)
  const put = (events: readonly (readonly [number, string])[], name = logStreamName, from = now()) =>
    from.send(
      new Logs.PutLogEventsCommand({
        logGroupName,
        logStreamName: name,
        logEvents: events.map(([ago, message]) => ({ timestamp: begin - ago, message })),
      }),
    )
  return {
    ...it,
    /** What the times of events are before, in milliseconds. */
    begin,
    get logs() {
      return now()
    },
    logGroupName,
    logStreamName,
    stream,
    put,
    get: (parts: Partial<Logs.GetLogEventsCommandInput> = {}) =>
      now().send(new Logs.GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true, ...parts })),
    filter: async (filterPattern: string, parts: Partial<Logs.FilterLogEventsCommandInput> = {}) => {
      const { events = [] } = await now().send(
        new Logs.FilterLogEventsCommand({ logGroupName, filterPattern, ...parts }),
      )
      return events.map(({ message }) => message)
    },
    group: async (name = logGroupName) => {
      const { logGroups = [] } = await now().send(new Logs.DescribeLogGroupsCommand({ logGroupNamePrefix: name }))
      return logGroups[0]
    },
  }
}

export const messages = ({
  events = [],
}: {
  readonly events?: readonly { readonly message?: string | undefined }[] | undefined
}) => events.map(({ message }) => message)

/** The name of the error, or `done`. */
export const outcome = (sent: Promise<unknown>): Promise<string> =>
  sent.then(
    () => 'done',
    ({ name }: Error) => name,
  )
