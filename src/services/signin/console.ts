/**
 * What the console's pages fetch: the signed-in person, and credentials that act as that person for a quarter of an
 * hour.
 */
import { issueSession } from '../../kernel/gate/session.ts'
import { signInIdentities } from '../../kernel/ports/sign-in-identities.ts'
import { route, type WebSite } from '../../kernel/web/site.ts'
import { type Claims, scheme, sessionOf } from './claims.ts'
import { jsonFault } from './pages.ts'
import { proofRoute } from './proof.ts'
import { signOut } from './sign-out.ts'

const CREDENTIALS_MS = 15 * 60_000
const SECOND_MS = 1_000
const NOTHING = { signedIn: false, principal: null, csrf: '', mfa: false }

export const consoleSite: WebSite = {
  service: 'signin',
  eventSource: 'signin.amazonaws.com',
  base: '/console',
  session: scheme,
  printFault: jsonFault,
  routes: [
    proofRoute,
    route<Claims>({
      method: 'GET',
      path: '/session',
      event: 'GetConsoleSession',
      authentication: 'optional-session',
      body: 'none',
      bodyBytesMax: 0,
      shown: [],
      run: async ({ claims, unit, use, event }, { csrf }) => {
        // Pages call often, and nothing is handed out.
        event.isUnrecorded = true
        if (!claims) return { json: NOTHING }
        const { kind, arn, account, userName, session, displayName } = claims.principal
        const found = await use(signInIdentities).account(unit, account)
        return {
          json: {
            signedIn: true,
            principal: { kind, arn, account, accountAlias: found?.alias ?? null, userName },
            csrf,
            mfa: session.mfaAt !== undefined,
            expiration: new Date(session.expiresAt).toISOString(),
            ...(claims.before && { switchedFrom: { arn: claims.before.arn, displayName } }),
          },
        }
      },
    }),
    route<Claims>({
      method: 'POST',
      path: '/credentials',
      event: 'GetConsoleCredentials',
      authentication: 'session',
      body: 'json',
      bodyBytesMax: 1_024,
      shown: [],
      run: ({ claims, vault, now }) => {
        const { session } = claims.principal
        const issuedAt = Math.floor(now / SECOND_MS) * SECOND_MS
        const expiresAt = Math.min(issuedAt + CREDENTIALS_MS, session.expiresAt)
        const issued = issueSession(vault, { ...sessionOf(claims), expiresAt })
        return { json: { ...issued, expiration: new Date(expiresAt).toISOString() } }
      },
    }),
    route<Claims>({
      method: 'POST',
      path: '/sign-out',
      event: 'Logout',
      authentication: 'session',
      body: 'json',
      bodyBytesMax: 1_024,
      shown: [],
      run: (call) => {
        call.event.isUnrecorded = true
        signOut(call)
        return { json: {} }
      },
    }),
  ],
}
