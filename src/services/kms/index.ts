/** KMS: keys that never leave, and what may be done with them. Custom key stores are not built. */
import { keys as keysToken } from '../../kernel/ports/keys.ts'
import { provide } from '../../kernel/ports/port.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as agreement from './agreement.ts'
import * as aliases from './aliases.ts'
import { absentKeys, conditionKeys } from './conditions.ts'
import * as dataKeys from './data-keys.ts'
import * as deletion from './deletion.ts'
import * as encryption from './encrypt.ts'
import * as grants from './grants.ts'
import * as imports from './import.ts'
import { ROTATE_JOB } from './key-jobs.ts'
import * as keys from './keys.ts'
import * as lastUsage from './last-usage.ts'
import * as mac from './mac.ts'
import * as policies from './policies.ts'
import { keysPort } from './port.ts'
import * as replicas from './replicas.ts'
import * as rotation from './rotation.ts'
import * as signatures from './sign.ts'
import * as tags from './tags.ts'
import { kms as words } from './words.ts'

export const kms = words.service({
  operations: operationsOf(
    keys,
    deletion,
    lastUsage,
    aliases,
    policies,
    grants,
    tags,
    rotation,
    imports,
    replicas,
    encryption,
    dataKeys,
    signatures,
    mac,
    agreement,
  ),
  conditionKeys,
  absentKeys,
  // What time does to keys.
  jobs: {
    [deletion.DELETE_JOB]: deletion.deleteJob,
    [imports.EXPIRE_JOB]: imports.expireJob,
    [ROTATE_JOB]: rotation.rotateJob,
  },
  open: () => ({ provides: [provide(keysToken, keysPort)] }),
})
