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
import { type Place, type Purpose, type Sealed, type Vault, VaultError } from './vault.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'
const SEALED_PREFIX = 'mv1.'
/** Version of the root key; rotation will add others, and every blob names its own. */
const ROOT_VERSION = 1

/** Where wrapped account keys are kept. Destroying one makes the account's sealed values unreadable, in old backups too. */
export interface AccountKeyStore {
  load(account: string): string | undefined
  /** Must be durable before the first value sealed under the key is. */
  save(account: string, wrapped: string): void
}

export interface VaultOptions {
  /** 32 bytes; wiped once the purpose keys are derived. */
  readonly rootKey: Buffer
  /** Sets this installation apart: nothing sealed elsewhere opens here. */
  readonly installId: string
  readonly accountKeys: AccountKeyStore
}

export function openVault(options: VaultOptions): Vault {
  return new RootedVault(options)
}

class RootedVault implements Vault {
  readonly #purposes = new Map<string, KeyObject>()
  readonly #accounts = new Map<string, KeyObject>()
  readonly #installId: string
  readonly #accountKeys: AccountKeyStore
  readonly #derive: (label: string) => KeyObject

  constructor({ rootKey, installId, accountKeys }: VaultOptions) {
    if (rootKey.length !== KEY_BYTES)
      throw new VaultError(`a root key has ${KEY_BYTES} bytes, this one ${rootKey.length}`)
    const root = createSecretKey(rootKey)
    rootKey.fill(0)
    this.#installId = installId
    this.#accountKeys = accountKeys
    this.#derive = (label) =>
      createSecretKey(
        Buffer.from(
          hkdfSync('sha256', root, lengths(installId, String(ROOT_VERSION)), `merlon/v1/${label}`, KEY_BYTES),
        ),
      )
  }

  seal(place: Place, plaintext: Uint8Array): Sealed {
    // A data key for each value: no key ever encrypts twice, so random nonces can't collide.
    const dataKey = randomBytes(KEY_BYTES)
    const aad = this.#placeBytes(place)
    const wrapped = encrypt(this.#account(place.account), dataKey, aad)
    const body = encrypt(createSecretKey(dataKey), plaintext, aad)
    dataKey.fill(0)
    return (SEALED_PREFIX + Buffer.concat([Buffer.of(ROOT_VERSION), wrapped, body]).toString('base64url')) as Sealed
  }

  open(place: Place, sealed: Sealed): Buffer {
    const bytes = sealed.startsWith(SEALED_PREFIX) ? decodeStrictly(sealed.slice(SEALED_PREFIX.length)) : undefined
    const wrappedEnd = 1 + NONCE_BYTES + KEY_BYTES + TAG_BYTES
    const refused = new VaultError(
      `the value sealed at ${place.table}/${place.key}.${place.column} does not open there`,
    )
    if (!bytes || bytes.length < wrappedEnd + NONCE_BYTES + TAG_BYTES || bytes[0] !== ROOT_VERSION) throw refused

    const aad = this.#placeBytes(place)
    const dataKey = decrypt(this.#account(place.account), bytes.subarray(1, wrappedEnd), aad)
    const plaintext = dataKey && decrypt(createSecretKey(dataKey), bytes.subarray(wrappedEnd), aad)
    dataKey?.fill(0)
    if (!plaintext) throw refused
    return plaintext
  }

  issue(purpose: Purpose, binding: string, plaintext: Uint8Array): string {
    const body = encrypt(this.#purpose(purpose), plaintext, this.#tokenBytes(purpose, binding))
    return Buffer.concat([Buffer.of(ROOT_VERSION), body]).toString('base64url')
  }

  redeem(purpose: Purpose, binding: string, token: string): Buffer | undefined {
    const bytes = decodeStrictly(token)
    if (!bytes || bytes.length < 1 + NONCE_BYTES + TAG_BYTES || bytes[0] !== ROOT_VERSION) return undefined
    return decrypt(this.#purpose(purpose), bytes.subarray(1), this.#tokenBytes(purpose, binding))
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
    const aad = lengths('account-key', this.#installId, account)
    const kek = this.#purpose('store-kek')
    const stored = this.#accountKeys.load(account)
    let bytes: Buffer | undefined
    if (stored === undefined) {
      bytes = randomBytes(KEY_BYTES)
      this.#accountKeys.save(account, encrypt(kek, bytes, aad).toString('base64url'))
    } else {
      bytes = decrypt(kek, Buffer.from(stored, 'base64url'), aad)
      if (!bytes) throw new VaultError(`the key of account ${account} does not open under this root key`)
    }
    const key = createSecretKey(bytes)
    bytes.fill(0)
    this.#accounts.set(account, key)
    return key
  }

  #placeBytes(place: Place): Buffer {
    const { table, key, column, account, version = '' } = place
    return lengths('merlon/v1', this.#installId, table, key, column, account, version)
  }
  #tokenBytes(purpose: Purpose, binding: string): Buffer {
    return lengths('merlon/v1/token', this.#installId, purpose, binding)
  }
}

/** nonce ‖ ciphertext ‖ tag */
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
