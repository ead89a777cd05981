/** Why a node must not go on, whatever it tries: what it knows no longer fits the database. */

/** Another process writes under this node's name, or this node was disconnected for too long. */
export class FencedError extends Error {
  override readonly name: string = 'FencedError'
}

/**
 * The database that answers has less than was reported to this node as durable: a standby was promoted without the last
 * commits.
 */
export class LostCommitsError extends FencedError {
  override readonly name = 'LostCommitsError'

  constructor(what: string) {
    super(
      `the database has lost acknowledged commits: ${what}. A standby that lacked them was promoted, or older data was put back. Start again; this is then reported as MERLON_ROLLBACK_DETECTED`,
    )
  }
}
