/** A small S3: buckets under policies, objects up to 64 MB; what trails are delivered to. */

import type { Service } from '../../kernel/service.ts'
import { orphansJob, sweepJob } from './blobs.ts'
import { createBucket, deleteBucket, getBucketAcl, getBucketLocation, headBucket, listBuckets } from './buckets.ts'
import { absentKeys } from './conditions.ts'
import {
  deleteBucketPolicy,
  deleteBucketTagging,
  deletePublicAccessBlock,
  getBucketPolicy,
  getBucketPolicyStatus,
  getBucketTagging,
  getPublicAccessBlock,
  putBucketPolicy,
  putBucketTagging,
  putPublicAccessBlock,
} from './governing.ts'
import { listObjects, listObjectsV2, listObjectVersions } from './lists.ts'
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './object-tags.ts'
import { deleteObject, deleteObjects, getObject, headObject, putObject } from './objects.ts'
import { s3 as words } from './resources.ts'
import { settings } from './settings.ts'

export const s3: Service = {
  api: words.api,
  operations: [
    // buckets
    createBucket,
    headBucket,
    listBuckets,
    getBucketLocation,
    getBucketAcl,
    deleteBucket,
    // what governs them
    putBucketPolicy,
    getBucketPolicy,
    getBucketPolicyStatus,
    deleteBucketPolicy,
    putPublicAccessBlock,
    getPublicAccessBlock,
    deletePublicAccessBlock,
    putBucketTagging,
    getBucketTagging,
    deleteBucketTagging,
    ...settings,
    // objects
    putObject,
    getObject,
    headObject,
    deleteObject,
    deleteObjects,
    listObjectsV2,
    listObjects,
    listObjectVersions,
    putObjectTagging,
    getObjectTagging,
    deleteObjectTagging,
  ],
  absentKeys,
  jobs: { 's3.sweep': sweepJob, 's3.orphans': orphansJob },
}
