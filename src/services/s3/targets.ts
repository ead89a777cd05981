/** How requests name buckets and objects, and which callers learn what exists. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { ResourceFacts, Tags } from '../../kernel/resource/facts.ts'
import type { Reference } from '../../kernel/resource/resource-type.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { Fault } from '../../wire/fault.ts'
import { misscoped, notInSet } from '../../wire/sigv4/index.ts'
import { keysOfTags, signatureEvent } from './conditions.ts'
import { invalidArgument, noSuchBucket, noSuchKey, refuse } from './errors.ts'
import { type BucketId, bucket } from './resources.ts'
import { at, type BucketRow, type ObjectRow } from './rows.ts'
import { hasTags, tagsOfHeader } from './tags.ts'

interface NamesBucket {
  readonly Bucket?: string | undefined
  readonly ExpectedBucketOwner?: string | undefined
}

/**
 * A signature acts in the bucket's Region or nowhere. AWS redirects what was sent to another Region's endpoint, and refuses
 * what was sent to the right one under another Region's scope. The Region of a bucket is public on AWS, too.
 */
function requireRegion(call: Call, { name, region }: Pick<BucketRow, 'name' | 'region'>): void {
  const { signature, via } = call
  // What a service forwards was signed for that service.
  if (!signature || via.length > 0 || signature.covers(region)) return
  // AWS: the first Region's endpoint says where every bucket is.
  if (call.operation === 'GetBucketLocation' && signature.covers(HOME)) return
  const headers = { 'x-amz-bucket-region': region }
  const [, endpoint] = REGION_OF_HOST.exec(call.origin) ?? []
  if (endpoint !== undefined && endpoint !== region && signature.covers(endpoint)) {
    const host = call.origin.replace(/^https?:\/\//, '').replace(endpoint, region)
    throw new Fault(
      'PermanentRedirect',
      'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
      { status: 301, members: { Endpoint: host, Bucket: name }, headers },
    )
  }
  const claimed = signature.algorithm === 'AWS4-HMAC-SHA256' ? `'${call.region}'` : 'set'
  const { code, message, details } = misscoped(
    's3',
    signature.presigned,
    `the region ${claimed} is wrong; expecting '${region}'`,
    { Region: region },
  )
  throw new Fault(code, message, { ...details, headers })
}

/** For calls that name no bucket: a set of Regions must name one to act in. */
export function requireOwnRegion({ region, signature }: Pick<Call, 'region' | 'signature'>): void {
  if (signature && !signature.covers(region)) throw notInSet({ service: 's3', presigned: signature.presigned })
}

export const HOME = 'us-east-1'
const REGION_OF_HOST = /(?:\/\/|\.)s3[.-]([a-z]{2}(?:-[a-z]+){1,3}-\d)[.:]/

/** Which names are taken is no secret: as AWS, a missing bucket is reported before any policy is evaluated. */
async function readBucket(
  call: Call,
  name: string,
  { ExpectedBucketOwner }: NamesBucket,
): Promise<Reference<BucketId>> {
  const { account, region } = (await bucket.get(call.unit, call, { BucketName: name })) ?? missing(name)
  call.event.additionalEventData = { ...call.event.additionalEventData, ...signatureEvent(call) }
  requireRegion(call, { name, region })
  call.event.region = region
  if (ExpectedBucketOwner !== undefined && ExpectedBucketOwner !== account)
    throw new Fault('AccessDenied', 'Access Denied', { status: 403 })
  return { scope: { partition: call.partition, account, region }, id: { BucketName: name } }
}

function missing(name: string): never {
  throw noSuchBucket(name)
}

type FoundBucket = ExistingResource<BucketId, BucketRow>

const named = bucket.named('Bucket', { reference: readBucket })

export const bucketNamed: Target<NamesBucket, FoundBucket> = named

/** AWS: the owner's root user can always repair the policy, whatever it says. */
export const bucketToGovern: Target<NamesBucket, FoundBucket> = {
  about: { type: bucket, how: 'named', member: 'Bucket' },
  find: async (call, input) => {
    const found = await named.find(call, input)
    const isOwner = call.caller.principal.kind === 'root' && call.account === found.acted?.account
    return isOwner && found.acted ? { ...found, acted: { ...found.acted, policy: undefined } } : found
  },
}

/** An object as an operation works on it; no row where there is none of that name. */
export interface ObjectLocation {
  readonly bucket: FoundBucket
  readonly key: string
  readonly row: ObjectRow | undefined
}

/** Every check on an object has the tags of the object, and the policy and keys of its bucket. */
export const objectFacts = ({ bucket: { arn, facts }, key, row }: ObjectLocation): ResourceFacts => ({
  ...facts,
  arn: `${arn}/${key}`,
  type: 'AWS::S3::Object',
  conditions: { ...facts.conditions, ...keysOfTags('s3:ExistingObjectTag', row?.tags) },
})

const KEY_BYTES_MAX = 1_024

type NamesObject = NamesBucket & { readonly Key?: string | undefined }

export const objectNamed: Target<NamesObject, ObjectLocation> = {
  find: async (call, input) => {
    const key = input.Key ?? ''
    requireKey(key)
    const { row: found } = await named.find(call, input)
    // The reference has thrown for a bucket that does not exist.
    const location = await locationOf(call, found!, key)
    return { acted: objectFacts(location), row: location }
  },
}

/** The same for an operation that writes the object with tags: they need a permission of their own. */
export const objectToWrite: Target<NamesObject & { readonly Tagging?: string | undefined }, ObjectLocation> = {
  find: async (call, input) => {
    const found = await objectNamed.find(call, input)
    const tags = tagsOfHeader(input.Tagging)
    const tagging = { action: 's3:PutObjectTagging', conditions: requestedTags(tags) }
    return hasTags(tags) ? { ...found, tagging } : found
  },
}

export const requestedTags = (tags: Tags): Conditions => ({
  ...keysOfTags('s3:RequestObjectTag', tags),
  ...(hasTags(tags) && { 's3:RequestObjectTagKeys': Object.keys(tags) }),
})

export function requireKey(name: string): void {
  const Size = Buffer.byteLength(name)
  if (Size > KEY_BYTES_MAX)
    throw refuse('KeyTooLongError', 400, 'Your key is too long', { Size, MaxSizeAllowed: KEY_BYTES_MAX })
}

export const locationOf = async (
  { unit }: Pick<Call, 'unit'>,
  bucket: FoundBucket,
  key: string,
): Promise<ObjectLocation> => ({ bucket, key, row: await unit.get<ObjectRow>(at.object(bucket.id.BucketName, key)) })

/** Only callers that may list the bucket learn that an object does not exist. */
export async function present(call: Call, { bucket, key, row }: ObjectLocation): Promise<ObjectRow> {
  if (row) return row
  await call.authorize('s3:ListBucket', bucket.facts)
  throw noSuchKey(key)
}

interface NamesVersion {
  readonly VersionId?: string | undefined
}

/** A request that names a version needs another action, whatever version it names: `null` is one. */
export const byVersion = (plain: string, versioned: string) =>
  [
    [plain, versioned],
    ({ VersionId }: NamesVersion): readonly string[] => [actionFor(plain, versioned, VersionId)],
  ] as const

export const actionFor = (plain: string, versioned: string, version: string | undefined): string =>
  version === undefined ? plain : versioned

const VERSION_ID = /^[A-Za-z0-9._]{32}$/

/** There are no versions: the one there is has the ID `null`. */
export function requireNoVersion(VersionId: string | undefined, Key: string): void {
  if (VersionId === undefined || VersionId === 'null') return
  if (VersionId === '') throw invalidArgument('Version id cannot be the empty string', 'versionId', VersionId)
  if (!VERSION_ID.test(VersionId)) throw invalidArgument('Invalid version id specified', 'versionId', VersionId)
  throw refuse('NoSuchVersion', 404, 'The specified version does not exist.', { Key, VersionId })
}
