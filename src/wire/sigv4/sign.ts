/** The other side of the table: signs requests for our own command line, demonstrations and tests. */
import { createHmac, sign as signEcdsa } from 'node:crypto'
import type { HttpRequest } from '../http.ts'
import { canonicalRequest, gather, sha256Hex, stringToSign } from './canonical.ts'
import { signsLikeS3 } from './faults.ts'
import { type Algorithm, ecdsaKey, hmacKey, type Scope, scopeText } from './keys.ts'
import { basicDate } from './time.ts'

export type Signable = Pick<HttpRequest, 'method' | 'path' | 'query' | 'rawHeaders' | 'body'>

export interface SigningCredential {
  readonly accessKeyId: string
  readonly secret: string | Uint8Array
  readonly sessionToken?: string | undefined
}

export interface SigningOptions {
  /** For SigV4a a set of Regions: `us-east-1,eu-*` or `*`. */
  readonly region: string
  readonly service: string
  /** Epoch milliseconds. */
  readonly nowMs: number
  readonly algorithm?: Algorithm
  /** Represents the body; by default its SHA-256, and for presigned S3 requests UNSIGNED-PAYLOAD. */
  readonly payload?: string
}

/** Headers that proxies and HTTP libraries add or rewrite on the way. */
const UNSIGNABLE: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'expect',
  'te',
  'transfer-encoding',
  'user-agent',
  'x-amzn-trace-id',
])

/** The request with an Authorization header and the X-Amz-* headers it covers. The Host header must already be there. */
export function sign<R extends Signable>(request: R, credential: SigningCredential, options: SigningOptions): R {
  const scope = scopeOf(credential, options)
  const payload = options.payload ?? sha256Hex(request.body)
  const rawHeaders = [...request.rawHeaders, 'X-Amz-Date', basicDate(options.nowMs)]
  if (signsLikeS3(options.service)) rawHeaders.push('X-Amz-Content-Sha256', payload)
  if (scope.region === '*') rawHeaders.push('X-Amz-Region-Set', options.region)
  if (credential.sessionToken !== undefined) rawHeaders.push('X-Amz-Security-Token', credential.sessionToken)

  const signedHeaders = signableNames(rawHeaders)
  const signature = signatureOf({ ...request, rawHeaders }, credential, options, scope, signedHeaders, payload)
  const authorization = `${scope.algorithm} Credential=${credential.accessKeyId}/${scopeText(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  return { ...request, rawHeaders: [...rawHeaders, 'Authorization', authorization] }
}

/** The request with its signature in the query, valid for `expiresSeconds`. */
export function presign<R extends Signable>(
  request: R,
  credential: SigningCredential,
  options: SigningOptions & { readonly expiresSeconds: number },
): R {
  const scope = scopeOf(credential, options)
  const payload = options.payload ?? (signsLikeS3(options.service) ? 'UNSIGNED-PAYLOAD' : sha256Hex(request.body))
  const signedHeaders = signableNames(request.rawHeaders)
  const parameters = {
    'X-Amz-Algorithm': scope.algorithm,
    'X-Amz-Credential': `${credential.accessKeyId}/${scopeText(scope)}`,
    'X-Amz-Date': basicDate(options.nowMs),
    'X-Amz-Expires': String(options.expiresSeconds),
    'X-Amz-SignedHeaders': signedHeaders.join(';'),
    ...(scope.region === '*' && { 'X-Amz-Region-Set': options.region }),
    ...(options.payload !== undefined && { 'X-Amz-Content-Sha256': options.payload }),
    ...(credential.sessionToken !== undefined && { 'X-Amz-Security-Token': credential.sessionToken }),
  }
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  const query = [request.query, ...pairs].filter((part) => part !== '').join('&')
  const signature = signatureOf({ ...request, query }, credential, options, scope, signedHeaders, payload)
  return { ...request, query: `${query}&X-Amz-Signature=${signature}` }
}

function scopeOf(credential: SigningCredential, options: SigningOptions): Scope {
  const algorithm = options.algorithm ?? 'AWS4-HMAC-SHA256'
  return {
    algorithm,
    accessKeyId: credential.accessKeyId,
    date: basicDate(options.nowMs).slice(0, 8),
    region: algorithm === 'AWS4-HMAC-SHA256' ? options.region : '*',
    service: options.service,
  }
}

function signableNames(rawHeaders: readonly string[]): readonly string[] {
  return [...gather(rawHeaders).keys()].filter((name) => !UNSIGNABLE.has(name)).sort()
}

function signatureOf(
  request: Signable,
  credential: SigningCredential,
  options: SigningOptions,
  scope: Scope,
  signedHeaders: readonly string[],
  payload: string,
): string {
  const canonical = canonicalRequest({
    method: request.method,
    path: request.path,
    query: request.query,
    headers: gather(request.rawHeaders),
    signedHeaders,
    pathStyle: signsLikeS3(options.service) ? 'encoded-once' : 'normalised',
    payload,
  })
  const text = stringToSign(scope.algorithm, basicDate(options.nowMs), scopeText(scope), canonical)
  return scope.algorithm === 'AWS4-HMAC-SHA256'
    ? createHmac('sha256', hmacKey(scope, credential.secret)).update(text).digest('hex')
    : signEcdsa('sha256', Buffer.from(text), ecdsaKey(credential.accessKeyId, credential.secret)).toString('hex')
}
