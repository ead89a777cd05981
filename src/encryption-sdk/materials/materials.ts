/**
 * What keyrings and cryptographic materials managers exchange: a data key, and the same key encrypted under each wrapping key.
 * Names follow the AWS Encryption SDK, so that its documentation applies.
 */
import type { KeyObject } from 'node:crypto'
import type { EncryptionContext } from '../context.ts'
import type { EncryptedDataKey } from '../message/header.ts'
import type { CommitmentPolicy, Suite, SuiteId } from '../suites.ts'

/** What a keyring wraps a data key for. */
export interface WrappingRequest {
  readonly suite: Suite
  /** All of it: what the message stores, and what it does not. */
  readonly encryptionContext: EncryptionContext
  /** Absent: the keyring makes one. The keyring does not change it. */
  readonly dataKey?: Buffer
}

export interface WrappedDataKey {
  /** Of `suite.keyBytes` bytes. */
  readonly dataKey: Buffer
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
}

/** What a keyring unwraps a data key for. */
export interface UnwrappingRequest {
  readonly suite: Suite
  readonly encryptionContext: EncryptionContext
}

/** Wraps and unwraps data keys under one wrapping key or several. */
export interface Keyring {
  /** Throws when it cannot wrap: a message is written for all of its keys, or not at all. */
  onEncrypt(request: WrappingRequest): Promise<WrappedDataKey>
  /** Tries the encrypted data keys that are its own. Throws `UnableToDecryptDataKey` when none decrypts. */
  onDecrypt(request: UnwrappingRequest, encryptedDataKeys: readonly EncryptedDataKey[]): Promise<Buffer>
}

export interface EncryptionMaterialsRequest {
  readonly encryptionContext: EncryptionContext
  readonly commitmentPolicy: CommitmentPolicy
  /** Absent: the default of the commitment policy. */
  readonly suiteId?: SuiteId
  /** Keys of the context that are authenticated and not stored. */
  readonly requiredContextKeys?: ReadonlySet<string>
  /** Bytes of plaintext, when that is known. */
  readonly plaintextLength?: number
}

export interface EncryptionMaterials {
  readonly suite: Suite
  readonly encryptionContext: EncryptionContext
  readonly requiredContextKeys: ReadonlySet<string>
  /** The receiver wipes it. */
  readonly dataKey: Buffer
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
  readonly signingKey?: KeyObject
}

export interface DecryptionMaterialsRequest {
  readonly suite: Suite
  readonly commitmentPolicy: CommitmentPolicy
  /** As the message stores it. */
  readonly encryptionContext: EncryptionContext
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
  /** What the reader passes to `decrypt`. */
  readonly reproducedContext?: EncryptionContext
}

export interface DecryptionMaterials {
  readonly suite: Suite
  /** Stored and reproduced. */
  readonly encryptionContext: EncryptionContext
  /** Keys that the message does not store. */
  readonly requiredContextKeys: ReadonlySet<string>
  /** The receiver wipes it. */
  readonly dataKey: Buffer
  readonly verificationKey?: KeyObject
}

/** Supplies materials for each message: the place for caches and for rules about contexts. */
export interface CryptographicMaterialsManager {
  getEncryptionMaterials(request: EncryptionMaterialsRequest): Promise<EncryptionMaterials>
  decryptMaterials(request: DecryptionMaterialsRequest): Promise<DecryptionMaterials>
}
