/** Images of a PostgreSQL database, and an empty one filled from an image. */
import type pg from 'pg'
import type { StoredDocument } from '../backend.ts'
import type { Head } from '../chain.ts'
import { type Loader, NotEmptyError, type StoreSnapshot } from '../image.ts'
import { readEvidence } from '../log.ts'
import type { Key } from '../store.ts'
import { type ConnectionSettings, connect, drop } from './connection.ts'
import { postgresLog } from './log.ts'
import { migrate } from './schema.ts'

/** As it is now, whatever is written meanwhile; without the documents that are withheld. */
export async function postgresImage(place: ConnectionSettings, withheld: readonly Key[]): Promise<StoreSnapshot> {
  const client = await connect(place)
  await client.query('SET statement_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  const { rows } = await client.query<{ revision: number }>('SELECT revision FROM state WHERE id = 1')
  const log = postgresLog(client)
  const left = withheld.map((key) => Buffer.from(key))
  return {
    revision: rows[0]!.revision,
    documents: async (after, limit) => {
      const found = await client.query<{ key: Buffer; document: string }>(
        'SELECT key, document FROM documents WHERE key > $1 AND document IS NOT NULL AND NOT (key = ANY ($2)) ORDER BY key LIMIT $3',
        [Buffer.from(after ?? ''), left, limit],
      )
      return found.rows.map(({ key, document }): StoredDocument => ({ key: key.toString(), json: document }))
    },
    records: (after, limit) => readEvidence(log, after, limit),
    heads: async () => (await client.query<Head>('SELECT * FROM chains')).rows,
    blobs: {
      ids: async () => (await client.query<{ id: string }>('SELECT id FROM blobs')).rows.map(({ id }) => id),
      read: async (id) => {
        const { rows } = await client.query<{ bytes: Buffer }>('SELECT bytes FROM blobs WHERE id = $1', [id])
        return rows[0]?.bytes
      },
    },
    close: () => client.end(),
  }
}

/** Into a database that holds nothing yet. */
export async function postgresLoader(place: ConnectionSettings): Promise<Loader> {
  await migrate(place)
  const client = await connect(place)
  try {
    await client.query('SET statement_timeout = 0; BEGIN')
    // The row's lock keeps out a node that starts meanwhile.
    const { rows } = await client.query<{ revision: number; position: number }>(
      'SELECT revision, position FROM state WHERE id = 1 FOR UPDATE',
    )
    if (rows[0]!.revision > 0 || rows[0]!.position > 0)
      throw new NotEmptyError('the database holds data already; nothing was written')
    return loaderOf(client)
  } catch (error) {
    drop(client)
    throw error
  }
}

function loaderOf(client: pg.Client): Loader {
  return {
    documents: async (rows) => {
      await client.query(
        'INSERT INTO documents (key, document, revision) SELECT *, 0 FROM unnest($1::bytea[], $2::text[])',
        [rows.map(({ key }) => Buffer.from(key)), rows.map(({ json }) => json)],
      )
    },
    records: async (rows) => {
      await client.query(
        `INSERT INTO log (position, id, account, region, time_ms, attributes, body, node, sequence, hash, epoch, mac)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
           $8::text[], $9::bigint[], $10::bytea[], $11::bigint[], $12::bytea[])`,
        [
          rows.map((r) => r.position),
          rows.map((r) => r.id),
          rows.map((r) => r.account),
          rows.map((r) => r.region),
          rows.map((r) => r.timeMs),
          rows.map((r) => r.attributes),
          rows.map((r) => r.body),
          rows.map((r) => r.node),
          rows.map((r) => r.sequence),
          rows.map((r) => bytes(r.hash)),
          rows.map((r) => r.epoch),
          rows.map((r) => r.mac && bytes(r.mac)),
        ],
      )
    },
    finish: async ({ revision, heads, position }) => {
      for (const h of heads) {
        await client.query('INSERT INTO chains VALUES ($1, $2, $3, $4, $5, $6, $7)', [
          ...[h.account, h.region, h.node, h.sequence],
          ...[bytes(h.hash), h.epoch, h.mac && bytes(h.mac)],
        ])
      }
      await client.query('UPDATE documents SET revision = $1', [revision])
      await client.query('UPDATE state SET revision = $1, position = $2 WHERE id = 1', [revision, position])
      await client.query('COMMIT')
      await client.query('ANALYZE documents; ANALYZE log')
      await client.end()
    },
    abandon: async () => drop(client),
  }
}

/** The driver knows Buffers, and no other bytes. */
const bytes = (of: Uint8Array): Buffer => Buffer.from(of.buffer, of.byteOffset, of.byteLength)
