/** Keys: created, described, listed, enabled and disabled. */
import { randomBytes } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { Spec } from '../../vault/material/specs.ts'
import { specs } from '../../vault/material/specs.ts'
import { callerConditions } from './conditions.ts'
import { catchUp } from './key-jobs.ts'
import { saveKey } from './key-materials.ts'
import { keySpecs } from './key-specs.ts'
import { LARGE, listCollection } from './lists.ts'
import { metadataOf } from './metadata.ts'
import { newKey } from './new-key.ts'
import { arnOf, type KeyId, key } from './resources.ts'
import type { KeyRow, KeyUsage } from './rows.ts'
import { requireState, type StatefulOperation } from './states.ts'
import { ownKey, usedKey } from './targets.ts'
import { invalid, kms } from './words.ts'

interface SpecInput {
  readonly KeySpec?: string | undefined
  readonly CustomerMasterKeySpec?: string | undefined
  readonly KeyUsage?: KeyUsage | undefined
}

function specOf({ KeySpec, CustomerMasterKeySpec }: SpecInput): Spec {
  if (KeySpec !== undefined && CustomerMasterKeySpec !== undefined) {
    throw invalid(
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
    )
  }
  const spec = KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  if (!Object.hasOwn(specs, spec)) {
    throw kms.fail('UnsupportedOperationException', `KeySpec ${spec} is not supported in this Region.`)
  }
  return spec as Spec
}

function usageOf(spec: Spec, usage: KeyUsage | undefined): KeyUsage {
  const { usages } = keySpecs[spec]
  if (usage === undefined) {
    if (spec === 'SYMMETRIC_DEFAULT') return 'ENCRYPT_DECRYPT'
    throw invalid('You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.')
  }
  if (!usages.includes(usage)) throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`)
  return usage
}

/** Specs and usages as they will be: a policy can name what a request left to its default. */
function newKeyConditions(
  input: SpecInput & { readonly Origin?: string | undefined; readonly MultiRegion?: boolean | undefined },
): Conditions {
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  const usage = input.KeyUsage ?? 'ENCRYPT_DECRYPT'
  return {
    'kms:KeySpec': spec,
    'kms:CustomerMasterKeySpec': spec,
    'kms:KeyUsage': usage,
    'kms:CustomerMasterKeyUsage': usage,
    'kms:KeyOrigin': input.Origin ?? 'AWS_KMS',
    'kms:MultiRegion': String(input.MultiRegion ?? false),
    'kms:MultiRegionKeyType': input.MultiRegion ? 'PRIMARY' : undefined,
  }
}

const newId = ({ MultiRegion }: { readonly MultiRegion?: boolean | undefined }, call: Call): KeyId => ({
  KeyId: call.newId(MultiRegion ? () => `mrk-${randomBytes(16).toString('hex')}` : undefined),
})

export const createKey = kms
  .operation('CreateKey')
  .on(key.created(newId, { generated: true, authorizedOn: '*' }))
  .conditions(newKeyConditions)
  .run(async (call, input, { id, tags, create }) => {
    if (input.CustomKeyStoreId !== undefined) {
      throw kms.fail('CustomKeyStoreNotFoundException', `Custom key store ${input.CustomKeyStoreId} does not exist.`)
    }
    const origin = input.Origin ?? 'AWS_KMS'
    if (origin !== 'AWS_KMS' && origin !== 'EXTERNAL') {
      throw invalid(`You must specify a CustomKeyStoreId when the Origin is ${origin}.`)
    }
    const spec = specOf(input)
    const usage = usageOf(spec, input.KeyUsage)
    const row = await newKey(call, {
      id: id.KeyId,
      account: call.account,
      region: call.region,
      createdAt: call.now,
      description: input.Description ?? '',
      spec,
      usage,
      origin,
      manager: 'CUSTOMER',
      tags,
      policy: input.Policy,
      bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck,
      ...(input.MultiRegion && { multiRegion: { primary: call.region, replicas: [] } }),
    })
    return { KeyMetadata: metadataOf(create(row)) }
  })

export const describeKey = kms
  .operation('DescribeKey')
  .on(usedKey)
  .run((_call, _input, { row }) => {
    requireState(row, 'DescribeKey')
    return { KeyMetadata: metadataOf(row) }
  })

export const listKeys = kms
  .operation('ListKeys')
  .on(key.collection())
  .conditions(callerConditions)
  .run(async (_call, input, keys) => {
    const { items, rest } = await listCollection(keys, input, LARGE)
    return { Keys: items.map((row) => ({ KeyId: row.id, KeyArn: arnOf(row) })), ...rest }
  })

/** An unavailable key keeps its state until it is back. */
function turn(name: 'EnableKey' | 'DisableKey', state: 'Enabled' | 'Disabled') {
  return kms
    .operation(name)
    .on(ownKey)
    .run((call, _input, { row }) => {
      requireState(row, name satisfies StatefulOperation)
      if (row.state === 'Unavailable') return {}
      const turned: KeyRow = { ...row, state }
      saveKey(call.unit, state === 'Enabled' ? catchUp(call.unit, turned, call.now) : turned)
      return {}
    })
}

export const enableKey = turn('EnableKey', 'Enabled')
export const disableKey = turn('DisableKey', 'Disabled')

export const updateKeyDescription = kms
  .operation('UpdateKeyDescription')
  .on(ownKey)
  .run((call, input, { row }) => {
    requireState(row, 'UpdateKeyDescription')
    saveKey(call.unit, { ...row, description: input.Description })
    return {}
  })
