/** Aliases: friendly names that lead to keys, in one account and Region. */
import type { Call } from '../../kernel/call.ts'
import type { Target } from '../../kernel/resource.ts'
import { anything } from '../../kernel/resource.ts'
import { Fault } from '../../wire/fault.ts'
import { addAlias, withAlias, withoutAlias } from './alias-rows.ts'
import { common, conditions, ofKey } from './conditions.ts'
import { saveKey } from './key-materials.ts'
import { listAmong, listBelow, SMALL } from './lists.ts'
import { invalidInput } from './messages.ts'
import { aliasIn, resolve } from './references.ts'
import { type AliasRow, aliasArn, aliasNotFound, at, date, invalid, type KeyRow, keyArn, kms } from './resources.ts'
import { requireState } from './states.ts'
import { actedOn } from './targets.ts'

const RESERVED = 'alias/aws/'

const PREFIX = 'alias/'

/** Under IAM alone: an alias has no policy. The key that it refers to is authorized separately. */
const named: Target<{ readonly AliasName: string }, AliasRow> = {
  find: async (call, { AliasName: name }) => {
    if (!name.startsWith(PREFIX)) throw invalidInput.identifier()
    return {
      acted: { arn: aliasArn(call, name), type: 'AWS::KMS::Alias', account: call.account },
      row: await call.unit.get<AliasRow>(at.alias(call, name)),
      missing: () => aliasNotFound(aliasArn(call, name)),
    }
  },
}

const coming: Target<{ readonly AliasName: string; readonly TargetKeyId: string }, undefined> = {
  find: (call, { AliasName: name, TargetKeyId: target }) => {
    if (!name.startsWith(PREFIX)) throw invalidInput.aliasPrefix()
    if (aliasIn(target) !== undefined) throw invalidInput.aliasOfAlias()
    return { acted: { arn: aliasArn(call, name), type: 'AWS::KMS::Alias', account: call.account }, row: undefined }
  },
}

/** The prefix has been checked. */
function requireName(name: string): void {
  if (name.startsWith(RESERVED)) throw new Fault('NotAuthorizedException', '')
  if (!/^alias\/[a-zA-Z0-9/_-]+$/.test(name)) {
    throw kms.fail(
      'InvalidAliasNameException',
      'Alias must contain only alphanumeric characters, forward slashes (/), underscores (_), and dashes (-).',
    )
  }
}

/** On record, too: whoever looks up what was done to a key finds its names come and go. */
async function authorizeKey(call: Call, row: KeyRow): Promise<void> {
  const acted = await actedOn(call, row)
  await call.authorize(`kms:${call.operation}`, acted, { ...common(call), ...ofKey(row) })
  call.event.resources = [...call.event.resources, acted]
}

/** The key an alias shall lead to: of this account, and the caller may say so. */
async function targetOf(call: Call, text: string): Promise<KeyRow> {
  const { row, arn, account, missing } = await resolve(call, text, false)
  if (!row || account !== call.account) {
    await call.authorize(`kms:${call.operation}`, { arn, type: 'AWS::KMS::Key', account: call.account }, common(call))
    throw missing()
  }
  await authorizeKey(call, row)
  return row
}

export const createAlias = kms
  .operation('CreateAlias')
  .on(coming)
  .given((_input, call) => common(call))
  .run(async (call, { AliasName: name, TargetKeyId }) => {
    requireName(name)
    const row = await targetOf(call, TargetKeyId)
    requireState(row, 'CreateAlias')
    if (await call.unit.get(at.alias(call, name))) {
      throw kms.fail('AlreadyExistsException', `An alias with the name ${aliasArn(call, name)} already exists`)
    }
    addAlias(call, row, name)
    return {}
  })

export const updateAlias = kms
  .operation('UpdateAlias')
  .on(named)
  .given((_input, call) => common(call))
  .run(async (call, { TargetKeyId }, alias) => {
    requireName(alias.name)
    if (aliasIn(TargetKeyId) !== undefined) throw invalidInput.aliasOfAlias()
    const row = await targetOf(call, TargetKeyId)
    const before = await call.unit.get<KeyRow>(at.key(call, alias.keyId))
    if (before) await authorizeKey(call, before)
    requireState(row, 'UpdateAlias')
    if (row.id === alias.keyId) return {}
    if (before && (before.spec === 'SYMMETRIC_DEFAULT') !== (row.spec === 'SYMMETRIC_DEFAULT')) {
      throw invalid(`Alias ${aliasArn(call, alias.name)} cannot be changed from ${before.spec} to ${row.spec}.`)
    }
    if (before && before.usage !== row.usage) {
      throw invalid(`Alias ${aliasArn(call, alias.name)} cannot be changed from ${before.usage} to ${row.usage}.`)
    }
    if (before) saveKey(call.unit, withoutAlias(before, alias.name))
    saveKey(call.unit, withAlias(row, alias.name))
    call.unit.put(at.alias(call, alias.name), { ...alias, keyId: row.id, updatedAt: call.now } satisfies AliasRow)
    return {}
  })

export const deleteAlias = kms
  .operation('DeleteAlias')
  .on(named)
  .given((_input, call) => common(call))
  .run(async (call, _input, alias) => {
    requireName(alias.name)
    const row = await call.unit.get<KeyRow>(at.key(call, alias.keyId))
    if (row) {
      await authorizeKey(call, row)
      requireState(row, 'DeleteAlias')
      saveKey(call.unit, withoutAlias(row, alias.name))
    }
    call.unit.delete(at.alias(call, alias.name))
    return {}
  })

const shown = (call: Call, row: AliasRow) => ({
  AliasName: row.name,
  AliasArn: aliasArn(call, row.name),
  TargetKeyId: row.keyId,
  CreationDate: date(row.createdAt),
  LastUpdatedDate: date(row.updatedAt),
})

export const listAliases = kms
  .operation('ListAliases')
  .on(anything)
  .given(conditions)
  .run(async (call, input) => {
    if (input.KeyId === undefined) {
      const { items, rest } = await listBelow<AliasRow>(call, at.aliases(call), input, SMALL, null)
      return { Aliases: items.map((row) => shown(call, row)), ...rest }
    }
    const { row, account, missing } = await resolve(call, input.KeyId, false)
    if (!row || account !== call.account) throw missing()
    const rows = await Promise.all(row.aliases.map((name) => call.unit.get<AliasRow>(at.alias(row, name))))
    const found = rows.filter((each) => each !== undefined)
    const { items, rest } = await listAmong(call, found, ({ name }) => name, input, SMALL, keyArn(row, row.id))
    return { Aliases: items.map((each) => shown(call, each)), ...rest }
  })
