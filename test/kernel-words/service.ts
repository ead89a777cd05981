/** The service of the examples in docs/kernel: its operations, jobs, pages, and what it provides while it is open. */
import { provide } from '../../src/kernel/ports/port.ts'
import { operationsOf } from '../../src/kernel/service/define-service.ts'
import { absentKeys, conditionKeys } from './condition-keys.ts'
import { domainIndex } from './derived-value.ts'
import { refusedDeletions } from './follower.ts'
import { REMOVE, remove } from './job.ts'
import { issuance } from './lifecycle.ts'
import * as operations from './operation.ts'
import * as outbox from './outbox.ts'
import * as pages from './page.ts'
import { issuedDomains } from './port.ts'
import { acm as declarations } from './resource.ts'
import { statusSnapshot } from './snapshot.ts'
import * as tagging from './tagging.ts'
import * as targets from './target.ts'
import { approvalSite } from './web-site.ts'

export const acm = declarations.service({
  operations: operationsOf(operations, targets, pages, outbox, tagging),
  conditionKeys,
  absentKeys,
  sites: [approvalSite],
  snapshots: [statusSnapshot],
  jobs: { ...issuance.jobs, [REMOVE]: remove },
  open: ({ store }) => {
    const follower = refusedDeletions(store)
    return {
      provides: [provide(issuedDomains, domainIndex(store))],
      start: () => follower.start(),
      close: () => follower.stop(),
    }
  },
})
