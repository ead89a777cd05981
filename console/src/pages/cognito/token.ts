/**
 * A token of a user pool, decoded, and whether it is one: signature, issuer and times.
 *
 * Sources: RFC 7519 (JWT), RFC 7515 (JWS), RFC 7517 (keys).
 */

export interface DecodedToken {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly signature: Uint8Array<ArrayBuffer>
  /** What is signed. */
  readonly signed: Uint8Array<ArrayBuffer>
}

const CHARS_MAX = 16_384

/** Throws an `Error` with a sentence for a text that is no signed token. */
export function decodeToken(text: string): DecodedToken {
  const token = text.trim().replace(/^Bearer\s+/i, '')
  if (token.length > CHARS_MAX) throw new Error(`The token has more than ${CHARS_MAX} characters.`)
  const parts = token.split('.')
  if (parts.length === 5) throw new Error('This is encrypted: a refresh token can be read by its issuer alone.')
  const [header, claims, signature] = parts
  if (parts.length !== 3 || !header || !claims || !signature)
    throw new Error('This is no signed token: it does not have three parts with dots between them.')
  return {
    header: jsonIn(header, 'header'),
    claims: jsonIn(claims, 'content'),
    signature: bytesIn(signature),
    signed: new TextEncoder().encode(`${header}.${claims}`),
  }
}

function jsonIn(part: string, name: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytesIn(part)))
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Falls through.
  }
  throw new Error(`The ${name} of the token is no JSON object.`)
}

function bytesIn(part: string): Uint8Array<ArrayBuffer> {
  const text = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

export interface PublicKey extends JsonWebKey {
  readonly kid: string
}

export interface Check {
  readonly isGood: boolean
  readonly text: string
}

/** `keys`: of the pool. `now`: milliseconds since 1970. */
export async function checksOf(
  { header, claims, signature, signed }: DecodedToken,
  pool: string,
  keys: readonly PublicKey[],
  now = Date.now(),
): Promise<readonly Check[]> {
  const key = keys.find(({ kid }) => kid === header['kid'])
  const isSigned = key !== undefined && header['alg'] === 'RS256' && (await verifies(key, signature, signed))
  const issuer = String(claims['iss'] ?? '')
  const [exp, notBefore] = [Number(claims['exp']), Number(claims['nbf'] ?? 0)]
  return [
    {
      isGood: isSigned,
      text: isSigned
        ? 'The signature is that of a key of this pool.'
        : key
          ? 'The signature is wrong: the token was changed.'
          : 'It is not signed by a key of this pool.',
    },
    {
      isGood: issuer.endsWith(`/${pool}`),
      text: issuer.endsWith(`/${pool}`) ? 'This pool issued it.' : `Another issuer is named: ${issuer || 'none'}.`,
    },
    {
      isGood: exp * 1000 > now && notBefore * 1000 <= now,
      text: !Number.isFinite(exp)
        ? 'It has no end.'
        : exp * 1000 > now
          ? notBefore * 1000 > now
            ? 'It is not valid yet.'
            : 'It has not expired.'
          : 'It has expired.',
    },
  ]
}

async function verifies(key: PublicKey, signature: BufferSource, signed: BufferSource): Promise<boolean> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  try {
    const imported = await crypto.subtle.importKey('jwk', key, algorithm, false, ['verify'])
    return await crypto.subtle.verify(algorithm, imported, signature, signed)
  } catch {
    return false
  }
}

/** What claims mean. Source: the Cognito developer guide on ID and access tokens. */
const MEANINGS: Readonly<Record<string, string>> = {
  sub: 'The user, by an ID that never changes',
  iss: 'The pool that issued it',
  aud: 'The client for which it was issued',
  client_id: 'The client for which it was issued',
  token_use: 'What it is for: an ID token says who signed in, an access token what the client may do',
  scope: 'What the client may do',
  exp: 'When it ends',
  iat: 'When it was issued',
  nbf: 'When it begins',
  auth_time: 'When the user signed in',
  jti: 'The ID of this token',
  origin_jti: 'The sign-in that it comes from: revoking that ends it',
  event_id: 'The request in which it was issued',
  username: 'The name of the user',
  'cognito:username': 'The name of the user',
  'cognito:groups': 'The groups of the user',
  'cognito:roles': 'The roles of these groups, for identity pools',
  'cognito:preferred_role': 'The role of the group with the highest precedence',
  email: 'The e-mail address of the user',
  email_verified: 'Whether the user has proved to have the address',
  device_key: 'The device on which the user signed in',
  nonce: 'The value that the client sent, to recognize its answer',
  version: 'The form of the token',
}

export const meaningOf = (claim: string): string =>
  MEANINGS[claim] ?? (claim.startsWith('custom:') ? 'An attribute of this pool' : '')

const TIMES = new Set(['exp', 'iat', 'nbf', 'auth_time'])

export const timeIn = (claim: string, value: unknown): Date | undefined =>
  TIMES.has(claim) && typeof value === 'number' ? new Date(value * 1000) : undefined
