/** Crypto-erasure: an account is closed, and its key destroyed here and in every keyring stored with backups. */
import { VaultError } from '../../vault/vault.ts'
import { replaceKeyrings } from '../trust/backup.ts'
import type { SealManager } from '../trust/seal-manager.ts'

/** Permanent. Returns the keyrings that could not be reached: the operator has yet to destroy the key in them. */
export async function eraseAccount(custody: SealManager, account: string): Promise<object> {
  const { store, keyring, cloud } = custody.unsealed()
  const accounts = await cloud.accounts()
  if (!accounts.some(({ id }) => id === account)) throw new VaultError(`there is no account ${account}.`)
  if (accounts[0]?.id === account)
    throw new VaultError(`${account} is the account this installation began with; its trail is kept there.`)

  await store.run((unit) => cloud.ports.accounts.close(unit, account, custody.clock.now()))
  await keyring.erase(account)
  cloud.vault.materials.forget(account)
  const copies = await replaceKeyrings(custody)
  await custody.record('EraseAccount', { account, copies })
  return { account, copies }
}
