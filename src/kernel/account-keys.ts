/** Keys of accounts, made before anything is sealed under them: in a keyring, or, in memory only, as documents. */
import { type Key, key, type Store, under } from '../store/store.ts'
import type { AccountKeyStore } from '../vault/sealed.ts'
import type { Sealed, Vault } from '../vault/vault.ts'

/** What makes sure of an account's key. */
export interface PreparesAccounts {
  /** Durable when this returns. To be awaited before anything of the account is sealed. */
  prepare(vault: Vault, account: string): Promise<void>
}

/** A sealed value of every account, so that a drill can tell whether its key is there and right. */
export interface Canary {
  readonly account: string
  readonly sealed: Sealed
}

export const CANARIES = under('vault', 'canary')
const CANARY = Buffer.from('merlon canary')
const canaryPlace = (account: string) => ({ table: 'vault/canary', key: account, column: 'sealed', account })

/** Throws `VaultError` when the account's key is not the one it was. */
export function openCanary(vault: Pick<Vault, 'open'>, { account, sealed }: Canary): void {
  if (!vault.open(canaryPlace(account), sealed).equals(CANARY)) throw new Error(`the canary of ${account} is another`)
}

/** Account keys in a keyring: sealing the canary makes the key, durably, and then the canary is written. */
export function keyringAccounts(store: Store): PreparesAccounts {
  return {
    prepare: async (vault, account) => {
      const at = key('vault', 'canary', account)
      if (await store.reader.get(at)) return
      const sealed = vault.seal(canaryPlace(account), CANARY)
      await store.run((unit) => unit.put(at, { account, sealed } satisfies Canary))
    },
  }
}

interface WrappedKey {
  readonly account: string
  readonly wrapped: string
}

const PREFIX = under('vault', 'account-key')
const at = (account: string): Key => key('vault', 'account-key', account)

export class AccountKeys implements AccountKeyStore, PreparesAccounts {
  readonly #store: Store
  readonly #wrapped = new Map<string, string>()
  #writes: Promise<unknown> = Promise.resolve()

  private constructor(store: Store) {
    this.#store = store
  }

  static async open(store: Store): Promise<AccountKeys> {
    const keys = new AccountKeys(store)
    store.subscribe(({ changes }) => {
      for (const { key, document } of changes)
        if (key.startsWith(PREFIX)) keys.#take(document as WrappedKey | undefined)
    })
    for (const { document } of await store.reader.range<WrappedKey>(PREFIX)) keys.#take(document)
    return keys
  }

  load(account: string): string | undefined {
    return this.#wrapped.get(account)
  }

  save(account: string, wrapped: string): void {
    this.#take({ account, wrapped })
    const write = this.#store.run(async (unit) => unit.put(at(account), { account, wrapped } satisfies WrappedKey))
    this.#writes = Promise.all([this.#writes, write])
  }

  /** Makes an account's key; durable when this returns. To be awaited before anything of the account is sealed. */
  async prepare(vault: Vault, account: string): Promise<void> {
    if (this.#wrapped.has(account)) return
    vault.seal({ table: 'vault/account-key', key: account, column: 'first', account }, Buffer.alloc(0))
    await this.#writes
  }

  #take(document: WrappedKey | undefined): void {
    if (document) this.#wrapped.set(document.account, document.wrapped)
  }
}
