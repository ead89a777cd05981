/** The process that started this one: a server whose parent has died may have been forgotten. */
import { readFileSync } from 'node:fs'

const CHECK_MS = 500

/** Calls back once one of the processes above this one has died: the one below it then has another parent. */
export function onParentDeath(end: () => void): void {
  const above = ancestors()
  const timer = setInterval(() => {
    if (ancestors().join() === above.join()) return
    clearInterval(timer)
    end()
  }, CHECK_MS)
  timer.unref()
}

/**
 * Whether `npx` started this process, and waits for it. It passes SIGTERM on to its shell alone, and SIGHUP to none: then
 * they die, and the server would stay behind.
 */
export const isChildOfNpx = (): boolean => process.env['npm_lifecycle_event'] === 'npx' && ancestors().some(isNpx)

/** The parent; and npm, where that has a shell between it and this process. */
function ancestors(): readonly number[] {
  const parent = process.ppid
  if (process.env['npm_lifecycle_event'] === undefined || !/^(\/bin\/)?\w*sh -c /.test(commandOf(parent)))
    return [parent]
  // The name in parentheses may hold blanks; what follows it does not.
  const above = Number(read(`/proc/${parent}/stat`).split(') ').at(-1)?.split(' ')[1])
  return [parent, above]
}

/** npm calls itself `npm exec …`. The variable alone is inherited by everything that npx starts. */
const isNpx = (id: number): boolean => /\bnpm exec\b|\bnpx\b/.test(commandOf(id))

const commandOf = (id: number): string => read(`/proc/${id}/cmdline`).replaceAll('\0', ' ')

/** Empty where there is no /proc, or no such process. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
