/** S3's words: buckets, objects, how a request names them, and who may be told of what. */
import { createHash } from 'node:crypto'
import type * as S3 from '@aws-sdk/client-s3'
import type { Call, Conditions } from '../../kernel/call.ts'
import { compilePinned, type Pins } from '../../kernel/pinned.ts'
import type { Acted, Found, Tags, Target } from '../../kernel/resource.ts'
import { service } from '../../kernel/service.ts'
import { type CompiledPolicy, publicStatements, readPolicy } from '../../policy/index.ts'
import { key, under } from '../../store/store.ts'
import type { ChecksumName } from '../../wire/checksums.ts'
import { Fault } from '../../wire/fault.ts'
import { misscoped, notInSet } from '../../wire/sigv4/index.ts'
import { bucketKeys, keysOfTags, signatureEvent } from './conditions.ts'
import { invalidArgument, noSuchBucket, noSuchKey, refuse } from './errors.ts'

export const s3 = service<typeof S3>('s3')

export interface PublicAccessBlock {
  readonly BlockPublicAcls: boolean
  readonly IgnorePublicAcls: boolean
  readonly BlockPublicPolicy: boolean
  readonly RestrictPublicBuckets: boolean
}

export interface BucketPolicy {
  readonly text: string
  readonly pins: Pins
}

export interface BucketRow {
  readonly name: string
  readonly account: string
  readonly region: string
  readonly createdAt: number
  readonly tags?: Tags
  readonly policy?: BucketPolicy
  readonly publicAccess?: PublicAccessBlock
}

/** Headers that are kept and told again, by their members' names. */
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

export interface ObjectRow {
  readonly key: string
  /** Under which id its bytes lie. */
  readonly blob: string
  readonly bytes: number
  /** Quoted, as HTTP writes it. */
  readonly etag: string
  readonly changedAt: number
  readonly headers: KeptHeaders
  readonly expires?: number
  readonly tags?: Tags
  readonly metadata: Readonly<Record<string, string>>
  readonly checksums: Readonly<Partial<Record<ChecksumName, string>>>
}

/** An object as an operation works on it; no row when there is none of that name. */
export interface Spot {
  readonly bucket: BucketRow
  readonly key: string
  readonly row: ObjectRow | undefined
}

/** Hexadecimal sorts as the bytes do, which is the order objects are listed in. */
const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex')

/** Where rows are. Names of buckets are one space for the whole installation. */
export const at = {
  bucket: (name: string) => key('s3', 'bucket', name),
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

export const bucketArn = (name: string): string => `arn:aws:s3:::${name}`

/** S3 shows accounts by such ids. */
export const canonicalId = (account: string): string =>
  createHash('sha256').update(`merlon canonical user ${account}`).digest('hex')

export const ownerOf = ({ account }: Pick<BucketRow, 'account'>) => ({ ID: canonicalId(account) })

const POLICIES_MAX = 1_000
const policies = new Map<string, { readonly policy: CompiledPolicy; readonly open: boolean }>()

function compiled({ text, pins }: BucketPolicy) {
  const known = JSON.stringify([text, pins])
  const held = policies.get(known)
  if (held) return held
  const made = {
    policy: compilePinned(text, pins, { id: 'bucket', kind: 'resource' }),
    open: publicStatements(readPolicy(text, 'resource')).length > 0,
  }
  if (policies.size >= POLICIES_MAX) policies.clear()
  policies.set(known, made)
  return made
}

/**
 * The policy that counts for this caller. RestrictPublicBuckets: "only AWS service principals and authorized users within
 * this account" pass a public policy.
 */
function policyFor(call: Call, bucket: BucketRow): CompiledPolicy | undefined {
  if (!bucket.policy) return undefined
  const { policy, open } = compiled(bucket.policy)
  const { principal } = call.caller
  const stranger = principal.kind !== 'service' && call.account !== bucket.account
  return open && bucket.publicAccess?.RestrictPublicBuckets && stranger ? undefined : policy
}

export const bucketIsPublic = ({ policy }: BucketRow): boolean => policy !== undefined && compiled(policy).open

export function actedBucket(call: Call, bucket: BucketRow): Acted {
  const policy = policyFor(call, bucket)
  return {
    arn: bucketArn(bucket.name),
    type: 'AWS::S3::Bucket',
    account: bucket.account,
    tags: bucket.tags,
    conditions: bucketKeys(call, bucket),
    ...(policy && { policy }),
  }
}

/** `row` is what is stored under the name, if anything is: every check on an object knows the object's tags. */
export function actedObject(call: Call, bucket: BucketRow, name: string, row: ObjectRow | undefined): Acted {
  const around = actedBucket(call, bucket)
  return {
    ...around,
    arn: `${bucketArn(bucket.name)}/${name}`,
    type: 'AWS::S3::Object',
    conditions: { ...around.conditions, ...keysOfTags('s3:ExistingObjectTag', row?.tags) },
  }
}

interface NamesBucket {
  readonly Bucket?: string | undefined
  readonly ExpectedBucketOwner?: string | undefined
}

/**
 * A signature acts in the bucket's Region or nowhere. AWS redirects what was sent to another Region's endpoint, and refuses
 * what was sent to the right one under another Region's scope. The Region of a bucket is public on AWS, too.
 */
function requireRegion(call: Call, { name, region }: BucketRow): void {
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

/** Which names are taken is no secret: whoever asks is told, as AWS does, before any policy is. */
async function bucketOf(call: Call, { Bucket = '', ExpectedBucketOwner }: NamesBucket): Promise<BucketRow> {
  const bucket = await call.unit.get<BucketRow>(at.bucket(Bucket))
  if (!bucket) throw noSuchBucket(Bucket)
  call.event.additionalEventData = { ...call.event.additionalEventData, ...signatureEvent(call) }
  requireRegion(call, bucket)
  call.event.region = bucket.region
  if (ExpectedBucketOwner !== undefined && ExpectedBucketOwner !== bucket.account)
    throw new Fault('AccessDenied', 'Access Denied', { status: 403 })
  return bucket
}

export const bucketNamed: Target<NamesBucket, BucketRow> = {
  find: async (call, input) => {
    const bucket = await bucketOf(call, input)
    return { acted: actedBucket(call, bucket), row: bucket }
  },
}

/** AWS: the owner's root user may always mend the policy, whatever it says. */
export const bucketToGovern: Target<NamesBucket, BucketRow> = {
  find: async (call, input) => {
    const bucket = await bucketOf(call, input)
    const { policy, ...bare } = actedBucket(call, bucket)
    const master = call.caller.principal.kind === 'root' && call.account === bucket.account
    return { acted: master ? bare : { ...bare, ...(policy && { policy }) }, row: bucket }
  },
}

const KEY_BYTES_MAX = 1_024

export const objectNamed: Target<NamesBucket & { readonly Key?: string | undefined }, Spot> = {
  find: async (call, input): Promise<Found<Spot>> => {
    const name = input.Key ?? ''
    requireKey(name)
    const spot = await spotOf(call, await bucketOf(call, input), name)
    return { acted: actedObject(call, spot.bucket, name, spot.row), row: spot }
  },
}

export function requireKey(name: string): void {
  const Size = Buffer.byteLength(name)
  if (Size > KEY_BYTES_MAX)
    throw refuse('KeyTooLongError', 400, 'Your key is too long', { Size, MaxSizeAllowed: KEY_BYTES_MAX })
}

export const spotOf = async (call: Pick<Call, 'unit'>, bucket: BucketRow, name: string): Promise<Spot> => ({
  bucket,
  key: name,
  row: await call.unit.get<ObjectRow>(at.object(bucket.name, name)),
})

/** Only who may list the bucket is told that an object is not there. */
export async function present(call: Call, { bucket, key: name, row }: Spot): Promise<ObjectRow> {
  if (row) return row
  await call.authorize('s3:ListBucket', actedBucket(call, bucket))
  throw noSuchKey(name)
}

interface NamesVersion {
  readonly VersionId?: string | undefined
}

/** A request that names a version asks another action, whatever version it names: `null` is one. */
export const byVersion = (plain: string, versioned: string) =>
  [
    [plain, versioned],
    ({ VersionId }: NamesVersion): readonly string[] => [actionFor(plain, versioned, VersionId)],
  ] as const

export const actionFor = (plain: string, versioned: string, version: string | undefined): string =>
  version === undefined ? plain : versioned

export const versionKeys = ({ VersionId }: NamesVersion): Conditions => ({ 's3:versionid': VersionId })

const VERSION_ID = /^[A-Za-z0-9._]{32}$/

/** There are no versions: the one there is has the ID `null`. */
export function requireNoVersion(VersionId: string | undefined, Key: string): void {
  if (VersionId === undefined || VersionId === 'null') return
  if (VersionId === '') throw invalidArgument('Version id cannot be the empty string', 'versionId', VersionId)
  if (!VERSION_ID.test(VersionId)) throw invalidArgument('Invalid version id specified', 'versionId', VersionId)
  throw refuse('NoSuchVersion', 404, 'The specified version does not exist.', { Key, VersionId })
}
