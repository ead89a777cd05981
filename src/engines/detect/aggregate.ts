/** Detections of the same finding made one. */
import { EVENT_IDS_MAX } from './finding.ts'
import type { DetectedFinding } from './types.ts'

/** The newer details win; counts add up; the most recent event IDs are kept. */
export function aggregate(
  before: DetectedFinding | undefined,
  next: DetectedFinding,
  eventIdsMax: number = EVENT_IDS_MAX,
): DetectedFinding {
  if (!before) return next
  const eventIds = [...new Set([...before.eventIds, ...next.eventIds])]
  return {
    ...next,
    severity: Math.max(before.severity, next.severity),
    eventIds: eventIds.slice(-eventIdsMax),
    firstSeen: Math.min(before.firstSeen, next.firstSeen),
    lastSeen: Math.max(before.lastSeen, next.lastSeen),
    count: before.count + next.count,
    signals: [...new Set([...before.signals, ...next.signals])],
  }
}
