/** Targets of a group: registered, deregistered with a delay in which they drain, and their health. */
import type * as ELB from '@aws-sdk/client-elastic-load-balancing-v2'
import { contains, parseBlock } from '../../engines/network/addresses.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { network } from '../../kernel/ports/network.ts'
import { anything } from '../../kernel/resource/target.ts'
import { targetGroupOf } from './actions.ts'
import { attribute, targetGroupAttributes } from './attributes.ts'
import { elb, invalid, type TargetGroupRow, type TargetRow, targetGroup } from './resources.ts'
import { groupUses } from './target-groups.ts'
import { healthOf, type ReportedHealth } from './target-health.ts'

interface TargetInput {
  readonly Id?: string | undefined
  readonly Port?: number | undefined
  readonly AvailabilityZone?: string | undefined
}

/** Where addresses outside of the VPC may be. Source: RegisterTargets of the API reference. */
const PRIVATE = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16'].map((text) => parseBlock(text)!)
/** Ours: a target on the gateway's own machine. */
const LOOPBACK = parseBlock('127.0.0.0/8')!

export const drainMs = (row: TargetGroupRow): number =>
  Number(attribute(targetGroupAttributes, row.attributes, 'deregistration_delay.timeout_seconds')) * 1_000

/** Targets that are registered, or still drain. */
export const presentTargets = (row: TargetGroupRow, now: number): readonly TargetRow[] =>
  row.targets.filter(({ deregisteredAt }) => deregisteredAt === undefined || now - deregisteredAt < drainMs(row))

async function checkTarget(call: Call, row: TargetGroupRow, { Id: id = '', AvailabilityZone }: TargetInput) {
  const port = call.use(network)
  if (row.targetType === 'instance') {
    const machine = /^i-[0-9a-f]{8,17}$/.test(id) ? await port.machine(call.unit, call, id) : undefined
    if (!machine) throw elb.fail('InvalidTargetException', `The following targets are not in a running state: '${id}'`)
    if (machine.vpcId !== row.vpcId)
      throw elb.fail(
        'InvalidTargetException',
        `The following targets are not in the target group VPC '${row.vpcId}': '${id}'`,
      )
    if (!machine.isRunning)
      throw elb.fail('InvalidTargetException', `The following targets are not in a running state: '${id}'`)
    return machine.zone
  }
  const address = parseBlock(`${id}/32`)
  if (address?.family !== 4) throw invalid(`The IP address '${id}' is not a valid IPv4 address`)
  const { cidrs = [] } = (await port.vpc(call.unit, call, row.vpcId)) ?? {}
  const isInside = cidrs.some((cidr) => contains(parseBlock(cidr)!, address))
  if (!isInside && ![...PRIVATE, LOOPBACK].some((block) => contains(block, address)))
    throw invalid(`The IP address '${id}' is not within any range that targets may have`)
  if (!isInside && !contains(LOOPBACK, address) && AvailabilityZone !== 'all')
    throw invalid(`You must specify the Availability Zone 'all' for the IP address '${id}' outside of the VPC`)
  return AvailabilityZone
}

const isSame = (row: TargetGroupRow, target: TargetRow, { Id, Port }: TargetInput): boolean =>
  target.id === Id && target.port === (Port ?? row.port)

export const registerTargets = elb
  .operation('RegisterTargets')
  .on(targetGroup.named('TargetGroupArn'))
  .run(async (call, input, { row, save }) => {
    const wanted = input.Targets ?? []
    if (wanted.length === 0) throw invalid('At least one target must be specified')
    let targets = presentTargets(row, call.now)
    for (const target of wanted) {
      const zone = await checkTarget(call, row, target)
      const added: TargetRow = {
        id: target.Id!,
        port: target.Port ?? row.port,
        registeredAt: call.now,
        ...(zone !== undefined && { zone }),
      }
      const known = targets.find((each) => isSame(row, each, target))
      if (known && known.deregisteredAt === undefined) continue
      targets = [...targets.filter((each) => each !== known), added]
    }
    const max = call.quotas['elasticloadbalancing/TargetsPerTargetGroup']!
    if (targets.length > max)
      throw elb.fail('TooManyTargetsException', `The maximum number of targets, ${max}, has been reached`)
    save({ ...row, targets })
    return {}
  })

export const deregisterTargets = elb
  .operation('DeregisterTargets')
  .on(targetGroup.named('TargetGroupArn'))
  .run((call, input, { row, save }) => {
    const gone = input.Targets ?? []
    if (gone.length === 0) throw invalid('At least one target must be specified')
    const absent = gone.find((target) => !row.targets.some((each) => isSame(row, each, target)))
    if (absent) throw elb.fail('InvalidTargetException', `The following targets are not registered: '${absent.Id}'`)
    // Without a port, the target of the group's own port.
    const targets = presentTargets(row, call.now).map((each) =>
      each.deregisteredAt === undefined && gone.some((target) => isSame(row, each, target))
        ? { ...each, deregisteredAt: call.now }
        : each,
    )
    save({ ...row, targets })
    return {}
  })

export const describeTargetHealth = elb
  .operation('DescribeTargetHealth')
  .on(anything)
  .run(async (call, input) => {
    const row = await targetGroupOf(call, input.TargetGroupArn ?? '')
    const arn = targetGroup.arnOf(call, row)
    const isUsed = (await groupUses(call.unit, call)).has(arn)
    const reported = await healthOf(call.unit, arn, call.now)
    const present = presentTargets(row, call.now)
    const wanted = input.Targets?.length
      ? input.Targets.map(
          (target) =>
            present.find((each) => isSame(row, each, target)) ?? { id: target.Id ?? '', port: target.Port ?? row.port },
        )
      : present
    return {
      TargetHealthDescriptions: wanted.map((target) => ({
        Target: {
          Id: target.id,
          Port: target.port,
          ...('zone' in target && target.zone !== undefined && { AvailabilityZone: target.zone }),
        },
        HealthCheckPort: row.healthCheck.port === 'traffic-port' ? String(target.port) : row.healthCheck.port,
        TargetHealth: shownHealth(target, isUsed, reported.get(`${target.id}:${target.port}`)),
      })),
    }
  })

type Shown = {
  State: 'initial' | 'healthy' | 'unhealthy' | 'unused' | 'draining'
  Reason?: ELB.TargetHealthReasonEnum
  Description?: string
}

/** Source: TargetHealth of the API reference, which lists reasons and their descriptions. */
function shownHealth(
  target: TargetRow | { readonly id: string },
  isUsed: boolean,
  reported: ReportedHealth | undefined,
): Shown {
  if (!('registeredAt' in target))
    return {
      State: 'unused',
      Reason: 'Target.NotRegistered',
      Description: 'Target is not registered to the target group',
    }
  if (target.deregisteredAt !== undefined)
    return {
      State: 'draining',
      Reason: 'Target.DeregistrationInProgress',
      Description: 'Target deregistration is in progress',
    }
  if (!isUsed)
    return {
      State: 'unused',
      Reason: 'Target.NotInUse',
      Description: 'Target group is not configured to receive traffic from the load balancer',
    }
  if (!reported)
    return {
      State: 'initial',
      Reason: 'Elb.RegistrationInProgress',
      Description: 'Target registration is in progress',
    }
  const { state, reason, description } = reported
  return {
    State: state,
    ...(reason !== undefined && { Reason: reason }),
    ...(description !== undefined && { Description: description }),
  }
}
