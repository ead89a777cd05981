/** The vault itself: purpose keys, account keys and sealed values under one root key. Only this file holds key bytes. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { MaterialEngine } from './material/engine.ts'
import type { Materials } from './material/materials.ts'
import { inlinePool, type Pool } from './material/pool.ts'
import { type Place, type Purpose, type Sealed, type Vault, VaultError } from './vault.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'
const SALT_BYTES = 16
const SEALED_PREFIX = 'mv1.'
/** Every blob names and authenticates the version of the key it is under; rotation will add others. */
const KEY_VERSION = 1

/** Where wrapped account keys are kept. Destroying one makes the account's sealed values unreadable, in old backups too. */
export interface AccountKeyStore {
  load(account: string): string | undefined
  /** Must be durable before, or together with, the first value sealed under the key. */
  save(account: string, wrapped: string): void
}

export interface VaultOptions {
  /** 32 bytes; wiped once the purpose keys are derived. */
  readonly rootKey: Buffer
  /** Sets this installation apart: nothing sealed elsewhere opens here. */
  readonly installId: string
  readonly accountKeys: AccountKeyStore
  /** Who does slow private operations. Default: the caller's thread. */
  readonly pool?: Pool | undefined
}

export function openVault(options: VaultOptions): Vault {
  return new RootedVault(options)
}

class RootedVault implements Vault {
  readonly materials: Materials
  readonly #purposes = new Map<string, KeyObject>()
  readonly #accounts = new Map<string, KeyObject>()
  readonly #installId: string
  readonly #accountKeys: AccountKeyStore
  readonly #derive: (label: string) => KeyObject

  constructor({ rootKey, installId, accountKeys, pool = inlinePool }: VaultOptions) {
    if (rootKey.length !== KEY_BYTES)
      throw new VaultError(`a root key has ${KEY_BYTES} bytes, this one ${rootKey.length}`)
    const root = secretKey(rootKey)
    this.#installId = installId
    this.#accountKeys = accountKeys
    this.materials = new MaterialEngine(this, pool)
    this.#derive = (label) => {
      const salt = lengths(installId, String(KEY_VERSION))
      return secretKey(Buffer.from(hkdfSync('sha256', root, salt, `merlon/v1/${label}`, KEY_BYTES)))
    }
  }

  seal(place: Place, plaintext: Uint8Array): Sealed {
    // A data key for each value: no key ever encrypts twice, so random nonces can't collide.
    const dataKey = randomBytes(KEY_BYTES)
    const aad = this.#placeBytes(place)
    const wrapped = encrypt(this.#account(place.account), dataKey, aad)
    const body = encrypt(secretKey(dataKey), plaintext, aad)
    return (SEALED_PREFIX + Buffer.concat([Buffer.of(KEY_VERSION), wrapped, body]).toString('base64url')) as Sealed
  }

  open(place: Place, sealed: Sealed): Buffer {
    const bytes = sealed.startsWith(SEALED_PREFIX) ? decodeStrictly(sealed.slice(SEALED_PREFIX.length)) : undefined
    const wrappedEnd = 1 + NONCE_BYTES + KEY_BYTES + TAG_BYTES
    const refused = new VaultError(
      `the value sealed at ${place.table}/${place.key}.${place.column} does not open there`,
    )
    if (!bytes || bytes.length < wrappedEnd + NONCE_BYTES + TAG_BYTES || bytes[0] !== KEY_VERSION) throw refused

    const aad = this.#placeBytes(place)
    const dataKey = decrypt(this.#account(place.account), bytes.subarray(1, wrappedEnd), aad)
    const plaintext = dataKey && decrypt(secretKey(dataKey), bytes.subarray(wrappedEnd), aad)
    if (!plaintext) throw refused
    return plaintext
  }

  issue(purpose: Purpose, binding: string, plaintext: Uint8Array): string {
    const salt = randomBytes(SALT_BYTES)
    const body = encrypt(this.#tokenKey(purpose, salt), plaintext, this.#tokenBytes(purpose, binding))
    return Buffer.concat([Buffer.of(KEY_VERSION), salt, body]).toString('base64url')
  }

  redeem(purpose: Purpose, binding: string, token: string): Buffer | undefined {
    const bytes = decodeStrictly(token)
    const saltEnd = 1 + SALT_BYTES
    if (!bytes || bytes.length < saltEnd + NONCE_BYTES + TAG_BYTES || bytes[0] !== KEY_VERSION) return undefined
    const key = this.#tokenKey(purpose, bytes.subarray(1, saltEnd))
    return decrypt(key, bytes.subarray(saltEnd), this.#tokenBytes(purpose, binding))
  }

  mac(purpose: Purpose, data: Uint8Array | string): Buffer {
    return createHmac('sha256', this.#purpose(`${purpose}/mac`))
      .update(data)
      .digest()
  }

  #purpose(label: string): KeyObject {
    let key = this.#purposes.get(label)
    if (!key) {
      key = this.#derive(label)
      this.#purposes.set(label, key)
    }
    return key
  }

  #account(account: string): KeyObject {
    const held = this.#accounts.get(account)
    if (held) return held
    const stored = this.#accountKeys.load(account)
    const key = stored === undefined ? this.#createAccount(account) : this.#unwrapAccount(account, stored)
    this.#accounts.set(account, key)
    return key
  }

  #createAccount(account: string): KeyObject {
    const bytes = randomBytes(KEY_BYTES)
    const wrapped = encrypt(this.#purpose('store-kek'), bytes, this.#accountBytes(account))
    this.#accountKeys.save(account, Buffer.concat([Buffer.of(KEY_VERSION), wrapped]).toString('base64url'))
    return secretKey(bytes)
  }

  #unwrapAccount(account: string, stored: string): KeyObject {
    const wrapped = decodeStrictly(stored)
    const whole = wrapped?.length === 1 + NONCE_BYTES + KEY_BYTES + TAG_BYTES && wrapped[0] === KEY_VERSION
    const bytes = whole && decrypt(this.#purpose('store-kek'), wrapped.subarray(1), this.#accountBytes(account))
    if (!bytes) throw new VaultError(`the key of account ${account} does not open under this root key`)
    return secretKey(bytes)
  }

  /** A key for each token: under one key for all, random nonces would begin to collide after 2^32 tokens. */
  #tokenKey(purpose: Purpose, salt: Uint8Array): KeyObject {
    return secretKey(createHmac('sha256', this.#purpose(purpose)).update(salt).digest())
  }

  #accountBytes(account: string): Buffer {
    return lengths('merlon/v1/account-key', this.#installId, account, String(KEY_VERSION))
  }
  #placeBytes(place: Place): Buffer {
    const { table, key, column, account, version = '' } = place
    return lengths('merlon/v1', this.#installId, table, key, column, account, version, String(KEY_VERSION))
  }
  #tokenBytes(purpose: Purpose, binding: string): Buffer {
    return lengths('merlon/v1/token', this.#installId, purpose, binding, String(KEY_VERSION))
  }
}

/** Takes the bytes over: they are wiped here, and the key object cannot be printed. */
function secretKey(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

/** nonce ‖ ciphertext ‖ tag. NIST SP 800-38D: a random nonce of 96 bits. */
function encrypt(key: KeyObject, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce)
  cipher.setAAD(aad)
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: KeyObject, bytes: Buffer, aad: Uint8Array): Buffer | undefined {
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}

/** Every part with its length before it: `{a, bc}` and `{ab, c}` must differ. */
function lengths(...parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part, 'utf8')
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}

/** Only the one canonical spelling: otherwise a token could be changed in bits that its bytes do not show. */
function decodeStrictly(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
