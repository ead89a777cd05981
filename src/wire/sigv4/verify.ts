/** The proof: that the holder of a secret signed exactly these bytes, for this service, about now. */
import { Fault } from '../fault.ts'
import type { HttpRequest } from '../http.ts'
import { isRegion, regionNames } from '../regions.ts'
import { canonicalRequest, type HeaderValues, stringToSign } from './canonical.ts'
import { decodeChunks } from './chunks.ts'
import { forbidden, mismatch, misscoped, notSigned, refused, signsLikeS3, untimely, wrongRegion } from './faults.ts'
import { type Credential, type SigningKeys, scopeText } from './keys.ts'
import type { Presented } from './present.ts'
import { coversRegion, notInSet } from './regions.ts'
import { atOnce, inTurns, type Steps, sha256Steps } from './steps.ts'
import { basicDate, parseBasicDate } from './time.ts'

export interface VerifyOptions {
  /** How far the two clocks may be apart, in milliseconds. */
  readonly skewMs: number
  /** The Region that must be in scope; undefined: any. */
  readonly region?: string | undefined
  /** The signing names this endpoint answers to; the first is the one named in errors. */
  readonly serviceNames: readonly string[]
}

/**
 * AWS STS does not read X-Amz-Expires: a presigned call lives as long as a signed one. EKS relies on it, whose tokens
 * say 60 seconds and are used for a quarter of an hour.
 */
const IGNORES_EXPIRES: ReadonlySet<string> = new Set(['sts'])

/** What {@link verify} needs to know besides the request. */
type VerifyArguments = [
  request: HttpRequest,
  presented: Presented,
  credential: Credential,
  keys: SigningKeys,
  nowMs: number,
  options: VerifyOptions,
]

/**
 * Checks the signature of a request whose claims were read by `present`, with the credential found for them.
 * Returns the body, without chunk framing where there was any. Throws `Fault` when anything at all does not fit.
 * The session token is not compared here: only the caller knows which one belongs to the credential.
 */
export function verify(...args: VerifyArguments): { readonly body: Buffer } {
  return { body: atOnce(verifySteps(...args)) }
}

/** The same in slices: other requests are answered while a large body is hashed. */
export async function verifyInTurns(...args: VerifyArguments): Promise<{ readonly body: Buffer }> {
  return { body: await inTurns(verifySteps(...args)) }
}

function* verifySteps(...[request, presented, credential, keys, nowMs, options]: VerifyArguments): Steps<Buffer> {
  const { headers } = presented
  checkScope(presented, options)
  checkTime(presented, nowMs, options.skewMs)
  checkCoverage(presented, headers)

  const canonical = canonicalRequest({
    method: request.method,
    path: request.path,
    query: request.query,
    headers,
    signedHeaders: presented.signedHeaders,
    pathStyle: signsLikeS3(presented.service) ? 'encoded-once' : 'normalised',
    omittedParameter: presented.presigned ? 'x-amz-signature' : undefined,
    payload: presented.payloadText ?? (yield* sha256Steps(request.body)),
  })
  const text = stringToSign(presented.algorithm, presented.amzDate, scopeText(presented), canonical)
  const key = keys.get(presented, credential)
  if (!key.check(text, presented.signature)) throw mismatch(presented, text, canonical)
  keys.keep(presented, credential, key)

  const decodedLength = headers.get('x-amz-decoded-content-length')?.[0]
  if (signsLikeS3(presented.service) && decodedLength === undefined) requireLength(presented)
  if (presented.payload === 'hashed' || presented.payload === 'unsigned') {
    yield* checkStatedHash(request, presented, headers)
    return request.body
  }
  const trailerNames = (headers.get('x-amz-trailer') ?? []).flatMap((value) => value.toLowerCase().split(','))
  const framed = {
    body: request.body,
    trailerNames: trailerNames.map((name) => name.trim()).filter((name) => name !== ''),
    decodedLength,
  }
  return yield* decodeChunks(framed, presented, key)
}

/** S3 takes a body in chunks, of HTTP's or its own, only when its length is known beforehand. */
function requireLength({ headers, payload }: Presented): void {
  const framed = payload !== 'hashed' && payload !== 'unsigned'
  const chunked = headers.get('transfer-encoding')?.some((value) => /chunked/i.test(value)) ?? false
  if (framed || chunked)
    throw new Fault('MissingContentLength', 'You must provide the Content-Length HTTP header.', { status: 411 })
}

function checkScope(presented: Presented, options: VerifyOptions): void {
  const { service, region, date, amzDate, presigned } = presented
  if (!options.serviceNames.includes(service)) {
    const expected = options.serviceNames[0] ?? ''
    // The endpoint decides the wording, not the claim.
    throw misscoped(
      expected,
      presigned,
      signsLikeS3(expected)
        ? `incorrect service "${service}". This endpoint belongs to "${expected}".`
        : `Credential should be scoped to correct service: '${expected}'.`,
    )
  }
  if (!amzDate.startsWith(date)) {
    throw misscoped(
      service,
      presigned,
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${amzDate.slice(0, 8)}', from '${amzDate}'.`,
    )
  }
  if (presented.algorithm !== 'AWS4-HMAC-SHA256') checkRegionSet(presented, options.region)
  else if (options.region !== undefined && region !== options.region) {
    throw wrongRegion(service, presigned, region, options.region)
  }
}

/** Whether the Region of the scope exists, or one that the region set names. Nothing is proven by it. */
export function checkRegion(presented: Presented): void {
  const { algorithm, service, region, presigned } = presented
  if (algorithm !== 'AWS4-HMAC-SHA256') checkRegionSet(presented, undefined)
  else if (!isRegion(region)) throw wrongRegion(service, presigned, region, DEFAULT_REGION)
}

/** Where S3 sends a caller whose Region does not exist. */
const DEFAULT_REGION = 'us-east-1'

/** SigV4a names its Regions in a signed header or parameter. */
function checkRegionSet(presented: Presented, expected: string | undefined): void {
  const regions = expected === undefined ? regionNames : [expected]
  if (!regions.some((region) => coversRegion(presented, region))) throw notInSet(presented)
}

/** Whether the request's time is current. AWS checks this before it looks up the key. */
export function checkTime(presented: Presented, nowMs: number, skewMs: number): void {
  const { service, amzDate } = presented
  const signedMs = parseBasicDate(amzDate)!
  const minutes = () => `${skewMs / 60_000} min.`
  const clocks = () => ({
    RequestTime: amzDate,
    ServerTime: new Date(nowMs).toISOString(),
    MaxAllowedSkewMilliseconds: String(skewMs),
  })

  if (presented.presigned && signsLikeS3(service)) {
    if (signedMs > nowMs + skewMs) throw forbidden('Request is not yet valid')
    const expiresAt = signedMs + presented.expiresSeconds! * 1_000
    if (nowMs > expiresAt)
      throw forbidden('Request has expired', {
        'X-Amz-Expires': String(presented.expiresSeconds),
        Expires: new Date(expiresAt).toISOString(),
        ServerTime: new Date(nowMs).toISOString(),
      })
    return
  }
  if (signedMs > nowMs + skewMs) {
    const [now, limit] = [basicDate(nowMs), basicDate(nowMs + skewMs)]
    throw untimely(
      service,
      `Signature not yet current: ${amzDate} is still later than ${limit} (${now} + ${minutes()})`,
      clocks(),
    )
  }
  const ownTerm = presented.presigned && presented.expiresSeconds !== undefined && !IGNORES_EXPIRES.has(service)
  const termMs = ownTerm ? presented.expiresSeconds! * 1_000 : skewMs
  if (nowMs > signedMs + termMs) {
    const [now, limit] = [basicDate(nowMs), basicDate(nowMs - termMs)]
    const term = ownTerm ? `${presented.expiresSeconds} sec.` : minutes()
    throw untimely(service, `Signature expired: ${amzDate} is now earlier than ${limit} (${now} - ${term})`, clocks())
  }
}

const UNSIGNED_NAMED_MAX = 20

/** What steers a service must be signed: the host and every X-Amz-* header. */
function checkCoverage(presented: Presented, headers: HeaderValues): void {
  const { signedHeaders } = presented
  if (!signedHeaders.includes('host')) {
    throw refused("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
  }
  const unsigned: string[] = []
  for (const name of headers.keys()) {
    if (!name.startsWith('x-amz-') || signedHeaders.includes(name)) continue
    // The holder of a presigned URL may still state the hash of the body: it is checked, but decides nothing.
    if (presented.presigned && name === 'x-amz-content-sha256') continue
    unsigned.push(name)
  }
  if (unsigned.length > 0) throw notSigned(presented.service, unsigned.slice(0, UNSIGNED_NAMED_MAX))
}

/** S3 signs the hash that the client states, so the statement has to be compared with the body as well. */
function* checkStatedHash(request: HttpRequest, presented: Presented, headers: HeaderValues): Steps<void> {
  if (!signsLikeS3(presented.service)) return
  const stated = [presented.payloadText, headers.get('x-amz-content-sha256')?.[0]].filter(isHash)
  if (stated.length === 0) return
  const computed = yield* sha256Steps(request.body)
  const wrong = stated.find((digest) => digest !== computed)
  if (wrong !== undefined) throw wrongContentHash(wrong, computed)
}

function isHash(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{64}$/.test(text)
}

function wrongContentHash(stated: string, computed: string): Fault {
  return new Fault(
    'XAmzContentSHA256Mismatch',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    { status: 400, members: { ClientComputedContentSHA256: stated, S3ComputedContentSHA256: computed } },
  )
}
