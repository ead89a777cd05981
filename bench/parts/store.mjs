/** Durable writes: ours beside the disk, beside SQLite as it is, and beside pgbench. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgres } from '../postgres.mjs'
import { dist, withPrograms } from '../programs.mjs'
import { number, share, table } from '../report.mjs'
import { interleaved } from '../rounds.mjs'

const ROWS = 10_000
const GROUPED = 512
const GROUPED_AIM = 15_000
const programs = { writes: 'programs/writes.ts', postgres: '../src/store/postgres/postgres.ts' }

export const store = ({ full, rounds }) =>
  withPrograms(programs, async (program, folder) => {
    const seconds = full ? 3 : 1
    const writes = (...words) => answer([process.execPath, program('writes'), ...words, String(seconds)])
    const text = [await sqlite(folder, writes, rounds)]
    const server = await startPostgres()
    if (server) {
      try {
        text.push(await postgres(server, program('postgres'), writes, seconds, rounds))
      } finally {
        await server.stop()
      }
    }
    text.push(
      [
        `Medians of ${rounds} interleaved rounds of ${seconds} s. A row is one JSON document of 470 bytes, put in the place of`,
        `one of ${number(ROWS)}; an event is a record of 1,200 bytes with three attributes, linked into its chain.`,
      ].join('\n'),
    )
    return text.join('\n\n')
  })

async function sqlite(folder, writes, rounds) {
  const at = join(folder, 'sqlite')
  mkdirSync(at)
  const one =
    (...words) =>
    () =>
      writes('sqlite', at, dist, ...words)
  const rows = [
    { name: 'the disk: 4 KiB overwritten, fdatasync', measure: one('disk', '1', '0') },
    { name: 'SQLite as it is, a row a transaction', measure: one('bare', '1', '0') },
    { name: 'a row, one after another', measure: one('store', '1', '0'), aim: 0.6 },
    { name: 'a row and its event, one after another', measure: one('store', '1', '1') },
    { name: `a row, ${GROUPED} at once`, measure: one('store', String(GROUPED), '0'), least: GROUPED_AIM },
    { name: `a row and its event, ${GROUPED} at once`, measure: one('store', String(GROUPED), '1') },
  ]
  const results = await interleaved(rows, rounds, ({ measure }) => measure())
  return table(
    ['SQLite', 'commits/s', 'of the disk'],
    rows.map(({ name, aim, least }, i) => {
      const { rate } = results[i]
      const missed = least !== undefined && rate < least ? ` (aim ${number(least)})` : ''
      return [name, `${number(rate)}${missed}`, i === 0 ? '' : share(rate / results[0].rate, aim)]
    }),
  )
}

async function postgres(server, module, writes, seconds, rounds) {
  const row = (n) =>
    `convert_to('bench/row/' || ${n}, 'UTF8'), '${JSON.stringify({ name: 'bench', text: 'x'.repeat(445) })}', 1`
  server.psql('CREATE TABLE bench (key bytea PRIMARY KEY, document text, revision bigint NOT NULL)')
  server.psql(`INSERT INTO bench SELECT ${row('n')} FROM generate_series(0, ${ROWS - 1}) AS n`)
  const upsert = `\\set n random(0, ${ROWS - 1})
INSERT INTO bench VALUES (${row(':n')})
ON CONFLICT (key) DO UPDATE SET document = excluded.document, revision = excluded.revision;
`
  const pgbench = (clients) => async () => ({ rate: server.pgbench(upsert, clients, seconds) })
  const ours = (lanes, events) => () => writes('postgres', server.url, module, 'store', String(lanes), String(events))
  const rows = [
    { name: 'pgbench, 1 client', measure: pgbench(1) },
    { name: 'a row, one after another', measure: ours(1, 0), beside: 0, aim: 0.5 },
    { name: 'a row and its event, one after another', measure: ours(1, 1), beside: 0 },
    { name: 'pgbench, 16 clients', measure: pgbench(16) },
    { name: 'a row, 16 at once', measure: ours(16, 0), beside: 3, aim: 0.5 },
    { name: 'a row and its event, 16 at once', measure: ours(16, 1), beside: 3 },
    { name: `a row, ${GROUPED} at once`, measure: ours(GROUPED, 0), beside: 3 },
  ]
  const results = await interleaved(rows, rounds, ({ measure }) => measure())
  return table(
    ['PostgreSQL', 'commits/s', 'of pgbench'],
    rows.map(({ name, beside, aim }, i) => [
      name,
      number(results[i].rate),
      beside === undefined ? '' : share(results[i].rate / results[beside].rate, aim),
    ]),
  )
}

async function answer([command, ...words]) {
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}`)
  return JSON.parse(text)
}
