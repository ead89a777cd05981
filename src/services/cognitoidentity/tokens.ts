/**
 * Tokens that identity pools issue: OpenID Connect tokens of `cognito-identity.amazonaws.com`, which STS accepts for roles.
 * Each account has a key of its own; the key is made with the first pool.
 */
import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import {
  IDENTITY_POOL_ISSUER,
  type IdentityPoolClaims,
  type IdentityPoolsPort,
} from '../../kernel/ports/identity-pools.ts'
import type { PublicDocument } from '../../kernel/service/documents.ts'
import { type Key, key } from '../../store/store.ts'
import type { MaterialContext, StoredMaterial } from '../../vault/material/materials.ts'
import { poolById } from './resources.ts'

const TOKEN_LENGTH_MAX = 64 * 1024
const KID = /^[0-9a-f]{16}$/

interface SigningKeyRow {
  readonly kid: string
  readonly held: StoredMaterial
  readonly jwk: JsonWebKey
}

const signingKey = (account: string): Key => key('cognito-identity', 'signing-key', account)
const accountOfKey = (kid: string): Key => key('cognito-identity', 'account-of-key', kid)

/** Making one takes a while: it is done with a pool, not with the first call of an unauthenticated client. */
export async function prepareSigningKey(call: Call): Promise<void> {
  const { account } = call
  if (await call.unit.get(signingKey(account))) return
  const home: MaterialContext = {
    table: 'cognito-identity/signing-key',
    key: account,
    column: 'RS512',
    account,
    name: account,
  }
  const made = await call.vault.materials.generate(home, 'RSA_2048')
  const kid = made.id.slice(0, 16)
  const jwk = createPublicKey({ key: made.publicKey!, format: 'der', type: 'spki' }).export({ format: 'jwk' })
  const row: SigningKeyRow = { kid, held: { home, spec: 'RSA_2048', id: made.id, sealed: made.sealed }, jwk }
  call.unit.put(signingKey(account), row)
  call.unit.put(accountOfKey(kid), { account })
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export interface TokenContent {
  /** The account of the pool. */
  readonly account: string
  readonly poolId: string
  readonly identityId: string
  readonly amr: readonly string[]
  readonly seconds: number
  readonly principalTags?: Readonly<Record<string, string>>
}

export async function issueToken(call: Call, content: TokenContent): Promise<string> {
  const { account, poolId, identityId, amr, seconds, principalTags = {} } = content
  const row = await call.unit.get<SigningKeyRow>(signingKey(account))
  if (!row) throw new Error(`account ${account} has identity pools and no signing key`)
  const issuedAt = Math.floor(call.now / 1000)
  const tags = Object.entries(principalTags).map(([name, value]) => [name, [value]] as const)
  const claims = {
    sub: identityId,
    aud: poolId,
    amr,
    iss: `https://${IDENTITY_POOL_ISSUER}`,
    ...(tags.length > 0 && { 'https://aws.amazon.com/tags': { principal_tags: Object.fromEntries(tags) } }),
    exp: issuedAt + seconds,
    iat: issuedAt,
  }
  const signed = `${part({ kid: row.kid, typ: 'JWS', alg: 'RS512' })}.${part(claims)}`
  const signature = await call.vault.materials.use(row.held, {
    do: 'sign',
    algorithm: 'RSASSA_PKCS1_V1_5_SHA_512',
    type: 'RAW',
    message: Buffer.from(signed),
  })
  return `${signed}.${signature.toString('base64url')}`
}

interface ReadToken {
  readonly kid: string
  readonly claims: IdentityPoolClaims & { readonly exp: number }
  readonly signed: string
  readonly signature: Buffer
}

/** Nothing is verified. undefined for what is none of these tokens. */
function readToken(token: string): ReadToken | undefined {
  if (token.length > TOKEN_LENGTH_MAX) return undefined
  const [header, payload, signature, more] = token.split('.')
  if (!header || !payload || !signature || more !== undefined) return undefined
  try {
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as Record<string, unknown>
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as ReadToken['claims'] | null
    const isOurs = alg === 'RS512' && typeof kid === 'string' && KID.test(kid) && typeof claims?.exp === 'number'
    if (!isOurs || claims['iss'] !== `https://${IDENTITY_POOL_ISSUER}`) return undefined
    return { kid, claims, signed: `${header}.${payload}`, signature: Buffer.from(signature, 'base64url') }
  } catch {
    return undefined
  }
}

/** By row, so that each key is read once. */
const opened = new WeakMap<SigningKeyRow, KeyObject>()

function publicKeyOf(row: SigningKeyRow): KeyObject {
  const known = opened.get(row) ?? createPublicKey({ key: row.jwk, format: 'jwk' })
  opened.set(row, known)
  return known
}

export const identityPoolsPort: IdentityPoolsPort = {
  verifyToken: async (reader, token, now) => {
    const read = readToken(token)
    if (!read) return { outcome: 'malformed' }
    const { kid, claims, signed, signature } = read
    const owner = await reader.get<{ readonly account: string }>(accountOfKey(kid))
    const row = owner && (await reader.get<SigningKeyRow>(signingKey(owner.account)))
    if (!row || row.kid !== kid || !verify('sha512', Buffer.from(signed), publicKeyOf(row), signature))
      return { outcome: 'bad-signature' }
    if (claims.exp * 1000 <= now) return { outcome: 'expired' }
    // The key says which account signed; the pool must be that account's, and still be there.
    const pool = await poolById(reader, claims.aud)
    return pool?.account === owner.account ? { outcome: 'verified', claims } : { outcome: 'bad-signature' }
  },
}

/** RFC 7517: others than STS may verify the tokens of an account's pools. */
export const keyDocuments: readonly PublicDocument[] = [
  {
    path: /^cognito-identity\/(\d{12})\/jwks\.json$/,
    read: async (reader, [account = '']) => {
      const row = await reader.get<SigningKeyRow>(signingKey(account))
      return row && { keys: [{ ...row.jwk, kid: row.kid, alg: 'RS512', use: 'sig' }] }
    },
  },
]
