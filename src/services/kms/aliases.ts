/** Aliases: friendly names that lead to keys, in one account and Region. */
import type { Call } from '../../kernel/gate/call.ts'
import { Fault } from '../../wire/fault.ts'
import { withAlias, withoutAlias } from './alias-rows.ts'
import { callerConditions } from './conditions.ts'
import { callerKeys } from './key-facts.ts'
import { saveKey } from './key-materials.ts'
import { listAmong, listCollection, SMALL } from './lists.ts'
import { invalidInput } from './messages.ts'
import { aliasIn } from './references.ts'
import { ALIAS_PREFIX, alias, invalidAliasName, key } from './resources.ts'
import type { AliasRow, KeyRow } from './rows.ts'
import { requireState } from './states.ts'
import { byIdOrArn, factsOf } from './targets.ts'
import { date, invalid, kms } from './words.ts'

const RESERVED = `${ALIAS_PREFIX}aws/`

const named = alias.named('AliasName')

/** After authorization, as AWS answers it. */
function refuseReserved(name: string): void {
  if (name.startsWith(RESERVED)) throw new Fault('NotAuthorizedException', '')
}

/** Recorded, too: a lookup of what happened to a key finds its aliases. */
async function authorizeKey(call: Call, row: KeyRow): Promise<void> {
  const facts = await factsOf(call, row)
  await call.authorize(`kms:${call.operation}`, facts)
  call.event.resources = [...call.event.resources, facts]
}

/** The key that an alias is to lead to: of this account, and the caller needs the permission on it, too. */
async function targetOf(call: Call, text: string): Promise<KeyRow> {
  const { acted, row: found, missing } = await key.find(call, text, {}, { ...byIdOrArn, ownAccount: true })
  if (!found) {
    // Another account's policy and tags say nothing about what this account may name.
    const { arn, type } = acted!
    await call.authorize(`kms:${call.operation}`, { arn, type, account: call.account }, callerKeys(call))
    throw missing!()
  }
  await authorizeKey(call, found.row)
  return found.row
}

interface NewAlias {
  readonly AliasName: string
  readonly TargetKeyId: string
}

function newName({ AliasName: name, TargetKeyId: target }: NewAlias) {
  if (!name.startsWith(ALIAS_PREFIX)) throw invalidInput.aliasPrefix()
  if (aliasIn(target) !== undefined) throw invalidInput.aliasOfAlias()
  const id = { name }
  if (alias.form.mismatch(alias.variables(id)) !== undefined) throw invalidAliasName()
  return id
}

export const createAlias = kms
  .operation('CreateAlias')
  .on(alias.created(newName))
  .run(async (call, { AliasName: name, TargetKeyId }, { assertAvailable, create }) => {
    refuseReserved(name)
    const row = await targetOf(call, TargetKeyId)
    requireState(row, 'CreateAlias')
    assertAvailable()
    saveKey(call.unit, withAlias(row, name))
    create({ name, keyId: row.id, createdAt: call.now, updatedAt: call.now })
    return {}
  })

export const updateAlias = kms
  .operation('UpdateAlias')
  .on(named)
  .run(async (call, { TargetKeyId }, { row: before, arn, save }) => {
    const { name } = before
    refuseReserved(name)
    if (aliasIn(TargetKeyId) !== undefined) throw invalidInput.aliasOfAlias()
    const to = await targetOf(call, TargetKeyId)
    const from = await key.get(call.unit, call, { KeyId: before.keyId })
    if (from) await authorizeKey(call, from)
    requireState(to, 'UpdateAlias')
    if (to.id === before.keyId) return {}
    if (from && (from.spec === 'SYMMETRIC_DEFAULT') !== (to.spec === 'SYMMETRIC_DEFAULT')) {
      throw invalid(`Alias ${arn} cannot be changed from ${from.spec} to ${to.spec}.`)
    }
    if (from && from.usage !== to.usage) {
      throw invalid(`Alias ${arn} cannot be changed from ${from.usage} to ${to.usage}.`)
    }
    if (from) saveKey(call.unit, withoutAlias(from, name))
    saveKey(call.unit, withAlias(to, name))
    save({ ...before, keyId: to.id, updatedAt: call.now })
    return {}
  })

export const deleteAlias = kms
  .operation('DeleteAlias')
  .on(named)
  .run(async (call, _input, { row: { name, keyId }, remove }) => {
    refuseReserved(name)
    const row = await key.get(call.unit, call, { KeyId: keyId })
    if (row) {
      await authorizeKey(call, row)
      requireState(row, 'DeleteAlias')
      saveKey(call.unit, withoutAlias(row, name))
    }
    remove()
    return {}
  })

const shown = (call: Call, row: AliasRow) => ({
  AliasName: row.name,
  AliasArn: alias.arnOf(call, row),
  TargetKeyId: row.keyId,
  CreationDate: date(row.createdAt),
  LastUpdatedDate: date(row.updatedAt),
})

export const listAliases = kms
  .operation('ListAliases')
  .on(alias.collection())
  .conditions(callerConditions)
  .run(async (call, input, aliases) => {
    if (input.KeyId === undefined) {
      const { items, rest } = await listCollection(aliases, input, SMALL)
      return { Aliases: items.map((row) => shown(call, row)), ...rest }
    }
    const { row: found, missing } = await key.find(call, input.KeyId, {}, { ...byIdOrArn, ownAccount: true })
    if (!found) throw missing!()
    const { row } = found
    const rows = await Promise.all(row.aliases.map((name) => alias.get(call.unit, found.scope, { name })))
    const among = rows.filter((each) => each !== undefined)
    const { items, rest } = await listAmong(call, among, ({ name }) => name, input, SMALL, found.arn)
    return { Aliases: items.map((each) => shown(call, each)), ...rest }
  })
