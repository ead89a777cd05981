/** Everything an installation keeps, as bytes, wherever it keeps it: to be searched for what must not be in clear. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { databaseOf, sharedPostgres } from './nodes.ts'

export async function kept(data: string): Promise<readonly Buffer[]> {
  const files = readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name)))
  return sharedPostgres() ? [...files, ...(await tables(databaseOf(data)))] : files
}

async function tables(url: string): Promise<Buffer[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    )
    const all: Buffer[] = []
    for (const { name } of rows) {
      const values = (await client.query({ text: `SELECT * FROM ${name}`, rowMode: 'array' })).rows.flat()
      all.push(Buffer.concat(values.map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(`${value}\n`)))))
    }
    return all
  } finally {
    await client.end()
  }
}
