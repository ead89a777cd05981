/** Objects in the order of their names' bytes, a page at a time, folded at a delimiter. */
import type { ChecksumAlgorithm } from '@aws-sdk/client-s3'
import type { Call } from '../../kernel/gate/call.ts'
import { pageTokens } from '../../kernel/service/page.ts'
import { badToken, invalidArgument } from './errors.ts'
import { ownerOf } from './resources.ts'
import { at, type BucketRow, type ObjectRow } from './rows.ts'
import { bucketNamed } from './targets.ts'
import { s3 } from './words.ts'

const PAGE_MAX = 1_000
const SECOND_MS = 1_000
const INT32_MAX = 2_147_483_647

interface Question {
  readonly prefix: string
  readonly delimiter: string
  /** Lists what is behind this name, and behind everything it folds into. */
  readonly after: string | undefined
  readonly max: number
}

interface Listing {
  readonly objects: readonly ObjectRow[]
  readonly prefixes: readonly string[]
  /** The last name or prefix of the page; undefined when nothing follows. */
  readonly next: string | undefined
}

async function listing(call: Call, bucket: BucketRow, { prefix, delimiter, after, max }: Question): Promise<Listing> {
  const objects: ObjectRow[] = []
  const prefixes: string[] = []
  if (max === 0) return { objects, prefixes, next: undefined }
  let behind = after === undefined ? undefined : at.object(bucket.name, after)
  let last: string | undefined
  /** What it has folded into already. */
  let lastName: string | undefined
  for (;;) {
    const rows = await call.unit.range<ObjectRow>(at.objects(bucket.name, prefix), {
      after: behind,
      limit: PAGE_MAX + 1,
    })
    for (const { document: row } of rows) {
      if (lastName !== undefined && row.key.startsWith(lastName)) continue
      const cut = delimiter === '' ? -1 : row.key.indexOf(delimiter, prefix.length)
      const folded = cut < 0 ? undefined : row.key.slice(0, cut + delimiter.length)
      if (folded !== undefined && after?.startsWith(folded)) {
        lastName = folded
        continue
      }
      if (objects.length + prefixes.length === max) return { objects, prefixes, next: last }
      last = lastName = folded
      if (folded === undefined) {
        objects.push(row)
        last = row.key
      } else prefixes.push(folded)
    }
    if (rows.length <= PAGE_MAX) return { objects, prefixes, next: undefined }
    // All that folds alike is passed over, however much it is.
    const end = rows.at(-1)!
    behind =
      lastName !== undefined && end.document.key.startsWith(lastName) ? at.behind(bucket.name, lastName) : end.key
  }
}

/** RFC 3986, as clients undo it; slashes stay. */
const encoded = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')

interface ListInput {
  readonly Prefix?: string | undefined
  readonly Delimiter?: string | undefined
  readonly MaxKeys?: number | undefined
  readonly EncodingType?: string | undefined
}

function questionOf(
  { Prefix = '', Delimiter = '', MaxKeys = PAGE_MAX }: ListInput,
  after: string | undefined,
): Question {
  if (!Number.isInteger(MaxKeys) || MaxKeys < 0 || MaxKeys > INT32_MAX)
    throw invalidArgument(
      `Argument max-keys must be an integer between 0 and ${INT32_MAX}`,
      'max-keys',
      String(MaxKeys),
    )
  return {
    prefix: Prefix,
    delimiter: Delimiter,
    after: after === '' ? undefined : after,
    max: Math.min(MaxKeys, PAGE_MAX),
  }
}

/** Which sums an entry has, not their values. */
function sumsOf({ checksums }: ObjectRow) {
  const names = Object.keys(checksums) as ChecksumAlgorithm[]
  return names.length > 0 && { ChecksumAlgorithm: names, ChecksumType: 'FULL_OBJECT' as const }
}

/** What every list says alike. */
function shown(bucket: BucketRow, request: ListInput, { objects, prefixes, next }: Listing, owner: boolean) {
  const text = request.EncodingType === 'url' ? encoded : (plain: string) => plain
  return {
    text,
    common: {
      Name: bucket.name,
      Prefix: text(request.Prefix ?? ''),
      MaxKeys: Math.min(request.MaxKeys ?? PAGE_MAX, PAGE_MAX),
      IsTruncated: next !== undefined,
      ...(request.Delimiter && { Delimiter: text(request.Delimiter) }),
      ...(request.EncodingType === 'url' && { EncodingType: 'url' as const }),
      CommonPrefixes: prefixes.map((prefix) => ({ Prefix: text(prefix) })),
    },
    contents: objects.map((row) => ({
      Key: text(row.key),
      LastModified: new Date(Math.floor(row.changedAt / SECOND_MS) * SECOND_MS),
      ETag: row.etag,
      ...sumsOf(row),
      Size: row.bytes,
      StorageClass: 'STANDARD' as const,
      ...(owner && { Owner: ownerOf(bucket) }),
    })),
  }
}

export const listObjectsV2 = s3
  .operation('ListObjectsV2')
  .on(bucketNamed)
  .actions('s3:ListBucket')
  .dataEvent()
  .run(async (call, input, { row: bucket }) => {
    const tokens = pageTokens(call, [bucket.name, input.Prefix, input.Delimiter])
    const resumed = input.ContinuationToken === undefined ? undefined : tokens.open(input.ContinuationToken)
    if (input.ContinuationToken !== undefined && resumed === undefined) throw badToken(input.ContinuationToken)
    const found = await listing(call, bucket, questionOf(input, resumed ?? input.StartAfter))
    const { common, contents, text } = shown(bucket, input, found, input.FetchOwner ?? false)
    return {
      ...common,
      KeyCount: found.objects.length + found.prefixes.length,
      Contents: contents,
      ...(input.StartAfter !== undefined && { StartAfter: text(input.StartAfter) }),
      ...(input.ContinuationToken !== undefined && { ContinuationToken: input.ContinuationToken }),
      ...(found.next !== undefined && { NextContinuationToken: tokens.seal(found.next) }),
    }
  })

export const listObjects = s3
  .operation('ListObjects')
  .on(bucketNamed)
  .actions('s3:ListBucket')
  .dataEvent()
  .run(async (call, input, { row: bucket }) => {
    const found = await listing(call, bucket, questionOf(input, input.Marker))
    const { common, contents, text } = shown(bucket, input, found, true)
    return {
      ...common,
      Marker: text(input.Marker ?? ''),
      Contents: contents,
      // AWS: returned only where a delimiter was.
      ...(found.next !== undefined && input.Delimiter && { NextMarker: text(found.next) }),
    }
  })

/** There are no versions: each object is its only one. */
export const listObjectVersions = s3
  .operation('ListObjectVersions')
  .on(bucketNamed)
  .actions('s3:ListBucketVersions')
  .dataEvent()
  .run(async (call, input, { row: bucket }) => {
    const found = await listing(call, bucket, questionOf(input, input.KeyMarker))
    const { common, contents, text } = shown(bucket, input, found, true)
    return {
      ...common,
      KeyMarker: text(input.KeyMarker ?? ''),
      VersionIdMarker: input.VersionIdMarker ?? '',
      Versions: contents.map((each) => ({ ...each, VersionId: 'null', IsLatest: true })),
      ...(found.next !== undefined && { NextKeyMarker: text(found.next), NextVersionIdMarker: 'null' }),
    }
  })
