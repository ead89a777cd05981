/** A key's material: where it is stored sealed, which one encrypts, which one made a ciphertext. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Unit } from '../../store/store.ts'
import type { GeneratedMaterial, MaterialContext, Materials, StoredMaterial } from '../../vault/material/materials.ts'
import { arnOf, key } from './resources.ts'
import { at, type KeyRow, type MaterialOwner, type MaterialRow } from './rows.ts'
import { kms } from './words.ts'

type Owner = Pick<KeyRow, 'account' | 'region' | 'id'>

/** Replicas have homes of their own and one name. */
export function homeOf({ account, region, id }: Owner): MaterialContext {
  return { table: 'kms/key', key: `${region}/${id}`, column: 'material', account, name: id }
}

export function heldOf(row: KeyRow, material: MaterialRow): StoredMaterial {
  if (!material.sealed) throw kms.fail('KMSInvalidStateException', `${arnOf(row)} is pending import.`)
  return { home: homeOf(row), spec: row.spec, id: material.id, sealed: material.sealed }
}

/** What encrypts and signs. */
export function currentOf(row: KeyRow): StoredMaterial {
  const material = row.materials.find(({ id }) => id === row.current)
  if (!material) throw kms.fail('KMSInvalidStateException', `${arnOf(row)} is pending import.`)
  return heldOf(row, material)
}

export function materialOf(row: KeyRow, id: string): StoredMaterial | undefined {
  const material = row.materials.find((each) => each.id === id)
  return material && heldOf(row, material)
}

export async function makeMaterial(
  materials: Materials,
  row: Owner & Pick<KeyRow, 'spec'>,
): Promise<GeneratedMaterial> {
  return materials.generate(homeOf(row), row.spec)
}

/** Only the symmetric ones are named: no other key's ciphertext says what it was made with. */
export function shownMaterialId(row: KeyRow): string | undefined {
  return row.spec === 'SYMMETRIC_DEFAULT' ? row.current : undefined
}

export function noteOwner(unit: Unit, { account, region, id }: Owner, materialId: string): void {
  unit.put(at.material(region, materialId), { account, keyId: id } satisfies MaterialOwner)
}

export function ownerOf(call: Call, materialId: string): Promise<MaterialOwner | undefined> {
  return call.unit.get<MaterialOwner>(at.material(call.region, materialId))
}

export function saveKey(unit: Unit, row: KeyRow): KeyRow {
  unit.put(key.key(row, { KeyId: row.id }), row)
  return row
}

/** The rows of all Regions of a multi-Region key; of any other, the row alone. */
export async function relatives(unit: Unit, row: KeyRow): Promise<readonly KeyRow[]> {
  if (!row.multiRegion) return [row]
  const regions = [row.multiRegion.primary, ...row.multiRegion.replicas]
  const rows = await Promise.all(
    regions.map((region) => (region === row.region ? row : key.get(unit, { ...row, region }, { KeyId: row.id }))),
  )
  return rows.filter((each) => each !== undefined)
}

/** A copy that follows the primary of a multi-Region key. */
export function isReplica({ multiRegion, region }: Pick<KeyRow, 'multiRegion' | 'region'>): boolean {
  return multiRegion !== undefined && multiRegion.primary !== region
}

export function lacksMaterial(row: KeyRow): boolean {
  return row.current === undefined || row.materials.some(({ sealed, pending }) => !sealed && !pending)
}
