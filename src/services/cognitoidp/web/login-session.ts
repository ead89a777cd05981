/** The session of managed login: an hour in which other apps of the pool need no new sign-in. */
import type { SignedInSubject } from '../../../engines/saml/redirect.ts'
import type { SessionScheme } from '../../../kernel/web/site.ts'
import { at, poolById } from '../resources.ts'
import type { UserRow } from '../user-rows.ts'

export interface LoginClaims {
  readonly pool: string
  readonly account: string
  readonly region: string
  readonly sub: string
  readonly authTime: number
  /** Where the person signed in: `COGNITO` (the default) or the name of an identity provider. */
  readonly provider?: string
  /** How a SAML provider knows the person, for the sign-out there. */
  readonly saml?: SignedInSubject
}

export const loginSession: SessionScheme<LoginClaims> = {
  cookie: 'merlon-cognito',
  lifetimeMs: 60 * 60_000,
  sharedAs: 'managed-login',
  bearer: (claims) => ({
    account: claims.account,
    region: claims.region,
    identity: { type: 'Unknown', principalId: 'Anonymous', userName: claims.sub },
    claims,
  }),
  isValid: async ({ pool: id, sub, authTime }, reader) => {
    const pool = await poolById(reader, id)
    const user = pool && (await reader.get<UserRow>(at.user(pool.id, sub)))
    return user?.isEnabled === true && !(user.signedOutAt !== undefined && authTime <= user.signedOutAt)
  },
}
