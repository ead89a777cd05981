/** The accounts of an installation: listed, and created with their root user and that user's first key. */
import type { BootstrapPort, InstalledAccount, NewAccount, RootKey } from '../../../kernel/ports/bootstrap.ts'
import { type Key, key, type Unit, under } from '../../../store/store.ts'
import type { Vault } from '../../../vault/vault.ts'
import { makeAccessKey } from '../credentials/access-keys.ts'
import { user } from '../resources.ts'

export type AccountRow = InstalledAccount

export const accountKey = (id: string): Key => key('iam', 'account', id)

/** Agreed on by the nodes that start together, before there is an account. */
const CLAIM = key('iam', 'first-account')
const ACCOUNTS = under('iam', 'account')

export function bootstrapPort(vault: Vault): BootstrapPort {
  const hasAccounts: BootstrapPort['hasAccounts'] = async (reader) =>
    (await reader.range(ACCOUNTS, { limit: 1 })).length > 0
  return {
    accounts: async (reader) =>
      (await reader.range<AccountRow>(ACCOUNTS))
        .map(({ document }) => document)
        .sort((a, b) => a.createdAt - b.createdAt),
    hasAccounts,
    createAccount: (unit, account) => createAccount(unit, vault, account),
    claimFirst: async (unit, choose) => {
      if (await hasAccounts(unit)) return undefined
      const claim = await unit.get<{ readonly id: string }>(CLAIM)
      const id = choose(claim?.id)
      if (claim?.id !== id) unit.put(CLAIM, { id })
      return id
    },
    endClaim: async (unit) => {
      if (await hasAccounts(unit)) return false
      unit.delete(CLAIM)
      return true
    },
    addUserKey: async (unit, { account, name, now }, pair) => {
      const owner = await user.get(unit, { region: '', account }, { name })
      if (!owner) throw new Error(`account ${account} has no user ${name}`)
      makeAccessKey(unit, vault, { account, ownerId: owner.id, now }, pair)
    },
  }
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
