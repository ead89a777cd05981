/** Logging of a trail: started, stopped, and its status. */
import { DELIVERY_EVERY_MS, type Journal, scheduleDelivery } from './journal.ts'
import { at, cloudtrail, requireHome, type TrailRow, trailNamed } from './resources.ts'

/** The longest time between the time of an event and its position in the audit log. */
const OVERLAP_MS = 60_000

export const startLogging = cloudtrail
  .operation('StartLogging')
  .on(trailNamed)
  .run(async (call, _input, { row: before, save }) => {
    requireHome(call, before)
    if (before.logging) return {}
    const { stoppedAt: _over, ...rest } = before
    const trail: TrailRow = { ...rest, logging: true, startedAt: call.now }
    save(trail)
    const known = await call.unit.get<Journal>(at.journal(trail))
    const turn = (known?.turn ?? 0) + 1
    const plannedAt = call.now + DELIVERY_EVERY_MS
    // Events from before the stop are still to be delivered.
    if (known && !known.closed) scheduleDelivery(call.unit, trail, { ...known, turn }, plannedAt)
    else {
      const [last] = await call.ports.events.query({ account: call.account, toMs: call.now - OVERLAP_MS, limit: 1 })
      const journal: Journal = {
        turn,
        position: last?.position ?? '0.0',
        since: call.now,
        plannedAt,
        regions: {},
        delivery: known?.delivery ?? {},
        digest: known?.digest ?? {},
      }
      scheduleDelivery(call.unit, trail, journal, plannedAt)
    }
    return {}
  })

export const stopLogging = cloudtrail
  .operation('StopLogging')
  .on(trailNamed)
  .run(async (call, _input, { row: before, save }) => {
    requireHome(call, before)
    if (!before.logging) return {}
    const trail: TrailRow = { ...before, logging: false, stoppedAt: call.now }
    save(trail)
    const journal = await call.unit.get<Journal>(at.journal(trail))
    if (journal) scheduleDelivery(call.unit, trail, { ...journal, turn: journal.turn + 1 }, call.now)
    return {}
  })

const iso = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

export const getTrailStatus = cloudtrail
  .operation('GetTrailStatus')
  .on(trailNamed)
  .run(async (call, _input, { row: trail }) => {
    const { delivery = {}, digest = {}, logs = {} } = (await call.unit.get<Journal>(at.journal(trail))) ?? {}
    return {
      IsLogging: trail.logging,
      ...(delivery.error !== undefined && { LatestDeliveryError: delivery.error }),
      ...(delivery.at !== undefined && { LatestDeliveryTime: new Date(delivery.at) }),
      ...(trail.startedAt !== undefined && { StartLoggingTime: new Date(trail.startedAt) }),
      ...(trail.stoppedAt !== undefined && { StopLoggingTime: new Date(trail.stoppedAt) }),
      ...(digest.error !== undefined && { LatestDigestDeliveryError: digest.error }),
      ...(logs.error !== undefined && { LatestCloudWatchLogsDeliveryError: logs.error }),
      ...(logs.at !== undefined && { LatestCloudWatchLogsDeliveryTime: new Date(logs.at) }),
      ...(digest.at !== undefined && { LatestDigestDeliveryTime: new Date(digest.at) }),
      LatestDeliveryAttemptTime: delivery.attemptedAt === undefined ? '' : iso(delivery.attemptedAt),
      LatestDeliveryAttemptSucceeded: delivery.at === undefined ? '' : iso(delivery.at),
      LatestNotificationAttemptTime: '',
      LatestNotificationAttemptSucceeded: '',
      TimeLoggingStarted: trail.startedAt === undefined ? '' : iso(trail.startedAt),
      TimeLoggingStopped: trail.stoppedAt === undefined ? '' : iso(trail.stoppedAt),
    }
  })
