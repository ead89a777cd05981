/** Secrets Manager: encrypted credentials, retrieved on demand and rotated automatically. */
import { operationsOf } from '../../kernel/service/define-service.ts'
import { secretsmanager as words } from './api.ts'
import { absentKeys } from './conditions.ts'
import * as lists from './lists.ts'
import * as passwords from './passwords.ts'
import * as policies from './policies.ts'
import * as replicas from './replicas.ts'
import * as retrieval from './retrieval.ts'
import { dueJob, stepJob } from './rotating.ts'
import * as rotation from './rotation.ts'
import * as secrets from './secrets.ts'
import * as tagging from './tagging.ts'
import * as versions from './versions.ts'

export const secretsmanager = words.service({
  operations: operationsOf(secrets, lists, tagging, retrieval, versions, passwords, rotation, replicas, policies),
  absentKeys,
  jobs: {
    'secretsmanager.delete': secrets.deleteJob,
    'secretsmanager.rotation-due': dueJob,
    'secretsmanager.rotate': stepJob,
  },
})
