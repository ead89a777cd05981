/** One PostgreSQL for the whole run of `npm run test:nodes`; every installation gets a database of its own there. */
import { Postgres } from '../faults/postgres.ts'

export default async function setup(): Promise<() => Promise<void>> {
  const postgres = await Postgres.make()
  process.env['MERLON_TEST_POSTGRES'] = postgres.url('postgres')
  return () => postgres.stop()
}
