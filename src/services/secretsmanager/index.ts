/** Secrets Manager: credentials kept encrypted, fetched on demand, rotated where they are used. */

import type { Service } from '../../kernel/service.ts'
import { absentKeys } from './conditions.ts'
import { listSecrets } from './lists.ts'
import { getRandomPassword } from './passwords.ts'
import { deleteResourcePolicy, getResourcePolicy, putResourcePolicy, validateResourcePolicy } from './policies.ts'
import { removeRegionsFromReplication, replicateSecretToRegions, stopReplicationToReplica } from './replicas.ts'
import { secretsmanager as words } from './resources.ts'
import { batchGetSecretValue, getSecretValue } from './retrieval.ts'
import { dueJob, stepJob } from './rotating.ts'
import { cancelRotateSecret, rotateSecret } from './rotation.ts'
import { createSecret, deleteJob, deleteSecret, describeSecret, restoreSecret, updateSecret } from './secrets.ts'
import { tagResource, untagResource } from './tagging.ts'
import { listSecretVersionIds, putSecretValue, updateSecretVersionStage } from './versions.ts'

export const secretsmanager: Service = {
  api: words.api,
  operations: [
    // secrets
    createSecret,
    describeSecret,
    updateSecret,
    listSecrets,
    deleteSecret,
    restoreSecret,
    tagResource,
    untagResource,
    // values and their versions
    getSecretValue,
    batchGetSecretValue,
    putSecretValue,
    listSecretVersionIds,
    updateSecretVersionStage,
    getRandomPassword,
    // rotation
    rotateSecret,
    cancelRotateSecret,
    // other Regions
    replicateSecretToRegions,
    removeRegionsFromReplication,
    stopReplicationToReplica,
    // resource policies
    putResourcePolicy,
    getResourcePolicy,
    deleteResourcePolicy,
    validateResourcePolicy,
  ],
  absentKeys,
  jobs: {
    'secretsmanager.delete': deleteJob,
    'secretsmanager.rotation-due': dueJob,
    'secretsmanager.rotate': stepJob,
  },
}
