/**
 * The bootstrap port: the accounts of an installation, as the server and seeds create them; provided by IAM. Its functions
 * are called by the operator's tools only: no permission is checked.
 *
 * @example
 * await use(accountKeys).prepare(id)
 * const rootKey = await store.run((unit) => use(bootstrap).createAccount(unit, { id, name, now }))
 */
import type { Unit } from '../../store/store.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface InstalledAccount {
  readonly id: string
  readonly name: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** From then on none of its credentials is accepted. */
  readonly closedAt?: number
}

export interface NewAccount {
  readonly id: string
  readonly name: string
  readonly now: number
  /** A root key to use instead of a random one: for `--dev` and seeds only. */
  readonly rootKey?: AccessKeyPair | undefined
}

/** An access key that was chosen beforehand. */
export interface AccessKeyPair {
  readonly id: string
  readonly secret: string
}

export interface RootKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface BootstrapPort {
  /** The oldest first. */
  accounts(reader: Pick<Reader, 'range'>): Promise<readonly InstalledAccount[]>
  hasAccounts(reader: Pick<Reader, 'range'>): Promise<boolean>
  /** Returns the root user's key: the one time its secret is shown. Throws when the account exists. */
  createAccount(unit: Unit, account: NewAccount): Promise<RootKey>
  /**
   * Agrees with other nodes on the id of the first account, before its key is made; `choose` gets the id that was agreed on
   * before. Undefined when there is an account already.
   */
  claimFirst(unit: Unit, choose: (claimed: string | undefined) => string): Promise<string | undefined>
  /** Ends the claim, in the transaction that creates the account. False when there is an account already. */
  endClaim(unit: Unit): Promise<boolean>
  /** Adds a key that was chosen beforehand to a user. */
  addUserKey(
    unit: Unit,
    user: { readonly account: string; readonly name: string; readonly now: number },
    key: AccessKeyPair,
  ): Promise<void>
}

export const bootstrap = port<BootstrapPort>('bootstrap')
