/** The token service of IAM Identity Center: OAuth 2.0 for command lines and devices. */
import { provide } from '../../kernel/ports/port.ts'
import { ssoGrants } from '../../kernel/ports/sso-grants.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import { route } from '../../kernel/web/site.ts'
import * as clients from './clients.ts'
import { FORGET_GRANT, forgetGrant, ssoGrantsPort } from './grants.ts'
import * as withIam from './token-with-iam.ts'
import * as tokens from './tokens.ts'
import { oidc as words } from './words.ts'

export const ssoOidc = words.service({
  operations: operationsOf(clients, tokens, withIam),
  jobs: { [FORGET_GRANT]: forgetGrant },
  open: () => ({ provides: [provide(ssoGrants, ssoGrantsPort)] }),
  sites: [
    {
      // Command lines know this address by the API's host name; people consent on the pages' origin.
      service: 'sso-oidc',
      base: '/authorize',
      listener: 'api',
      routes: [
        route({
          method: 'GET',
          path: '',
          event: 'Authorize',
          authentication: 'anonymous',
          body: 'none',
          bodyBytesMax: 0,
          shown: [],
          run: ({ webOrigin }, { query }) => ({
            redirect: `${webOrigin}/start/authorize?${new URLSearchParams(query)}`,
          }),
        }),
      ],
    },
  ],
})
