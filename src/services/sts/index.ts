/** STS: the identity of the caller, and temporary credentials for users, roles and federated users. */

import { forgetRow } from '../../kernel/jobs/expiring-row.ts'
import { accounts } from '../../kernel/ports/accounts.ts'
import { identity } from '../../kernel/ports/identity.ts'
import { provide } from '../../kernel/ports/port.ts'
import { samlSignIn } from '../../kernel/ports/saml-sign-in.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as assumeRole from './assume-role.ts'
import * as assumeRoot from './assume-root.ts'
import * as caller from './caller.ts'
import { absentKeys, conditionKeys } from './conditions.ts'
import { limited } from './limits.ts'
import * as outboundToken from './outbound-token.ts'
import * as saml from './saml.ts'
import { FORGET_ASSERTION } from './saml-replay.ts'
import { samlSignInPort } from './saml-sign-in.ts'
import * as tokens from './tokens.ts'
import * as webIdentity from './web-identity.ts'
import { sts as words } from './words.ts'

export const sts = words.service({
  operations: operationsOf(caller, assumeRole, assumeRoot, webIdentity, saml, tokens, outboundToken).map(limited),
  conditionKeys,
  absentKeys,
  jobs: { [FORGET_ASSERTION]: forgetRow },
  needs: [identity, accounts, webOrigin],
  open: ({ store, clock, use }) => ({
    provides: [
      provide(
        samlSignIn,
        samlSignInPort({
          reader: store.reader,
          identities: () => use(identity),
          accounts: () => use(accounts),
          now: () => clock.now(),
          origins: () => use(webOrigin).origins(),
        }),
      ),
    ],
  }),
})
