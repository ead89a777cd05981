/** Where the vault's wrapped account keys are kept: a document each, all in memory, followed by the change feed. */
import { type Key, key, type Store, under } from '../store/store.ts'
import type { AccountKeyStore } from '../vault/sealed.ts'
import type { Vault } from '../vault/vault.ts'

interface WrappedKey {
  readonly account: string
  readonly wrapped: string
}

const PREFIX = under('vault', 'account-key')
const at = (account: string): Key => key('vault', 'account-key', account)

export class AccountKeys implements AccountKeyStore {
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
