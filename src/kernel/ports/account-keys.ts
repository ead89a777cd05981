/** The account keys port: the vault's keys of accounts; provided by the server. */
import { port } from './port.ts'

export interface AccountKeysPort {
  /** Durable when it returns. To be awaited before anything of the account is sealed. */
  prepare(account: string): Promise<void>
}

export const accountKeys = port<AccountKeysPort>('account-keys')
