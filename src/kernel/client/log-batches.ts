/**
 * Batches of log events as CloudWatch Logs takes them: at most 10,000 events and a mebibyte, in the order of their time, within a day.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
 *
 * @example
 * for (const logEvents of logBatches(events)) await act(acting, logs, 'PutLogEvents', { ...stream, logEvents })
 */

export interface LogEvent {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly message: string
}

const EVENTS_MAX = 10_000
const BYTES_MAX = 1_048_576
/** Counted for each event beside its message. */
const OVERHEAD_BYTES = 26
const SPAN_MS_MAX = 24 * 60 * 60_000

/** In any order. Events that are larger than a batch are left out. */
export function* logBatches(events: readonly LogEvent[]): Generator<LogEvent[]> {
  let batch: LogEvent[] = []
  let bytes = 0
  for (const event of [...events].sort((a, b) => a.timestamp - b.timestamp)) {
    const size = Buffer.byteLength(event.message) + OVERHEAD_BYTES
    if (size > BYTES_MAX) continue
    const [first] = batch
    const isFull =
      batch.length >= EVENTS_MAX ||
      bytes + size > BYTES_MAX ||
      (first !== undefined && event.timestamp - first.timestamp > SPAN_MS_MAX)
    if (isFull) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(event)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
