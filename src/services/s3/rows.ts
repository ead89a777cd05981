/** What S3 stores: buckets, objects and the indexes of both. */
import type { Row } from '../../kernel/resource/facts.ts'
import type { StoredPolicy } from '../../kernel/resource/stored-policy.ts'
import { key, under } from '../../store/store.ts'
import type { ChecksumName } from '../../wire/checksums.ts'

export interface PublicAccessBlock {
  readonly BlockPublicAcls: boolean
  readonly IgnorePublicAcls: boolean
  readonly BlockPublicPolicy: boolean
  readonly RestrictPublicBuckets: boolean
}

export interface BucketRow extends Row {
  readonly name: string
  readonly account: string
  readonly region: string
  readonly createdAt: number
  readonly policy?: StoredPolicy
  readonly publicAccess?: PublicAccessBlock
}

/** Headers that are stored and returned, by the names of their members. */
export type KeptHeaders = Readonly<
  Partial<
    Record<
      | 'CacheControl'
      | 'ContentDisposition'
      | 'ContentEncoding'
      | 'ContentLanguage'
      | 'ContentType'
      | 'WebsiteRedirectLocation',
      string
    >
  >
>

export interface ObjectRow extends Row {
  readonly key: string
  /** The ID of its bytes. */
  readonly blob: string
  readonly bytes: number
  /** Quoted, as HTTP writes it. */
  readonly etag: string
  readonly changedAt: number
  readonly headers: KeptHeaders
  readonly expires?: number
  readonly metadata: Readonly<Record<string, string>>
  readonly checksums: Readonly<Partial<Record<ChecksumName, string>>>
}

/** Hexadecimal sorts as the bytes do, which is the order objects are listed in. */
const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex')

/** Where rows are stored, but for buckets: their type is in `resources.ts`. */
export const at = {
  /** An account's buckets. */
  owned: (account: string, name: string) => key('s3', 'bucket-of', account, name),
  ownedBy: (account: string) => under('s3', 'bucket-of', account),
  objects: (bucket: string, prefix = '') => under('s3', 'object', bucket) + hex(prefix),
  object: (bucket: string, name: string) => key('s3', 'object', bucket, hex(name)),
  /** Behind everything that begins so. */
  behind: (bucket: string, prefix: string) => `${key('s3', 'object', bucket, hex(prefix))}g`,
  /** Which blobs some row names. */
  blob: (id: string) => key('s3', 'blob', id),
  orphans: key('s3', 'orphans'),
}
