/** The contract of key material: made, imported and used here; only ciphertext, signatures, public halves and data keys leave. */
import type { SealContext, Sealed } from '../sealed-value.ts'
import type { EncryptionContext } from './blob.ts'
import type { Hash, SigningAlgorithm, Spec } from './specs.ts'

/** Identifies a key's material. `version` is the engine's: the material's own id. */
export interface MaterialContext extends Omit<SealContext, 'version'> {
  /** What the material's id is bound to beside its bytes; the same for the replicas of one key. */
  readonly name: string
}

/** Material as a service keeps it. */
export interface StoredMaterial {
  readonly home: MaterialContext
  readonly spec: Spec
  /** 64 lower hex digits, one-way out of the material and the home's name. */
  readonly id: string
  readonly sealed: Sealed
}

export interface GeneratedMaterial {
  readonly id: string
  readonly sealed: Sealed
  /** DER SPKI, for asymmetric keys. */
  readonly publicKey?: Buffer
}

/** DIGEST: the caller hashed already. MU: the caller made μ of FIPS 204 §6.2. */
export type MessageType = 'RAW' | 'DIGEST' | 'EXTERNAL_MU'

/** Which keys may be made as pairs of data keys. */
export type PairSpec = Exclude<Spec, 'SYMMETRIC_DEFAULT' | `HMAC_${string}` | `ML_DSA_${string}`>

/** The operations on material, and their results. undefined: the input is not of this key. */
interface Uses {
  encrypt: { ask: { plaintext: Uint8Array; context: EncryptionContext }; answer: Buffer }
  decrypt: { ask: { blob: Uint8Array; context: EncryptionContext }; answer: Buffer | undefined }
  rsaEncrypt: { ask: { plaintext: Uint8Array; hash: Hash }; answer: Buffer | undefined }
  rsaDecrypt: { ask: { ciphertext: Uint8Array; hash: Hash }; answer: Buffer | undefined }
  /** Decrypts here and encrypts there; the plaintext stays inside. */
  reEncrypt: { ask: { open: Opening; to: StoredMaterial; seal: Sealing }; answer: Buffer | 'unopened' | 'too-long' }
  /** Random bytes, in clear and under this key. */
  dataKey: {
    ask: { bytes: number; context: EncryptionContext }
    answer: { readonly plaintext: Buffer; readonly ciphertext: Buffer }
  }
  dataKeyPair: {
    ask: { spec: PairSpec; context: EncryptionContext }
    /** The private half as DER PKCS #8, the public one as DER SPKI. */
    answer: { readonly privateKey: Buffer; readonly publicKey: Buffer; readonly ciphertext: Buffer }
  }
  sign: { ask: { algorithm: SigningAlgorithm; type: MessageType; message: Uint8Array }; answer: Buffer }
  verify: {
    ask: { algorithm: SigningAlgorithm; type: MessageType; message: Uint8Array; signature: Uint8Array }
    answer: boolean
  }
  mac: { ask: { message: Uint8Array }; answer: Buffer }
  verifyMac: { ask: { message: Uint8Array; mac: Uint8Array }; answer: boolean }
  /** ECDH, NIST SP 800-56A §5.7.1.2: the x coordinate. undefined: the public key is not one of this curve. */
  derive: { ask: { publicKey: Uint8Array }; answer: Buffer | undefined }
  encapsulate: { ask: object; answer: { readonly secret: Buffer; readonly ciphertext: Buffer } }
  decapsulate: { ask: { ciphertext: Uint8Array }; answer: Buffer | undefined }
}

export type Opening =
  | { readonly by: 'context'; readonly blob: Uint8Array; readonly context: EncryptionContext }
  | { readonly by: 'oaep'; readonly ciphertext: Uint8Array; readonly hash: Hash }
export type Sealing =
  | { readonly by: 'context'; readonly context: EncryptionContext }
  | { readonly by: 'oaep'; readonly hash: Hash }

export type Use = keyof Uses
export type Operation = { [K in Use]: { readonly do: K } & Readonly<Uses[K]['ask']> }[Use]
export type Answered<O extends { readonly do: Use }> = Uses[O['do']]['answer']

/** How the bytes of an import travel. RSA_AES_KEY_WRAP: an AES key under OAEP, then the material under AES-KWP (RFC 5649). */
export interface Wrapping {
  readonly scheme: 'oaep' | 'aes-kwp'
  readonly hash: 'sha1' | 'sha256'
  readonly bits: 2048 | 3072 | 4096
}

export interface ImportOffer {
  /** Carries the private wrapping key, readable to this installation only. */
  readonly token: Buffer
  readonly publicKey: Buffer
}

export type ImportRefusal = 'bad-token' | 'expired-token' | 'undecryptable' | 'wrong-material'

export interface Materials {
  generate(home: MaterialContext, spec: Spec): Promise<GeneratedMaterial>
  /** The same material at another place: a replica's. */
  copy(held: StoredMaterial, home: MaterialContext): Sealed
  use<O extends Operation>(held: StoredMaterial, operation: O): Promise<Answered<O>>
  /** A new wrapping key for an import to this home, good until `expiresAt` (epoch milliseconds). */
  offerImport(home: MaterialContext, wrapping: Wrapping, expiresAt: number): Promise<ImportOffer>
  import(
    home: MaterialContext,
    spec: Spec,
    token: Uint8Array,
    wrapped: Uint8Array,
    now: number,
  ): Promise<GeneratedMaterial | ImportRefusal>
  /** Drops every opened key from memory, or those of one account. */
  forget(account?: string): void
}
