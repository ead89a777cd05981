/** STS: who am I, and short-lived credentials for users, roles and those they vouch for. */
import type { Service } from '../../kernel/service.ts'
import { assumeRole } from './assume-role.ts'
import { assumeRoot } from './assume-root.ts'
import { decodeAuthorizationMessage, getAccessKeyInfo, getCallerIdentity } from './caller.ts'
import { absentKeys } from './conditions.ts'
import { limited } from './limits.ts'
import { getWebIdentityToken } from './outbound-token.ts'
import { sts as words } from './resources.ts'
import { assumeRoleWithSaml } from './saml.ts'
import { forgetAssertion } from './saml-replay.ts'
import { getFederationToken, getSessionToken } from './tokens.ts'
import { assumeRoleWithWebIdentity } from './web-identity.ts'

export const sts: Service = {
  api: words.api,
  operations: [
    getCallerIdentity,
    getAccessKeyInfo,
    decodeAuthorizationMessage,
    assumeRole,
    assumeRoot,
    assumeRoleWithWebIdentity,
    assumeRoleWithSaml,
    getSessionToken,
    getFederationToken,
    getWebIdentityToken,
  ].map(limited),
  absentKeys,
  jobs: { 'sts.forget-assertion': forgetAssertion },
}
