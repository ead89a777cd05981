/** Sign-in: pages on which people prove who they are, and the sessions of the console. It has no operations of its own. */
import { consoleSignIn } from '../../kernel/ports/console-sign-in.ts'
import { provide } from '../../kernel/ports/port.ts'
import type { Service, ServiceJob } from '../../kernel/service/service.ts'
import { FORGET_SIGN_IN, forgetEndedSignIn } from '../../kernel/state/sign-in-sessions.ts'
import { PASSKEY_SCRIPT } from '../../kernel/web/passkey-script.ts'
import { route, type WebRoute, type WebSite } from '../../kernel/web/site.ts'
import { scheme } from './claims.ts'
import { consoleSite } from './console.ts'
import { directoryRoutes } from './directory.ts'
import { WATCH, watchJob } from './directory-watch.ts'
import { consoleSignInPort, federationRoutes } from './federation.ts'
import { inbox } from './inbox.ts'
import { faultPage, jsonFault } from './pages.ts'
import { passwordResetRoutes } from './password-reset.ts'
import { passwordRoutes } from './password-sign-in.ts'
import { samlRoutes } from './saml.ts'
import { securityRoutes } from './security.ts'
import { signOutRoutes } from './sign-out.ts'
import { socialRoutes } from './social.ts'
import { STYLE } from './style.ts'
import { switchRoleRoutes } from './switch-role.ts'

const file = (path: string, text: string, contentType: string): WebRoute =>
  route({
    method: 'GET',
    path,
    event: 'GetSignInFile',
    authentication: 'document',
    body: 'none',
    bodyBytesMax: 0,
    shown: [],
    run: () => ({ file: text, contentType, cacheSeconds: 300 }),
  })

const pages = (base: string, routes: readonly WebRoute[]): WebSite => ({
  service: 'signin',
  eventSource: 'signin.amazonaws.com',
  base,
  session: scheme,
  contentSecurityPolicy: { 'script-src': "'self'" },
  printFault: faultPage,
  routes,
})

const forgetSignIn: ServiceJob<{ readonly id: string }> = {
  run: async (unit, _work, { id }) => forgetEndedSignIn(unit, id),
}

export const signin: Service = {
  api: { id: 'signin' },
  operations: [],
  sites: [
    pages('/signin', [
      file('/style.css', STYLE, 'text/css; charset=utf-8'),
      file('/passkey.js', PASSKEY_SCRIPT, 'text/javascript; charset=utf-8'),
      ...passwordRoutes,
      ...signOutRoutes,
      ...securityRoutes,
      ...switchRoleRoutes,
      ...directoryRoutes,
      ...passwordResetRoutes,
      ...socialRoutes,
    ]),
    pages('/saml', samlRoutes),
    { ...pages('/federation', federationRoutes), printFault: jsonFault },
    consoleSite,
    inbox,
  ],
  jobs: { [FORGET_SIGN_IN]: forgetSignIn, [WATCH]: watchJob },
  open: () => ({ provides: [provide(consoleSignIn, consoleSignInPort)] }),
}
