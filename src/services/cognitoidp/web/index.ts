/** The web sites of user pools: the public documents at the issuer, and managed login at each pool's domain. */
import type { WebRoute, WebSite } from '../../../kernel/web/site.ts'
import { poolArn } from '../resources.ts'
import { poolAtAddress } from './authorization-request.ts'
import { discoverySite } from './discovery.ts'
import { federationRoutes } from './federation-routes.ts'
import { feedbackRoutes } from './feedback-page.ts'
import { importSite } from './import-upload.ts'
import { loginRoutes } from './login.ts'
import { loginSession } from './login-session.ts'
import { oauthRoutes } from './oauth.ts'
import { baseOf } from './page-request.ts'
import { errorPage } from './pages.ts'

const common = {
  service: 'cognito-idp',
  session: loginSession,
  // One file, for passkeys.
  contentSecurityPolicy: { 'script-src': "'self'" },
  protectedResource: async (reader, { host, path }) => {
    const pool = await poolAtAddress(reader, host, path)
    return pool && poolArn(pool)
  },
  printFault: (
    fault: { readonly code: string; readonly message: string; readonly status: number },
    path: Readonly<Record<string, string>>,
  ) => ({ page: errorPage(baseOf(path), fault), status: fault.status }),
} as const satisfies Partial<WebSite>

const routes: readonly WebRoute[] = [...loginRoutes, ...federationRoutes, ...oauthRoutes, ...feedbackRoutes]

/** Below the pages' origin, where no DNS leads to the domains: `/_cognito/REGION/DOMAIN/login`. */
const below = (prefix: string): readonly WebRoute[] =>
  routes.map((each) => ({ ...each, path: `${prefix}${each.path}` }))

export const sites: readonly WebSite[] = [
  discoverySite,
  importSite,
  // By the host: a prefix below amazoncognito.com, or a domain of the customer's own.
  { ...common, host: /\./, base: '', routes },
  { ...common, host: /\.amazoncognito\.com$/, base: '', listener: 'api', routes },
  { ...common, base: '/_cognito', routes: below('/:region/:domain') },
]
