/** The processes below one process, as Linux lists them, and the memory that they take together. */
import { readdirSync, readFileSync } from 'node:fs'

export interface TreeUsage {
  readonly processes: number
  /** Memory that is their own: anonymous, and shared between them alone. Programs and libraries do not count. */
  readonly bytes: number
}

const KB = 1024

/** Processes that end meanwhile are left out. */
export function usageOf(root: number): TreeUsage {
  let bytes = 0
  const seen = new Set<number>()
  for (const waiting = [root]; waiting.length > 0; ) {
    const pid = waiting.pop()!
    if (seen.has(pid)) continue
    seen.add(pid)
    bytes += memoryOf(pid)
    waiting.push(...childrenOf(pid))
  }
  return { processes: seen.size, bytes }
}

/** Of all threads: each lists what it has forked. */
function childrenOf(pid: number): readonly number[] {
  return readable(() => readdirSync(`/proc/${pid}/task`), []).flatMap((thread) =>
    readable(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'), '')
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  )
}

function memoryOf(pid: number): number {
  const status = readable(() => readFileSync(`/proc/${pid}/status`, 'utf8'), '')
  return (kilobytes(status, 'RssAnon') + kilobytes(status, 'RssShmem')) * KB
}

const kilobytes = (status: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0)

function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}
