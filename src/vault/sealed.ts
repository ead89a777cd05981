/** The vault itself: sealed values, tokens and digests under the keys of a tree. */
import { createHmac, createPrivateKey, createPublicKey, type KeyObject, randomFillSync, sign } from 'node:crypto'
import { decodeStrictly, decrypt, encrypt, KEY_BYTES, lengths, OVERHEAD_BYTES, randomKey } from './aead.ts'
import { FORM, type KeyTree, type RootedOptions, RootedTree } from './key-tree.ts'
import { MaterialEngine } from './material/engine.ts'
import type { Materials } from './material/materials.ts'
import { inlinePool, type Pool } from './material/pool.ts'
import type { SealContext, Sealed } from './sealed-value.ts'
import { type Purpose, TrustError, type Vault, VaultError } from './vault.ts'

export type { AccountKeyStore } from './key-tree.ts'

const SALT_BYTES = 16
const SEALED_PREFIX = 'mv1.'
/** RFC 8410 §7: the bytes before the 32 bytes of an Ed25519 key in PKCS #8. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A key tree, or a root key with the account keys under it. */
export type VaultOptions = ({ readonly tree: KeyTree } | RootedOptions) & {
  /** Runs slow private operations. Default: the caller's thread. */
  readonly pool?: Pool | undefined
  /** Called for every value that cannot be decrypted in its context. Must not throw. */
  readonly onTampered?: ((place: SealContext) => void) | undefined
}

export function openVault(options: VaultOptions): Vault {
  return new TreeVault('tree' in options ? options.tree : new RootedTree(options), options)
}

class TreeVault implements Vault {
  readonly materials: Materials
  readonly #tree: KeyTree
  readonly #onTampered: VaultOptions['onTampered']

  constructor(tree: KeyTree, { pool = inlinePool, onTampered }: Pick<VaultOptions, 'pool' | 'onTampered'>) {
    this.#tree = tree
    this.#onTampered = onTampered
    this.materials = new MaterialEngine(this, pool)
  }

  prepare(account: string): Promise<void> {
    return this.#tree.prepare(account)
  }

  seal(place: SealContext, plaintext: Uint8Array): Sealed {
    // A data key for each value: no key ever encrypts twice, so random nonces can't collide.
    const dataKey = randomKey()
    try {
      const aad = this.#placeBytes(place)
      const wrapped = encrypt(this.#tree.account(place.account), dataKey, aad)
      const body = encrypt(dataKey, plaintext, aad)
      return (SEALED_PREFIX + Buffer.concat([Buffer.of(FORM), wrapped, body]).toString('base64url')) as Sealed
    } finally {
      dataKey.fill(0)
    }
  }

  open(place: SealContext, sealed: Sealed): Buffer {
    const bytes = sealed.startsWith(SEALED_PREFIX) ? decodeStrictly(sealed.slice(SEALED_PREFIX.length)) : undefined
    const wrappedEnd = 1 + KEY_BYTES + OVERHEAD_BYTES
    if (!bytes || bytes.length < wrappedEnd + OVERHEAD_BYTES || bytes[0] !== FORM) throw this.reportTampering(place)

    const aad = this.#placeBytes(place)
    const dataKey = decrypt(this.#accountKey(place), bytes.subarray(1, wrappedEnd), aad)
    const plaintext = dataKey && decrypt(dataKey, bytes.subarray(wrappedEnd), aad)
    dataKey?.fill(0)
    if (!plaintext) throw this.reportTampering(place)
    return plaintext
  }

  reportTampering(place: SealContext): VaultError {
    this.#onTampered?.(place)
    return new VaultError(`the value sealed at ${place.table}/${place.key}.${place.column} does not open there`)
  }

  /** A row that names an account which never had a key was not written by us. */
  #accountKey(place: SealContext): Uint8Array {
    try {
      return this.#tree.account(place.account)
    } catch (error) {
      // Sealed, or erased: that is how it should be.
      if (!(error instanceof TrustError)) this.reportTampering(place)
      throw error
    }
  }

  issue(purpose: Purpose, binding: string, plaintext: Uint8Array): string {
    const salt = randomFillSync(Buffer.alloc(SALT_BYTES))
    const body = encrypt(this.#tokenKey(purpose, salt), plaintext, this.#tokenBytes(purpose, binding))
    return Buffer.concat([Buffer.of(FORM), salt, body]).toString('base64url')
  }

  redeem(purpose: Purpose, binding: string, token: string): Buffer | undefined {
    const bytes = decodeStrictly(token)
    const saltEnd = 1 + SALT_BYTES
    if (!bytes || bytes.length < saltEnd + OVERHEAD_BYTES || bytes[0] !== FORM) return undefined
    const key = this.#tokenKey(purpose, bytes.subarray(1, saltEnd))
    return decrypt(key, bytes.subarray(saltEnd), this.#tokenBytes(purpose, binding))
  }

  mac(purpose: Purpose, data: Uint8Array | string): Buffer {
    return createHmac('sha256', this.#tree.purpose(`${purpose}/mac`))
      .update(data)
      .digest()
  }

  chainKey(node: string, epoch: number): Uint8Array {
    const derived = this.mac('audit', lengths('chain', node, String(epoch)))
    const shared = new Uint8Array(new SharedArrayBuffer(derived.length))
    shared.set(derived)
    derived.fill(0)
    return shared
  }

  signAsInstallation(statement: Uint8Array): Buffer {
    return sign(null, statement, this.#voucher())
  }

  installationPublicKey(): Buffer {
    return createPublicKey(this.#voucher()).export({ format: 'der', type: 'spki' })
  }

  /** Made anew for each use: a key object that lives on would hold the key after sealing. */
  #voucher(): KeyObject {
    const seed = this.mac('audit', lengths('voucher'))
    const key = Buffer.concat([ED25519_PKCS8, seed])
    try {
      return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    } finally {
      seed.fill(0)
      key.fill(0)
    }
  }

  /** A key for each token: under one key for all, random nonces would begin to collide after 2^32 tokens. */
  #tokenKey(purpose: Purpose, salt: Uint8Array): Buffer {
    return createHmac('sha256', this.#tree.purpose(purpose)).update(salt).digest()
  }

  #placeBytes(place: SealContext): Buffer {
    const { table, key, column, account, version = '' } = place
    return lengths('merlon/v1', this.#tree.installId, table, key, column, account, version, String(FORM))
  }
  #tokenBytes(purpose: Purpose, binding: string): Buffer {
    return lengths('merlon/v1/token', this.#tree.installId, purpose, binding, String(FORM))
  }
}
