/** The user pools port: ID tokens verified for identity pools. */
import type { IdTokenClaims, UserPoolsPort } from '../../kernel/ports/user-pools.ts'
import { isRevoked } from './access-token.ts'
import { isSigned, readJwt } from './jwt.ts'
import { at, poolById } from './resources.ts'
import { issuerOf } from './settings.ts'
import type { UserRow } from './user-rows.ts'

const PROVIDER = /^cognito-idp\.([a-z0-9-]+)\.amazonaws\.com\/([a-z0-9-]+_[0-9a-zA-Z]+)$/

export const userPoolsPort: UserPoolsPort = {
  verifyIdToken: async (reader, { issuer, token, now, checkSignOut }) => {
    const [, region, id = ''] = PROVIDER.exec(issuer) ?? []
    const pool = await poolById(reader, id)
    if (!pool || pool.region !== region) return { outcome: 'unknown-issuer' }
    const read = readJwt(token)
    if (!read || read.claims['token_use'] !== 'id' || read.claims['iss'] !== issuerOf(pool))
      return { outcome: 'malformed' }
    if (!isSigned(pool, 'id', read)) return { outcome: 'bad-signature' }
    const claims = read.claims as IdTokenClaims
    if (Number(claims['exp']) * 1000 <= now) return { outcome: 'expired' }
    if (checkSignOut) {
      const user = await reader.get<UserRow>(at.user(pool.id, claims.sub))
      const session = typeof claims['origin_jti'] === 'string' ? claims['origin_jti'] : undefined
      const issuedAt = Number(claims['iat']) * 1000
      if (!user?.isEnabled || (await isRevoked(reader, pool, user, { session, issuedAt })))
        return { outcome: 'revoked' }
    }
    return { outcome: 'verified', claims }
  },
}
