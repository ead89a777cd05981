/** A certificate waits for its approval, and is issued; after three days it times out. */
import { lifecycle } from '../../src/kernel/jobs/lifecycle.ts'
import { removeLater } from './job.ts'
import type { CertificateRow, CertificateState } from './resource.ts'

const HOUR_MS = 60 * 60_000

export const issuance = lifecycle<CertificateState, CertificateRow>(
  'acm.issue',
  {
    PENDING_VALIDATION: {
      everyMs: HOUR_MS,
      ends: { afterMs: 72 * HOUR_MS, to: 'VALIDATION_TIMED_OUT' },
      step: async (_context, row) => (row.isApproved ? { to: 'ISSUED' } : {}),
    },
    ISSUED: 'end',
    VALIDATION_TIMED_OUT: 'end',
  },
  {
    onChange: (unit, { now }, _before, after) => {
      if (after.progress.state === 'VALIDATION_TIMED_OUT') removeLater(unit, after, now)
    },
  },
)
