/** The resource types of S3: buckets, whose names are unique in the installation; objects are found through their bucket. */
import { createHash } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import type { ResourceFacts } from '../../kernel/resource/facts.ts'
import { pairsIn } from '../../kernel/resource/tag-rules.ts'
import { publicStatements, readPolicy } from '../../policy/index.ts'
import { bucketKeys, newBucketKeys } from './conditions.ts'
import { invalidBucketName, noSuchBucket } from './errors.ts'
import type { BucketRow } from './rows.ts'
import { bucketTags } from './tags.ts'
import { s3 } from './words.ts'

export type BucketId = { readonly BucketName: string }

/** Operations find buckets by `targets.ts`: a missing bucket is reported before any permission is evaluated. */
export const bucket = s3.resource({
  kind: 'bucket',
  type: 'AWS::S3::Bucket',
  arn: 'arn:${Partition}:s3:::${BucketName}',
  storedPer: 'installation',
  shortForm: 'BucketName',
  idOf: (row: BucketRow) => ({ BucketName: row.name }),
  owner: ({ account }) => account,
  policy: ({ policy }) => policy,
  policySource: () => ({ id: 'bucket' }),
  facts: bucketFacts,
  tags: {
    action: 's3:TagResource',
    member: 'CreateBucketConfiguration',
    pairs: (configuration) => pairsIn((configuration as { readonly Tags?: unknown } | undefined)?.Tags),
    merge: (_before, pairs) => bucketTags(pairs),
  },
  faults: { notFound: (_arn, { BucketName }) => noSuchBucket(BucketName), invalidReference: invalidBucketName },
})

function bucketFacts(call: Call, row: BucketRow | undefined): Partial<ResourceFacts> {
  if (!row) return { conditions: newBucketKeys(call) }
  const conditions = bucketKeys(call, row)
  return isClosedTo(call, row) ? { conditions, policy: undefined } : { conditions }
}

/**
 * RestrictPublicBuckets: "only AWS service principals and authorized users within this account" pass a public policy. For
 * every other caller the policy does not count.
 */
function isClosedTo({ caller, account }: Call, row: BucketRow): boolean {
  if (!row.publicAccess?.RestrictPublicBuckets || account === row.account) return false
  return caller.principal.kind !== 'service' && bucketIsPublic(row)
}

/** Rows never change in place: a policy is read once for each version of its row. */
const publicBuckets = new WeakMap<BucketRow, boolean>()

export function bucketIsPublic(row: BucketRow): boolean {
  if (!row.policy) return false
  let isPublic = publicBuckets.get(row)
  if (isPublic === undefined) {
    isPublic = publicStatements(readPolicy(row.policy.text, 'resource')).length > 0
    publicBuckets.set(row, isPublic)
  }
  return isPublic
}

/** Of a name in a request, which need not be one that a bucket can have. */
export const bucketArn = (name: string): string =>
  bucket.form.printPattern({ partition: 'aws', region: '', account: '' }, { BucketName: name })

/** S3 shows accounts by such IDs. */
export const canonicalId = (account: string): string =>
  createHash('sha256').update(`merlon canonical user ${account}`).digest('hex')

export const ownerOf = ({ account }: Pick<BucketRow, 'account'>) => ({ ID: canonicalId(account) })
