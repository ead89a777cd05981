/** A small S3: buckets under policies, objects up to 64 MB; what trails are delivered to. */
import { operationsOf } from '../../kernel/service/define-service.ts'
import { keptObjects, orphansJob, sweepJob } from './blobs.ts'
import * as buckets from './buckets.ts'
import { absentKeys, conditionKeys } from './conditions.ts'
import * as configuration from './governing.ts'
import * as lists from './lists.ts'
import * as objectTags from './object-tags.ts'
import * as objects from './objects.ts'
import * as settings from './settings.ts'
import { s3 as words } from './words.ts'

export const s3 = words.service({
  operations: operationsOf(buckets, configuration, settings, objects, lists, objectTags),
  conditionKeys,
  absentKeys,
  storedBytes: keptObjects,
  jobs: { 's3.sweep': sweepJob, 's3.orphans': orphansJob },
})
