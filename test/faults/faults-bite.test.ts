/** The faults themselves: each does to a database or a node what its name says, and ends on request. */
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { faketime } from './member.ts'
import { Postgres } from './postgres.ts'

/** Longer than an insert takes on a busy machine. */
const SLOW_MS = 3_000

let database: Postgres
let cluster: Cluster
beforeAll(async () => {
  database = await Postgres.make()
  database.sql('CREATE TABLE t (n serial, text text)')
  cluster = await Cluster.start({ store: 'sqlite', nodes: 1 })
}, 120_000)
afterAll(async () => {
  await cluster?.close()
  await database?.stop()
})

const insert = (text = 'x') => database.sql(`INSERT INTO t (text) VALUES ('${text}')`)
const took = (work: () => unknown, began = performance.now()): number => {
  work()
  return performance.now() - began
}

test('a killed PostgreSQL leaves no process, and comes back with what was committed', async () => {
  insert('kept')
  const before = database.processes()
  await database.signal('SIGKILL')
  expect(database.running).toBe(false)
  expect(() => insert()).toThrow()

  await database.start()

  expect(database.sql("SELECT count(*) FROM t WHERE text = 'kept'")).toBe('1')
  expect(database.processes()).not.toContain(before[0])
  expect(database.log()).toMatch(/database system was not properly shut down/)
})

test('a stopped PostgreSQL answers nothing until it goes on', async () => {
  await database.signal('SIGSTOP')
  const began = performance.now()
  // This process waits for psql: another one sends the signal.
  spawn('sh', ['-c', `sleep 0.4; kill -CONT ${database.processes().join(' ')}`], { stdio: 'ignore' })

  expect(took(() => insert(), began)).toBeGreaterThan(350)
})

test('a full disk refuses what needs room, and gives it again', async () => {
  if (!database.ownDisk) return expect(() => database.fill(true)).toThrow(/not on a disk of its own/)
  database.fill(true)
  const large = () =>
    database.sql('INSERT INTO t (text) SELECT repeat(md5(random()::text), 30) FROM generate_series(1, 9000)')
  expect(large).toThrow()

  database.fill(false)
  await database.start()

  large()
  expect(database.sql("SELECT count(*) FROM t WHERE text = 'kept'")).toBe('1')
  expect(database.log()).toMatch(/No space left on device/)
})

test('a slow fsync makes every commit late, and then no longer', async () => {
  if (!database.slowable) return expect(() => database.slowFsync(1)).toThrow(/no C compiler/)
  database.slowFsync(SLOW_MS)
  expect(took(() => insert())).toBeGreaterThan(SLOW_MS)

  database.slowFsync(0)

  await expect.poll(() => took(() => insert())).toBeLessThan(SLOW_MS)
})

test('a stopped node keeps its callers waiting, and a killed one refuses them', async () => {
  const [node] = cluster.members
  const ask = (ms: number) =>
    fetch(`${node!.url}/health`, { signal: AbortSignal.timeout(ms) }).then(({ status }) => status)
  node!.signal('SIGSTOP')
  await expect(ask(300)).rejects.toThrow(/timeout/)
  node!.signal('SIGCONT')
  expect(await ask(5_000)).toBe(200)

  await node!.stop('SIGKILL')
  await expect(ask(5_000)).rejects.toThrow(/fetch failed/)
  await node!.start()

  expect(await ask(5_000)).toBe(200)
})

test.runIf(faketime)('a node whose clock jumps dates its answers by it', async () => {
  const [node] = cluster.members
  const ahead = async () => {
    const answer = await fetch(`${node!.url}/health`)
    return Math.round((Date.parse(answer.headers.get('date')!) - Date.now()) / 60_000) || 0
  }
  expect(await ahead()).toBe(0)
  node!.clock(3_600)
  await expect.poll(ahead, { timeout: 5_000 }).toBe(60)
  node!.clock(-600)
  await expect.poll(ahead, { timeout: 5_000 }).toBe(-10)

  node!.clock(0)

  await expect.poll(ahead, { timeout: 5_000 }).toBe(0)
})
