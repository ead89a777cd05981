/**
 * Temporary directories of this process: their names say whose they are, so that the next start takes away what a process
 * that was killed has left. A process is known by its PID namespace, its PID and the time of its start.
 */
import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const KINDS = ['functions', 'fn'] as const
const NAME = new RegExp(`^merlon-(?:${KINDS.join('|')})-(\\d+)-(\\d+)-(\\d+)-[A-Za-z0-9]{6}$`)

/** Made for its owner alone. */
export function temporaryFolder(kind: (typeof KINDS)[number]): string {
  const folder = mkdtempSync(
    join(tmpdir(), `merlon-${kind}-${namespace()}-${process.pid}-${startOf(process.pid) ?? 0}-`),
  )
  chmodSync(folder, 0o700)
  return folder
}

/** Deletes the directories of processes that have ended. Those of other PID namespaces cannot be checked from here. */
export function sweepTemporary(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, space, pid, start] = NAME.exec(name) ?? []
    if (space === undefined || space !== namespace() || startOf(Number(pid)) === start) continue
    const folder = join(tmpdir(), name)
    try {
      // What another user has put there under such a name is not followed, and not touched.
      const { uid } = lstatSync(folder)
      if (uid === process.getuid?.()) rmSync(folder, { recursive: true, force: true })
    } catch {
      // Another process takes it away at the same time.
    }
  }
}

/** Clock ticks since the machine has started; undefined when there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    // The name of the program may contain anything, and ends with the last bracket.
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19]
  } catch {
    return undefined
  }
}

let own: string | undefined

function namespace(): string {
  if (own === undefined) {
    try {
      own = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
    } catch {
      own = '0'
    }
  }
  return own
}
