/** CloudTrail: the audit trail, read, and delivered by trails. */
import type { Service } from '../../kernel/service.ts'
import { deliveryJob } from './delivery.ts'
import { lookupEvents } from './events.ts'
import { listInsightsMetricData } from './insights.ts'
import { DELIVERY_JOB } from './journal.ts'
import { getTrailStatus, startLogging, stopLogging } from './logging.ts'
import { listPublicKeys } from './public-keys.ts'
import { cloudtrail as words } from './resources.ts'
import { getEventSelectors, getInsightSelectors, putEventSelectors } from './selectors.ts'
import { addTags, listTags, removeTags } from './tagging.ts'
import { createTrail, deleteTrail, describeTrails, getTrail, listTrails, updateTrail } from './trails.ts'

export const cloudtrail: Service = {
  api: words.api,
  operations: [
    lookupEvents,
    listInsightsMetricData,
    // trails
    createTrail,
    updateTrail,
    deleteTrail,
    getTrail,
    describeTrails,
    listTrails,
    // what they record
    startLogging,
    stopLogging,
    getTrailStatus,
    putEventSelectors,
    getEventSelectors,
    getInsightSelectors,
    // what proves it
    listPublicKeys,
    // tags
    addTags,
    removeTags,
    listTags,
  ],
  jobs: { [DELIVERY_JOB]: deliveryJob },
}
