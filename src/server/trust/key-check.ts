/**
 * Whether a keyring belongs to a store: every account of the store has a key in it, or was erased. Without this check a
 * server over a keyring of another installation, or over an earlier one, would start and answer calls with errors.
 */
import { CANARIES, type Canary, openCanary } from '../../kernel/service/account-keys.ts'
import type { Store } from '../../store/store.ts'
import type { Keyring } from '../../vault/keyring.ts'
import { openVault } from '../../vault/sealed.ts'
import type { Vault } from '../../vault/vault.ts'
import { InstallationError } from '../compose/operator-errors.ts'

/**
 * Throws `MERLON_KEYRING_MISMATCH`. `decrypting`: at least one account's value must be decrypted, too. This detects a
 * keyring of another installation with the same accounts; a single modified value does not stop the start.
 */
export async function refuseOtherKeyring(
  store: Pick<Store, 'reader'>,
  keyring: Keyring,
  { decrypting }: { readonly decrypting: boolean },
): Promise<void> {
  const vault = openVault({ tree: keyring })
  const canaries = (await store.reader.range<Canary>(CANARIES))
    .map(({ document }) => document)
    .filter(({ account }) => !keyring.isErased(account))
  const keyless = canaries.filter(({ account }) => !keyring.has(account))
  const foreign = decrypting && keyless.length === 0 && !canaries.some((canary) => opens(vault, canary))
  const wrong = foreign ? canaries : keyless
  if (wrong.length === 0) return
  const more = wrong.length > 1 ? ` and ${wrong.length - 1} more` : ''
  throw new InstallationError(
    `the keyring does not belong to this database: it has no key for account ${wrong[0]!.account}${more}. It is older than the database, or from another installation. Put the newest keyring of this installation back: it is beside your latest backup. --accept-rollback does not help here.`,
    'MERLON_KEYRING_MISMATCH',
  )
}

function opens(vault: Vault, canary: Canary): boolean {
  try {
    openCanary(vault, canary)
    return true
  } catch {
    return false
  }
}
