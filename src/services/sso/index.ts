/** The access portal of IAM Identity Center: its pages, and what command lines call with a person's token. */

import { forgetRow } from '../../kernel/jobs/expiring-row.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import { WATCH, watchJob } from './directory-source.ts'
import { FORGET_ASSERTION } from './external-source.ts'
import * as operations from './operations.ts'
import { FORGET_REQUEST, samlSite } from './saml.ts'
import { signInSite } from './sign-in.ts'
import { portalSite } from './site.ts'
import { portal as words } from './words.ts'

export const sso = words.service({
  operations: operationsOf(operations),
  sites: [signInSite, samlSite, portalSite],
  jobs: { [FORGET_REQUEST]: forgetRow, [FORGET_ASSERTION]: forgetRow, [WATCH]: watchJob },
})
