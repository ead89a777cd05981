/** Tables, as numbered steps. A released step never changes: add the next one. */
import type { Database } from './engine.ts'

const steps: readonly string[] = [
  `CREATE TABLE documents (key TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID, STRICT;
   CREATE TABLE log (
     position INTEGER PRIMARY KEY, id TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
     time_ms INTEGER NOT NULL, attributes TEXT NOT NULL, body TEXT NOT NULL) STRICT;
   CREATE INDEX log_by_time ON log (account, time_ms, position);
   CREATE TABLE log_attributes (
     account TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, time_ms INTEGER NOT NULL, position INTEGER NOT NULL,
     PRIMARY KEY (account, name, value, time_ms, position)) WITHOUT ROWID, STRICT;
   CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
   INSERT INTO counters VALUES ('revision', 0), ('indexed', 0);`,
]

/** Brings a database to this build's schema, a step a transaction; refuses one that a newer build has written. */
export function migrate(database: Database): void {
  const { user_version } = database.prepare('PRAGMA user_version').get()!
  const from = Number(user_version)
  if (from > steps.length) {
    throw new Error(
      `The data was written by a newer Merlon (schema ${from}, this build knows ${steps.length}). Start the newer one, or restore a backup.`,
    )
  }
  for (let step = from; step < steps.length; step++) {
    database.exec(`BEGIN IMMEDIATE; ${steps[step]} PRAGMA user_version = ${step + 1}; COMMIT`)
  }
}
