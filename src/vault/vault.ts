/** The contract of the root of trust: values sealed to their context. No key bytes ever leave this layer. */
import type { Materials } from './material/materials.ts'
import type { SealContext, Sealed } from './sealed-value.ts'

/** What a derived key is for; one HKDF label each. */
export type Purpose =
  | 'session-token'
  | 'paging-token'
  | 'authorization-message'
  | 'audit'
  | 'import-token'
  | 'grant-token'
  | 'web-session'
  | 'user-pool'
  | 'plane-token'

export interface Vault {
  /** Makes sure that the account has a key: to be awaited before anything of it is sealed. Throws when it was erased. */
  prepare(account: string): Promise<void>
  /** AES-256-GCM under the account's key. Throws when it has none, and when the vault is sealed. */
  seal(place: SealContext, plaintext: Uint8Array): Sealed
  /** Throws `VaultError` when the value was made elsewhere, moved or changed. */
  open(place: SealContext, sealed: Sealed): Buffer
  /** The value in this context is not what was stored there: reports it, and returns the error to throw. */
  reportTampering(place: SealContext): VaultError
  /** A compact authenticated token; `binding` is authenticated, not carried. base64url. */
  issue(purpose: Purpose, binding: string, plaintext: Uint8Array): string
  /** undefined when the token is not ours, not for this purpose and binding, or was changed: never throws on bad input. */
  redeem(purpose: Purpose, binding: string, token: string): Buffer | undefined
  /** A keyed digest that only this installation can compute. */
  mac(purpose: Purpose, data: Uint8Array | string): Buffer
  /**
   * The key that authenticates what one node records in one epoch: 32 bytes in memory that threads share. Lent: the
   * caller wipes it. The key of another epoch cannot be derived from it.
   */
  chainKey(node: string, epoch: number): Uint8Array
  /** Signs a statement as this installation: Ed25519 (RFC 8032), 64 bytes. */
  signAsInstallation(statement: Uint8Array): Buffer
  /** The public key of {@link signAsInstallation}: DER SPKI. The same for the installation's whole life. */
  installationPublicKey(): Buffer
  /** Keys that customers use: their material never leaves. */
  readonly materials: Materials
}

export class VaultError extends Error {
  override readonly name: string = 'VaultError'
}

/** What can be wrong with the root of trust, as codes that scripts may look for. */
export type TrustCode =
  | 'MERLON_SEALED'
  | 'MERLON_SHARE_INVALID'
  | 'MERLON_SHARE_DUPLICATE'
  | 'MERLON_SHARES_COUNT'
  | 'MERLON_UNSEAL_ENDED'
  | 'MERLON_SEALER_UNAVAILABLE'
  | 'MERLON_SEALER_NEEDED'
  | 'MERLON_PASSPHRASE_WEAK'
  | 'MERLON_KEY_FILE_UNSAFE'
  | 'MERLON_KEY_FILE_INVALID'
  | 'MERLON_FILE_EXISTS'
  | 'MERLON_KEYRING_DAMAGED'
  | 'MERLON_ROLLBACK_DETECTED'
  | 'MERLON_BACKUP_TAMPERED'
  | 'MERLON_ACCOUNT_ERASED'
  | 'MERLON_UNSAFE_PROCESS'

/** The message begins with the code and says what to do. */
export class TrustError extends VaultError {
  override readonly name = 'TrustError'
  readonly code: TrustCode

  /** `where` narrows the code down: the chunk of a backup. */
  constructor(code: TrustCode, message: string, where?: number) {
    super(`${code}${where === undefined ? '' : `(${where})`}: ${message}`)
    this.code = code
  }
}
