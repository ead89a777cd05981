/** Objects: put, read, removed. Every call here is a data event. */
import { hash } from 'node:crypto'
import type { HeadObjectOutput, PutObjectRequest } from '@aws-sdk/client-s3'
import type { Call } from '../../kernel/call.ts'
import { type ChecksumName, checksum, checksumNames } from '../../wire/checksums.ts'
import { Fault } from '../../wire/fault.ts'
import { dropBytes, keepBytes } from './blobs.ts'
import { type Asked, partOf, requireConditions, requireWritable } from './conditional.ts'
import { existingTags, requestedTags, tagsOfHeader } from './object-tags.ts'
import {
  actedObject,
  at,
  type BucketRow,
  bucketNamed,
  type KeptHeaders,
  type ObjectRow,
  objectNamed,
  present,
  refuse,
  type Spot,
  s3,
  unbuilt,
} from './resources.ts'

/** Bodies are held whole in memory while they are checked and sealed. */
const OBJECT_BYTES_MAX = 64 * 1024 * 1024
const METADATA_BYTES_MAX = 2 * 1024
const SECOND_MS = 1_000
const DELETED_MAX = 1_000
const KEPT = [
  'CacheControl',
  'ContentDisposition',
  'ContentEncoding',
  'ContentLanguage',
  'ContentType',
  'WebsiteRedirectLocation',
] as const

/** What would have to be kept and is not must not be taken for kept. */
function refuseUnbuilt(input: Partial<PutObjectRequest>): void {
  if (input.ServerSideEncryption !== undefined && input.ServerSideEncryption !== 'AES256')
    throw unbuilt(`ServerSideEncryption ${input.ServerSideEncryption}`)
  if (input.SSECustomerAlgorithm !== undefined) throw unbuilt('encryption with keys of the customer')
  if (input.StorageClass !== undefined && input.StorageClass !== 'STANDARD')
    throw unbuilt(`StorageClass ${input.StorageClass}`)
  if (input.ObjectLockMode ?? input.ObjectLockLegalHoldStatus) throw unbuilt('object lock')
  if (input.WriteOffsetBytes !== undefined) throw unbuilt('appending')
  if (input.ACL !== undefined && input.ACL !== 'bucket-owner-full-control')
    throw refuse('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs')
  if (input.GrantRead ?? input.GrantReadACP ?? input.GrantWriteACP)
    throw refuse('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs')
}

/** Every sum that came along is compared; those that were asked for are kept. */
function checkedSums(input: Partial<PutObjectRequest>, bytes: Buffer): ObjectRow['checksums'] {
  if (input.ContentMD5 !== undefined) {
    if (Buffer.from(input.ContentMD5, 'base64').length !== 16)
      throw refuse('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.')
    if (input.ContentMD5 !== checksum('MD5', bytes))
      throw refuse('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.')
  }
  const given = input as Readonly<Record<string, unknown>>
  if (Object.keys(given).some((name) => name.startsWith('ChecksumXXHASH'))) throw unbuilt('checksums by xxHash')
  const kept: Partial<Record<ChecksumName, string>> = {}
  for (const name of checksumNames) {
    const stated = given[`Checksum${name}`]
    // One in a trailer was compared when the body was taken apart.
    if (stated === undefined && input.ChecksumAlgorithm !== name) continue
    const sum = checksum(name, bytes)
    if (stated !== undefined && stated !== sum)
      throw refuse('BadDigest', 400, `The ${name} you specified did not match the calculated checksum.`)
    kept[name] = sum
  }
  return kept
}

function keptHeaders(input: Partial<PutObjectRequest>): KeptHeaders {
  const kept: Partial<Record<(typeof KEPT)[number], string>> = {}
  for (const name of KEPT) if (input[name] !== undefined) kept[name] = input[name]
  const encodings = (kept.ContentEncoding ?? '').split(',').map((each) => each.trim())
  const own = encodings.filter((each) => each !== '' && each !== 'aws-chunked')
  const { ContentEncoding: _framing, ...others } = kept
  return { ContentType: 'binary/octet-stream', ...others, ...(own.length > 0 && { ContentEncoding: own.join(',') }) }
}

const shownSums = (sums: ObjectRow['checksums']) => ({
  ...Object.fromEntries(Object.entries(sums).map(([name, value]) => [`Checksum${name}`, value])),
  ...(Object.keys(sums).length > 0 && { ChecksumType: 'FULL_OBJECT' as const }),
})

export const putObject = s3
  .operation('PutObject')
  .on(objectNamed)
  .dataEvent()
  .given(({ ACL, ServerSideEncryption, StorageClass, Tagging }, _call, spot) => ({
    ...existingTags(spot),
    ...requestedTags(tagsOfHeader(Tagging)),
    's3:x-amz-acl': ACL,
    's3:x-amz-server-side-encryption': ServerSideEncryption,
    's3:x-amz-storage-class': StorageClass,
  }))
  .run(async (call, input, { bucket, key, row: before }) => {
    refuseUnbuilt(input as Partial<PutObjectRequest>)
    const body = (input.Body ?? Buffer.alloc(0)) as unknown as Uint8Array
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    if (bytes.length > OBJECT_BYTES_MAX)
      throw refuse('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size')
    const metadata = input.Metadata ?? {}
    const described = Object.entries(metadata).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0)
    if (described > METADATA_BYTES_MAX)
      throw refuse('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size')
    const checksums = checkedSums(input as Partial<PutObjectRequest>, bytes)
    if (input.IfMatch !== undefined && before) await mayCompare(call, bucket, key)
    requireWritable(input, before)
    const tags = tagsOfHeader(input.Tagging)
    if (Object.keys(tags).length > 0)
      await call.authorize('s3:PutObjectTagging', actedObject(call, bucket, key), requestedTags(tags))

    const blob = await keepBytes(call, bucket, bytes)
    const row: ObjectRow = {
      key,
      blob,
      bytes: bytes.length,
      etag: `"${hash('md5', bytes, 'hex')}"`,
      changedAt: call.now,
      headers: keptHeaders(input as Partial<PutObjectRequest>),
      metadata,
      checksums,
      ...(Object.keys(tags).length > 0 && { tags }),
      ...(input.Expires && { expires: input.Expires.getTime() }),
    }
    if (before) dropBytes(call, before)
    call.unit.put(at.object(bucket.name, key), row)
    call.unit.put(at.blob(blob), { bucket: bucket.name })
    call.event.additionalEventData = { bytesTransferredIn: bytes.length }
    return { ETag: row.etag, ServerSideEncryption: 'AES256' as const, ...shownSums(checksums) }
  })

/** A tag is a hash of what is inside: whoever may try tags learns it, so only who may read may. */
const mayCompare = (call: Call, bucket: BucketRow, key: string) =>
  call.authorize('s3:GetObject', actedObject(call, bucket, key))

function described(row: ObjectRow, whole: boolean, sums: boolean): Omit<HeadObjectOutput, 'ContentLength'> {
  return {
    AcceptRanges: 'bytes',
    LastModified: new Date(Math.floor(row.changedAt / SECOND_MS) * SECOND_MS),
    ETag: row.etag,
    ServerSideEncryption: 'AES256',
    Metadata: row.metadata,
    ...(row.tags && { TagCount: Object.keys(row.tags).length }),
    ...row.headers,
    ...(row.expires !== undefined && { ExpiresString: new Date(row.expires).toUTCString() }),
    ...(whole && sums && shownSums(row.checksums)),
  }
}

interface Overrides {
  readonly ResponseCacheControl?: string | undefined
  readonly ResponseContentDisposition?: string | undefined
  readonly ResponseContentEncoding?: string | undefined
  readonly ResponseContentLanguage?: string | undefined
  readonly ResponseContentType?: string | undefined
}

/** What a header can hold. */
const LATIN_1 = /^[\t\x20-\x7e\x80-\xff]*$/

function overridden(input: Overrides) {
  for (const [name, value] of Object.entries(input))
    if (name.startsWith('Response') && typeof value === 'string' && !LATIN_1.test(value))
      throw refuse('InvalidArgument', 400, 'Header value cannot be represented using ISO-8859-1.')
  return {
    ...(input.ResponseCacheControl !== undefined && { CacheControl: input.ResponseCacheControl }),
    ...(input.ResponseContentDisposition !== undefined && { ContentDisposition: input.ResponseContentDisposition }),
    ...(input.ResponseContentEncoding !== undefined && { ContentEncoding: input.ResponseContentEncoding }),
    ...(input.ResponseContentLanguage !== undefined && { ContentLanguage: input.ResponseContentLanguage }),
    ...(input.ResponseContentType !== undefined && { ContentType: input.ResponseContentType }),
  }
}

/** There are no versions: the one there is goes by `null`. */
function requireNoVersion(version: string | undefined): void {
  if (version !== undefined && version !== 'null')
    throw refuse('NoSuchVersion', 404, 'The specified version does not exist.')
}

type ReadInput = Asked &
  Overrides & {
    readonly VersionId?: string | undefined
    readonly Range?: string | undefined
    readonly ChecksumMode?: string | undefined
  }

/** What GetObject and HeadObject tell alike: the whole, or the part that was asked for. */
async function opened(call: Call, input: ReadInput, spot: Spot) {
  requireNoVersion(input.VersionId)
  const row = await present(call, spot)
  requireConditions(input, row)
  const part = partOf(input.Range, row.bytes)
  const told = {
    ...described(row, !part, input.ChecksumMode === 'ENABLED'),
    ...overridden(input),
    ContentLength: part ? part.end - part.start : row.bytes,
    ...(part && { ContentRange: `bytes ${part.start}-${part.end - 1}/${row.bytes}` }),
  }
  return { row, part, told }
}

export const getObject = s3
  .operation('GetObject')
  .on(objectNamed)
  .dataEvent()
  .given((_input, _call, spot) => existingTags(spot))
  .run(async (call, input, spot) => {
    const { row, part, told } = await opened(call, input, spot)
    const bytes = await call.ports.blobs.get({ id: row.blob, account: spot.bucket.account }, row.bytes)
    const body = part ? bytes.subarray(part.start, part.end) : bytes
    call.event.additionalEventData = { bytesTransferredOut: body.length }
    return { ...told, Body: body as never }
  })

export const headObject = s3
  .operation('HeadObject')
  .on(objectNamed)
  .asking('s3:GetObject')
  .dataEvent()
  .given((_input, _call, spot) => existingTags(spot))
  .run(async (call, input, spot) => (await opened(call, input, spot)).told)

function remove(call: Call, bucket: string, row: ObjectRow | undefined): void {
  if (!row) return
  dropBytes(call, row)
  call.unit.delete(at.object(bucket, row.key))
}

/** What is not there is deleted already. */
export const deleteObject = s3
  .operation('DeleteObject')
  .on(objectNamed)
  .dataEvent()
  .given((_input, _call, spot) => existingTags(spot))
  .run(async (call, input, { bucket, key, row }) => {
    requireNoVersion(input.VersionId)
    if (input.IfMatch !== undefined && row) {
      if (input.IfMatch !== '*') await mayCompare(call, bucket, key)
      requireConditions({ IfMatch: input.IfMatch }, row)
    }
    remove(call, bucket.name, row)
    return {}
  })

/** Each object is asked for by itself; what one may not delete is told, and the rest goes. */
export const deleteObjects = s3
  .operation('DeleteObjects')
  .on(bucketNamed)
  .asking()
  .dataEvent()
  .run(async (call, { Delete: asked }, bucket) => {
    const objects = asked?.Objects ?? []
    if (objects.length === 0 || objects.length > DELETED_MAX)
      throw refuse(
        'MalformedXML',
        400,
        'The XML you provided was not well-formed or did not validate against our published schema',
      )
    const Deleted: { Key: string; VersionId?: string }[] = []
    const Errors: { Key: string; Code: string; Message: string }[] = []
    for (const { Key = '', VersionId } of objects) {
      try {
        requireNoVersion(VersionId)
        const action = VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion'
        await call.authorize(action, actedObject(call, bucket, Key))
        remove(call, bucket.name, await call.unit.get<ObjectRow>(at.object(bucket.name, Key)))
        Deleted.push({ Key, ...(VersionId !== undefined && { VersionId }) })
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        Errors.push({ Key, Code: error.code, Message: error.message })
      }
    }
    return { ...(asked?.Quiet ? {} : { Deleted }), Errors }
  })
