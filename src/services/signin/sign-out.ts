/** Signing out: of this sign-in in every tab, or of every sign-in of the person. */
import { endSignIn, endSignIns } from '../../kernel/state/sign-in-sessions.ts'
import type { WebCall, WebRoute } from '../../kernel/web/site.ts'
import type { Claims } from './claims.ts'
import { principalEvent } from './events.ts'
import { postSignedIn } from './web.ts'

/** Ends the sign-in of a session, in every tab and for the credentials that it handed out. */
export function signOut(call: WebCall<Claims>): void {
  const { claims } = call
  endSignIn(call.unit, claims.signIn, call.now)
  principalEvent(call, 'Logout', claims.before ?? claims.principal)
}

export const signOutRoutes: readonly WebRoute[] = [
  postSignedIn('/logout', 'Logout', (call) => {
    signOut(call)
    return { redirect: '/signin', session: 'end' }
  }),
  postSignedIn('/logout-everywhere', 'LogoutEverywhere', async (call) => {
    const { claims } = call
    await endSignIns(call.unit, claims.signIn.person)
    principalEvent(call, 'LogoutEverywhere', claims.before ?? claims.principal)
    return { redirect: '/signin', session: 'end' }
  }),
]
