/** STS: the identity of the caller, and temporary credentials for users, roles and federated users. */
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as assumeRole from './assume-role.ts'
import * as assumeRoot from './assume-root.ts'
import * as caller from './caller.ts'
import { absentKeys, conditionKeys } from './conditions.ts'
import { limited } from './limits.ts'
import * as outboundToken from './outbound-token.ts'
import * as saml from './saml.ts'
import { forgetAssertion } from './saml-replay.ts'
import * as tokens from './tokens.ts'
import * as webIdentity from './web-identity.ts'
import { sts as words } from './words.ts'

export const sts = words.service({
  operations: operationsOf(caller, assumeRole, assumeRoot, webIdentity, saml, tokens, outboundToken).map(limited),
  conditionKeys,
  absentKeys,
  jobs: { 'sts.forget-assertion': forgetAssertion },
})
