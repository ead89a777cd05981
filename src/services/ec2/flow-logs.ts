/** Flow logs: which interfaces' flows are recorded, in which format, and where the records go. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { DEFAULT_FORMAT, parseFormat } from '../../engines/network/flow-format.ts'
import { op } from './define-operation.ts'
import { describe } from './describe-operation.ts'
import { fault, invalid, missing } from './faults.ts'
import { scheduleFlowDelivery } from './flow-queue.ts'
import { flowLog, networkInterface, subnet, vpc } from './resources.ts'

/** For each resource. Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
const LOGS_MAX = 2

const byType =
  (type: string) => (input: { readonly ResourceType?: string; readonly ResourceIds?: readonly string[] }) =>
    input.ResourceType === type ? (input.ResourceIds ?? []) : []

export const createFlowLogs = op(
  'CreateFlowLogs',
  [flowLog.many(), vpc.by(byType('VPC')), subnet.by(byType('Subnet')), networkInterface.by(byType('NetworkInterface'))],
  async (call, input, [make, vpcs, subnets, interfaces]) => {
    const found = [...vpcs, ...subnets, ...interfaces]
    if (found.length === 0)
      throw fault('NotImplemented', `Merlon does not implement flow logs of resources of type ${input.ResourceType}.`)
    const destination = destinationOf(input)
    const LogFormat = input.LogFormat ?? DEFAULT_FORMAT
    const fields = parseFormat(LogFormat)
    if (!fields) throw invalid(`The log format is invalid: ${LogFormat}`)
    const interval = input.MaxAggregationInterval ?? 600
    if (interval !== 60 && interval !== 600)
      throw invalid(`Value (${interval}) for parameter maxAggregationInterval is invalid. Valid values: 60, 600.`)
    if (destination.LogDestinationType === 'cloud-watch-logs') {
      await call.authorize('iam:PassRole', input.DeliverLogsPermissionArn!, {
        'iam:PassedToService': 'vpc-flow-logs.amazonaws.com',
      })
    }
    const known = await flowLog.all(call)
    const FlowLogIds: string[] = []
    const Unsuccessful: EC2.UnsuccessfulItem[] = []
    for (const { id: ResourceId } of found) {
      const others = known.filter(({ data }) => data.ResourceId === ResourceId)
      const error = others.some(
        ({ data }) =>
          data.LogDestination === destination.LogDestination &&
          data.LogGroupName === destination.LogGroupName &&
          data.TrafficType === (input.TrafficType ?? 'ALL') &&
          data.LogFormat === LogFormat,
      )
        ? {
            Code: 'FlowLogAlreadyExists',
            Message: 'There is an existing Flow Log with the same configuration and log destination.',
          }
        : others.length >= (call.quotas['ec2/FlowLogsPerResource'] ?? LOGS_MAX)
          ? {
              Code: 'FlowLogLimitExceeded',
              Message: 'The maximum number of flow logs of the resource has been reached.',
            }
          : undefined
      if (error) {
        Unsuccessful.push({ ResourceId, Error: error })
        continue
      }
      const { id, create } = make()
      create({
        FlowLogId: id,
        ResourceId,
        TrafficType: input.TrafficType ?? 'ALL',
        FlowLogStatus: 'ACTIVE',
        DeliverLogsStatus: 'SUCCESS',
        LogFormat,
        MaxAggregationInterval: interval,
        ...(input.DeliverLogsPermissionArn !== undefined && {
          DeliverLogsPermissionArn: input.DeliverLogsPermissionArn,
        }),
        ...destination,
        ...(destination.LogDestinationType === 's3' && {
          DestinationOptions: {
            FileFormat: 'plain-text',
            HiveCompatiblePartitions: false,
            PerHourPartition: false,
            ...input.DestinationOptions,
          },
        }),
      })
      FlowLogIds.push(id)
    }
    return { FlowLogIds, Unsuccessful, ...(input.ClientToken !== undefined && { ClientToken: input.ClientToken }) }
  },
)

type Destination = Pick<EC2.FlowLog, 'LogDestinationType' | 'LogDestination' | 'LogGroupName'>

function destinationOf(input: {
  readonly LogDestinationType?: EC2.LogDestinationType | undefined
  readonly LogDestination?: string | undefined
  readonly LogGroupName?: string | undefined
  readonly DeliverLogsPermissionArn?: string | undefined
  readonly DestinationOptions?:
    | { readonly FileFormat?: string | undefined; readonly HiveCompatiblePartitions?: boolean | undefined }
    | undefined
}): Destination {
  const type = input.LogDestinationType ?? 'cloud-watch-logs'
  if (type === 's3') {
    if (!/^arn:[\w-]+:s3:::[a-z0-9][a-z0-9.-]{1,62}(\/.*)?$/.test(input.LogDestination ?? '')) {
      throw fault('InvalidParameter', `LogDestination: ${input.LogDestination} is not a valid S3 ARN`)
    }
    if (input.DestinationOptions?.FileFormat === 'parquet')
      throw fault('NotImplemented', 'Merlon does not implement flow logs in Parquet.')
    return { LogDestinationType: type, LogDestination: input.LogDestination }
  }
  if (type !== 'cloud-watch-logs') throw fault('NotImplemented', `Merlon does not implement flow logs to ${type}.`)
  if (input.DeliverLogsPermissionArn === undefined) throw missing('DeliverLogsPermissionArn')
  const [, , , , , , named] = (input.LogDestination ?? '').split(':')
  const LogGroupName = input.LogGroupName ?? named
  if (LogGroupName === undefined) throw missing('LogGroupName')
  return {
    LogDestinationType: type,
    LogGroupName,
    ...(input.LogDestination !== undefined && { LogDestination: input.LogDestination }),
  }
}

export const deleteFlowLogs = op('DeleteFlowLogs', [flowLog.each('FlowLogIds')], (call, _input, [found]) => {
  for (const { id, remove } of found) {
    remove()
    const { account, region } = call
    // Its queue goes with the next turn of its delivery.
    scheduleFlowDelivery(call.unit, { account, region, flowLog: id }, call.now)
  }
  return { Unsuccessful: [] }
})

export const describeFlowLogs = describe('DescribeFlowLogs', flowLog, {
  ids: 'FlowLogIds',
  result: 'FlowLogs',
  filterMember: 'Filter',
  filters: `deliver-log-status=DeliverLogsStatus log-destination-type flow-log-id log-group-name resource-id traffic-type`,
})
