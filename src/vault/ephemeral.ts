/** A vault that lives and dies with the process: for `--dev` and for tests. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { AccountKeyStore } from './key-tree.ts'
import { openVault } from './sealed.ts'
import type { Unsealed } from './sealer.ts'
import type { Vault } from './vault.ts'

/** Ready to seal for these accounts. */
export async function ephemeralVault(...accounts: readonly string[]): Promise<Vault> {
  const vault = openVault({ ...ephemeralUnsealed(), accountKeys: keysInMemory(new Map()) })
  for (const account of accounts) await vault.prepare(account)
  return vault
}

export const keysInMemory = (wrapped: Map<string, string>): AccountKeyStore => ({
  load: (account) => wrapped.get(account),
  save: async (account, key) => {
    if (!wrapped.has(account)) wrapped.set(account, key)
  },
})

/** A root key that is stored nowhere. */
export function ephemeralUnsealed(): Unsealed {
  return { rootKey: randomBytes(32), installId: randomUUID(), loopbackOnly: true }
}
