/** Types of instances: what they are, where they are offered, and how instances of them use credits. */
import type * as EC2 from '@aws-sdk/client-ec2'
import { nothing, op } from './define-operation.ts'
import { fault } from './faults.ts'
import { parseFilters } from './filters.ts'
import { type InstanceRow, instance } from './machine-resources.ts'
import { INSTANCE_TYPES } from './machines.ts'
import { zonesOf } from './zones.ts'

const TYPE_FILTERS = parseFilters(`
  instance-type current-generation free-tier-eligible bare-metal burstable-performance-supported hypervisor
  memory-info.size-in-mib=MemoryInfo.SizeInMiB processor-info.supported-architecture=ProcessorInfo.SupportedArchitectures
  vcpu-info.default-vcpus=VCpuInfo.DefaultVCpus vcpu-info.default-cores=VCpuInfo.DefaultCores
  supported-root-device-type=SupportedRootDeviceTypes supported-usage-class=SupportedUsageClasses
  supported-virtualization-type=SupportedVirtualizationTypes instance-storage-supported`)

export const describeInstanceTypes = op('DescribeInstanceTypes', nothing, (_call, input) => {
  const { keeps } = TYPE_FILTERS(input.Filters ?? [])
  const wanted = input.InstanceTypes ?? []
  const unknown = wanted.filter((name) => !INSTANCE_TYPES.has(name))
  if (unknown.length > 0)
    throw fault('InvalidInstanceType', `The following supplied instance types do not exist: [${unknown.join(', ')}]`)
  return {
    InstanceTypes: [...INSTANCE_TYPES.values()].filter(
      (info) => (wanted.length === 0 || wanted.includes(info.InstanceType!)) && keeps(info),
    ),
  }
})

const OFFERING_FILTERS = parseFilters('instance-type location')

export const describeInstanceTypeOfferings = op('DescribeInstanceTypeOfferings', nothing, (call, input) => {
  const { keeps } = OFFERING_FILTERS(input.Filters ?? [])
  const type = input.LocationType ?? 'region'
  const zones = zonesOf(call.region)
  const locations =
    type === 'region' ? [call.region] : zones.map((zone) => (type === 'availability-zone-id' ? zone.id : zone.name))
  const all = locations.flatMap((Location) =>
    [...INSTANCE_TYPES.keys()].map((name) => ({
      InstanceType: name as EC2._InstanceType,
      LocationType: type,
      Location,
    })),
  )
  return { InstanceTypeOfferings: all.filter(keeps) }
})

export const describeInstanceCreditSpecifications = op(
  'DescribeInstanceCreditSpecifications',
  nothing,
  async (call, input) => {
    const rows: InstanceRow[] = []
    for (const id of input.InstanceIds ?? []) rows.push(await instance.require(call, id))
    const all = rows.length > 0 ? rows : await instance.all(call)
    return {
      InstanceCreditSpecifications: all
        .filter(({ data }) => INSTANCE_TYPES.get(data.InstanceType ?? '')?.BurstablePerformanceSupported)
        .map(({ id, data }) => ({
          InstanceId: id,
          CpuCredits: data.InstanceType?.startsWith('t2') ? 'standard' : 'unlimited',
        })),
    }
  },
)
