/** KMS: keys that never leave, and what may be done with them. Custom key stores are not built. */

import type { Service } from '../../kernel/service.ts'
import { decapsulate, deriveSharedSecret, encapsulate, getPublicKey } from './agreement.ts'
import { createAlias, deleteAlias, listAliases, updateAlias } from './aliases.ts'
import { absentKeys } from './conditions.ts'
import {
  generateDataKey,
  generateDataKeyPair,
  generateDataKeyPairWithoutPlaintext,
  generateDataKeyWithoutPlaintext,
  generateRandom,
} from './data-keys.ts'
import { cancelKeyDeletion, DELETE_JOB, deleteJob, scheduleKeyDeletion } from './deletion.ts'
import { decrypt, encrypt, reEncrypt } from './encrypt.ts'
import { createGrant, listGrants, listRetirableGrants, retireGrant, revokeGrant } from './grants.ts'
import {
  deleteImportedKeyMaterial,
  EXPIRE_JOB,
  expireJob,
  getParametersForImport,
  importKeyMaterial,
} from './import.ts'
import { ROTATE_JOB } from './key-jobs.ts'
import { createKey, describeKey, disableKey, enableKey, listKeys, updateKeyDescription } from './keys.ts'
import { getKeyLastUsage } from './last-usage.ts'
import { generateMac, verifyMac } from './mac.ts'
import { getKeyPolicy, listKeyPolicies, putKeyPolicy } from './policies.ts'
import { replicateKey, updatePrimaryRegion } from './replicas.ts'
import { kms as words } from './resources.ts'
import {
  disableKeyRotation,
  enableKeyRotation,
  getKeyRotationStatus,
  listKeyRotations,
  rotateJob,
  rotateKeyOnDemand,
} from './rotation.ts'
import { sign, verify } from './sign.ts'
import { listResourceTags, tagResource, untagResource } from './tags.ts'

export const kms: Service = {
  api: words.api,
  operations: [
    // keys
    createKey,
    describeKey,
    listKeys,
    enableKey,
    disableKey,
    updateKeyDescription,
    scheduleKeyDeletion,
    cancelKeyDeletion,
    getKeyLastUsage,
    // aliases
    createAlias,
    updateAlias,
    deleteAlias,
    listAliases,
    // who may
    getKeyPolicy,
    putKeyPolicy,
    listKeyPolicies,
    createGrant,
    listGrants,
    listRetirableGrants,
    retireGrant,
    revokeGrant,
    // tags
    tagResource,
    untagResource,
    listResourceTags,
    // material
    enableKeyRotation,
    disableKeyRotation,
    getKeyRotationStatus,
    rotateKeyOnDemand,
    listKeyRotations,
    getParametersForImport,
    importKeyMaterial,
    deleteImportedKeyMaterial,
    // several Regions
    replicateKey,
    updatePrimaryRegion,
    // encryption
    encrypt,
    decrypt,
    reEncrypt,
    generateDataKey,
    generateDataKeyWithoutPlaintext,
    generateDataKeyPair,
    generateDataKeyPairWithoutPlaintext,
    generateRandom,
    // signatures and codes
    sign,
    verify,
    generateMac,
    verifyMac,
    // secrets shared with others
    getPublicKey,
    deriveSharedSecret,
    encapsulate,
    decapsulate,
  ],
  // what time does to keys
  absentKeys,
  jobs: { [DELETE_JOB]: deleteJob, [EXPIRE_JOB]: expireJob, [ROTATE_JOB]: rotateJob },
}
