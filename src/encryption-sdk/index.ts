/**
 * `merlon/encryption-sdk`: client-side encryption in the message format of the AWS Encryption SDK, which every official SDK
 * reads and writes. See docs/encryption-sdk.md.
 */
export {
  buildClient,
  type ClientOptions,
  type DecryptOptions,
  type EncryptionSdkClient,
  type EncryptOptions,
  type MessageInfo,
  type Source,
} from './client.ts'
export type { EncryptionContext } from './context.ts'
export * from './errors.ts'
export { type Inspection, inspect } from './inspect.ts'
export { type BranchKey, KeyStore, type KeyStoreOptions } from './key-store/key-store.ts'
export {
  type BranchKeyRecord,
  type BranchKeyStorage,
  type BranchKeyWrite,
  type DynamoDbClient,
  dynamoDbStorage,
  fileStorage,
  memoryStorage,
} from './key-store/storage.ts'
export type { EcdhCurve } from './keyrings/ecdh-wrapping.ts'
export { KmsHierarchicalKeyring, type KmsHierarchicalOptions } from './keyrings/hierarchical.ts'
export {
  buildMrkAwareDiscoveryMultiKeyring,
  buildMrkAwareStrictMultiKeyring,
  type DiscoveryFilter,
  KmsKeyring,
  type KmsKeyringOptions,
  type KmsMrkAwareDiscoveryOptions,
  type KmsMrkAwareOptions,
  KmsMrkAwareSymmetricDiscoveryKeyring,
  KmsMrkAwareSymmetricKeyring,
} from './keyrings/kms.ts'
export {
  type ClientProvider,
  cacheClients,
  excludeRegions,
  type KmsBranchKeyClient,
  type KmsEcdhClient,
  type KmsRsaClient,
  type KmsSymmetricClient,
  limitRegions,
} from './keyrings/kms-api.ts'
export { KmsEcdhKeyring, type KmsEcdhOptions, type KmsEcdhSchema } from './keyrings/kms-ecdh.ts'
export { KmsRsaKeyring, type KmsRsaOptions } from './keyrings/kms-rsa.ts'
export { MultiKeyring, type MultiKeyringOptions } from './keyrings/multi.ts'
export { Pkcs11Keyring, type Pkcs11Options } from './keyrings/pkcs11.ts'
export { RawAesKeyring, type RawAesOptions } from './keyrings/raw-aes.ts'
export { RawEcdhKeyring, type RawEcdhOptions, type RawEcdhSchema } from './keyrings/raw-ecdh.ts'
export { type OaepHash, RawRsaKeyring, type RawRsaOptions } from './keyrings/raw-rsa.ts'
export { CachingMaterialsManager, type CachingOptions, LocalCryptographicMaterialsCache } from './materials/caching.ts'
export { DefaultCryptographicMaterialsManager } from './materials/default.ts'
export type {
  CryptographicMaterialsManager,
  DecryptionMaterials,
  DecryptionMaterialsRequest,
  EncryptionMaterials,
  EncryptionMaterialsRequest,
  Keyring,
  UnwrappingRequest,
  WrappedDataKey,
  WrappingRequest,
} from './materials/materials.ts'
export {
  RequiredEncryptionContextMaterialsManager,
  type RequiredEncryptionContextOptions,
} from './materials/required-context.ts'
export type { EncryptedDataKey } from './message/header.ts'
export { AlgorithmSuiteIdentifier, CommitmentPolicy, type SuiteId, type SuiteName } from './suites.ts'
