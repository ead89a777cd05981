/** CloudTrail's words. Events are no rows of ours: the gate writes them, the event log keeps them. */
import type * as CloudTrail from '@aws-sdk/client-cloudtrail'
import { service } from '../../kernel/service.ts'

export const cloudtrail = service<typeof CloudTrail>('cloudtrail')
