/** One process per data file: two writers that each keep state in memory would undo each other. */
import { type Database, isBusy, openDatabase } from './engine.ts'

/**
 * An exclusive lock of the operating system, taken by way of an empty SQLite file beside the data. The kernel lets go
 * of it when the process dies, however it dies; a process id in a file would mean nothing after a restart or across
 * containers that share a volume.
 */
/** Another process has the data open; the message says what to do. */
export class LockedError extends Error {
  override readonly name = 'LockedError'
}

export class Lock {
  readonly #database: Database

  private constructor(database: Database) {
    this.#database = database
  }

  /** Throws when another process, or another store in this one, holds the lock. */
  static async take(file: string): Promise<Lock> {
    const database = await openDatabase(file)
    try {
      // In memory, so that the lock is all there ever is on the disk.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    } catch (error) {
      database.close()
      if (!isBusy(error)) throw error
      throw new LockedError(
        `Another Merlon is using this data (${file} is locked). Stop it first, or start with another --data.`,
      )
    }
    return new Lock(database)
  }

  release(): void {
    this.#database.close()
  }
}
