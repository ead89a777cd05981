/** CloudTrail: the event history, and trails that deliver it. */
import { operationsOf } from '../../kernel/service/define-service.ts'
import { deliveryJob } from './delivery.ts'
import * as events from './events.ts'
import * as insights from './insights.ts'
import { DELIVERY_JOB } from './journal.ts'
import * as logging from './logging.ts'
import * as publicKeys from './public-keys.ts'
import { cloudtrail as words } from './resources.ts'
import * as selectors from './selectors.ts'
import * as tagging from './tagging.ts'
import * as trails from './trails.ts'

export const cloudtrail = words.service({
  operations: operationsOf(events, insights, trails, logging, selectors, publicKeys, tagging),
  jobs: { [DELIVERY_JOB]: deliveryJob },
})
