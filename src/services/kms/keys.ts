/** Keys: made, described, listed, enabled and disabled. */
import { randomBytes } from 'node:crypto'
import type { Call, Conditions } from '../../kernel/call.ts'
import { anything, type Tags } from '../../kernel/resource.ts'
import type { Spec } from '../../vault/material/specs.ts'
import { specs } from '../../vault/material/specs.ts'
import { common, conditions } from './conditions.ts'
import { catchUp } from './key-jobs.ts'
import { saveKey } from './key-materials.ts'
import { keySpecs } from './key-specs.ts'
import { LARGE, listBelow } from './lists.ts'
import { metadataOf } from './metadata.ts'
import { newKey } from './new-key.ts'
import { arnOf, at, invalid, type KeyRow, type KeyUsage, keyArn, kms } from './resources.ts'
import { requireState, type StatefulOperation } from './states.ts'
import { mergedTags } from './tags.ts'
import { ownKey, usedKey } from './targets.ts'

interface Asked {
  readonly KeySpec?: string | undefined
  readonly CustomerMasterKeySpec?: string | undefined
  readonly KeyUsage?: KeyUsage | undefined
}

function specOf({ KeySpec, CustomerMasterKeySpec }: Asked): Spec {
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

/** Specs and usages as they will be, so that a policy can hold to them what a request left to its default. */
function madeConditions(input: Asked & { Origin?: string | undefined; MultiRegion?: boolean | undefined }, call: Call) {
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  return {
    ...conditions(input, call, undefined),
    ...common(call),
    'kms:KeySpec': spec,
    'kms:CustomerMasterKeySpec': spec,
    'kms:KeyUsage': input.KeyUsage ?? 'ENCRYPT_DECRYPT',
    'kms:CustomerMasterKeyUsage': input.KeyUsage ?? 'ENCRYPT_DECRYPT',
    'kms:KeyOrigin': input.Origin ?? 'AWS_KMS',
    'kms:MultiRegion': String(input.MultiRegion ?? false),
    'kms:MultiRegionKeyType': input.MultiRegion ? 'PRIMARY' : undefined,
  }
}

/** To make a key with tags one must be allowed to tag. */
export async function authorizeTags(
  call: Call,
  tags: Tags,
  resource: string,
  surroundings: Conditions = common(call),
): Promise<void> {
  const names = Object.keys(tags)
  if (names.length === 0) return
  const pairs = Object.fromEntries(names.map((name) => [`aws:RequestTag/${name}`, tags[name]]))
  await call.authorize('kms:TagResource', resource, { ...surroundings, ...pairs, 'aws:TagKeys': names })
}

export const createKey = kms
  .operation('CreateKey')
  .on(anything)
  .given(madeConditions)
  .run(async (call, input) => {
    if (input.CustomKeyStoreId !== undefined) {
      throw kms.fail('CustomKeyStoreNotFoundException', `Custom key store ${input.CustomKeyStoreId} does not exist.`)
    }
    const origin = input.Origin ?? 'AWS_KMS'
    if (origin !== 'AWS_KMS' && origin !== 'EXTERNAL') {
      throw invalid(`You must specify a CustomKeyStoreId when the Origin is ${origin}.`)
    }
    const spec = specOf(input)
    const usage = usageOf(spec, input.KeyUsage)
    const tags = mergedTags(undefined, input.Tags ?? [])
    await authorizeTags(call, tags, keyArn(call, '*'))

    const row = await newKey(call, {
      id: input.MultiRegion ? `mrk-${randomBytes(16).toString('hex')}` : call.newId(),
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
    call.event.resources = [{ arn: arnOf(row), type: 'AWS::KMS::Key', account: row.account }]
    return { KeyMetadata: metadataOf(row) }
  })

export const describeKey = kms
  .operation('DescribeKey')
  .on(usedKey)
  .given(conditions)
  .run((_call, _input, row) => {
    requireState(row, 'DescribeKey')
    return { KeyMetadata: metadataOf(row) }
  })

export const listKeys = kms
  .operation('ListKeys')
  .on(anything)
  .given(conditions)
  .run(async (call, input) => {
    const { items, rest } = await listBelow<KeyRow>(call, at.keys(call), input, LARGE, null)
    return { Keys: items.map((row) => ({ KeyId: row.id, KeyArn: arnOf(row) })), ...rest }
  })

/** An unavailable key keeps its state until it is back. */
function turn(name: 'EnableKey' | 'DisableKey', state: 'Enabled' | 'Disabled') {
  return kms
    .operation(name)
    .on(ownKey)
    .given(conditions)
    .run((call, _input, row) => {
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
  .given(conditions)
  .run((call, input, row) => {
    requireState(row, 'UpdateKeyDescription')
    saveKey(call.unit, { ...row, description: input.Description })
    return {}
  })
