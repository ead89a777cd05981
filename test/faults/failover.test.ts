/**
 * PostgreSQL dies, and its synchronous standby takes over under load: no acknowledged change is lost, all nodes are back
 * within five seconds of the promotion, and none ever writes to a former primary that comes back.
 */
import { availableParallelism, loadavg } from 'node:os'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { violations } from './checker.ts'
import { Cluster } from './cluster.ts'
import type { Fault } from './nemesis.ts'
import { Postgres } from './postgres.ts'
import { type RoundResult, runRound } from './round.ts'
import { SignedCaller } from './signed-call.ts'
import { disagreements, type Page, wholeTrail } from './trail.ts'

const NODES = 3
/** The promise is five seconds; on a machine that has more to do than processors, everything takes as much longer. */
const BACK_MS_MAX = 5_000 * Math.max(1, loadavg()[0]! / availableParallelism())
const HOLD_MS = 2_000
const SEED = Date.now() % 100_000

const owned: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of owned.splice(0).reverse()) await each.close()
}, 60_000)

async function pair(): Promise<{ primary: Postgres; standby: Postgres }> {
  const primary = await Postgres.make()
  owned.push({ close: () => primary.stop() })
  const standby = await primary.synchronousStandby()
  owned.push({ close: () => standby.stop() })
  return { primary, standby }
}

/** Both hosts in one URL. */
const bothHosts = (one: Postgres, other: Postgres) => (database: string) =>
  one
    .url(database)
    .replace(`127.0.0.1:${one.port}`, `127.0.0.1:${one.port},127.0.0.1:${other.port}`)
    .concat('?target_session_attrs=read-write')

async function cluster(primary: Postgres, url?: (database: string) => string): Promise<Cluster> {
  const made = await Cluster.start({ store: 'postgres', nodes: NODES, postgres: primary, ...(url && { url }) })
  owned.push(made)
  return made
}

const fault = (name: string, strike: () => Promise<void>, end: () => Promise<void>): Fault => ({
  name,
  on: 'database',
  possible: () => true,
  strike: async () => {
    await strike()
    return { target: 'PostgreSQL', end }
  },
})

const round = (cluster: Cluster, number: number, each: Fault) =>
  runRound({ cluster, seed: SEED, round: number, faults: [each], holdMs: HOLD_MS, longMs: HOLD_MS })

/** What the database has taken so far. */
const written = (server: Postgres) => {
  const database = server.sql("SELECT datname FROM pg_database WHERE datname LIKE 'merlon_%'")
  return server.sql('SELECT revision, position FROM merlon.state', database)
}

async function expectNothingLost(cluster: Cluster, results: readonly RoundResult[]): Promise<void> {
  const operations = results.flatMap(({ log }) => log.operations)
  const asking = new SignedCaller(cluster.account, 30_000)
  const page: Page = async (NextToken) => {
    const answer = await asking.ask(cluster.members[0]!.url, (client) =>
      client.json<Awaited<ReturnType<Page>>>('cloudtrail', 'CloudTrail_20131101.LookupEvents', {
        MaxResults: 50,
        ...(NextToken && { NextToken }),
      }),
    )
    if (answer.is !== 'answered') throw new Error(JSON.stringify(answer))
    return answer.output
  }
  const trail = await wholeTrail(page)
  asking.close()
  expect({
    violations: violations(operations),
    amiss: disagreements(operations, trail),
    surprises: results.flatMap(({ surprises }) => surprises),
    silent: results.flatMap(({ silent }) => silent),
  }).toEqual({ violations: [], amiss: [], surprises: [], silent: [] })
  // Little would be proven by clients that got nowhere.
  expect(operations.filter(({ outcome }) => outcome === 'done').length).toBeGreaterThan(results.length * 10)
}

test('a URL with both hosts: the primary is killed, its standby promoted, and the former primary comes back', async () => {
  const { primary, standby } = await pair()
  const nodes = await cluster(primary, bothHosts(primary, standby))

  const promoted = await round(
    nodes,
    0,
    fault(
      'promotion',
      () => primary.signal('SIGKILL'),
      async () => standby.promote(),
    ),
  )
  let before = ''
  const returned = await round(
    nodes,
    1,
    fault(
      'former primary comes back',
      async () => {
        await primary.start()
        // Nothing on its side would stop a write.
        primary.sql('ALTER SYSTEM RESET synchronous_standby_names')
        primary.sql('SELECT pg_reload_conf()')
        before = written(primary)
        // Nodes have to connect again while both call themselves the primary.
        for (const backend of standby.backends()) standby.sql(`SELECT pg_terminate_backend(${backend})`)
      },
      async () => undefined,
    ),
  )

  console.log(`back ${promoted.recoveredMs} ms after the promotion`)
  expect(written(primary)).toBe(before)
  expect(promoted.recoveredMs).toBeLessThan(BACK_MS_MAX)
  await expectNothingLost(nodes, [promoted, returned])
})

test('a URL with both hosts: the primary hangs, its standby is promoted, and the former primary goes on', async () => {
  const { primary, standby } = await pair()
  const nodes = await cluster(primary, bothHosts(primary, standby))

  const promoted = await round(
    nodes,
    0,
    fault(
      'promotion',
      () => primary.signal('SIGSTOP'),
      async () => standby.promote(),
    ),
  )
  const returned = await round(
    nodes,
    1,
    fault(
      'former primary goes on',
      () => primary.signal('SIGCONT'),
      async () => undefined,
    ),
  )

  console.log(`back ${promoted.recoveredMs} ms after the promotion`)
  expect(promoted.recoveredMs).toBeLessThan(BACK_MS_MAX)
  await expectNothingLost(nodes, [promoted, returned])
})

test('a TCP proxy: it follows the promotion, and nodes refuse the former primary when it leads there again', async () => {
  const { primary, standby } = await pair()
  const nodes = await cluster(primary)
  const aim = (server: Postgres) => {
    for (const { link } of nodes.members) link!.aim(server.port)
  }

  const promoted = await round(
    nodes,
    0,
    fault(
      'promotion',
      async () => {
        await primary.signal('SIGKILL')
        // The proxy has noticed before the standby was promoted: nodes must not take it for a primary.
        aim(standby)
      },
      async () => standby.promote(),
    ),
  )
  await primary.start()
  primary.sql('ALTER SYSTEM RESET synchronous_standby_names')
  primary.sql('SELECT pg_reload_conf()')
  const before = written(primary)
  const misled = await round(
    nodes,
    1,
    fault(
      'proxy leads to the former primary',
      async () => aim(primary),
      async () => aim(standby),
    ),
  )

  console.log(`back ${promoted.recoveredMs} ms after the promotion`)
  expect(written(primary)).toBe(before)
  expect(promoted.recoveredMs).toBeLessThan(BACK_MS_MAX)
  await expectNothingLost(nodes, [promoted, misled])
})

test('a commit canceled while it waits for the standby is acknowledged only once the standby has it', async () => {
  const { primary, standby } = await pair()
  const store = await openPostgres({ url: primary.url('postgres'), node: 'one' })
  owned.push({ close: () => store.close() })
  await store.run((unit) => unit.put('k', { n: 1 }))
  await standby.signal('SIGSTOP')
  let acknowledged = false

  const commit = store
    .run((unit) => unit.put('k', { n: 2 }))
    .then(() => {
      acknowledged = true
    })
  const waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
  await expect.poll(() => primary.sql(waiting)).not.toBe('')
  primary.sql(`SELECT pg_cancel_backend(pid) FROM (${waiting}) AS w`)
  // The writer is on a new connection, and waits for the standby there.
  await expect.poll(() => primary.sql(`${waiting} AND query LIKE 'UPDATE nodes%'`)).not.toBe('')
  expect(acknowledged).toBe(false)
  await standby.signal('SIGCONT')
  await commit

  standby.promote()
  const client = new pg.Client({ connectionString: standby.url('postgres') })
  await client.connect()
  const { rows } = await client.query("SELECT document FROM merlon.documents WHERE key = 'k'::bytea")
  await client.end()
  expect(JSON.parse(rows[0].document)).toEqual({ n: 2 })
})
