/** Instances are started, stopped, rebooted and terminated. */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Call } from '../../kernel/gate/call.ts'
import { op } from './define-operation.ts'
import { fault } from './faults.ts'
import { removeInterface } from './interface-rows.ts'
import { type InstanceRow, instance, instanceState, STATE_CODES, volume } from './machine-resources.ts'
import { networkInterface } from './resources.ts'

type Goal = InstanceRow['goal']

const changing = (name: 'StartInstances' | 'StopInstances' | 'TerminateInstances', goal: Goal, from: readonly Goal[]) =>
  op(name, [instance.each('InstanceIds')], async (call, _input, [found]) => {
    const changes: EC2.InstanceStateChange[] = []
    for (const { row } of found) {
      if (goal === 'terminated' && row.termination.disabled) {
        throw fault(
          'OperationNotPermitted',
          `The instance '${row.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
        )
      }
      if (row.goal !== goal && !from.includes(row.goal)) {
        throw fault(
          'IncorrectInstanceState',
          `The instance '${row.id}' is not in a state from which it can be ${goal}.`,
        )
      }
      const before = instanceState(row, call.now)
      if (row.goal === goal) {
        changes.push({ InstanceId: row.id, PreviousState: stateOf(before), CurrentState: stateOf(before) })
        continue
      }
      const at = new Date(call.now).toISOString().replace('T', ' ').slice(0, 19)
      const { reason: _, ...rest } = row
      const after: InstanceRow = {
        ...rest,
        goal,
        since: call.now,
        ...(goal !== 'running' && { reason: `User initiated (${at} GMT)` }),
      }
      if (goal === 'terminated') await release(call, row)
      instance.put(call, goal === 'terminated' ? { ...after, interfaces: [] } : after)
      changes.push({
        InstanceId: row.id,
        PreviousState: stateOf(before),
        CurrentState: stateOf(instanceState(after, call.now)),
      })
    }
    // One form of answer for three operations.
    return { [ANSWERS[name]]: changes } as never
  })

const ANSWERS = {
  StartInstances: 'StartingInstances',
  StopInstances: 'StoppingInstances',
  TerminateInstances: 'TerminatingInstances',
} as const
const stateOf = (Name: ReturnType<typeof instanceState>) => ({ Name, Code: STATE_CODES[Name] })

async function release(call: Call, row: InstanceRow): Promise<void> {
  for (const id of row.interfaces) {
    const eni = await networkInterface.get(call, id)
    if (!eni) continue
    if (eni.data.Attachment?.DeleteOnTermination) await removeInterface(call, eni)
    else {
      const { Attachment: _, ...data } = eni.data
      networkInterface.put(call, { ...eni, data: { ...data, Status: 'available' } })
    }
  }
  for (const { Ebs } of row.data.BlockDeviceMappings ?? []) {
    const disk = await volume.get(call, Ebs?.VolumeId ?? '')
    if (!disk) continue
    if (Ebs?.DeleteOnTermination) volume.delete(call, disk.id)
    else volume.put(call, { ...disk, data: { ...disk.data, State: 'available', Attachments: [] } })
  }
}

export const startInstances = changing('StartInstances', 'running', ['stopped'])
export const stopInstances = changing('StopInstances', 'stopped', ['running'])
export const terminateInstances = changing('TerminateInstances', 'terminated', ['running', 'stopped'])

export const rebootInstances = op('RebootInstances', [instance.each('InstanceIds')], (call, _input, [found]) => {
  for (const { row } of found) {
    if (instanceState(row, call.now) !== 'running')
      throw fault('IncorrectInstanceState', `The instance '${row.id}' is not in the 'running' state.`)
  }
  return {}
})
