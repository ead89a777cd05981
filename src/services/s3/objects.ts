/** Objects: put, read, removed. Every call here is a data event. */
import { hash } from 'node:crypto'
import type { HeadObjectOutput, PutObjectRequest } from '@aws-sdk/client-s3'
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import { type ChecksumName, checksumNames, checksumSteps } from '../../wire/checksums.ts'
import { Fault } from '../../wire/fault.ts'
import { checkMd5, checkSum, malformedXml } from '../../wire/s3.ts'
import { inTurns } from '../../wire/sigv4/steps.ts'
import { dropBytes, keepBytes } from './blobs.ts'
import { type ConditionalInput, partNumbered, partOf, requireConditions, requireWritable } from './conditional.ts'
import { invalidArgument, refuse, unbuilt } from './errors.ts'
import { at, type KeptHeaders, type ObjectRow } from './rows.ts'
import { hasTags, tagsOfHeader } from './tags.ts'
import {
  actionFor,
  bucketNamed,
  byVersion,
  locationOf,
  type ObjectLocation,
  objectFacts,
  objectNamed,
  objectToWrite,
  present,
  requireKey,
  requireNoVersion,
} from './targets.ts'
import { s3 } from './words.ts'

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

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
const DEFAULT_CHECKSUM: ChecksumName = 'CRC64NVME'

/** Every sum that came along is compared and kept. Without one the object gets S3's default. */
async function checkedSums(input: Partial<PutObjectRequest>, bytes: Buffer): Promise<ObjectRow['checksums']> {
  if (input.ContentMD5 !== undefined) checkMd5(input.ContentMD5, bytes)
  const given = input as Readonly<Record<string, unknown>>
  if (Object.keys(given).some((name) => name.startsWith('ChecksumXXHASH'))) throw unbuilt('checksums by xxHash')
  const stated = checksumNames.filter((name) => given[`Checksum${name}`] !== undefined)
  if (stated.length > 1)
    throw refuse(
      'InvalidRequest',
      400,
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    )
  const [name] = stated
  if (name !== undefined) return { [name]: checkSum(name, String(given[`Checksum${name}`]), bytes) }
  // One in a trailer was compared when the body was taken apart.
  const computed = (input.ChecksumAlgorithm as ChecksumName | undefined) ?? DEFAULT_CHECKSUM
  return { [computed]: await inTurns(checksumSteps(computed, bytes)) }
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
  .on(objectToWrite)
  .dataEvent()
  .conditions((input) => ({ 's3:if-match': input.IfMatch }))
  .run(async (call, input, object) => {
    const { bucket, key, row: before } = object
    refuseUnbuilt(input as Partial<PutObjectRequest>)
    const body = (input.Body ?? Buffer.alloc(0)) as unknown as Uint8Array
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    if (bytes.length > OBJECT_BYTES_MAX)
      throw refuse('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', {
        ProposedSize: bytes.length,
        MaxSizeAllowed: OBJECT_BYTES_MAX,
      })
    const metadata = input.Metadata ?? {}
    const described = Object.entries(metadata).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0)
    if (described > METADATA_BYTES_MAX)
      throw refuse('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size', {
        Size: described,
        MaxSizeAllowed: METADATA_BYTES_MAX,
      })
    const checksums = await checkedSums(input as Partial<PutObjectRequest>, bytes)
    if (input.IfMatch !== undefined && before) await mayCompare(call, object)
    requireWritable(input, key, before)
    const tags = tagsOfHeader(input.Tagging)
    const blob = await keepBytes(call, bucket.row, bytes)
    const row: ObjectRow = {
      key,
      blob,
      bytes: bytes.length,
      etag: `"${hash('md5', bytes, 'hex')}"`,
      changedAt: call.now,
      headers: keptHeaders(input as Partial<PutObjectRequest>),
      metadata,
      checksums,
      ...(hasTags(tags) && { tags }),
      ...(input.Expires && { expires: input.Expires.getTime() }),
    }
    if (before) dropBytes(call, before)
    call.unit.put(at.object(bucket.row.name, key), row)
    call.unit.put(at.blob(blob), { bucket: bucket.row.name })
    moved(call, { bytesTransferredIn: bytes.length })
    return { ETag: row.etag, ServerSideEncryption: 'AES256' as const, ...shownSums(checksums) }
  })

function moved(call: Call, bytes: Readonly<Record<string, number>>): void {
  call.event.additionalEventData = { ...call.event.additionalEventData, ...bytes }
}

/** A tag is a hash of what is inside: a caller that may try tags learns it, so only callers that may read may try. */
const mayCompare = (call: Call, object: ObjectLocation) => call.authorize('s3:GetObject', objectFacts(object))

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

/** `ResponseContentType` → `response-content-type`. */
const parameterOf = (name: string) => name.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase()

function overridden(input: Overrides) {
  for (const [name, value] of Object.entries(input))
    if (name.startsWith('Response') && typeof value === 'string' && !LATIN_1.test(value))
      throw invalidArgument('Header value cannot be represented using ISO-8859-1.', parameterOf(name), value)
  return {
    ...(input.ResponseCacheControl !== undefined && { CacheControl: input.ResponseCacheControl }),
    ...(input.ResponseContentDisposition !== undefined && { ContentDisposition: input.ResponseContentDisposition }),
    ...(input.ResponseContentEncoding !== undefined && { ContentEncoding: input.ResponseContentEncoding }),
    ...(input.ResponseContentLanguage !== undefined && { ContentLanguage: input.ResponseContentLanguage }),
    ...(input.ResponseContentType !== undefined && { ContentType: input.ResponseContentType }),
  }
}

type ReadInput = ConditionalInput &
  Overrides & {
    readonly VersionId?: string | undefined
    readonly Range?: string | undefined
    readonly PartNumber?: number | undefined
    readonly ChecksumMode?: string | undefined
  }

/** What GetObject and HeadObject have in common: the whole object, or the requested part. */
async function opened(call: Call, input: ReadInput, object: ObjectLocation) {
  requireNoVersion(input.VersionId, object.key)
  const row = await present(call, object)
  requireConditions(input, row)
  const part =
    input.PartNumber === undefined
      ? partOf(input.Range, row.bytes)
      : partNumbered(input.PartNumber, input.Range, row.bytes)
  const whole = part === undefined || part.end - part.start === row.bytes
  const told = {
    ...described(row, whole, input.ChecksumMode?.toUpperCase() === 'ENABLED'),
    ...(input.VersionId !== undefined && { VersionId: input.VersionId }),
    ...overridden(input),
    ContentLength: part ? part.end - part.start : row.bytes,
    ...(part && { ContentRange: `bytes ${part.start}-${part.end - 1}/${row.bytes}` }),
  }
  return { row, part, told }
}

export const getObject = s3
  .operation('GetObject')
  .on(objectNamed)
  .actionsBy(...byVersion('s3:GetObject', 's3:GetObjectVersion'))
  .dataEvent()
  .run(async (call, input, object) => {
    const { row, part, told } = await opened(call, input, object)
    const bytes = await call.ports.blobs.get({ id: row.blob, account: object.bucket.scope.account }, row.bytes)
    const body = part ? bytes.subarray(part.start, part.end) : bytes
    moved(call, { bytesTransferredOut: body.length })
    return { ...told, Body: body as never }
  })

export const headObject = s3
  .operation('HeadObject')
  .on(objectNamed)
  .actionsBy(...byVersion('s3:GetObject', 's3:GetObjectVersion'))
  .dataEvent()
  .run(async (call, input, object) => (await opened(call, input, object)).told)

/** One deletion, requested alone or among many. */
interface Deletion {
  readonly VersionId?: string | undefined
  readonly IfMatch?: string | undefined
  readonly IfMatchLastModifiedTime?: Date | undefined
  readonly IfMatchSize?: number | undefined
}

const DELETE = ['s3:DeleteObject', 's3:DeleteObjectVersion'] as const

const deletionKeys = ({ VersionId, IfMatch }: Deletion): Conditions => ({
  's3:versionid': VersionId,
  's3:if-match': IfMatch,
})

/** After authorization. What is not there is deleted already. */
async function remove(call: Call, wanted: Deletion, object: ObjectLocation): Promise<void> {
  const { bucket, key, row } = object
  requireNoVersion(wanted.VersionId, key)
  if (wanted.IfMatchLastModifiedTime !== undefined || wanted.IfMatchSize !== undefined)
    throw unbuilt('deletion by time or size, which is for directory buckets')
  if (!row) return
  if (wanted.IfMatch !== undefined) {
    if (wanted.IfMatch !== '*') await mayCompare(call, object)
    requireConditions({ IfMatch: wanted.IfMatch }, row)
  }
  dropBytes(call, row)
  call.unit.delete(at.object(bucket.row.name, key))
}

export const deleteObject = s3
  .operation('DeleteObject')
  .on(objectNamed)
  .actionsBy(...byVersion(...DELETE))
  .dataEvent()
  .conditions(deletionKeys)
  .run(async (call, input, object) => {
    await remove(call, input, object)
    return input.VersionId === undefined ? {} : { VersionId: input.VersionId }
  })

/** Each object is decided as DeleteObject decides it; what the caller may not delete is listed, and the rest goes. */
export const deleteObjects = s3
  .operation('DeleteObjects')
  .withoutPermission('each object is authorized as DeleteObject authorizes it')
  .on(bucketNamed)
  .dataEvent()
  .run(async (call, { Delete: requested }, bucket) => {
    const objects = requested?.Objects ?? []
    if (objects.length === 0 || objects.length > DELETED_MAX) throw malformedXml()
    const Deleted: { Key: string; VersionId?: string }[] = []
    const Errors: { Key: string; VersionId?: string; Code: string; Message: string }[] = []
    for (const { Key = '', VersionId, ETag, LastModifiedTime, Size } of objects) {
      const named = { Key, ...(VersionId !== undefined && { VersionId }) }
      try {
        requireKey(Key)
        const object = await locationOf(call, bucket, Key)
        const deletion = { VersionId, IfMatch: ETag, IfMatchLastModifiedTime: LastModifiedTime, IfMatchSize: Size }
        await call.authorize(actionFor(...DELETE, VersionId), objectFacts(object), deletionKeys(deletion))
        await remove(call, deletion, object)
        Deleted.push(named)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        Errors.push({ ...named, Code: error.code, Message: error.message })
      }
    }
    return { ...(requested?.Quiet ? {} : { Deleted }), Errors }
  })
