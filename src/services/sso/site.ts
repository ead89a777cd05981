/** `/start`: a person's accounts and roles, the console and credentials of each, and consent. */
import { PORTAL_SESSION_MS } from '../../kernel/portal-sessions.ts'
import { consoleSignIn } from '../../kernel/ports/console-sign-in.ts'
import type { PortalRole } from '../../kernel/ports/sso-instances.ts'
import { endSignIn } from '../../kernel/state/sign-in-sessions.ts'
import type { WebAnswer, WebSite } from '../../kernel/web/site.ts'
import { accounts } from './accounts.ts'
import { consentRoutes } from './consent.ts'
import { credentialsPage, faultPage, messagePage } from './pages.ts'
import { type OpenedRole, openRole, rolesIn } from './roles.ts'
import { securityRoutes } from './security.ts'
import { getSignedIn, portalScheme, postSignedIn, type Visit } from './session.ts'

interface Opened extends OpenedRole {
  readonly role: PortalRole
}

/** The role that the form names, opened; recorded as AWS does it. */
async function federate({ call, person, input }: Visit): Promise<Opened | undefined> {
  const { account = '', role: name = '' } = input.form
  const role = (await rolesIn(call, person, account)).find((each) => each.name === name)
  const opened = role && (await openRole(call, person, role))
  call.event.additionalEventData = { account_id: account.slice(0, 12), role_name: name.slice(0, 64) }
  return opened && { ...opened, role }
}

const noAccess = ({ shown }: Visit): WebAnswer => ({
  page: messagePage(shown, 'No access', 'This role is not assigned to you any more.', false),
  status: 403,
})

const startPage = getSignedIn('', 'GetPortalPage', accounts, () => '/start')

export const portalSite: WebSite = {
  service: 'sso',
  eventSource: 'sso.amazonaws.com',
  base: '/start',
  session: portalScheme,
  contentSecurityPolicy: {
    'script-src': "'self'",
    // Consent leads to what listens on this computer; browsers check redirects of forms, too.
    'form-action': "'self' http://127.0.0.1:* http://localhost:* http://[::1]:*",
  },
  printFault: faultPage,
  routes: [
    startPage,
    { ...startPage, path: '/' },
    ...consentRoutes,
    ...securityRoutes,
    postSignedIn('/console', 'Federate', async (visit) => {
      const opened = await federate(visit)
      if (!opened) return noAccess(visit)
      const { call, person } = visit
      const { relayState } = opened.role
      const isOwn = relayState?.startsWith(`${call.webOrigin}/`) === true
      return {
        redirect: await call.use(consoleSignIn).link(call, {
          accessKeyId: opened.credentials.accessKeyId,
          session: opened.session,
          signInPerson: person.user.signInPerson,
          destination: isOwn ? relayState! : '/console/',
        }),
      }
    }),
    postSignedIn('/credentials', 'GetRoleCredentials', async (visit) => {
      const opened = await federate(visit)
      if (!opened) return noAccess(visit)
      const { call, person, shown } = visit
      return {
        page: credentialsPage(shown, {
          account: opened.role.accountId,
          role: opened.role.name,
          region: person.instance.region,
          startUrl: `${call.webOrigin}/start/${person.instance.storeId}`,
          keys: opened.credentials,
          expiresAt: opened.session.expiresAt,
        }),
      }
    }),
    postSignedIn('/sign-out', 'Logout', ({ call, person }) => {
      endSignIn(call.unit, person.session.signIn, call.now, PORTAL_SESSION_MS)
      return { redirect: '/start', session: 'end' }
    }),
    getSignedIn('/:store', 'GetPortalPage', accounts, () => '/start'),
  ],
}
