/**
 * The log group of WAF logs, written to as AWS's log delivery service: the account's resource policies decide. Where they do not
 * allow the delivery yet, a policy is added with the permissions of the caller, as AWS does.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
 */
import type * as Logs from '@aws-sdk/client-cloudwatch-logs'
import { logBatches } from '../../kernel/client/log-batches.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { ActAs } from '../../kernel/gate/service-caller.ts'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import { deliveryCaller, destinationRefused } from './log-bucket.ts'
import type { LoggingRow } from './logging-rows.ts'
import { webAcl } from './resources.ts'

const logs: Api<typeof Logs> = { id: 'logs' }
/** As AWS names the policy that it adds. */
const POLICY = 'AWSWAF-LOGS'
const GROUP = /^arn:[\w-]+:logs:[\w-]+:\d{12}:log-group:(aws-waf-logs-[.\-_/#A-Za-z0-9]{1,499})(?::\*)?$/

/** The name in the ARN of a log group; undefined for another destination. */
export const groupIn = (destination: string): string | undefined => GROUP.exec(destination)?.[1]

const streamOf = (row: LoggingRow): string => {
  const place = row.scope === 'global' ? 'cloudfront' : row.region
  return `${place}_${webAcl.form.parse(row.webAcl)?.variables.Name ?? ''}_0`
}

/** Throws the refusal of CloudWatch Logs. */
async function createStream(act: ActAs, row: LoggingRow, logGroupName: string): Promise<void> {
  try {
    await act(deliveryCaller(row), logs, 'CreateLogStream', { logGroupName, logStreamName: streamOf(row) })
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'ResourceAlreadyExistsException') throw error
  }
}

/** Throws where logs cannot be delivered to the group. */
export async function requireGroup(call: Call, row: LoggingRow, logGroupName: string): Promise<void> {
  const refusal = async (): Promise<Fault | undefined> => {
    try {
      await call.once(() => createStream(call.actAs, row, logGroupName))
      return undefined
    } catch (error) {
      if (error instanceof Fault) return error
      throw error
    }
  }
  const [, , , region, account] = row.destination.split(':')
  if (region !== row.region || account !== row.account)
    throw destinationRefused('the log group must be in the account and Region of the web ACL.')
  const fault = await refusal()
  if (!fault) return
  if (!/AccessDenied/.test(fault.code)) throw destinationRefused(fault.message)
  try {
    await permit(call, row, logGroupName)
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'WAFLogDestinationPermissionIssueException') throw error
    throw destinationRefused(error.message)
  }
}

interface PolicyDocument {
  readonly Version: string
  readonly Statement: readonly { readonly Sid?: string; readonly Resource?: string | readonly string[] }[]
}

/** Adds the group to the statement that AWS adds, as the caller. */
async function permit(call: Call, row: LoggingRow, logGroupName: string): Promise<void> {
  // The permission comes before the existence of the group: whether it exists is the caller's to see.
  const { logGroups = [] } = await call.forward(logs, 'DescribeLogGroups', { logGroupNamePrefix: logGroupName })
  if (!logGroups.some((each) => each.logGroupName === logGroupName))
    throw destinationRefused(`the log group ${logGroupName} does not exist.`)
  const { resourcePolicies = [] } = await call.forward(logs, 'DescribeResourcePolicies', {})
  const known = resourcePolicies.find(({ policyName }) => policyName === POLICY)?.policyDocument
  const before = known === undefined ? undefined : (JSON.parse(known) as PolicyDocument)
  const Sid = 'AWSLogDeliveryWrite'
  const own = before?.Statement.find((each) => each.Sid === Sid)
  const arn = `arn:${call.partition}:logs:${row.region}:${row.account}:log-group:${logGroupName}:log-stream:*`
  const statement = {
    Sid,
    Effect: 'Allow',
    Principal: { Service: 'delivery.logs.amazonaws.com' },
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: [...new Set([...[own?.Resource ?? []].flat(), arn])],
    Condition: {
      StringEquals: { 'aws:SourceAccount': row.account },
      ArnLike: { 'aws:SourceArn': deliveryCaller(row).source },
    },
  }
  const others = before?.Statement.filter((each) => each.Sid !== Sid) ?? []
  await call.forward(logs, 'PutResourcePolicy', {
    policyName: POLICY,
    policyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [...others, statement] }),
  })
}

/** Throws the refusal of CloudWatch Logs. `records` are JSON texts. */
export async function writeToGroup(
  act: ActAs,
  row: LoggingRow,
  logGroupName: string,
  records: readonly string[],
): Promise<void> {
  await createStream(act, row, logGroupName)
  const events = records.map((message) => ({ timestamp: Number(JSON.parse(message).timestamp), message }))
  for (const logEvents of logBatches(events))
    await act(deliveryCaller(row), logs, 'PutLogEvents', { logGroupName, logStreamName: streamOf(row), logEvents })
}
