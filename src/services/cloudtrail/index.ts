/** CloudTrail: the audit trail, read. */
import type { Service } from '../../kernel/service.ts'
import { lookupEvents } from './events.ts'
import { cloudtrail as words } from './resources.ts'

export const cloudtrail: Service = {
  api: words.api,
  operations: [lookupEvents],
}
