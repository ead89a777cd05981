/** Attributes of instances, read and changed one by one. */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { SealContext } from '../../vault/sealed-value.ts'
import { op } from './define-operation.ts'
import { fault, invalid } from './faults.ts'
import { groupsIn } from './interface-rows.ts'
import { instance, instanceState } from './machine-resources.ts'
import { INSTANCE_TYPES } from './machines.ts'
import { networkInterface, securityGroup } from './resources.ts'

export const userDataPlace = (account: string, id: string): SealContext => ({
  table: 'ec2/instance',
  key: id,
  column: 'user-data',
  account,
})
export const describeInstanceAttribute = op(
  'DescribeInstanceAttribute',
  [instance.at('InstanceId')],
  async (call, input, [{ id, row, data }]) => {
    const about = { InstanceId: id }
    const [eni] = row.interfaces
    switch (input.Attribute) {
      case 'instanceType':
        return { ...about, InstanceType: { Value: data.InstanceType } }
      case 'disableApiTermination':
        return { ...about, DisableApiTermination: { Value: row.termination.disabled } }
      case 'disableApiStop':
        return { ...about, DisableApiStop: { Value: false } }
      case 'instanceInitiatedShutdownBehavior':
        return { ...about, InstanceInitiatedShutdownBehavior: { Value: row.termination.behavior } }
      case 'userData': {
        const text = row.userData && call.vault.open(userDataPlace(row.account, id), row.userData).toString('base64')
        return { ...about, UserData: text === undefined ? {} : { Value: text } }
      }
      case 'groupSet':
        return { ...about, Groups: eni === undefined ? [] : (await networkInterface.get(call, eni))?.data.Groups }
      case 'sourceDestCheck':
        return {
          ...about,
          SourceDestCheck: {
            Value: eni === undefined ? true : (await networkInterface.get(call, eni))?.data.SourceDestCheck,
          },
        }
      case 'rootDeviceName':
        return { ...about, RootDeviceName: { Value: data.RootDeviceName } }
      case 'blockDeviceMapping':
        return { ...about, BlockDeviceMappings: data.BlockDeviceMappings }
      case 'ebsOptimized':
        return { ...about, EbsOptimized: { Value: data.EbsOptimized } }
      case 'enaSupport':
        return { ...about, EnaSupport: { Value: true } }
      case 'enclaveOptions':
        return { ...about, EnclaveOptions: { Enabled: false } }
      case 'kernel':
      case 'ramdisk':
      case 'productCodes':
      case 'sriovNetSupport':
        return about
      default:
        throw invalid(`Value (${input.Attribute}) for parameter attribute is invalid.`)
    }
  },
)

export const modifyInstanceAttribute = op(
  'ModifyInstanceAttribute',
  [instance.at('InstanceId'), securityGroup.each('Groups')],
  async (call, input, [{ row, set }]) => {
    const named = input.Attribute === undefined ? undefined : { [input.Attribute]: input.Value }
    const isTrue = (text: string | undefined) => (text === undefined ? undefined : text === 'true')
    const disabled = input.DisableApiTermination?.Value ?? isTrue(named?.['disableApiTermination'])
    const behavior = input.InstanceInitiatedShutdownBehavior?.Value ?? named?.['instanceInitiatedShutdownBehavior']
    const type = input.InstanceType?.Value ?? named?.['instanceType']
    const check = input.SourceDestCheck?.Value ?? isTrue(named?.['sourceDestCheck'])
    const isStopped = instanceState(row, call.now) === 'stopped'
    if ((type !== undefined || input.UserData) && !isStopped) {
      throw fault('IncorrectInstanceState', `The instance '${row.id}' is not in the 'stopped' state.`)
    }
    if (type !== undefined && !INSTANCE_TYPES.has(type)) throw invalid(`Invalid value '${type}' for InstanceType.`)
    if (behavior !== undefined && behavior !== 'stop' && behavior !== 'terminate')
      throw invalid(`Invalid value '${behavior}' for instanceInitiatedShutdownBehavior.`)
    const eni = await networkInterface.get(call, row.interfaces[0] ?? '')
    if (eni && (check !== undefined || input.Groups)) {
      const groups = input.Groups && (await groupsIn(call, eni.data.VpcId!, input.Groups))
      networkInterface.put(call, {
        ...eni,
        data: {
          ...eni.data,
          ...(check !== undefined && { SourceDestCheck: check }),
          ...(groups && { Groups: groups.map((group) => ({ GroupId: group.id, GroupName: group.data.GroupName })) }),
        },
      })
    }
    set(
      {
        ...(type !== undefined && { InstanceType: type as EC2._InstanceType }),
        ...(check !== undefined && { SourceDestCheck: check }),
        ...(input.EbsOptimized?.Value !== undefined && { EbsOptimized: input.EbsOptimized.Value }),
      },
      {
        termination: { disabled: disabled ?? row.termination.disabled, behavior: behavior ?? row.termination.behavior },
        ...(input.UserData?.Value && {
          userData: call.vault.seal(userDataPlace(row.account, row.id), Buffer.from(input.UserData.Value)),
        }),
      },
    )
    return {}
  },
)
