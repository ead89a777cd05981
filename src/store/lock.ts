/** One process per data file: two writers that each keep state in memory would undo each other. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'

export class Lock {
  readonly #file: string

  private constructor(file: string) {
    this.#file = file
  }

  static take(file: string): Lock {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        const descriptor = openSync(file, 'wx', 0o600)
        writeSync(descriptor, String(process.pid))
        closeSync(descriptor)
        return new Lock(file)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        const holder = Number(readFileSync(file, 'utf8'))
        if (holder && holder !== process.pid && alive(holder)) {
          throw new Error(
            `Another Merlon (process ${holder}) is using this data. Stop it first, or start with another --data.`,
          )
        }
        // Its holder was killed: the lock means nothing.
        rmSync(file, { force: true })
      }
    }
    throw new Error(`could not take the lock ${file}`)
  }

  release(): void {
    rmSync(this.#file, { force: true })
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
