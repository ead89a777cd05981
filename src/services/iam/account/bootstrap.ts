/** Making an account, with its root user and that user's first key. */
import { type Key, key, type Unit } from '../../../store/store.ts'
import type { Vault } from '../../../vault/vault.ts'
import { makeAccessKey } from '../credentials/access-keys.ts'

export interface AccountRow {
  readonly id: string
  readonly name: string
  readonly createdAt: number
  /** From then on none of its credentials passes. */
  readonly closedAt?: number
}

export const accountKey = (id: string): Key => key('iam', 'account', id)

export interface NewAccount {
  readonly id: string
  readonly name: string
  readonly now: number
  /** A root key to use instead of a random one: for `--dev` and seeds only. */
  readonly rootKey?: { readonly id: string; readonly secret: string } | undefined
}

export interface RootKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Returns the root user's key: the one time its secret is shown. Throws when the account exists. */
export async function createAccount(unit: Unit, vault: Vault, account: NewAccount): Promise<RootKey> {
  const at = accountKey(account.id)
  if (await unit.get(at)) throw new Error(`account ${account.id} exists already`)
  unit.put(at, { id: account.id, name: account.name, createdAt: account.now } satisfies AccountRow)
  unit.put(key('iam', 'count', account.id, 'AccountAccessKeysPresent'), { count: 1 })
  const { row, secret } = makeAccessKey(
    unit,
    vault,
    { account: account.id, ownerId: account.id, now: account.now },
    account.rootKey,
  )
  return { accessKeyId: row.id, secretAccessKey: secret }
}
