/** Options of the metadata of instances, and the defaults of an account. */
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Call } from '../../kernel/gate/call.ts'
import type { LooseInput } from '../../kernel/service/service.ts'
import { key } from '../../store/store.ts'
import { nothing, op } from './define-operation.ts'
import { invalid } from './faults.ts'
import { instance } from './machine-resources.ts'

interface MetadataDefaults {
  readonly HttpTokens?: string
  readonly HttpPutResponseHopLimit?: number
  readonly HttpEndpoint?: string
  readonly InstanceMetadataTags?: string
}

const defaultsKey = (call: Call) => key('ec2', 'metadata-defaults', call.account, call.region)
const metadataDefaults = async (call: Call): Promise<MetadataDefaults> =>
  (await call.unit.get<MetadataDefaults>(defaultsKey(call))) ?? {}

/** New accounts of AWS require tokens (IMDSv2). */
export async function metadataOptions(
  call: Call,
  wanted: LooseInput = {},
): Promise<EC2.InstanceMetadataOptionsResponse> {
  const defaults = await metadataDefaults(call)
  return {
    State: 'applied',
    HttpTokens: wanted.HttpTokens ?? defaults.HttpTokens ?? 'required',
    HttpPutResponseHopLimit: wanted.HttpPutResponseHopLimit ?? defaults.HttpPutResponseHopLimit ?? 2,
    HttpEndpoint: wanted.HttpEndpoint ?? defaults.HttpEndpoint ?? 'enabled',
    HttpProtocolIpv6: wanted.HttpProtocolIpv6 ?? 'disabled',
    InstanceMetadataTags: wanted.InstanceMetadataTags ?? defaults.InstanceMetadataTags ?? 'disabled',
  } as EC2.InstanceMetadataOptionsResponse
}

export const getInstanceMetadataDefaults = op('GetInstanceMetadataDefaults', nothing, async (call) => ({
  AccountLevel: (await metadataDefaults(call)) as EC2.InstanceMetadataDefaultsResponse,
}))

export const modifyInstanceMetadataDefaults = op('ModifyInstanceMetadataDefaults', nothing, async (call, input) => {
  const before: Record<string, unknown> = { ...(await metadataDefaults(call)) }
  for (const name of ['HttpTokens', 'HttpPutResponseHopLimit', 'HttpEndpoint', 'InstanceMetadataTags'] as const) {
    const value = input[name]
    if (value === undefined) continue
    if (value === 'no-preference' || value === -1) delete before[name]
    else before[name] = value
  }
  call.unit.put(defaultsKey(call), before)
  return { Return: true }
})
export const modifyInstanceMetadataOptions = op(
  'ModifyInstanceMetadataOptions',
  [instance.at('InstanceId')],
  (_call, input, [{ id, data, set }]) => {
    const { HttpTokens, HttpPutResponseHopLimit, HttpEndpoint, HttpProtocolIpv6, InstanceMetadataTags } = input
    if (HttpPutResponseHopLimit !== undefined && (HttpPutResponseHopLimit < 1 || HttpPutResponseHopLimit > 64)) {
      throw invalid(
        `Value (${HttpPutResponseHopLimit}) for parameter httpPutResponseHopLimit is invalid. The hop limit goes from 1 to 64.`,
      )
    }
    const options: EC2.InstanceMetadataOptionsResponse = {
      ...data.MetadataOptions,
      ...(HttpTokens !== undefined && { HttpTokens }),
      ...(HttpPutResponseHopLimit !== undefined && { HttpPutResponseHopLimit }),
      ...(HttpEndpoint !== undefined && { HttpEndpoint }),
      ...(HttpProtocolIpv6 !== undefined && { HttpProtocolIpv6 }),
      ...(InstanceMetadataTags !== undefined && { InstanceMetadataTags }),
    }
    set({ MetadataOptions: options })
    return { InstanceId: id, InstanceMetadataOptions: { ...options, State: 'pending' } }
  },
)
