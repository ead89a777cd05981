/** Access tokens as the proof of who calls: the operations that users do for themselves. */

import type { Bearer } from '../../kernel/gate/bearer.ts'
import type { BearerCall, BearerScheme } from '../../kernel/service/bearer.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { isSigned, readJwt } from './jwt.ts'
import { at, type ClientRow, notAuthorized, type PoolRow, poolById } from './resources.ts'
import { type SessionRow, sessionKey } from './sessions.ts'
import { issuerOf } from './settings.ts'
import { ADMIN_SCOPE } from './tokens.ts'
import type { UserRow } from './user-rows.ts'

export interface AccessClaims {
  readonly pool: string
  readonly client: string
  readonly sub: string
  readonly username: string
  /** The family of tokens; undefined for clients that do not revoke tokens. */
  readonly session: string | undefined
  readonly issuedAt: number
  readonly scopes: readonly string[]
  readonly deviceKey: string | undefined
}

const invalid = () => notAuthorized('Invalid Access Token')

/** Verifies an access token. Throws Cognito's fault for one that is missing, forged or expired. */
export async function verifyAccessToken(
  token: string | undefined,
  { reader, now }: { readonly reader: Reader; readonly now: number },
): Promise<Bearer<AccessClaims>> {
  const read = readJwt(token ?? '')
  if (!read) throw invalid()
  const { claims } = read
  const issuer = String(claims['iss'] ?? '')
  const pool = await poolById(reader, issuer.slice(issuer.lastIndexOf('/') + 1))
  if (!pool || issuer !== issuerOf(pool)) throw invalid()
  if (claims['token_use'] !== 'access' || !isSigned(pool, 'access', read)) throw invalid()
  if (Number(claims['exp']) * 1000 <= now) throw notAuthorized('Access Token has expired')
  const text = (name: string): string => String(claims[name] ?? '')
  return {
    account: pool.account,
    region: pool.region,
    identity: { type: 'Unknown', principalId: 'Anonymous', userName: text('sub') },
    claims: {
      pool: pool.id,
      client: text('client_id'),
      sub: text('sub'),
      username: text('username'),
      session: typeof claims['origin_jti'] === 'string' ? claims['origin_jti'] : undefined,
      issuedAt: Number(claims['iat']) * 1000,
      scopes: text('scope').split(' '),
      deviceKey: typeof claims['device_key'] === 'string' ? claims['device_key'] : undefined,
    },
  }
}

/** In the member `AccessToken`. */
export const accessToken: BearerScheme<AccessClaims> = {
  token: (_request, input) => (typeof input['AccessToken'] === 'string' ? input['AccessToken'] : undefined),
  verify: verifyAccessToken,
}

export interface SignedInUser {
  readonly pool: PoolRow
  readonly client: ClientRow
  readonly user: UserRow
}

/** Whether the token still holds, read in the transaction: the family of tokens, the user and the client. */
export async function holderOf(call: { readonly unit: Reader }, claims: AccessClaims): Promise<SignedInUser> {
  const { unit } = call
  const pool = await poolById(unit, claims.pool)
  const user = pool && (await unit.get<UserRow>(at.user(pool.id, claims.sub)))
  const client = pool && (await unit.get<ClientRow>(at.client(pool.id, claims.client)))
  if (!pool || !client) throw invalid()
  if (!user) throw notAuthorized('User does not exist.')
  if (!user.isEnabled) throw notAuthorized('User is disabled.')
  if (await isRevoked(unit, pool, user, claims)) throw notAuthorized('Access Token has been revoked')
  return { pool, client, user }
}

/** The user of a self-service operation. Throws where the token does not open this interface. */
export async function self(call: BearerCall<AccessClaims>): Promise<SignedInUser> {
  const holder = await holderOf(call, call.bearer.claims)
  if (!call.bearer.claims.scopes.includes(ADMIN_SCOPE))
    throw notAuthorized('Access Token does not have required scopes')
  return holder
}

/** Why self-service operations evaluate no policy. */
export const BY_TOKEN = 'the access token authorizes its user'

/** Whether the family of a token has ended; for tokens without one, whether the user has signed out since. */
export async function isRevoked(
  reader: Reader,
  pool: PoolRow,
  user: UserRow,
  { session, issuedAt }: Pick<AccessClaims, 'session' | 'issuedAt'>,
): Promise<boolean> {
  if (session === undefined) return user.signedOutAt !== undefined && issuedAt <= user.signedOutAt
  const row = await reader.get<SessionRow>(sessionKey(pool, user.sub, session))
  return row === undefined || row.isEnded === true
}
