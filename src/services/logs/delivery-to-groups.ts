/** Log delivery to log groups: a statement of a resource policy allows it, and a stream gets the events. */
import type * as Logs from '@aws-sdk/client-cloudwatch-logs'
import { logBatches } from '../../kernel/client/log-batches.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { ActAs, ServiceCaller } from '../../kernel/gate/service-caller.ts'
import type { LogDelivery, LogDestination } from '../../kernel/ports/log-delivery.ts'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'

const logs: Api<typeof Logs> = { id: 'logs' }

export type GroupDestination = Extract<LogDestination, { readonly logGroup: string }>

/** The principal of AWS's log delivery service, for one account. */
export const deliveryCaller = ({ account, region }: Pick<LogDelivery, 'account' | 'region'>): ServiceCaller => ({
  service: 'delivery.logs.amazonaws.com',
  account,
  region,
  source: `arn:aws:logs:${region}:${account}:*`,
})

/** Throws the refusal of CloudWatch Logs. */
async function createStream(act: ActAs, delivery: LogDelivery, { logGroup, stream }: GroupDestination): Promise<void> {
  try {
    await act(deliveryCaller(delivery), logs, 'CreateLogStream', { logGroupName: logGroup, logStreamName: stream })
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'ResourceAlreadyExistsException') throw error
  }
}

/** Why nothing can be delivered; undefined once it can. */
export async function prepareGroup(
  call: Call,
  delivery: LogDelivery,
  destination: GroupDestination,
): Promise<string | undefined> {
  try {
    await call.once(() => createStream(call.actAs, delivery, destination))
    return undefined
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    if (!/AccessDenied/.test(error.code)) return error.message
  }
  try {
    return await permit(call, delivery, destination.logGroup)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return error.message
  }
}

interface PolicyDocument {
  readonly Version: string
  readonly Statement: readonly { readonly Sid?: string; readonly Resource?: string | readonly string[] }[]
}

/** Adds the group to the statement that AWS adds, as the caller. */
async function permit(call: Call, delivery: LogDelivery, logGroupName: string): Promise<string | undefined> {
  // The permission comes before the existence of the group: whether it exists is the caller's to see.
  const { logGroups = [] } = await call.forward(logs, 'DescribeLogGroups', { logGroupNamePrefix: logGroupName })
  if (!logGroups.some((each) => each.logGroupName === logGroupName))
    return `the log group ${logGroupName} does not exist.`
  const { account, region, policyName } = delivery
  const { resourcePolicies = [] } = await call.forward(logs, 'DescribeResourcePolicies', {})
  const known = resourcePolicies.find((each) => each.policyName === policyName)?.policyDocument
  const before = known === undefined ? undefined : (JSON.parse(known) as PolicyDocument)
  const Sid = 'AWSLogDeliveryWrite'
  const own = before?.Statement.find((each) => each.Sid === Sid)
  const arn = `arn:${call.partition}:logs:${region}:${account}:log-group:${logGroupName}:log-stream:*`
  const statement = {
    Sid,
    Effect: 'Allow',
    Principal: { Service: 'delivery.logs.amazonaws.com' },
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: [...new Set([...[own?.Resource ?? []].flat(), arn])],
    Condition: {
      StringEquals: { 'aws:SourceAccount': account },
      ArnLike: { 'aws:SourceArn': deliveryCaller(delivery).source },
    },
  }
  const others = before?.Statement.filter((each) => each.Sid !== Sid) ?? []
  await call.forward(logs, 'PutResourcePolicy', {
    policyName,
    policyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [...others, statement] }),
  })
  return undefined
}

/** Throws the refusal of CloudWatch Logs. */
export async function writeToGroup(
  act: ActAs,
  delivery: LogDelivery,
  destination: GroupDestination,
  events: Parameters<typeof logBatches>[0],
): Promise<void> {
  await createStream(act, delivery, destination)
  const { logGroup: logGroupName, stream: logStreamName } = destination
  for (const logEvents of logBatches(events))
    await act(deliveryCaller(delivery), logs, 'PutLogEvents', { logGroupName, logStreamName, logEvents })
}
