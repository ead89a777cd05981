/** Access keys of users and of the root user. Secrets are sealed to their row and shown once. */
import type { Call } from '../../../kernel/gate/call.ts'
import { accessKeyId, secretAccessKey } from '../../../kernel/service/id.ts'
import { type Key, key, type Unit } from '../../../store/store.ts'
import type { SealContext, Sealed } from '../../../vault/sealed-value.ts'
import type { Vault } from '../../../vault/vault.ts'
import { count } from '../counts.ts'
import { listItems } from '../lists.ts'
import { type UserRow, user, userIdKey } from '../resources.ts'
import { noUser, type RootSelf, rowNamed, userNamedOrSelf } from '../users/self.ts'
import { date, iam, withinQuota } from '../words.ts'
import { accessKeyUse } from './last-used.ts'
import { hangingOf, subordinateKey } from './subordinates.ts'

export interface AccessKeyRow {
  readonly id: string
  readonly account: string
  /** The user's unique id; the account's number for the root user. */
  readonly ownerId: string
  readonly active: boolean
  readonly createdAt: number
  readonly secret: Sealed
}

/** Access key ids are unique in the installation: authentication finds the account by the id. */
export const accessKeyKey = (id: string): Key => key('iam', 'access-key', id)

export const placeOf = (account: string, id: string): SealContext => ({
  table: 'iam/access-key',
  key: id,
  column: 'secret',
  account,
})

/** Makes a key; the secret is returned here and never again. */
export function makeAccessKey(
  unit: Unit,
  vault: Vault,
  owner: { readonly account: string; readonly ownerId: string; readonly now: number },
  given?: { readonly id: string; readonly secret: string },
): { readonly row: AccessKeyRow; readonly secret: string } {
  const id = given?.id ?? accessKeyId('AKIA', owner.account)
  const secret = given?.secret ?? secretAccessKey()
  const row: AccessKeyRow = {
    id,
    account: owner.account,
    ownerId: owner.ownerId,
    active: true,
    createdAt: owner.now,
    secret: vault.seal(placeOf(owner.account, id), Buffer.from(secret)),
  }
  unit.put(accessKeyKey(id), row)
  unit.put(subordinateKey(owner.account, owner.ownerId, 'access-key', id), { id })
  return { row, secret }
}

export function openSecret(vault: Vault, row: AccessKeyRow): string {
  return vault.open(placeOf(row.account, row.id), row.secret).toString('utf8')
}

export const createAccessKey = iam
  .operation('CreateAccessKey')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, _input, self) => {
    const owner = ownerOf(call, self)
    const existing = await hangingOf(call, owner.id, 'access-key')
    withinQuota(call, 'AccessKeysPerUser', existing.length + 1)
    if ('root' in self) await count(call, 'AccountAccessKeysPresent', 1)

    const { row, secret } = makeAccessKey(call.unit, call.vault, {
      account: call.account,
      ownerId: owner.id,
      now: call.now,
    })
    return {
      AccessKey: {
        UserName: owner.name ?? 'root',
        AccessKeyId: row.id,
        Status: 'Active',
        SecretAccessKey: secret,
        CreateDate: date(row.createdAt),
      },
    }
  })

export const listAccessKeys = iam
  .operation('ListAccessKeys')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const owner = ownerOf(call, self)
    const ids = await hangingOf<{ id: string }>(call, owner.id, 'access-key')
    const rows = await Promise.all(ids.map(({ document }) => call.unit.get<AccessKeyRow>(accessKeyKey(document.id))))
    const { items, rest } = await listItems(
      call,
      rows.filter((row) => row !== undefined),
      (row) => row.id,
      input,
    )
    return {
      AccessKeyMetadata: items.map((row) => ({
        ...(owner.name !== undefined && { UserName: owner.name }),
        AccessKeyId: row.id,
        Status: status(row),
        CreateDate: date(row.createdAt),
      })),
      ...rest,
    }
  })

export const updateAccessKey = iam
  .operation('UpdateAccessKey')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const row = await ownKey(call, self, input.AccessKeyId)
    call.unit.put(accessKeyKey(row.id), { ...row, active: input.Status === 'Active' })
    return {}
  })

export const deleteAccessKey = iam
  .operation('DeleteAccessKey')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const row = await ownKey(call, self, input.AccessKeyId)
    call.unit.delete(accessKeyKey(row.id))
    call.unit.delete(subordinateKey(call.account, row.ownerId, 'access-key', row.id))
    if ('root' in self) await count(call, 'AccountAccessKeysPresent', -1)
    return {}
  })

export const getAccessKeyLastUsed = iam
  .operation('GetAccessKeyLastUsed')
  .on({
    find: async (call, input) => {
      const row = await call.unit.get<AccessKeyRow>(accessKeyKey(input.AccessKeyId))
      const owner = row?.account === call.account ? await userById(call, row.ownerId) : undefined
      return owner
        ? rowNamed(call, owner.name)
        : {
            acted: noUser(call),
            row: undefined,
            missing: () => noSuchKey(input.AccessKeyId),
          }
    },
  })
  .run(async (call, input, owner) => {
    const use = await accessKeyUse(call.unit, input.AccessKeyId)
    return {
      UserName: owner.name,
      AccessKeyLastUsed: use
        ? { LastUsedDate: date(use.timeMs), ServiceName: use.service, Region: use.region }
        : ({ ServiceName: 'N/A', Region: 'N/A' } as { LastUsedDate: Date; ServiceName: string; Region: string }),
    }
  })

async function userById(call: Call, id: string): Promise<UserRow | undefined> {
  const found = await call.unit.get<{ name: string }>(userIdKey(call.account, id))
  return found && user.get(call.unit, call, found)
}

async function ownKey(call: Call, self: UserRow | RootSelf, id: string): Promise<AccessKeyRow> {
  const row = await call.unit.get<AccessKeyRow>(accessKeyKey(id))
  if (row?.account !== call.account || row.ownerId !== ownerOf(call, self).id) throw noSuchKey(id)
  return row
}

function ownerOf(call: Call, self: UserRow | RootSelf): { readonly id: string; readonly name: string | undefined } {
  return 'root' in self ? { id: call.account, name: undefined } : { id: self.id, name: self.name }
}

const status = (row: AccessKeyRow) => (row.active ? ('Active' as const) : ('Inactive' as const))

function noSuchKey(id: string) {
  return iam.fail('NoSuchEntityException', `The Access Key with id ${id} cannot be found.`)
}
