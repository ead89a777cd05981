/** Identity store: the directory of IAM Identity Center, with people, groups and memberships. */
import { identityStore } from '../../kernel/ports/identity-store.ts'
import { provide } from '../../kernel/ports/port.ts'
import { operationsOf } from '../../kernel/service/define-service.ts'
import { absentKeys, conditionKeys } from './conditions.ts'
import * as groups from './groups.ts'
import * as memberships from './memberships.ts'
import { identityStorePort } from './port.ts'
import { identitystore as words } from './rows.ts'
import { scimSites } from './scim/site.ts'
import { SYNC, syncJob } from './sync/job.ts'
import { syncMetrics } from './sync/metrics.ts'
import * as users from './users.ts'

export const identitystore = words.service({
  operations: operationsOf(users, groups, memberships),
  conditionKeys,
  absentKeys,
  sites: scimSites,
  jobs: { [SYNC]: syncJob },
  open: ({ store, clock }) => ({
    provides: [provide(identityStore, identityStorePort)],
    metrics: () => syncMetrics(store.reader, clock.now()),
  }),
})
