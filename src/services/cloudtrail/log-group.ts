/**
 * The log group of a trail, written to as the trail's role: a stream for each Region. What is refused is not sent again: the log
 * files in the bucket are complete, the log group is for searching.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html
 */
import type * as Logs from '@aws-sdk/client-cloudwatch-logs'
import type * as STS from '@aws-sdk/client-sts'
import { logBatches } from '../../kernel/client/log-batches.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { ActAs, ServiceCaller } from '../../kernel/gate/service-caller.ts'
import { roleSubjectOf } from '../../kernel/gate/session.ts'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import { actingFor } from './bucket.ts'
import { cloudtrail, type TrailLogGroup, type TrailRow } from './resources.ts'

const logs: Api<typeof Logs> = { id: 'logs' }
const sts: Api<typeof STS> = { id: 'sts' }

const GROUP = /^arn:[\w-]+:logs:([\w-]+):(\d{12}):log-group:([.\-_/#A-Za-z0-9]{1,512}):\*$/
const ROLE = /^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/

const invalidGroup = (message: string): Fault => cloudtrail.fail('InvalidCloudWatchLogsLogGroupArnException', message)
const invalidRole = (message: string): Fault => cloudtrail.fail('InvalidCloudWatchLogsRoleArnException', message)

interface Given {
  readonly CloudWatchLogsLogGroupArn?: string | undefined
  readonly CloudWatchLogsRoleArn?: string | undefined
}

/** What a request makes of the log group of a trail; empty texts remove it. Throws for one without the other. */
export function changedLogGroup(before: TrailLogGroup | undefined, given: Given): TrailLogGroup | undefined {
  const arn = given.CloudWatchLogsLogGroupArn ?? before?.arn ?? ''
  const role = given.CloudWatchLogsRoleArn ?? before?.role ?? ''
  if (arn === '' && role === '') return undefined
  if (role === '') throw invalidRole('You must specify a role ARN as well as a log group.')
  if (arn === '') throw invalidGroup('You must specify a log group as well as a role ARN.')
  if (!GROUP.test(arn)) throw invalidGroup('The log group ARN is not valid: it ends with :*.')
  if (!ROLE.test(role)) throw invalidRole('The role ARN is not valid.')
  return { arn, role }
}

/** The trail's role, as its trust policy lets CloudTrail assume it. Throws the denial. */
async function roleOf(act: ActAs, trail: TrailRow, { role }: TrailLogGroup): Promise<ServiceCaller> {
  const acting = actingFor(trail)
  const RoleSessionName = 'CLOUDWATCH_LOGS_DELIVERY_SESSION'
  const { AssumedRoleUser } = await act(acting, sts, 'AssumeRole', { RoleArn: role, RoleSessionName })
  return { ...acting, role: roleSubjectOf(AssumedRoleUser) }
}

/** `111122223333_CloudTrail_us-east-1` */
const streamOf = ({ account }: TrailRow, region: string): string => `${account}_CloudTrail_${region}`

async function createStream(act: ActAs, acting: ServiceCaller, trail: TrailRow, region: string, group: TrailLogGroup) {
  const [, , , logGroupName = ''] = GROUP.exec(group.arn) ?? []
  const stream = { logGroupName, logStreamName: streamOf(trail, region) }
  try {
    await act(acting, logs, 'CreateLogStream', stream)
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'ResourceAlreadyExistsException') throw error
  }
  return stream
}

/** Throws where the trail could not write: the caller may not pass the role, or the role may not write. */
export async function requireLogGroup(call: Call, trail: TrailRow): Promise<void> {
  const { logGroup: group } = trail
  if (!group) return
  const [, region, account] = GROUP.exec(group.arn) ?? []
  if (region !== trail.region || account !== trail.account)
    throw invalidGroup('The log group must be in the account and the home Region of the trail.')
  await call.authorize('iam:PassRole', group.role, { 'iam:PassedToService': 'cloudtrail.amazonaws.com' })
  const refused = (fault: (message: string) => Fault, message: string) => (error: unknown) => {
    if (!(error instanceof Fault)) throw error
    throw fault(error.code === 'ResourceNotFoundException' ? error.message : message)
  }
  const acting = await call
    .once(() => roleOf(call.actAs, trail, group))
    .catch(refused(invalidRole, 'Access denied. Check the trust relationships for your role.'))
  await call
    .once(() => createStream(call.actAs, acting, trail, trail.region, group))
    .catch(refused(invalidGroup, 'Access denied. Check the permissions for your role.'))
}

/** Events of one Region, as texts. Throws the refusal. */
export async function writeToLogGroup(
  act: ActAs,
  trail: TrailRow,
  group: TrailLogGroup,
  { region, events }: { readonly region: string; readonly events: Parameters<typeof logBatches>[0] },
): Promise<void> {
  const acting = await roleOf(act, trail, group)
  const stream = await createStream(act, acting, trail, region, group)
  for (const logEvents of logBatches(events)) await act(acting, logs, 'PutLogEvents', { ...stream, logEvents })
}
