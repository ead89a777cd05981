/** How long a stop waits for its store. */
import { Readiness } from '../listen/health.ts'
import type { Opened } from './opened.ts'

/** What is gathered in memory is written within this; what was acknowledged is on disk before. */
const FAREWELL_MS_MAX = 30_000
/** How often a stop checks whether its database still answers. */
const FAREWELL_CHECK_MS = 500
/** A database that does not answer so many checks in a row is not waited for. */
const FAREWELL_UNANSWERED_MAX = 2

/**
 * Returns whether everything was closed in time. The database of several nodes may go away at any moment of a stop, and every
 * write then waits for it: it is checked until everything is closed. The disk of a single server is always waited for.
 */
export async function closeInTime(opened: Opened, readiness: Readiness): Promise<boolean> {
  const store = opened.store()
  const checked = store?.shared ? new Readiness(() => store.probe()) : undefined
  const isAway = async (each: Readiness) => (await each.trouble())?.reason === 'database_unreachable'
  const startedAt = performance.now()
  let unanswered = checked && (await isAway(readiness)) ? FAREWELL_UNANSWERED_MAX : 0
  let timer: NodeJS.Timeout | undefined
  let ended = false
  const giveUp = async () => {
    while (!ended && performance.now() - startedAt < FAREWELL_MS_MAX) {
      await new Promise((resolve) => {
        timer = setTimeout(resolve, FAREWELL_CHECK_MS)
      })
      if (unanswered >= FAREWELL_UNANSWERED_MAX) break
      unanswered = checked && (await isAway(checked)) ? unanswered + 1 : 0
    }
    return false
  }
  return Promise.race([opened.close().then(() => true), giveUp()]).finally(() => {
    ended = true
    clearTimeout(timer)
  })
}
