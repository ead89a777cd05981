/** Signing out: of this sign-in in every tab, or of every sign-in of the person. */
import { endSignIn, endSignIns } from '../../kernel/sign-in-sessions.ts'
import type { WebRoute } from '../../kernel/web/site.ts'
import { principalEvent } from './events.ts'
import { postSignedIn } from './web.ts'

export const signOutRoutes: readonly WebRoute[] = [
  postSignedIn('/logout', 'Logout', (call) => {
    const { claims } = call
    endSignIn(call.unit, claims.signIn, call.now)
    principalEvent(call, 'Logout', claims.before ?? claims.principal)
    return { redirect: '/signin', session: 'end' }
  }),
  postSignedIn('/logout-everywhere', 'LogoutEverywhere', async (call) => {
    const { claims } = call
    await endSignIns(call.unit, claims.signIn.person)
    principalEvent(call, 'LogoutEverywhere', claims.before ?? claims.principal)
    return { redirect: '/signin', session: 'end' }
  }),
]
