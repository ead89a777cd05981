/** IAM Identity Center: instances, permission sets, assignments to accounts, and applications. */
import { forgetRow } from '../../kernel/jobs/expiring-row.ts'
import { provide } from '../../kernel/ports/port.ts'
import { samlApplications } from '../../kernel/ports/saml-applications.ts'
import { ssoInstances } from '../../kernel/ports/sso-instances.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as accessControl from './access-control.ts'
import * as applicationAssignments from './application-assignments.ts'
import * as applications from './applications.ts'
import * as assignments from './assignments.ts'
import { conditionKeys } from './conditions.ts'
import { FORGET_TOKEN } from './idempotency.ts'
import * as instances from './instances.ts'
import * as permissionSets from './permission-sets.ts'
import * as policies from './policies.ts'
import { ssoInstancesPort } from './port.ts'
import { sso as words } from './resources.ts'
import { samlApplicationsPort } from './saml-applications.ts'
import * as tagging from './tagging.ts'
import * as tokenIssuers from './token-issuers.ts'

export const ssoAdmin = words.service({
  operations: operationsOf(
    instances,
    permissionSets,
    policies,
    assignments,
    accessControl,
    applications,
    applicationAssignments,
    tokenIssuers,
    tagging,
  ),
  conditionKeys,
  jobs: { ...assignments.requestJobs, [FORGET_TOKEN]: forgetRow },
  open: ({ store, use }) => ({
    provides: [provide(ssoInstances, ssoInstancesPort(store, use)), provide(samlApplications, samlApplicationsPort)],
  }),
})
