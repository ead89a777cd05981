/** Multi-Region keys: one id and one material in several Regions, each with a document of its own. */
import type * as KMS from '@aws-sdk/client-kms'
import type { Call } from '../../kernel/gate/call.ts'
import { cancelJob } from '../../kernel/jobs/jobs.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import { mergedTags, requestedTags, tagAuthorization } from '../../kernel/resource/tag-rules.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { isRegion } from '../../wire/regions.ts'
import type { Input } from '../../wire/typed.ts'
import { recordServiceEvent } from './events.ts'
import { defaultPolicy, governed } from './governance.ts'
import { callerKeys, keysOfKey } from './key-facts.ts'
import { withRotation } from './key-jobs.ts'
import { heldOf, homeOf, noteOwner, relatives, saveKey } from './key-materials.ts'
import { notPrimary } from './messages.ts'
import { metadataOf } from './metadata.ts'
import { arnOf, type KeyId, key, keyArn } from './resources.ts'
import type { KeyRow, MaterialRow } from './rows.ts'
import { requireState, type StatefulOperation } from './states.ts'
import { shownTags, tagRules } from './tag-rules.ts'
import { factsOf, ownKey } from './targets.ts'
import { invalid, kms } from './words.ts'

function requireRegion(region: string): void {
  if (!isRegion(region)) throw invalid(`${region} is not a Region.`)
}

function requirePrimary(row: KeyRow, operation: StatefulOperation): NonNullable<KeyRow['multiRegion']> {
  requireState(row, operation)
  if (!row.multiRegion || row.multiRegion.primary !== row.region) throw notPrimary(row)
  return row.multiRegion
}

/** What happens in another Region is authorized as a request there. */
const inRegion = (call: Call, region: string): Conditions => ({
  ...callerKeys({ ...call, region }),
  'aws:RequestedRegion': region,
})

/** The tags of the request are those of the replica, in its Region. */
const replicated: Target<Input<typeof KMS, 'ReplicateKey'>, ExistingResource<KeyId, KeyRow>> = {
  about: { type: key, how: 'named', member: 'KeyId' },
  find: async (call, input) => {
    const found = await ownKey.find(call, input)
    const { acted } = found
    const tagging = tagAuthorization(tagRules, requestedTags(tagRules, input))
    if (!acted || !tagging) return found
    const { ReplicaRegion: region } = input
    const arn = key.form.printPattern({ ...call, region }, { KeyId: found.row?.id.KeyId ?? '*' })
    const replica = { arn, type: acted.type, account: acted.account, conditions: inRegion(call, region) }
    return { ...found, tagging: { ...tagging, acted: replica } }
  },
}

export const replicateKey = kms
  .operation('ReplicateKey')
  .on(replicated)
  // Not in the reference: a policy that forbids it must hold for replicas, too.
  .conditions(({ BypassPolicyLockoutSafetyCheck: bypass }) => ({
    'kms:BypassPolicyLockoutSafetyCheck': bypass === undefined ? undefined : String(bypass),
  }))
  .run(async (call, input, { row }) => {
    const { ReplicaRegion: region } = input
    const { primary, replicas } = requirePrimary(row, 'ReplicateKey')
    requireRegion(region)
    const place = { account: row.account, region, id: row.id }
    if (region === row.region || (await key.get(call.unit, place, { KeyId: row.id }))) {
      throw kms.fail('AlreadyExistsException', `${keyArn(place, row.id)} already exists.`)
    }
    await call.authorize('kms:CreateKey', '*', {
      ...inRegion(call, region),
      ...keysOfKey(row),
      'kms:MultiRegionKeyType': 'REPLICA',
      'kms:ReplicaRegion': region,
    })
    const tags = mergedTags(tagRules, undefined, requestedTags(tagRules, input))
    const governance =
      input.Policy === undefined
        ? { policy: defaultPolicy(row.account), pins: {} }
        : await governed(call, input.Policy, place, input.BypassPolicyLockoutSafetyCheck)

    const multiRegion = { primary, replicas: [...replicas, region].sort() }
    const imported = row.origin === 'EXTERNAL'
    const replica = saveKey(call.unit, {
      ...place,
      ...governance,
      createdAt: call.now,
      description: input.Description ?? '',
      spec: row.spec,
      usage: row.usage,
      origin: row.origin,
      manager: row.manager,
      // Imported material is brought to each Region by its owner, the same everywhere.
      state: imported ? 'PendingImport' : 'Enabled',
      aliases: [],
      materials: row.materials.map((material) => copied(material)),
      ...(row.current !== undefined && { current: row.current }),
      ...(row.publicKey !== undefined && { publicKey: row.publicKey }),
      rotationsOnDemand: 0,
      tags,
      multiRegion,
    })
    for (const each of await relatives(call.unit, row)) {
      if (each.region !== region) saveKey(call.unit, { ...each, multiRegion })
    }
    for (const { id } of replica.materials) noteOwner(call.unit, replica, id)
    recordServiceEvent(call.unit, replica, 'CreateKey', call.now)
    const ReplicaTags = shownTags(tags)
    return {
      ReplicaKeyMetadata: metadataOf(replica),
      ReplicaPolicy: replica.policy,
      ...(ReplicaTags.length > 0 && { ReplicaTags }),
    }

    function copied(material: MaterialRow): MaterialRow {
      const { sealed: _sealed, expiresAt: _at, expiryJob: _job, ...kept } = material
      if (imported) return kept
      return { ...kept, sealed: call.vault.materials.copy(heldOf(row, material), homeOf(place)) }
    }
  })

export const updatePrimaryRegion = kms
  .operation('UpdatePrimaryRegion')
  .on(ownKey)
  .run(async (call, { PrimaryRegion: region }, { row }) => {
    const { replicas } = requirePrimary(row, 'UpdatePrimaryRegion')
    const replica = await key.get(call.unit, { ...row, region }, { KeyId: row.id })
    if (!replica || !replicas.includes(region)) {
      throw kms.fail('NotFoundException', `${keyArn({ account: row.account, region }, row.id)} does not exist.`)
    }
    await call.authorize('kms:UpdatePrimaryRegion', await factsOf(call, replica), {
      ...inRegion(call, region),
      'kms:PrimaryRegion': region,
    })
    requireState(replica, 'UpdatePrimaryRegion')

    const multiRegion = {
      primary: region,
      replicas: [...replicas.filter((each) => each !== region), row.region].sort(),
    }
    for (const each of await relatives(call.unit, row)) {
      const { rotation, ...kept } = each
      const moved: KeyRow = { ...kept, multiRegion }
      if (rotation) cancelJob(call.unit, rotation.job)
      const taken = each.region === region ? row.rotation : undefined
      saveKey(call.unit, taken ? withRotation(call.unit, moved, taken.periodDays, taken.nextAt) : moved)
    }
    // Source: https://docs.aws.amazon.com/kms/latest/developerguide/ct-update-primary-region.html
    call.event.otherRegions = [region]
    call.event.resources = [
      ...call.event.resources,
      { arn: arnOf(replica), type: 'AWS::KMS::Key', account: row.account },
    ]
    return {}
  })
