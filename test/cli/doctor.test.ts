/** `merlon doctor` on installations that are well, broken, running and sealed: each check says what it found and what to do. */
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { merlon, type Running, startMerlon, temporaryFolder } from '../process.ts'

const running: Running[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')))
})

let good: string
beforeAll(async () => {
  good = join(temporaryFolder(), 'good')
  expect((await merlon(['init', '--data', good])).status).toBe(0)
})
const copy = (): string => {
  const data = join(temporaryFolder(), 'data')
  cpSync(good, data, { recursive: true, preserveTimestamps: true })
  return data
}

interface Told {
  readonly verdict: string
  readonly checks: readonly {
    readonly check: string
    readonly verdict: string
    readonly found: string
    readonly fix?: string
  }[]
}

/** On a port that nothing uses, unless another is said. */
async function doctor(data: string, ...words: readonly string[]): Promise<{ status: number | null } & Told> {
  const port = words.includes('--port') ? [] : ['--port', String(await freePort())]
  const { status, stdout, stderr } = await merlon(['doctor', '--data', data, '--json', ...port, ...words])
  if (stdout === '') throw new Error(stderr)
  return { status, ...(JSON.parse(stdout) as Told) }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

const named = ({ checks }: Told, name: string) => checks.find(({ check }) => check.startsWith(name))

test('an installation that has just been made has no failure, and a line for each check', async () => {
  const data = copy()
  const told = await doctor(data)

  expect(told.checks.filter(({ verdict }) => verdict === 'FAIL')).toEqual([])
  expect([told.status, told.verdict]).toEqual([0, 'WARN'])
  for (const check of ['Node.js', 'data directory', 'files', 'clock', 'disk', 'port', 'database', 'sealer', 'backup'])
    expect(named(told, check), check).toBeDefined()
  // All that is not well says what to do.
  expect(told.checks.filter(({ verdict, fix }) => verdict !== 'PASS' && !fix)).toEqual([])
  expect(named(told, 'sealer')?.fix).toContain('merlon sealer add file')
  expect(named(told, 'audit log')).toMatchObject({ verdict: 'WARN', fix: 'merlon audit verify' })

  const text = (await merlon(['doctor', '--data', data, '--port', String(await freePort())])).stdout
  expect(text).toMatch(/^warn +backup +never\. To do: merlon backup FILE/m)
  expect(text).toMatch(/\n0 failed, \d+ warnings, \d+ ok\n$/)
})

test('what is verified and backed up is no warning any more', async () => {
  const data = copy()
  expect((await merlon(['audit', 'verify', '--data', data])).status).toBe(0)
  expect((await merlon(['backup', join(temporaryFolder(), 'one.merlon'), '--data', data])).status).toBe(0)

  const told = await doctor(data)

  expect(named(told, 'audit log')).toMatchObject({
    verdict: 'PASS',
    found: expect.stringContaining('records verified'),
  })
  expect(named(told, 'backup')).toMatchObject({ verdict: 'PASS' })
})

describe('fails with what to do when', () => {
  const breakages: Readonly<Record<string, [(data: string) => void, check: string, found: RegExp, fix: RegExp]>> = {
    'other users can enter the directory': [
      (data) => chmodSync(data, 0o755),
      'data directory',
      /open to other users \(mode 0755\)/,
      /^chmod 700 /,
    ],
    'other users can read a file': [
      (data) => chmodSync(join(data, 'merlon.keyring'), 0o644),
      'files',
      /merlon\.keyring/,
      /^chmod 600 .*merlon\.keyring$/,
    ],
    'files come from the future': [
      (data) => utimesSync(join(data, 'merlon.keyring'), new Date('2099-01-01'), new Date('2099-01-01')),
      'clock',
      /files were written at 2099/,
      /NTP/,
    ],
    'the key file is missing': [(data) => rmSync(join(data, 'root.key')), 'sealers', /root\.key/, /docs\/errors\.md/],
    'the keyring is missing': [
      (data) => rmSync(join(data, 'merlon.keyring')),
      'database',
      /merlon\.keyring is missing/,
      /MERLON_KEYRING_MISSING/,
    ],
    'the database is damaged': [
      (data) => {
        rmSync(join(data, 'merlon.db-wal'), { force: true })
        rmSync(join(data, 'merlon.db-shm'), { force: true })
        truncateSync(join(data, 'merlon.db'), 0)
        writeFileSync(join(data, 'merlon.db'), Buffer.alloc(100_000, 7), { mode: 0o600 })
      },
      'database',
      /./,
      /MERLON_DATABASE_DAMAGED/,
    ],
  }
  test.each(Object.entries(breakages))('%s', async (_, [damage, check, found, fix]) => {
    const data = copy()
    damage(data)

    const told = await doctor(data)

    expect(told.status).toBe(1)
    expect(named(told, check)).toMatchObject({
      verdict: 'FAIL',
      found: expect.stringMatching(found),
      fix: expect.stringMatching(fix),
    })
  })

  test('there is no directory, or nothing in it', async () => {
    const none = join(temporaryFolder(), 'none')

    expect(named(await doctor(none), 'data directory')?.fix).toBe(`merlon init --data ${none}`)
    expect(existsSync(none)).toBe(false)
    expect(named(await doctor(temporaryFolder()), 'installation')).toMatchObject({ verdict: 'FAIL' })
  })

  test('another program has the port', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo

    const told = await doctor(copy(), '--port', String(port))

    taken.close()
    expect(named(told, `port ${port}`)).toMatchObject({ verdict: 'FAIL', found: 'another program listens' })
  })

  test('another Merlon has the port', async () => {
    const server = await startMerlon(['--dev'])
    running.push(server)

    const told = await doctor(copy(), '--port', new URL(server.url).port)

    expect(named(told, 'port')).toMatchObject({ verdict: 'FAIL', found: 'a Merlon server of other data answers' })
  })
})

test('of a running server: its health and its version', async () => {
  const data = copy()
  const server = await startMerlon(['--data', data])
  running.push(server)

  const told = await doctor(data, '--port', new URL(server.url).port)

  expect([told.status, named(told, 'port')?.found, named(told, 'database')?.found]).toEqual([
    0,
    'Merlon answers',
    'the server is ok',
  ])
  expect(named(told, 'server version')?.verdict).toBe('PASS')
})
