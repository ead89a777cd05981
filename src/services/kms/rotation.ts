/** Rotation: new material for new ciphertext; what was made before decrypts for ever. */
import type * as KMS from '@aws-sdk/client-kms'
import type { JobContext, ServiceJob } from '../../kernel/service/service.ts'
import type { Unit } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { recordServiceEvent } from './events.ts'
import { type KeyJob, keyOfJob, periodDaysOf, withoutRotation, withRotation } from './key-jobs.ts'
import { heldOf, homeOf, isReplica, makeMaterial, noteOwner, relatives, saveKey } from './key-materials.ts'
import { isSymmetric } from './key-specs.ts'
import { LARGE, listAmong } from './lists.ts'
import { nothingPending, notPrimary, originUnfit, rotationsSpent, silent } from './messages.ts'
import { arnOf } from './resources.ts'
import type { KeyRow, MaterialRow } from './rows.ts'
import { requireState } from './states.ts'
import { managedKey, ownKey } from './targets.ts'
import { DAY_MS, date, kms } from './words.ts'

/** Source: https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-on-demand.html */
const ON_DEMAND_MAX = 25

/** Only the primary of a multi-Region key rotates; its replicas follow. */
function requireAutomatic(row: KeyRow, operation: 'EnableKeyRotation' | 'DisableKeyRotation'): void {
  // The key state table of AWS: imported material makes the operation unsupported in every state.
  if (row.origin !== 'AWS_KMS') throw originUnfit(row)
  requireState(row, operation)
  if (!isSymmetric(row)) throw silent.rotation()
  if (isReplica(row)) throw notPrimary(row)
}

export const enableKeyRotation = kms
  .operation('EnableKeyRotation')
  .on(ownKey)
  .run((call, input, { row }) => {
    requireAutomatic(row, 'EnableKeyRotation')
    const { rotation } = row
    const periodDays = input.RotationPeriodInDays ?? periodDaysOf(row)
    if (rotation?.periodDays === periodDays) return {}
    saveKey(call.unit, withRotation(call.unit, row, periodDays, call.now + periodDays * DAY_MS))
    return {}
  })

export const disableKeyRotation = kms
  .operation('DisableKeyRotation')
  .on(ownKey)
  .run((call, _input, { row }) => {
    requireAutomatic(row, 'DisableKeyRotation')
    saveKey(call.unit, withoutRotation(call.unit, row))
    return {}
  })

export const getKeyRotationStatus = kms
  .operation('GetKeyRotationStatus')
  .on(managedKey)
  .run(async (call, _input, { row }) => {
    requireState(row, 'GetKeyRotationStatus')
    const primary = (await relatives(call.unit, row)).find(({ region }) => region === row.multiRegion?.primary) ?? row
    const { rotation } = primary
    const enabled = rotation !== undefined && !row.state.startsWith('Pending')
    return {
      KeyId: arnOf(row),
      KeyRotationEnabled: enabled,
      ...(rotation &&
        enabled && { RotationPeriodInDays: rotation.periodDays, NextRotationDate: date(rotation.nextAt) }),
    }
  })

export const rotateKeyOnDemand = kms
  .operation('RotateKeyOnDemand')
  .on(ownKey)
  .run(async (call, _input, { row }) => {
    requireState(row, 'RotateKeyOnDemand')
    if (!isSymmetric(row)) throw silent.rotation()
    if (isReplica(row)) throw notPrimary(row)
    if (row.rotationsOnDemand >= ON_DEMAND_MAX) {
      throw rotationsSpent(row)
    }
    const counted: KeyRow = { ...row, rotationsOnDemand: row.rotationsOnDemand + 1 }
    if (row.origin === 'EXTERNAL') await promote(call.unit, counted, call.now)
    else await rotate(call.unit, call.vault, counted, 'ON_DEMAND', call.now)
    return { KeyId: arnOf(row) }
  })

/** New material in every Region of the key, current from this commit on. */
async function rotate(
  unit: Unit,
  vault: Vault,
  row: KeyRow,
  type: 'AUTOMATIC' | 'ON_DEMAND',
  now: number,
): Promise<void> {
  const { id, sealed } = await makeMaterial(vault.materials, row)
  const made: MaterialRow = { id, sealed, madeAt: now, rotation: { type, at: now } }
  for (const each of await relatives(unit, row)) {
    const material =
      each.region === row.region ? made : { ...made, sealed: vault.materials.copy(heldOf(row, made), homeOf(each)) }
    saveKey(unit, { ...each, materials: [...each.materials, material], current: id })
    noteOwner(unit, each, id)
    recordServiceEvent(unit, each, 'RotateKey', now, {
      rotationType: type,
      currentKeyMaterialId: id,
      ...(row.current && { previousKeyMaterialId: row.current }),
    })
  }
}

/** Imported material waits until it is activated, in every Region of the key at once. */
async function promote(unit: Unit, row: KeyRow, now: number): Promise<void> {
  const waiting = row.materials.find(({ pending, sealed }) => pending && sealed)
  if (!waiting) throw nothingPending(row)
  const everywhere = await relatives(unit, row)
  const without = everywhere.find((each) => !hasMaterial(each, waiting.id))
  if (without) {
    throw kms.fail('KMSInvalidStateException', `${arnOf(without)} has not imported the key material yet.`)
  }
  const rotation = { type: 'ON_DEMAND', at: now } as const
  for (const each of everywhere) {
    const materials = each.materials.map(({ pending, ...kept }) =>
      kept.id === waiting.id ? { ...kept, rotation } : { ...kept, ...(pending && { pending }) },
    )
    saveKey(unit, { ...each, materials, current: waiting.id })
    recordServiceEvent(unit, each, 'RotateKey', now, { rotationType: 'ON_DEMAND', currentKeyMaterialId: waiting.id })
  }
}

const hasMaterial = ({ materials }: KeyRow, id: string): boolean =>
  materials.some((each) => each.id === id && each.sealed !== undefined)

async function rotateWhenDue(unit: Unit, { vault, now }: JobContext, payload: KeyJob): Promise<void> {
  const row = await keyOfJob(unit, payload)
  // Of a key that does not work now, `catchUp` makes up for it later.
  if (!row?.rotation || row.state !== 'Enabled' || row.rotation.nextAt > now) return
  const { periodDays } = row.rotation
  const next = withRotation(unit, row, periodDays, now + periodDays * DAY_MS)
  await rotate(unit, vault, next, 'AUTOMATIC', now)
}

export const rotateJob: ServiceJob<KeyJob> = { run: rotateWhenDue }

export const listKeyRotations = kms
  .operation('ListKeyRotations')
  .on(ownKey)
  .run(async (call, input, { row }) => {
    requireState(row, 'ListKeyRotations')
    if (!isSymmetric(row)) throw silent.rotation()
    const all = input.IncludeKeyMaterial === 'ALL_KEY_MATERIAL'
    const among = row.materials
      .map((material, index) => ({ material, index }))
      .filter(({ material }) => all || material.rotation !== undefined)
    const order = ({ index }: { index: number }) => String(index).padStart(6, '0')
    const { items, rest } = await listAmong(call, among, order, input, LARGE, [row.id, all])
    const everywhere = await relatives(call.unit, row)
    const waits = ({ id, pending }: MaterialRow) => pending && everywhere.some((each) => !hasMaterial(each, id))
    return {
      Rotations: items.map(({ material }) => shownRotation(row, material, waits(material) ?? false)),
      ...rest,
    }
  })

function stateOf(row: KeyRow, material: MaterialRow, waits: boolean): KMS.KeyMaterialState {
  if (!material.pending) return material.id === row.current ? 'CURRENT' : 'NON_CURRENT'
  return waits ? 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION' : 'PENDING_ROTATION'
}

/** `waits`: not every Region of the key has imported it. */
function shownRotation(row: KeyRow, material: MaterialRow, waits: boolean) {
  const { sealed, expiresAt } = material
  return {
    KeyId: arnOf(row),
    KeyMaterialId: material.id,
    KeyMaterialState: stateOf(row, material, waits),
    ...(material.description !== undefined && { KeyMaterialDescription: material.description }),
    ...(row.origin === 'EXTERNAL' && {
      ImportState: sealed ? ('IMPORTED' as const) : ('PENDING_IMPORT' as const),
    }),
    ...(row.origin === 'EXTERNAL' &&
      sealed && {
        ExpirationModel:
          expiresAt === undefined ? ('KEY_MATERIAL_DOES_NOT_EXPIRE' as const) : ('KEY_MATERIAL_EXPIRES' as const),
      }),
    ...(expiresAt !== undefined && { ValidTo: date(expiresAt) }),
    ...(material.rotation && { RotationDate: date(material.rotation.at), RotationType: material.rotation.type }),
  }
}
