/** Root of trust §6.7, sent elsewhere: streams and witnesses of a real server, over kills, with a real rsyslogd. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/store/engine.ts'
import { startMerlon } from '../process.ts'
import { clientOf, folder, merlon } from './shell.ts'

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((done) => setTimeout(done, 50))
}

const linesOf = (file: string) =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{'))
    : []
const idsOf = (file: string): string[] => linesOf(file).map((line) => JSON.parse(line).eventID)

async function sql<T>(data: string, work: (database: Awaited<ReturnType<typeof openDatabase>>) => T): Promise<T> {
  const database = await openDatabase(join(data, 'merlon.db'))
  try {
    return work(database)
  } finally {
    database.close()
  }
}

test('7: killed again and again, a stream loses no event and keeps their order', async () => {
  const data = join(folder(), 'data')
  const file = join(folder(), 'events.jsonl')
  const words = ['--data', data, '--stream', `file://${file}`]
  let server = await startMerlon(words)
  const root = server.accounts[0]!
  let made = 0
  for (let kill = 0; kill < 5; kill++) {
    const client = clientOf(server.url, root)
    const before = idsOf(file).length
    const working = Promise.all(
      Array.from({ length: 400 }, () => client.query('iam', 'CreateUser', { UserName: `u-${made++}` }).catch(() => '')),
    )
    await until(() => idsOf(file).length >= before + 210)
    await server.stop('SIGKILL')
    await working
    server = await startMerlon(words)
  }
  await until(async () => {
    const { streams } = JSON.parse((await merlon(['status', '--data', data, '--json'])).stdout)
    return streams[0].through !== undefined && streams[0].error === undefined
  })
  await server.stop('SIGTERM')

  const written = await sql(data, (database) => database.prepare('SELECT id FROM log ORDER BY position').all())
  const got = idsOf(file)
  const once = [...new Set(got)]
  expect(once).toEqual(written.map(({ id }) => id))
  // What comes twice is the batch that was in progress, once for each kill at most.
  expect(got.length - once.length).toBeLessThanOrEqual(5 * 500)
  expect(once.length).toBeGreaterThan(1_000)
})

test('7: a witness finds what was cut off together with the checkpoints', async () => {
  const data = join(folder(), 'data')
  const witness = join(folder(), 'witness.jsonl')
  const server = await startMerlon(['--data', data, '--witness', `file://${witness}`])
  const client = clientOf(server.url, server.accounts[0]!)
  for (const UserName of ['ann', 'bob']) await client.query('iam', 'CreateUser', { UserName })
  await server.stop('SIGTERM')
  expect(linesOf(witness).length).toBeGreaterThan(0)
  const verify = () => merlon(['audit', 'verify', '--data', data, '--witness', witness])
  expect((await verify()).status).toBe(0)

  await sql(data, (database) => {
    const { last } = database.prepare('SELECT max(position) - 1 AS last FROM log').get()! as { last: number }
    database.exec(`DELETE FROM log WHERE position > ${last}; DELETE FROM documents WHERE key LIKE 'kernel/checkpoint%'`)
    const head = database.prepare(`SELECT * FROM log WHERE position = ${last}`).get()!
    database
      .prepare('UPDATE chains SET sequence = ?, hash = ?, epoch = ?, mac = ? WHERE account = ? AND region = ?')
      .run(head['sequence']!, head['hash']!, head['epoch']!, head['mac']!, head['account']!, head['region']!)
  })
  const told = await verify()
  expect(told.status).toBe(1)
  expect(told.stdout).toMatch(/MERLON_CHAIN_BROKEN\(\d+\)/)
  // Without it nothing is missed.
  expect((await merlon(['audit', 'verify', '--data', data])).status).toBe(0)
})

const rsyslogd = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd'].find((path) => existsSync(path))

test.skipIf(!rsyslogd)('7: rsyslogd takes events and checkpoints, and its file is a witness', async () => {
  const home = folder()
  const data = join(home, 'data')
  const received = join(home, 'received.log')
  const port = await freePort()
  const config = join(home, 'rsyslog.conf')
  writeFileSync(
    config,
    `global(workDirectory="${home}" maxMessageSize="64k")
module(load="imtcp")
input(type="imtcp" port="${port}" address="127.0.0.1")
template(name="kept" type="string" string="%pri-text% %programname% %msgid% %msg%\\n")
action(type="omfile" file="${received}" template="kept")
`,
  )
  const daemon = spawn(rsyslogd!, ['-n', '-f', config, '-i', join(home, 'pid')], { stdio: 'ignore' })
  try {
    const target = `syslog+tcp://127.0.0.1:${port}`
    const server = await startMerlon(['--data', data, '--stream', target, '--witness', target])
    const client = clientOf(server.url, server.accounts[0]!)
    await client.query('iam', 'CreateUser', { UserName: 'ünï' }).catch(() => '')
    await client.query('iam', 'CreateUser', { UserName: 'ann' })
    await server.stop('SIGTERM')
    const text = () => (existsSync(received) ? readFileSync(received, 'utf8') : '')
    await until(() => text().includes('merlon-checkpoint'))
    const lines = text().split('\n')
    expect(lines.find((line) => line.includes('"userName":"ann"'))).toMatch(
      /^(audit|security|13)\.info merlon CreateUser .*\{"eventVersion"/,
    )
    expect(lines.find((line) => line.includes('ValidationError'))).toMatch(/\.warning merlon CreateUser/)
    const told = await merlon(['audit', 'verify', '--data', data, '--witness', received, '--json'])
    expect(told.status).toBe(0)
    expect(JSON.parse(told.stdout).witnessed).toBeGreaterThan(0)
  } finally {
    daemon.kill()
  }
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  return port
}

test.each([
  [['--stream', 'gopher://x'], /is no target/],
  [['--witness', 'nonsense'], /is no target/],
  [['--stream', 'file:///tmp/a', '--stream', 'file:///tmp/a'], /named twice/],
])('merlon start %j is refused before anything is opened', async (words, reason) => {
  const data = join(folder(), 'data')
  const { status, stderr } = await merlon(['start', '--data', data, ...words])
  expect(status).toBe(2)
  expect(stderr).toMatch(reason)
  expect(existsSync(data)).toBe(false)
})
