/**
 * The memory of a function as a whole. Limits of processes bind each process alone: a function that forks would have as
 * many times its memory as it has processes. Where the machine lets us, a control group of the kernel binds them together;
 * everywhere the host adds them up, many times a second, and ends the function that has too much.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { usageOf } from './process-tree.ts'

const WATCH_MS = 25
/** The relay and the runtime before the function's own first byte. */
export const RUNTIME_BYTES = 128 << 20
/** The relay and two processes of bubblewrap are among them. */
const PROCESSES_MAX = 64
/** Threads are tasks of the kernel, too. */
const TASKS_MAX = 512

export type Excess = 'memory' | 'processes'

/** Calls `exceeded` once; returns what ends the watch. */
export function watch(pid: number, memoryMb: number, exceeded: (excess: Excess) => void): () => void {
  const bytesMax = (memoryMb << 20) + RUNTIME_BYTES
  const timer = setInterval(() => {
    const { bytes, processes } = usageOf(pid)
    const excess = bytes > bytesMax ? 'memory' : processes > PROCESSES_MAX ? 'processes' : undefined
    if (!excess) return
    clearInterval(timer)
    exceeded(excess)
  }, WATCH_MS)
  return () => clearInterval(timer)
}

export interface Cgroup {
  /** In front of a command: the process enters the group before it becomes the command, so that none of its children is outside. */
  readonly entry: readonly string[]
  remove(): void
}

interface CgroupPlace {
  readonly root: string
  /** Of this process: `/proc/self/cgroup`. */
  readonly self: string
}

const SYSTEM: CgroupPlace = { root: '/sys/fs/cgroup', self: '/proc/self/cgroup' }

/**
 * A group of one sandbox below this process's own. undefined where there is no unified hierarchy, or none that this process
 * may divide: then the watch alone binds.
 * Source: https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
export function cgroupOf(memoryMb: number, { root, self }: CgroupPlace = SYSTEM): Cgroup | undefined {
  let folder: string | undefined
  try {
    const own = /^0::(\/.*)$/m.exec(readFileSync(self, 'utf8'))?.[1]
    if (own === undefined) return undefined
    const base = join(root, own)
    const controllers = readFileSync(join(base, 'cgroup.subtree_control'), 'utf8').trim().split(' ')
    if (!controllers.includes('memory') || !controllers.includes('pids')) return undefined
    const made = join(base, `merlon-fn-${randomUUID()}`)
    mkdirSync(made)
    folder = made
    const set = (name: string, value: string | number) => writeFileSync(join(made, name), String(value))
    set('memory.max', (memoryMb << 20) + RUNTIME_BYTES)
    set('memory.swap.max', 0)
    set('memory.oom.group', 1)
    set('pids.max', TASKS_MAX)
    return {
      entry: ['/bin/sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', made],
      remove: () => removed(made),
    }
  } catch {
    if (folder !== undefined) removed(folder)
    return undefined
  }
}

function removed(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Still busy with what is ending: an empty group costs nothing, and the next start of the machine takes it.
  }
}
