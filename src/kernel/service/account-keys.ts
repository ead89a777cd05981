/** Keys of accounts, made before anything is sealed under them: in a keyring, or, in memory only, as documents. */
import { key, type Store, under } from '../../store/store.ts'
import type { AccountKeyStore } from '../../vault/sealed.ts'
import type { Sealed } from '../../vault/sealed-value.ts'
import type { Vault } from '../../vault/vault.ts'

/** What makes sure of an account's key. */
export interface PreparesAccounts {
  /** Durable when this returns. To be awaited before anything of the account is sealed. */
  prepare(vault: Vault, account: string): Promise<void>
}

/** A sealed value of every account, so that a restore drill can check that the account's key exists and is right. */
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

/** Account keys in a keyring; a canary follows each of them. */
export function keyringAccounts(store: Store): PreparesAccounts {
  return {
    prepare: async (vault, account) => {
      await vault.prepare(account)
      const at = key('vault', 'canary', account)
      if (await store.reader.get(at)) return
      const sealed = vault.seal(canaryPlace(account), CANARY)
      await store.run(async (unit) => {
        if (!(await unit.get(at))) unit.put(at, { account, sealed } satisfies Canary)
      })
    },
  }
}

interface WrappedKey {
  readonly account: string
  readonly wrapped: string
}

const PREFIX = under('vault', 'account-key')

export class AccountKeys implements AccountKeyStore, PreparesAccounts {
  readonly #store: Store
  readonly #wrapped = new Map<string, string>()

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

  async save(account: string, wrapped: string): Promise<void> {
    const at = key('vault', 'account-key', account)
    const kept = await this.#store.run(async (unit) => {
      const there = await unit.get<WrappedKey>(at)
      if (there) return there
      const made: WrappedKey = { account, wrapped }
      unit.put(at, made)
      return made
    })
    this.#take(kept)
  }

  prepare(vault: Vault, account: string): Promise<void> {
    return vault.prepare(account)
  }

  #take(document: WrappedKey | undefined): void {
    if (document) this.#wrapped.set(document.account, document.wrapped)
  }
}
