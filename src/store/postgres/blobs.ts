/** Bytes that documents are too small for, as rows: what all nodes must see, and no folder of one node can show. */
import type pg from 'pg'
import type { Blobs } from '../store.ts'
import { retryingQuery } from './connection.ts'

export const postgresBlobs = (pool: pg.Pool): Blobs => ({
  write: async (id, bytes) => {
    const values = [id, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)]
    await retryingQuery(() =>
      pool.query(
        'INSERT INTO blobs (id, bytes) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes',
        values,
      ),
    )
  },
  read: async (id) => {
    const { rows } = await retryingQuery(() =>
      pool.query<{ bytes: Buffer }>('SELECT bytes FROM blobs WHERE id = $1', [id]),
    )
    return rows[0]?.bytes
  },
  remove: async (id) => void (await retryingQuery(() => pool.query('DELETE FROM blobs WHERE id = $1', [id]))),
  older: async (ageMs) => {
    const { rows } = await retryingQuery(() =>
      pool.query<{ id: string }>(`SELECT id FROM blobs WHERE made_at < now() - $1 * interval '1 millisecond'`, [ageMs]),
    )
    return rows.map(({ id }) => id)
  },
})
