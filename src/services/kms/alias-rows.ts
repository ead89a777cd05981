/** Aliases as rows: each beside the key that it leads to, which knows its names. */
import type { Call } from '../../kernel/call.ts'
import { saveKey } from './key-materials.ts'
import { type AliasRow, at, type KeyRow, kms } from './resources.ts'

/** Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
const PER_KEY_MAX = 50

export function withAlias(row: KeyRow, name: string): KeyRow {
  if (row.aliases.length >= PER_KEY_MAX) {
    throw kms.fail('LimitExceededException', `Key ${row.id} has the maximum of ${PER_KEY_MAX} aliases.`)
  }
  return { ...row, aliases: [...row.aliases, name].sort() }
}

export function withoutAlias(row: KeyRow, name: string): KeyRow {
  return { ...row, aliases: row.aliases.filter((each) => each !== name) }
}

/** Of a key already authorised. */
export function addAlias(call: Pick<Call, 'unit' | 'now'>, row: KeyRow, name: string): void {
  const alias: AliasRow = { name, keyId: row.id, createdAt: call.now, updatedAt: call.now }
  call.unit.put(at.alias(row, name), alias)
  saveKey(call.unit, withAlias(row, name))
}
