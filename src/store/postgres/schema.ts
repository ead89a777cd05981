/** Tables on PostgreSQL, as numbered steps. A released step never changes: add the next one. */
import type pg from 'pg'
import { type ConnectionSettings, connect, drop, quoted } from './connection.ts'

export interface Step {
  readonly sql: string
  /** Builds that know only the steps before this one may go on writing beside those that know it. */
  readonly additive: boolean
}

/**
 * Keys are bytes, so that they sort as UTF-8 whatever the database's locale. A deleted document stays as a row without
 * one until all nodes have read the deletion. `state` is one row: its lock puts commits of all nodes in one order.
 */
export const steps: readonly Step[] = [
  {
    additive: false,
    sql: `
      CREATE TABLE state (id integer PRIMARY KEY, revision bigint NOT NULL, position bigint NOT NULL) WITH (fillfactor = 10);
      INSERT INTO state VALUES (1, 0, 0);
      CREATE TABLE documents (key bytea PRIMARY KEY, document text, revision bigint NOT NULL);
      CREATE INDEX documents_by_revision ON documents (revision);
      CREATE TABLE log (
        position bigint PRIMARY KEY, id text NOT NULL, account text NOT NULL, region text NOT NULL, time_ms bigint NOT NULL,
        attributes text NOT NULL, body text NOT NULL, node text NOT NULL, sequence bigint NOT NULL, hash bytea NOT NULL,
        epoch bigint NOT NULL, mac bytea);
      CREATE INDEX log_by_time ON log (account, time_ms, position);
      CREATE TABLE log_attributes (
        account text NOT NULL, region text NOT NULL, name text NOT NULL, value text NOT NULL, time_ms bigint NOT NULL,
        position bigint NOT NULL, PRIMARY KEY (account, region, name, value, time_ms, position));
      CREATE TABLE chains (
        account text NOT NULL, region text NOT NULL, node text NOT NULL, sequence bigint NOT NULL, hash bytea NOT NULL,
        epoch bigint NOT NULL, mac bytea, PRIMARY KEY (account, region, node));
      CREATE TABLE nodes (name text PRIMARY KEY, incarnation text NOT NULL, batch bigint NOT NULL) WITH (fillfactor = 10);
      CREATE TABLE counters (name text PRIMARY KEY, value bigint NOT NULL);
      INSERT INTO counters VALUES ('indexed', 0), ('swept_at', 0), ('sweepable', 0), ('swept', 0);
      CREATE TABLE blobs (id text PRIMARY KEY, bytes bytea NOT NULL, made_at timestamptz NOT NULL DEFAULT now());`,
  },
  {
    // Older builds index into `log_attributes` as before, by their own counter. Newer ones search it up to
    // `postings_from`, where their own index begins.
    additive: true,
    sql: `
      CREATE TABLE log_postings (
        account text NOT NULL, region text NOT NULL, name text NOT NULL, value text NOT NULL, last_ms bigint NOT NULL,
        position bigint NOT NULL, first_ms bigint NOT NULL, postings text NOT NULL,
        PRIMARY KEY (account, region, name, value, last_ms, position));
      INSERT INTO counters
        SELECT added.name, indexed.value FROM counters AS indexed, (VALUES ('postings_from'), ('postings')) AS added (name)
        WHERE indexed.name = 'indexed';`,
  },
]

/** Whichever node comes first does it, the others wait. Refuses data that this build must not write. */
export async function migrate(place: ConnectionSettings, known: readonly Step[] = steps): Promise<void> {
  const client = await connect(place)
  const schema = place.schema ?? 'merlon'
  try {
    await client.query('SET statement_timeout = 0')
    await client.query(`SELECT pg_advisory_lock(hashtext($1))`, [`merlon/${schema}`])
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`)
    await client.query('CREATE TABLE IF NOT EXISTS builds (known integer NOT NULL, least integer NOT NULL)')
    const { rows } = await client.query<{ known: number; least: number }>('SELECT known, least FROM builds')
    const [there = { known: 0, least: 0 }] = rows
    if (there.least > known.length) {
      throw new Error(
        `The data was written by a newer Merlon (schema ${there.known}, this build knows ${known.length}). Start the newer one.`,
      )
    }
    for (let step = there.known; step < known.length; step++) await take(client, known, step)
  } finally {
    // The lock goes with the connection.
    await client.end().catch(() => drop(client))
  }
}

async function take(client: pg.Client, known: readonly Step[], step: number): Promise<void> {
  const least = known.slice(0, step + 1).findLastIndex(({ additive }) => !additive) + 1
  await client.query('BEGIN')
  try {
    await client.query(known[step]!.sql)
    await client.query('DELETE FROM builds')
    await client.query('INSERT INTO builds VALUES ($1, $2)', [step + 1, least])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}
