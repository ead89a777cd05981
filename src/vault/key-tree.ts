/** The keys between the root key and sealed values: one for each account, and one for each purpose. */
import {
  decodeStrictly,
  decrypt,
  derive,
  encrypt,
  KEY_BYTES,
  lengths,
  OVERHEAD_BYTES,
  randomKey,
  takeOver,
} from './aead.ts'
import { VaultError } from './vault.ts'

/** Keys are lent: callers use them at once and keep no copy, so that wiping the tree wipes them all. */
export interface KeyTree {
  readonly installId: string
  /** Makes the account's key if there is none; durable when this resolves. Sealing never makes one. */
  prepare(account: string): Promise<void>
  /** The account's key. Throws `VaultError` when there is none, when it was erased or does not open. */
  account(account: string): Uint8Array
  /** The key of one HKDF label. */
  purpose(label: string): Uint8Array
}

/** Every wrapped key names and authenticates the version of its form. */
export const FORM = 1

/** Where wrapped account keys are kept. */
export interface AccountKeyStore {
  load(account: string): string | undefined
  /** Stores the key unless the account has one: durable, and returned by {@link load}, when this resolves. */
  save(account: string, wrapped: string): Promise<void>
}

export interface RootedOptions {
  /** 32 bytes; wiped. */
  readonly rootKey: Buffer
  /** Sets this installation apart: nothing sealed elsewhere opens here. */
  readonly installId: string
  readonly accountKeys: AccountKeyStore
}

/** The key that wraps account keys under one version of the root key. */
export function storeKek(rootKey: Uint8Array, installId: string): Buffer {
  return purposeKey(rootKey, installId, 'store-kek')
}

export function purposeKey(rootKey: Uint8Array, installId: string, label: string): Buffer {
  return derive(rootKey, lengths(installId, String(FORM)), `merlon/v1/${label}`)
}

export function wrapAccountKey(kek: Uint8Array, installId: string, account: string, key: Uint8Array): string {
  return Buffer.concat([Buffer.of(FORM), encrypt(kek, key, accountBytes(installId, account))]).toString('base64url')
}

export function unwrapAccountKey(kek: Uint8Array, installId: string, account: string, wrapped: string): Buffer {
  const bytes = decodeStrictly(wrapped)
  const whole = bytes?.length === 1 + KEY_BYTES + OVERHEAD_BYTES && bytes[0] === FORM
  const key = whole ? decrypt(kek, bytes.subarray(1), accountBytes(installId, account)) : undefined
  if (!key) throw new VaultError(`the key of account ${account} does not open under this root key`)
  return key
}

const accountBytes = (installId: string, account: string): Buffer =>
  lengths('merlon/v1/account-key', installId, account, String(FORM))

/** A tree that hangs on one root key in memory: for `--dev`, for tests, and for what was sealed before keyrings. */
export class RootedTree implements KeyTree {
  readonly installId: string
  readonly #root: Buffer
  readonly #accountKeys: AccountKeyStore
  readonly #purposes = new Map<string, Buffer>()
  readonly #accounts = new Map<string, Buffer>()

  constructor({ rootKey, installId, accountKeys }: RootedOptions) {
    if (rootKey.length !== KEY_BYTES)
      throw new VaultError(`a root key has ${KEY_BYTES} bytes, this one ${rootKey.length}`)
    this.installId = installId
    this.#accountKeys = accountKeys
    this.#root = takeOver(rootKey)
  }

  purpose(label: string): Uint8Array {
    return held(this.#purposes, label, () => purposeKey(this.#root, this.installId, label))
  }

  async prepare(account: string): Promise<void> {
    if (this.#accountKeys.load(account) !== undefined) return
    const key = randomKey()
    const wrapped = wrapAccountKey(this.purpose('store-kek'), this.installId, account, key)
    key.fill(0)
    await this.#accountKeys.save(account, wrapped)
  }

  account(account: string): Uint8Array {
    return held(this.#accounts, account, () => {
      const stored = this.#accountKeys.load(account)
      if (stored === undefined) throw keyless(account)
      return unwrapAccountKey(this.purpose('store-kek'), this.installId, account, stored)
    })
  }
}

export const keyless = (account: string): VaultError => new VaultError(`account ${account} has no key`)

/** A memo of key bytes. */
export function held(keys: Map<string, Buffer>, name: string, make: () => Buffer): Buffer {
  let key = keys.get(name)
  if (!key) {
    key = make()
    keys.set(name, key)
  }
  return key
}
