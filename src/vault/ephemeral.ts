/** A vault that lives and dies with the process: for `--dev` and for tests. */
import { randomBytes, randomUUID } from 'node:crypto'
import { openVault } from './sealed.ts'
import type { Unsealed } from './sealer.ts'
import type { Vault } from './vault.ts'

export function ephemeralVault(): Vault {
  const wrapped = new Map<string, string>()
  return openVault({
    ...ephemeralUnsealed(),
    accountKeys: { load: (account) => wrapped.get(account), save: (account, key) => void wrapped.set(account, key) },
  })
}

/** A root key that nobody keeps. */
export function ephemeralUnsealed(): Unsealed {
  return { rootKey: randomBytes(32), installId: randomUUID(), loopbackOnly: true }
}
