/** ACM with a job, a port and a page: the second example of CONTRIBUTING.md. */
import { provide } from '../../src/kernel/ports/port.ts'
import { operationsOf } from '../../src/kernel/service/define-service.ts'
import { statusSite } from './page.ts'
import { certificateDomains } from './port.ts'
import * as renewals from './renewals.ts'
import { acm as words } from './resources.ts'

export const acm = words.service({
  operations: operationsOf(renewals),
  jobs: { [renewals.RENEW]: renewals.renewal },
  sites: [statusSite],
  open: () => ({
    provides: [
      provide(certificateDomains, {
        idOf: async (reader, scope, domain) =>
          (await reader.get<{ readonly id: string }>(renewals.domainKey(scope, domain)))?.id,
      }),
    ],
  }),
})
