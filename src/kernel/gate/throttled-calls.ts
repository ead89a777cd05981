/** Which throttled calls are recorded: the first of a principal in each minute, and after the minute how many more. */
import type { Subject } from './session.ts'
import { principalKey } from './throttle.ts'

/** A principal's minute. */
export interface ThrottledMinute {
  readonly account: string
  readonly subject: Subject
  readonly region: string
  /** The principal's ARN; of a session that of its role or user. */
  readonly principal: string
  readonly since: number
  /** Besides the first, which has an event of its own. */
  calls: number
  /** Refused before the caller had to prove that the principal's credentials are theirs. */
  unproven: number
}

interface Open {
  readonly minute: ThrottledMinute
  readonly accessKeyIds: Set<string>
  readonly timer: NodeJS.Timeout
}

const MINUTE_MS = 60_000
const MINUTES_MAX = 10_000
const KEYS_A_MINUTE_MAX = 100

/** Recording every one would cost what throttling saves. They ran nothing, so nothing runs unrecorded. */
export class ThrottledCalls {
  readonly #open = new Map<string, Open>()
  readonly #byKey = new Map<string, ThrottledMinute>()
  readonly #record: (minute: ThrottledMinute) => Promise<void>
  #recording: Promise<unknown> = Promise.resolve()

  constructor(record: (minute: ThrottledMinute) => Promise<void>) {
    this.#record = record
  }

  /** True for the first of a minute. */
  isFirst(accessKeyId: string, opened: Omit<ThrottledMinute, 'calls' | 'unproven'>): boolean {
    const key = principalKey(opened.account, opened.subject)
    const open = this.#open.get(key)
    if (open) {
      open.minute.calls++
      this.#remember(accessKeyId, open)
      return false
    }
    // More principals than this are throttled at once: the metrics count them all.
    if (this.#open.size >= MINUTES_MAX) return false
    const minute: ThrottledMinute = { ...opened, calls: 0, unproven: 0 }
    const timer = setTimeout(() => this.#end(key), MINUTE_MS).unref()
    const begun: Open = { minute, accessKeyIds: new Set(), timer }
    this.#open.set(key, begun)
    this.#remember(accessKeyId, begun)
    return true
  }

  /** The current minute of the principal with this access key. */
  minuteOf(accessKeyId: string): ThrottledMinute | undefined {
    return this.#byKey.get(accessKeyId)
  }

  /** Ends every minute now; resolves when all counts are recorded. */
  async close(): Promise<void> {
    for (const key of [...this.#open.keys()]) this.#end(key)
    await this.#recording
  }

  #remember(accessKeyId: string, { accessKeyIds, minute }: Open): void {
    if (accessKeyIds.size >= KEYS_A_MINUTE_MAX) return
    accessKeyIds.add(accessKeyId)
    this.#byKey.set(accessKeyId, minute)
  }

  #end(key: string): void {
    const { minute, accessKeyIds, timer } = this.#open.get(key)!
    clearTimeout(timer)
    this.#open.delete(key)
    for (const each of accessKeyIds) this.#byKey.delete(each)
    if (minute.calls + minute.unproven === 0) return
    // A store that accepts nothing any more ends the process.
    this.#recording = Promise.all([this.#recording, this.#record(minute).catch(() => undefined)])
  }
}
