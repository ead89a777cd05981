/** Tables, as numbered steps. A released step never changes: add the next one. */
import { type Chained, chainId, type Link, linkHash } from './chain.ts'
import type { Database } from './engine.ts'

/** What a store in one file calls the node that writes it. */
export const ONLY_NODE = 'main'

type Step = string | ((database: Database) => void)

const steps: readonly Step[] = [
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
  (database) => {
    database.exec(`
      ALTER TABLE log ADD COLUMN node TEXT NOT NULL DEFAULT '${ONLY_NODE}';
      ALTER TABLE log ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE log ADD COLUMN hash BLOB;
      ALTER TABLE log ADD COLUMN epoch INTEGER NOT NULL DEFAULT -1;
      ALTER TABLE log ADD COLUMN mac BLOB;
      CREATE TABLE chains (
        account TEXT NOT NULL, region TEXT NOT NULL, node TEXT NOT NULL, sequence INTEGER NOT NULL, hash BLOB NOT NULL,
        epoch INTEGER NOT NULL, mac BLOB, PRIMARY KEY (account, region, node)) WITHOUT ROWID, STRICT;`)
    chainWhatIsThere(database)
  },
  // Events are looked for in one Region; all before this step were management events.
  `DROP TABLE log_attributes;
   CREATE TABLE log_attributes (
     account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, time_ms INTEGER NOT NULL,
     position INTEGER NOT NULL, PRIMARY KEY (account, region, name, value, time_ms, position)) WITHOUT ROWID, STRICT;
   INSERT OR IGNORE INTO log_attributes
     SELECT account, region, json_extract(pair.value, '$[0]'), json_extract(pair.value, '$[1]'), time_ms, position
     FROM log, json_each(log.attributes) AS pair;
   INSERT OR IGNORE INTO log_attributes
     SELECT account, region, 'EventCategory', 'Management', time_ms, position FROM log;
   UPDATE counters SET value = coalesce((SELECT max(position) FROM log), 0) WHERE name = 'indexed';`,
  // What is indexed already stays where it is, and is searched there: an old log is not indexed a second time.
  `CREATE TABLE log_postings (
     account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, last_ms INTEGER NOT NULL,
     position INTEGER NOT NULL, first_ms INTEGER NOT NULL, postings TEXT NOT NULL,
     PRIMARY KEY (account, region, name, value, last_ms, position)) WITHOUT ROWID, STRICT;
   INSERT INTO counters SELECT 'postings_from', value FROM counters WHERE name = 'indexed';
   INSERT INTO counters SELECT 'postings', value FROM counters WHERE name = 'indexed';`,
]

/** Records from before there were chains: the first that is written with a MAC covers all before it. */
function chainWhatIsThere(database: Database): void {
  const heads = new Map<string, Chained & Link>()
  const next = database.prepare(
    'SELECT position, account, region, node, id, time_ms AS timeMs, attributes, body FROM log WHERE position > ? ORDER BY position LIMIT 1000',
  )
  const set = database.prepare('UPDATE log SET sequence = ?, hash = ? WHERE position = ?')
  for (let rows = next.all(0); rows.length > 0; rows = next.all(rows.at(-1)!['position']!)) {
    for (const row of rows) {
      const chained = row as unknown as Chained
      const previous = heads.get(chainId(chained))
      const hash = linkHash(previous, chained)
      const sequence = (previous?.sequence ?? 0) + 1
      heads.set(chainId(chained), { ...chained, sequence, hash, epoch: -1, mac: null })
      set.run(sequence, hash, row['position']!)
    }
  }
  const put = database.prepare('INSERT INTO chains VALUES (?, ?, ?, ?, ?, -1, NULL)')
  for (const { account, region, node, sequence, hash } of heads.values()) put.run(account, region, node, sequence, hash)
}

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
    database.exec('BEGIN IMMEDIATE')
    try {
      const change = steps[step]!
      if (typeof change === 'string') database.exec(change)
      else change(database)
      database.exec(`PRAGMA user_version = ${step + 1}; COMMIT`)
    } catch (error) {
      database.exec('ROLLBACK')
      throw error
    }
  }
}
