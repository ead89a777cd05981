/** Aliases as rows: each leads to a key, whose row lists its aliases. */
import type { Call } from '../../kernel/gate/call.ts'
import { saveKey } from './key-materials.ts'
import { alias } from './resources.ts'
import type { KeyRow } from './rows.ts'
import { kms } from './words.ts'

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

/** Of a key that is already authorized. */
export function addAlias(call: Pick<Call, 'unit' | 'now'>, row: KeyRow, name: string): void {
  call.unit.put(alias.key(row, { name }), { name, keyId: row.id, createdAt: call.now, updatedAt: call.now })
  saveKey(call.unit, withAlias(row, name))
}
