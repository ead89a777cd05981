/** S3 names its bucket in the host (virtual style) or in the first label of the path (path style). */
import { hash } from 'node:crypto'
import { type ChecksumName, checksum, checksumNames } from './checksums.ts'
import { type Constraint, type Constraints, validateInput } from './constraints.ts'
import { XML_DECLARATION } from './content.ts'
import { Fault } from './fault.ts'
import { type HttpRequest, header } from './http.ts'
import type { RestAnswer } from './rest.ts'
import type { Member, OperationShape } from './shape.ts'
import { escapeXml } from './xml.ts'

export interface S3Address {
  /** Still percent-encoded; undefined when the request is for the service itself. */
  readonly bucket: string | undefined
  /** The path below the bucket. */
  readonly path: string
}

const VIRTUAL = /^(.+)\.s3[.-]/

/** Known to be S3's: then `bucket.localhost` is one too, as clients write it for an endpoint without dots. */
const VIRTUAL_AT_HOME = /^(?!s3\.)(.+)\.localhost(?::\d+)?$/

export function s3Address(request: HttpRequest): S3Address {
  const inHost = bucketInHost(request) ?? VIRTUAL_AT_HOME.exec(header(request, 'host') ?? '')?.[1]
  if (inHost !== undefined) return { bucket: inHost, path: request.path }
  const [, bucket = '', rest = ''] = /^\/([^/]*)(.*)$/s.exec(request.path) ?? []
  return bucket === '' ? { bucket: undefined, path: request.path } : { bucket, path: rest === '' ? '/' : rest }
}

/** `bucket.s3.region.…`; undefined for every other host. */
export function bucketInHost(request: HttpRequest): string | undefined {
  return VIRTUAL.exec(header(request, 'host') ?? '')?.[1]
}

/**
 * What no model says of S3's answers: a part has a status of its own, and a location is its document's bare text.
 */
export function s3Answer(operation: string, output: object, answer: RestAnswer, xmlns: string): RestAnswer {
  const values = output as { readonly ContentRange?: string; readonly LocationConstraint?: string }
  const headers = { ...answer.headers, ...safeHeaders(operation) }
  if (values.ContentRange !== undefined && (operation === 'GetObject' || operation === 'HeadObject'))
    return { ...answer, headers, status: 206 }
  if (operation === 'GetBucketLocation') {
    const text = escapeXml(values.LocationConstraint ?? '')
    const body = `${XML_DECLARATION}<LocationConstraint xmlns="${xmlns}">${text}</LocationConstraint>`
    return { ...answer, headers, body }
  }
  return { ...answer, headers }
}

/**
 * Beyond AWS: every bucket is served from one origin, so no object may run as a page of that origin. A browser takes the
 * type that is sent, and runs a page without scripts, forms or an origin.
 */
export function safeHeaders(operation?: string): Readonly<Record<string, string>> {
  return operation === 'GetObject'
    ? { 'x-content-type-options': 'nosniff', 'content-security-policy': 'sandbox' }
    : { 'x-content-type-options': 'nosniff' }
}

/** The document of an S3 error. Members are elements as they are named, in their order. */
export function s3FaultDocument(
  { code, message, members }: Pick<PrintedError, 'code' | 'message' | 'members'>,
  requestId: string,
): string {
  const { message: _m, Message: _M, ...others } = members
  const elements = Object.entries({
    Code: code,
    Message: message,
    ...others,
    RequestId: requestId,
    HostId: hostId(requestId),
  })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
  return `${XML_DECLARATION}<Error>${elements.join('')}</Error>`
}

/** S3 names the host that answered beside the request: here it is the same for the same request. */
export const hostId = (requestId: string): string => hash('sha256', requestId, 'base64')

interface PrintedError {
  readonly code: string
  readonly message: string
  readonly members: Readonly<Record<string, unknown>>
}

/** An upload by an HTML form (PostObject), which carries its signature in the body. */
export function isFormUpload(request: HttpRequest): boolean {
  return (
    request.method === 'POST' && /^multipart\/form-data\b/i.test((header(request, 'content-type') ?? '').trimStart())
  )
}

export const formUploadRefused = (): Fault =>
  new Fault('NotImplemented', 'Merlon does not implement uploads by form (PostObject): use a presigned PutObject.', {
    status: 501,
  })

/** Parameters of a presigned query that sign; every other `x-amz-…` is a header that travels in the query. */
const SIGNING: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-signature',
  'x-amz-date',
  'x-amz-signedheaders',
  'x-amz-expires',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-region-set',
])

/**
 * A presigned request, with the headers that its signer moved into the query. A header of the same name that came as one
 * counts instead: it was signed, too.
 */
export function withHoistedHeaders(request: HttpRequest): HttpRequest {
  if (!/(?:^|&)x-amz-signature=/i.test(request.query)) return request
  const hoisted: string[] = []
  for (const [name, value] of new URLSearchParams(request.query)) {
    const lower = name.toLowerCase()
    if (lower.startsWith('x-amz-') && !SIGNING.has(lower) && header(request, lower) === undefined)
      hoisted.push(lower, value)
  }
  return hoisted.length === 0 ? request : { ...request, rawHeaders: [...request.rawHeaders, ...hoisted] }
}

const DOCUMENT_BYTES_MAX = 2 * 1024 * 1024

/**
 * Documents are compared with the digests that came along; an object is compared by PutObject. DeleteObjects alone needs
 * one. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export function checkDocument(operation: string, request: HttpRequest, body: Buffer): void {
  if (operation === 'PutObject') return
  if (body.length > DOCUMENT_BYTES_MAX)
    throw new Fault('MaxMessageLengthExceeded', 'Your request was too big.', {
      status: 400,
      members: { MaxMessageLengthBytes: DOCUMENT_BYTES_MAX },
    })
  const md5 = header(request, 'content-md5')
  if (md5 !== undefined) checkMd5(md5, body)
  const stated = statedSums(request)
  for (const [name, value] of stated) checkSum(name, value, body)
  const trailed = header(request, 'x-amz-trailer') !== undefined
  if (operation === 'DeleteObjects' && md5 === undefined && stated.length === 0 && !trailed)
    throw new Fault('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*', {
      status: 400,
    })
}

function statedSums(request: HttpRequest): readonly (readonly [ChecksumName, string])[] {
  return checksumNames.flatMap((name) => {
    const value = header(request, `x-amz-checksum-${name.toLowerCase()}`)
    return value === undefined ? [] : [[name, value] as const]
  })
}

const MD5_BYTES = 16

/** `Content-MD5`: base64. */
export function checkMd5(stated: string, body: Buffer): void {
  const members = { 'Content-MD5': stated }
  if (decodedLength(stated) !== MD5_BYTES)
    throw new Fault('InvalidDigest', 'The Content-MD5 you specified was invalid.', { status: 400, members })
  const computed = checksum('MD5', body)
  if (stated !== computed)
    throw new Fault('BadDigest', 'The Content-MD5 you specified did not match what we received.', {
      status: 400,
      members: { ExpectedDigest: stated, CalculatedDigest: computed },
    })
}

const SUM_BYTES: Readonly<Record<ChecksumName, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
  SHA512: 64,
  MD5: MD5_BYTES,
}

/** `x-amz-checksum-…`: base64. Returns the sum. */
export function checkSum(name: ChecksumName, stated: string, body: Buffer): string {
  if (decodedLength(stated) !== SUM_BYTES[name])
    throw new Fault('InvalidRequest', `Value for x-amz-checksum-${name.toLowerCase()} header is invalid.`, {
      status: 400,
    })
  const computed = checksum(name, body)
  if (stated !== computed)
    throw new Fault('BadDigest', `The ${name} you specified did not match the calculated checksum.`, { status: 400 })
  return computed
}

const BASE64 = /^[A-Za-z0-9+/]{1,128}={0,2}$/

/** How many bytes the base64 holds; -1 when it is none. */
const decodedLength = (text: string): number =>
  BASE64.test(text) && text.length % 4 === 0 ? Buffer.from(text, 'base64').length : -1

/** Structures whose values the operations check, with codes of their own: locations, and the tags of buckets and objects. */
const CHECKED_BY_OPERATION: ReadonlySet<string> = new Set(['CreateBucketConfiguration', 'Tag'])
const VALUE_SHOWN_MAX = 256

/**
 * S3 describes an invalid input by where it travels: a document is malformed, a header or a parameter is an invalid
 * argument.
 */
export function validateS3Input(constraints: Constraints, operation: OperationShape, input: object): void {
  const { input: shape } = operation
  const own = Object.hasOwn(constraints, shape.name) ? constraints[shape.name]! : {}
  for (const member of shape.members) {
    const value = (input as Readonly<Record<string, unknown>>)[member.name]
    if (value === undefined || value === null) {
      if (member.required) throw missingMember(member)
    } else if (member.traits.httpPayload && member.shape.kind === 'struct') {
      requireDocument(constraints, member, value as object)
    } else if (own[member.name]) requireListed(member, own[member.name]!, value)
  }
}

function missingMember({ name, traits }: Member): Fault {
  if (traits.httpPayload) return new Fault('MissingRequestBodyError', 'Request Body is empty', { status: 400 })
  const named = traits.httpHeader ?? traits.httpQuery ?? name
  return new Fault('InvalidRequest', `Missing required header for this request: ${named}`, { status: 400 })
}

function requireDocument(constraints: Constraints, { shape }: Member, value: object): void {
  try {
    validateInput(checkedHere(constraints), shape, value, 'MalformedXML')
  } catch (error) {
    if (error instanceof Fault) throw malformedXml()
    throw error
  }
}

const checked = new WeakMap<Constraints, Constraints>()

function checkedHere(constraints: Constraints): Constraints {
  let here = checked.get(constraints)
  if (!here) {
    here = Object.fromEntries(Object.entries(constraints).filter(([name]) => !CHECKED_BY_OPERATION.has(name)))
    checked.set(constraints, here)
  }
  return here
}

export const malformedXml = (): Fault =>
  new Fault(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
    { status: 400 },
  )

function requireListed({ name, traits }: Member, { e: listed, m: item }: Constraint, value: unknown): void {
  const wrong = [value].flat().find((each) => {
    const among = listed ?? item?.e
    return among !== undefined && !among.includes(name === 'ChecksumMode' ? String(each).toUpperCase() : String(each))
  })
  if (wrong === undefined) return
  const shown = String(wrong).slice(0, VALUE_SHOWN_MAX)
  const header = traits.httpHeader ?? traits.httpQuery ?? name
  const words = WORDS[name]
  if (words) throw new Fault(words[0], words[1], { status: 400, members: words[2](shown) })
  throw new Fault('InvalidArgument', `Invalid value for ${header}`, {
    status: 400,
    members: { ArgumentName: header, ArgumentValue: shown },
  })
}

type Words = readonly [code: string, message: string, members: (value: string) => Readonly<Record<string, string>>]

const argument =
  (ArgumentName: string) =>
  (ArgumentValue: string): Readonly<Record<string, string>> => ({ ArgumentName, ArgumentValue })

const WORDS: Readonly<Record<string, Words>> = {
  StorageClass: [
    'InvalidStorageClass',
    'The storage class you specified is not valid',
    (StorageClassRequested) => ({ StorageClassRequested }),
  ],
  ServerSideEncryption: [
    'InvalidArgument',
    'The encryption method specified is not supported',
    argument('x-amz-server-side-encryption'),
  ],
  ObjectOwnership: ['InvalidArgument', 'Invalid x-amz-object-ownership header', argument('x-amz-object-ownership')],
  ACL: ['InvalidArgument', 'Invalid x-amz-acl header', argument('x-amz-acl')],
  EncodingType: ['InvalidArgument', 'Invalid Encoding Method specified in Request', argument('encoding-type')],
  ChecksumAlgorithm: [
    'InvalidRequest',
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    () => ({}),
  ],
}
