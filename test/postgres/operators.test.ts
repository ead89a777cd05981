/**
 * What an operator sees of nodes on PostgreSQL: starts that fail and affect no other node, health, and a stop without
 * the database.
 */
import { once } from 'node:events'
import { existsSync, renameSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { Postgres } from '../faults/postgres.ts'
import { merlon, type Running, startAlone, temporaryFolder } from '../process.ts'

const quiet = { NODE_OPTIONS: '', NODE_V8_COVERAGE: '' }
let postgres: Postgres
let databases = 0
const running: Running[] = []
beforeAll(async () => {
  postgres = await Postgres.make()
}, 120_000)
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')))
})
afterAll(() => postgres?.stop(), 60_000)

const newDatabase = (): string => {
  const name = `operators_${++databases}`
  postgres.sql(`CREATE DATABASE ${name}`)
  return postgres.url(name)
}
const start = async (data: string, environment: Readonly<Record<string, string>>): Promise<Running> => {
  const server = await startAlone(['--data', data], { ...quiet, ...environment })
  running.push(server)
  return server
}
const health = async (url: string, path = '/health') => {
  const answer = await fetch(url + path)
  return { http: answer.status, ...((await answer.json()) as { status: string; reason?: string }) }
}

test('a start that fails takes no running node’s name', async () => {
  const [a, MERLON_STORE] = [join(temporaryFolder(), 'a'), newDatabase()]
  const keyFile = join(temporaryFolder(), 'a.key')
  const environment = { MERLON_STORE, MERLON_NODE: 'a', MERLON_KEY_FILE: keyFile }
  const server = await start(a, environment)
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  const credential = { accessKeyId, secret: secretAccessKey }
  const root = new Client({ credential, transport: overHttp(server.url) })
  const listening = createServer().listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const taken = String((listening.address() as { port: number }).port)
  const [port, name, key] = ['port', 'name', 'key'].map((each) => join(temporaryFolder(), each)) as [
    string,
    string,
    string,
  ]

  const failed = [
    await merlon(['start', '--data', port, '--port', taken], { ...quiet, ...environment }),
    await merlon(['start', '--data', name, '--port', '0'], { ...quiet, ...environment }),
  ]
  // Without its key a node waits, sealed, and takes nothing either.
  renameSync(keyFile, `${keyFile}.away`)
  const sealed = await start(key, { ...environment, MERLON_KEY_FILE: join(key, 'none') })
  listening.close()

  expect(failed[0]!.stderr).toContain('MERLON_ADDRESS_IN_USE')
  expect(failed[1]!.stderr).toContain("a new data directory under an old name: the database knows a node 'a'")
  for (const data of [port, name, key]) expect(existsSync(join(data, 'merlon.node'))).toBe(false)
  expect(await health(sealed.url)).toMatchObject({ http: 503, status: 'sealed' })
  await root.query('iam', 'CreateUser', { UserName: 'ann' })
  expect(await health(server.url)).toMatchObject({ http: 200, status: 'ok' })
  expect(server.process.exitCode).toBeNull()
})

test('health says that the database is away, and a stop does not wait for it', async () => {
  const server = await start(join(temporaryFolder(), 'a'), { MERLON_STORE: newDatabase() })
  expect(await health(server.url)).toMatchObject({ http: 200, status: 'ok' })
  try {
    await postgres.signal('SIGKILL')

    await expect
      .poll(() => health(server.url), { timeout: 20_000 })
      .toMatchObject({ http: 503, status: 'unavailable', reason: 'database_unreachable' })
    expect(await health(server.url, '/health/ready')).toMatchObject({ http: 503 })
    expect(await health(server.url, '/health/live')).toMatchObject({ http: 200 })
    const told = await merlon(['status', '--port', new URL(server.url).port])
    expect(told).toMatchObject({ status: 1, stdout: expect.stringContaining('is not ready') })

    await postgres.start()
    await expect.poll(() => health(server.url), { timeout: 30_000 }).toMatchObject({ http: 200, status: 'ok' })

    await postgres.signal('SIGKILL')
    const before = performance.now()
    expect(await server.stop('SIGTERM')).toBe(0)
    expect(performance.now() - before).toBeLessThan(15_000)
  } finally {
    await postgres.start()
  }
})

test('wrong roles and databases are explained, and no password is shown', async () => {
  const url = new URL(newDatabase())
  const place = (change: (url: URL) => void) => {
    const changed = new URL(url)
    change(changed)
    return merlon(['start', '--data', join(temporaryFolder(), 'n'), '--port', '0'], {
      ...quiet,
      MERLON_STORE: changed.href,
    })
  }
  postgres.sql("CREATE ROLE weak LOGIN PASSWORD 'weak-password'")

  const ended = await Promise.all([
    place((each) => (each.password = 'wrong-password')),
    place((each) => (each.username = 'nobody')),
    place((each) => (each.pathname = '/nowhere')),
    place((each) => Object.assign(each, { username: 'weak', password: 'weak-password' })),
    place((each) => (each.search = '?sslmode=require')),
  ])

  expect(ended.map(({ stderr }) => /^merlon: (\w+):/m.exec(stderr)?.[1])).toEqual([
    'MERLON_STORE_LOGIN_FAILED',
    'MERLON_STORE_LOGIN_FAILED',
    'MERLON_STORE_NO_DATABASE',
    'MERLON_STORE_FORBIDDEN',
    'MERLON_STORE_TLS',
  ])
  for (const { stderr } of ended) {
    expect(stderr).not.toMatch(/-password|^\s+at /m)
    expect(stderr).toContain('See docs/errors.md#')
  }
})

describe('A server that takes over', () => {
  const owned: Postgres[] = []
  afterEach(async () => {
    for (const each of owned.splice(0)) await each.stop()
  }, 60_000)

  /** A node over a primary and its standby, and a user that both know. */
  async function node() {
    const primary = await Postgres.make()
    owned.push(primary)
    primary.sql('CREATE DATABASE merlon')
    const standby = await primary.synchronousStandby()
    owned.push(standby)
    const hosts = `127.0.0.1:${primary.port},127.0.0.1:${standby.port}`
    const MERLON_STORE = primary.url('merlon').replace(`127.0.0.1:${primary.port}`, hosts)
    const data = join(temporaryFolder(), 'n')
    const environment = { MERLON_STORE, MERLON_NODE: 'n', MERLON_KEY_FILE: join(temporaryFolder(), 'n.key') }
    const server = await start(data, environment)
    const { accessKeyId, secretAccessKey } = server.accounts[0]!
    const create = (UserName: string) =>
      new Client({
        credential: { accessKeyId, secret: secretAccessKey },
        transport: overHttp(server.url),
      }).query('iam', 'CreateUser', { UserName })
    await create('replicated')
    const again = () => merlon(['start', '--data', data, '--port', '0'], { ...quiet, ...environment })
    return { primary, standby, server, data, environment, create, again }
  }

  test('without the last commits ends the node, which does not start again before the loss is accepted', async () => {
    const { primary, standby, server, data, environment, create, again } = await node()
    const ended = once(server.process, 'exit')
    primary.sql('ALTER SYSTEM RESET synchronous_standby_names')
    primary.sql('SELECT pg_reload_conf()')
    standby.sql("ALTER SYSTEM SET primary_conninfo = ''")
    standby.sql('SELECT pg_reload_conf()')
    await expect.poll(() => primary.sql('SELECT count(*) FROM pg_stat_replication'), { timeout: 20_000 }).toBe('0')
    await create('lost')

    await primary.signal('SIGKILL')
    standby.promote()

    expect(await ended).toEqual([70, null])
    expect(server.log()).toContain('the database has lost acknowledged commits')
    const refused = await again()
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('MERLON_ROLLBACK_DETECTED')
    const accepted = await startAlone(['--data', data, '--accept-rollback'], { ...quiet, ...environment })
    running.push(accepted)
    expect(await health(accepted.url)).toMatchObject({ http: 200 })
  })

  test('is remembered: a node that starts beside the former primary alone refuses it', async () => {
    const { primary, standby, server, again } = await node()
    await primary.signal('SIGKILL')
    standby.promote()
    await expect.poll(() => health(server.url), { timeout: 30_000 }).toMatchObject({ http: 200 })
    expect(await server.stop('SIGTERM')).toBe(0)
    await standby.signal('SIGKILL')
    await primary.start()
    primary.sql('ALTER SYSTEM RESET synchronous_standby_names')
    primary.sql('SELECT pg_reload_conf()')

    const refused = await again()

    expect(refused.stderr).toMatch(/MERLON_ROLLBACK_DETECTED: .*former primary: its timeline is 1, the newest is 2/)
  })
})
