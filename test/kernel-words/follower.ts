/** Reads the audit log, and reports refused deletions of certificates as findings. */

import { putFinding } from '../../src/kernel/events/findings.ts'
import { Follower, type SourceBatch } from '../../src/kernel/events/follower.ts'
import type { Store } from '../../src/store/store.ts'
import { isRefusedDeletion, type LoggedEvent, sightingOf } from './finding.ts'

async function read(store: Store, after = '0', limit: number): Promise<SourceBatch<LoggedEvent>> {
  const rows = await store.evidence(Number(after), limit)
  return {
    lines: rows.map(({ body }) => JSON.parse(body) as LoggedEvent),
    next: String(rows.at(-1)?.position ?? after),
    more: rows.length === limit,
  }
}

export const refusedDeletions = (store: Store): Follower<LoggedEvent> =>
  new Follower({
    store,
    name: ['acm', 'refused-deletions'], // names the cursor: never change it
    read: (after, limit) => read(store, after, limit),
    commit: async (unit, events) => {
      for (const event of events) if (isRefusedDeletion(event)) await putFinding(unit, sightingOf(event))
    },
  })
