/** What a request claims about its signer, read before anyone looks up a key. Nothing here is proven yet. */
import { Fault } from '../fault.ts'
import { type HttpRequest, header } from '../http.ts'
import { remembering } from '../remember.ts'
import { gather, type HeaderValues, sha256Hex } from './canonical.ts'
import { badParameters, incomplete, misscoped, signsLikeS3 } from './faults.ts'
import type { Algorithm } from './keys.ts'
import { basicDate, parseBasicDate } from './time.ts'

/** How the body is bound to the signature. */
export type PayloadKind =
  | 'hashed'
  | 'unsigned'
  | 'streaming-signed'
  | 'streaming-signed-trailer'
  | 'streaming-unsigned-trailer'

export interface Presented {
  readonly algorithm: Algorithm
  readonly accessKeyId: string
  /** As received in header or query; whether it belongs to the key is the caller's question. */
  readonly sessionToken: string | undefined
  /** `YYYYMMDD` of the credential scope. */
  readonly date: string
  /** `*` for SigV4a, which names a set of Regions in a signed header instead. */
  readonly region: string
  /** SigV4a's `X-Amz-Region-Set`, as received. */
  readonly regionSet?: string | undefined
  readonly service: string
  /** Lower-case and sorted. */
  readonly signedHeaders: readonly string[]
  /** All that came, signed or not. */
  readonly headers: HeaderValues
  /** Lower-case hex when well formed. */
  readonly signature: string
  /** `YYYYMMDDTHHMMSSZ` */
  readonly amzDate: string
  readonly presigned: boolean
  readonly expiresSeconds?: number
  readonly payload: PayloadKind
  /** Represents the body in the canonical request; undefined: the hash of the body as received. */
  readonly payloadText: string | undefined
}

const ALGORITHMS: ReadonlySet<string> = new Set<Algorithm>(['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'])
const PAYLOADS: Readonly<Record<string, PayloadKind>> = {
  'UNSIGNED-PAYLOAD': 'unsigned',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': 'streaming-signed',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': 'streaming-signed-trailer',
  'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD': 'streaming-signed',
  'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER': 'streaming-signed-trailer',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': 'streaming-unsigned-trailer',
}
const EXPIRES_SECONDS_MAX = 604_800
/** Headers that steer verification. Sent twice, two readers might each believe another value. */
const STEERING = [
  'authorization',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-region-set',
] as const
const QUERY_PARAMETERS = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-Date',
  'X-Amz-SignedHeaders',
] as const

const ACCESS_KEY_ID = /^[\w.-]{1,128}$/
const SCOPE_PART = /^[A-Za-z0-9._-]{1,64}$/
const DATE = /^\d{8}$/
const HEADER_NAMES = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*$/
const CONTENT_HASH = /^[0-9a-f]{64}$/

/**
 * The claims of a signed request, in the Authorization header or in the query; undefined when it carries none (other
 * schemes, such as Bearer, are not handled here). Throws `Fault` with `IncompleteSignature`, or S3's own codes, when
 * they are present but malformed.
 */
export function present(request: HttpRequest): Presented | undefined {
  const headers = gather(request.rawHeaders)
  const authorization = headers.get('authorization')
  const inHeader = authorization?.[0]?.startsWith('AWS') ?? false
  const parameters = signingParameters(request.query)
  if (!inHeader && !parameters) return undefined

  const twice = STEERING.find((name) => (headers.get(name)?.length ?? 0) > 1)
  if (twice) throw incomplete(`The header '${twice}' must not be sent more than once.`)
  if (authorization && parameters) throw twoMechanisms(parameters.get('x-amz-credential') ?? authorization[0]!)
  return parameters ? fromQuery(parameters, headers) : fromHeader(authorization![0]!, headers)
}

/** Whether a request claims to be signed, well or badly. */
export function carriesSignature(request: Pick<HttpRequest, 'rawHeaders' | 'query'>): boolean {
  return (header(request, 'authorization') ?? '').startsWith('AWS') || SIGNING_PARAMETER.test(request.query)
}

const SIGNING_PARAMETER = /x-amz-(?:algorithm|credential|signature)|AWSAccessKeyId/i

function fromHeader(authorization: string, headers: HeaderValues): Presented {
  const space = authorization.indexOf(' ')
  const algorithm = space < 0 ? authorization : authorization.slice(0, space)
  if (!ALGORITHMS.has(algorithm)) throw incomplete(`Unsupported AWS 'algorithm': '${printable(algorithm)}'.`)
  const fields = space < 0 ? {} : fieldsOf(authorization, space + 1)
  const date = headers.get('x-amz-date')?.[0] ?? headers.get('date')?.[0]
  const { Credential, SignedHeaders, Signature } = fields
  if (!Credential || !SignedHeaders || !Signature || date === undefined) throw lacking(authorization, fields, date)

  const scope = scopeInHeader[algorithm as Algorithm](Credential)
  const content = headers.get('x-amz-content-sha256')?.[0]
  if (content === undefined && signsLikeS3(scope.service)) throw missingContentHash()
  // The spreads last: V8 is a hundred times slower at adding members to a copy.
  return {
    regionSet: headers.get('x-amz-region-set')?.[0],
    sessionToken: headers.get('x-amz-security-token')?.[0],
    signedHeaders: signedHeadersOf(SignedHeaders),
    headers,
    signature: Signature,
    amzDate: headers.has('x-amz-date') ? basicOnly(date, scope.service) : dateHeader(date),
    presigned: false,
    ...payloadOf(scope.service, content),
    ...scope,
  }
}

interface Fields {
  readonly Credential?: string | undefined
  readonly SignedHeaders?: string | undefined
  readonly Signature?: string | undefined
}

/** The `key=value` pairs after the algorithm; keys that no signature has are passed over. */
function fieldsOf(authorization: string, from: number): Fields {
  const fields = new Map<string, string>()
  for (let start = from; start <= authorization.length; ) {
    const comma = authorization.indexOf(',', start)
    const [first, end] = trimmed(authorization, start, comma < 0 ? authorization.length : comma)
    const equals = authorization.indexOf('=', first)
    const name = equals < first || equals >= end ? '' : authorization.slice(first, equals)
    if (name === '' || fields.has(name)) throw malformedField(authorization)
    fields.set(name, authorization.slice(equals + 1, end))
    if (comma < 0) break
    start = comma + 1
  }
  return {
    Credential: fields.get('Credential'),
    SignedHeaders: fields.get('SignedHeaders'),
    Signature: fields.get('Signature'),
  }
}

/** Without the blanks around it. Not trim(): it would take the 0xA0 that one flipped bit makes of a space. */
function trimmed(text: string, start: number, end: number): readonly [start: number, end: number] {
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return [start, end]
}

const isBlank = (code: number) => code === 0x20 || code === 0x09

function lacking(authorization: string, fields: Fields, date: string | undefined): Fault {
  const missing = (['Credential', 'Signature', 'SignedHeaders'] as const)
    .filter((name) => !fields[name])
    .map((name) => `Authorization header requires '${name}' parameter.`)
  if (date === undefined) {
    missing.push(`Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.`)
  }
  return incomplete(`${missing.join(' ')} ${fingerprint('Authorization=', authorization)}`)
}

function fromQuery(parameters: ReadonlyMap<string, string>, headers: HeaderValues): Presented {
  const credential = parameters.get('x-amz-credential') ?? ''
  const service = credential.split('/').at(-2) ?? ''
  for (const name of QUERY_PARAMETERS) {
    if (!parameters.get(name.toLowerCase())) throw missingParameter(service, name)
  }
  const expires = parameters.get('x-amz-expires')
  if (expires === undefined && signsLikeS3(service)) throw missingParameter(service, 'X-Amz-Expires')

  const algorithm = parameters.get('x-amz-algorithm')!
  if (!ALGORITHMS.has(algorithm)) {
    throw badParameters(
      service,
      signsLikeS3(service)
        ? 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"'
        : `Unsupported AWS 'algorithm': '${printable(algorithm)}'.`,
    )
  }
  const scope = parseCredential(credential, algorithm as Algorithm, true)
  const signedHeaders = signedHeadersOf(parameters.get('x-amz-signedheaders')!)
  // A header that the signature does not cover must not choose how the body is covered.
  const header = signedHeaders.includes('x-amz-content-sha256') ? headers.get('x-amz-content-sha256')?.[0] : undefined
  const content = header ?? parameters.get('x-amz-content-sha256')
  return {
    ...scope,
    regionSet: parameters.get('x-amz-region-set') ?? headers.get('x-amz-region-set')?.[0],
    sessionToken: parameters.get('x-amz-security-token') ?? headers.get('x-amz-security-token')?.[0],
    signedHeaders,
    headers,
    signature: parameters.get('x-amz-signature')!,
    amzDate: basicOnly(parameters.get('x-amz-date')!, service),
    presigned: true,
    ...(expires !== undefined && { expiresSeconds: parseExpires(expires, service) }),
    ...payloadOf(service, content ?? (signsLikeS3(service) ? 'UNSIGNED-PAYLOAD' : undefined)),
  }
}

/** Only S3 lets a body go unsigned or arrive in signed chunks. Elsewhere the bytes received are hashed, whatever the header says. */
function payloadOf(service: string, content: string | undefined): Pick<Presented, 'payload' | 'payloadText'> {
  if (content === undefined || !signsLikeS3(service)) return { payload: 'hashed', payloadText: undefined }
  if (CONTENT_HASH.test(content)) return { payload: 'hashed', payloadText: content }
  const payload = Object.hasOwn(PAYLOADS, content) ? PAYLOADS[content] : undefined
  if (payload) return { payload, payloadText: content }
  throw new Fault(
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    {
      status: 400,
      members: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: printable(content) },
    },
  )
}

const missingContentHash = (): Fault =>
  new Fault('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256', { status: 400 })

type ScopeClaims = Pick<Presented, 'algorithm' | 'accessKeyId' | 'date' | 'region' | 'service'>

function parseCredential(text: string, algorithm: Algorithm, presigned: boolean): ScopeClaims {
  const regional = algorithm === 'AWS4-HMAC-SHA256'
  const parts = text.split('/')
  if (parts.length !== (regional ? 5 : 4)) {
    throw incomplete(
      regional
        ? `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${printable(text)}'`
        : `Credential must have exactly 4 slash-delimited elements, e.g. keyid/date/service/term, got '${printable(text)}'`,
    )
  }
  const [accessKeyId, date] = parts as [string, string]
  const region = regional ? parts[2]! : '*'
  const service = parts.at(-2)!
  const terminator = parts.at(-1)!
  if (terminator !== 'aws4_request') {
    throw misscoped(
      service,
      presigned,
      `Credential should be scoped with a valid terminator: 'aws4_request', not '${printable(terminator)}'.`,
    )
  }
  const sound = DATE.test(date) && SCOPE_PART.test(service) && (region === '*' || SCOPE_PART.test(region))
  if (!sound) throw incomplete(`Credential has a malformed scope, got '${printable(text)}'`)
  if (!ACCESS_KEY_ID.test(accessKeyId)) {
    throw new Fault('InvalidClientTokenId', 'The security token included in the request is invalid.', { status: 403 })
  }
  return { algorithm, accessKeyId, date, region, service }
}

const SCOPES_MAX = 1_000
const scopeInHeader: Readonly<Record<Algorithm, (text: string) => ScopeClaims>> = {
  'AWS4-HMAC-SHA256': remembering(SCOPES_MAX, (text) => parseCredential(text, 'AWS4-HMAC-SHA256', false)),
  'AWS4-ECDSA-P256-SHA256': remembering(SCOPES_MAX, (text) => parseCredential(text, 'AWS4-ECDSA-P256-SHA256', false)),
}

/**
 * Sorted here, because the canonical request is: a list in another order then simply does not verify. Capitals are
 * refused, so that every bit of the header counts.
 */
const signedHeadersOf = remembering(100, (text): readonly string[] => {
  if (!HEADER_NAMES.test(text)) throw incomplete(`SignedHeaders is malformed, got '${printable(text)}'`)
  return text.split(';').sort()
})

function parseExpires(text: string, service: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw badParameters(service, 'X-Amz-Expires should be a number')
  const seconds = Number(text)
  if (seconds < 0) throw badParameters(service, 'X-Amz-Expires must be non-negative')
  if (seconds > EXPIRES_SECONDS_MAX) {
    throw badParameters(
      service,
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    )
  }
  return seconds
}

function basicOnly(text: string, service: string): string {
  if (parseBasicDate(text) !== undefined) return text
  if (signsLikeS3(service)) {
    throw badParameters(service, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
  }
  throw incomplete(
    `Date must be in ISO-8601 'basic format'. Got '${printable(text)}'. See http://en.wikipedia.org/wiki/ISO_8601`,
  )
}

/** Without X-Amz-Date the Date header counts, in HTTP's own form (RFC 9110 §5.6.7) or in the basic one. */
function dateHeader(text: string): string {
  if (parseBasicDate(text) !== undefined) return text
  const ms = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? basicOnly(text, '') : basicDate(ms)
}

/** The X-Amz-* parameters by lower-case name, when the query tries to sign. */
function signingParameters(query: string): ReadonlyMap<string, string> | undefined {
  if (!/x-amz-(?:algorithm|credential|signature)/i.test(query)) return undefined
  const parameters = new Map<string, string>()
  for (const piece of query.split('&')) {
    const equals = piece.indexOf('=')
    const name = decoded(equals < 0 ? piece : piece.slice(0, equals)).toLowerCase()
    if (!name.startsWith('x-amz-')) continue
    if (parameters.has(name))
      throw incomplete(`The query parameter '${printable(name)}' must not be sent more than once.`)
    parameters.set(name, equals < 0 ? '' : decoded(piece.slice(equals + 1)))
  }
  const signs =
    parameters.has('x-amz-algorithm') || parameters.has('x-amz-credential') || parameters.has('x-amz-signature')
  return signs ? parameters : undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw incomplete('The query string is not valid percent-encoded UTF-8.')
  }
}

function missingParameter(service: string, name: string): Fault {
  return badParameters(
    service,
    signsLikeS3(service)
      ? 'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.'
      : `AWS query-string parameters must include '${name}'. Re-examine the query-string parameters.`,
  )
}

function twoMechanisms(claim: string): Fault {
  const message =
    'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified'
  return /\/s3[^/]*\/aws4_request/.test(claim)
    ? new Fault('InvalidArgument', message, { status: 400 })
    : incomplete(message)
}

function malformedField(authorization: string): Fault {
  return incomplete(
    `Invalid key=value pair (missing equal-sign or repeated key) in Authorization header ${fingerprint('', authorization)}`,
  )
}

/** The header itself may hold a usable signature, so only its hash is returned. */
function fingerprint(label: string, text: string): string {
  const digest = Buffer.from(sha256Hex(text), 'hex').toString('base64')
  return `(Hashed with SHA-256 and encoded with Base64) ${label}${digest}`
}

/** A claim quoted in an error stays short and on one line. */
function printable(text: string): string {
  return text.slice(0, 200).replace(/[^\x20-\x7e]/g, '?')
}
