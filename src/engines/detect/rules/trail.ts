/** Trails that are stopped, deleted, or configured to leave events out. */
import { at, itemsOf, listOf, textOf } from '../normalize/json.ts'
import { NONE, type Rule, type RuleFactory } from '../rule.ts'
import type { ApiEvent, Json } from '../types.ts'

type Read = (event: ApiEvent) => string | undefined

/** Basic selectors, without management events, or with only half of them. */
function dropsByBasicSelectors(request: ApiEvent['request']): boolean {
  const selectors = itemsOf(request.eventSelectors)
  if (selectors.length === 0) return false
  return !selectors.some(
    (each) => at(each, 'includeManagementEvents') !== false && (textOf(at(each, 'readWriteType')) || 'All') === 'All',
  )
}

/** Advanced selectors: one must select management events, with no other field. */
function dropsByAdvancedSelectors(request: ApiEvent['request']): boolean {
  const selectors = itemsOf(request.advancedEventSelectors)
  if (selectors.length === 0) return false
  const fields = (selector: Json): readonly Json[] => itemsOf(at(selector, 'fieldSelectors'))
  const isManagement = (field: Json): boolean =>
    textOf(at(field, 'field')) === 'eventCategory' && listOf(at(field, 'equals')).includes('Management')
  return !selectors.some((each) => fields(each).length === 1 && isManagement(fields(each)[0]!))
}

const READS: Readonly<Record<string, Read>> = {
  StopLogging: () => 'stops the trail',
  DeleteTrail: () => 'deletes the trail',
  DeleteEventDataStore: () => 'deletes an event data store',
  StopEventDataStoreIngestion: () => 'stops an event data store',
  PutEventSelectors: ({ request }) =>
    dropsByBasicSelectors(request) || dropsByAdvancedSelectors(request)
      ? 'leaves management events out of the trail'
      : undefined,
  UpdateTrail: ({ request }) =>
    request.includeGlobalServiceEvents === false || request.isMultiRegionTrail === false
      ? 'narrows the trail'
      : undefined,
}

/** Only successful calls: a refused one is an anomaly, if it is unusual. */
export const trailDisabled: RuleFactory = (): Rule => ({
  name: 'cloudtrail-logging-disabled',
  types: ['Stealth:IAMUser/CloudTrailLoggingDisabled'],
  source:
    'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html#stealth-iam-cloudtrailloggingdisabled',
  actions: Object.keys(READS),
  api: (event) => {
    if (event.service !== 'cloudtrail' || event.errorCode !== '') return NONE
    const detail = READS[event.action]!(event)
    return detail === undefined ? NONE : [{ type: 'Stealth:IAMUser/CloudTrailLoggingDisabled', detail }]
  },
})

/**
 * A rule of the bucket that empties a trail's bucket within days hides what was logged. Which buckets are trails' is learned from
 * CreateTrail, UpdateTrail, and CloudTrail's own deliveries.
 */
export const trailBucketEmptied: RuleFactory = ({ state }): Rule => {
  const buckets = state.table<0>('trail-buckets', 10_000)
  return {
    name: 'cloudtrail-bucket-emptied',
    types: ['Stealth:IAMUser/CloudTrailLoggingDisabled'],
    source: 'https://attack.mitre.org/techniques/T1562/008/',
    actions: [
      'CreateTrail',
      'UpdateTrail',
      'GetBucketAcl',
      'PutObject',
      'PutBucketLifecycle',
      'PutBucketLifecycleConfiguration',
    ],
    api: (event) => {
      const { request, principal } = event
      const isDelivery = principal.invokedBy === 'cloudtrail.amazonaws.com'
      const bucket = textOf(event.service === 'cloudtrail' ? request.s3BucketName : request.bucketName, 255)
      if (bucket === '' || event.errorCode !== '') return NONE
      if (event.service === 'cloudtrail' || isDelivery) {
        if (buckets.get(bucket) === undefined) buckets.put(bucket, 0)
        return NONE
      }
      if (!event.action.startsWith('PutBucketLifecycle') || buckets.get(bucket) === undefined) return NONE
      const days = expirationDays(request)
      return days !== undefined && days <= 7
        ? [
            {
              type: 'Stealth:IAMUser/CloudTrailLoggingDisabled',
              detail: `deletes the logs of a trail in bucket ${bucket} after ${days} days`,
            },
          ]
        : NONE
    },
  }
}

/** The shortest expiration of all objects. */
function expirationDays(request: ApiEvent['request']): number | undefined {
  const written = at(request.LifecycleConfiguration, 'Rule') ?? at(request.LifecycleConfiguration, 'Rules')
  const rules = Array.isArray(written) ? (written as readonly Json[]) : written === undefined ? [] : [written]
  const days = rules
    .map((rule) => Number(at(rule, 'Expiration', 'Days') ?? Number.NaN))
    .filter((each) => Number.isFinite(each))
  return days.length === 0 ? undefined : Math.min(...days)
}
