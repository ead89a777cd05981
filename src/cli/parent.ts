/** The process that started this one: a server whose parent has died may have been forgotten. */
import { readFileSync } from 'node:fs'

const CHECK_MS = 500

/** Calls back once the parent has died: the system then gives this process another one. */
export function onParentDeath(end: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    end()
  }, CHECK_MS)
  timer.unref()
}

/**
 * Whether `npx` started this process, and waits for it. It passes SIGTERM and SIGINT on, but no SIGHUP: then it dies, and
 * the server would stay behind.
 */
export function isChildOfNpx(): boolean {
  if (process.env['npm_lifecycle_event'] !== 'npx') return false
  try {
    // npm calls itself `npm exec …`. A variable alone is inherited by everything that npx starts.
    return /\bnpm exec\b|\bnpx\b/.test(readFileSync(`/proc/${process.ppid}/cmdline`, 'latin1').replaceAll('\0', ' '))
  } catch {
    return true
  }
}
