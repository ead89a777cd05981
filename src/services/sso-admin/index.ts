/** IAM Identity Center: instances, permission sets, assignments to accounts, and applications. */

import { provide } from '../../kernel/ports/port.ts'
import { ssoInstances } from '../../kernel/ports/sso-instances.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import * as accessControl from './access-control.ts'
import * as assignments from './assignments.ts'
import { conditionKeys } from './conditions.ts'
import * as instances from './instances.ts'
import * as permissionSets from './permission-sets.ts'
import * as policies from './policies.ts'
import { ssoInstancesPort } from './port.ts'
import { sso as words } from './resources.ts'
import * as tagging from './tagging.ts'

export const ssoAdmin = words.service({
  operations: operationsOf(instances, permissionSets, policies, assignments, accessControl, tagging),
  conditionKeys,
  jobs: assignments.requestJobs,
  open: () => ({ provides: [provide(ssoInstances, ssoInstancesPort)] }),
})
