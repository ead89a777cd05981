/** What the status plane knows: the domains that have an issued certificate. */
import type { SnapshotSource } from '../../src/kernel/planes/snapshot.ts'
import { under } from '../../src/store/store.ts'
import type { CertificateRow } from './resource.ts'

export interface StatusContent {
  readonly domains: readonly string[]
}

export const statusSnapshot: SnapshotSource<StatusContent> = {
  plane: 'certificate-status',
  version: 1,
  from: [under('acm', 'certificate')],
  compute: async (reader) => {
    const rows = await reader.range<CertificateRow>(under('acm', 'certificate'))
    return {
      domains: rows.flatMap(({ document: { domain, progress } }) => (progress.state === 'ISSUED' ? [domain] : [])),
    }
  },
}
