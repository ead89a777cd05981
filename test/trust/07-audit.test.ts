/**
 * Root of trust §6.7: events edited, deleted and cut off by SQL are named by `merlon audit verify`; people read the
 * log.
 */
import { spawn } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/store/engine.ts'
import { openStore } from '../../src/store/sqlite.ts'
import type { LogEntry } from '../../src/store/store.ts'
import { type MadeAccount, merlonScript } from '../process.ts'
import { clientOf, folder, merlon, start } from './shell.ts'

interface Verdict {
  readonly records: number
  readonly findings: readonly { readonly chain: string; readonly sequence: number; readonly what: string }[]
}

const data = join(folder(), 'data')
const verify = (...more: readonly string[]) => merlon(['audit', 'verify', '--json', '--data', data, ...more])
let account: string
let environment: Readonly<Record<'AWS_ENDPOINT_URL' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>>

beforeAll(async () => {
  const server = await start(data)
  const root = server.accounts[0]!
  account = root.accountId
  for (const UserName of ['ann', 'bob', 'cem'])
    await clientOf(server.url, root).query('iam', 'CreateUser', { UserName })
  await expect(clientOf(server.url, root).query('iam', 'GetUser', { UserName: 'nobody' })).rejects.toThrow()
  environment = {
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: root.accessKeyId,
    AWS_SECRET_ACCESS_KEY: root.secretAccessKey,
  }
})

test('7: a running server proves its log, and shows its end to callers that may read it', async () => {
  const proven = await verify()
  const tail = await merlon(['audit', 'tail', '--lines', '50'], '', environment)
  const failed = await merlon(['audit', 'tail', '--failed', '--json'], '', environment)
  const key = await merlon(['audit', 'key', '--data', data])

  expect(proven.status).toBe(0)
  expect((JSON.parse(proven.stdout) as Verdict).findings).toEqual([])
  const lines = tail.stdout.trim().split('\n')
  expect(lines.filter((line) => /iam:CreateUser .*:root .*user\/(ann|bob|cem) {2}ok/.test(line))).toHaveLength(3)
  expect(lines.findIndex((line) => line.includes('user/ann'))).toBeLessThan(
    lines.findIndex((line) => line.includes('user/cem')),
  )
  expect(
    failed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).errorCode),
  ).toEqual(['NoSuchEntityException'])
  expect(createPublicKey(key.stdout).asymmetricKeyType).toBe('ed25519')
})

test('7: the reader shows what one principal was denied, and nothing that unauthenticated clients wrote moves the terminal', async () => {
  const server = await start(data)
  const root = { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY }
  const asRoot = clientOf(server.url, root)
  const keysOf = async (UserName: string) => {
    const answer = await asRoot.query('iam', 'CreateAccessKey', { UserName })
    const of = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)![1]!
    return { accessKeyId: of('AccessKeyId'), secretAccessKey: of('SecretAccessKey') }
  }
  const [ann, bob] = [clientOf(server.url, await keysOf('ann')), clientOf(server.url, await keysOf('bob'))]
  for (const client of [ann, bob]) await expect(client.query('iam', 'ListUsers')).rejects.toThrow('not authorized')
  await expect(ann.query('iam', 'GetUser', { UserName: 'x\u001b[2J\ny' })).rejects.toThrow()

  const told = (...words: readonly string[]) =>
    merlon(['audit', 'tail', ...words], '', { ...environment, AWS_ENDPOINT_URL: server.url })
  const principal = `arn:aws:iam::${account}:user/ann`
  const lines = (await told('--principal', principal, '--denied')).stdout.trim().split('\n')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/iam:ListUsers {2}arn:aws:iam::\d{12}:user\/ann .*AccessDenied: User: .* is not authorized/)
  expect((await told('--principal', 'bob', '--denied')).stdout.trim().split('\n')).toHaveLength(1)
  const failed = (await told('--principal', principal, '--failed')).stdout
  expect(failed.trim().split('\n')).toHaveLength(2)
  expect(failed).not.toMatch(/\u001b/)

  const id = lines[0]!.split('  ').at(-1)!
  const why = await merlon(['policy', 'why', id, '--data', data])
  expect([why.status, why.stderr]).toEqual([0, ''])
  expect(why.stdout).toMatch(/iam:ListUsers {2}by arn:aws:iam::\d{12}:user\/ann {2}AccessDenied/)
  expect(why.stdout).toMatch(/then {3}denied[\s\S]*today {2}denied/)
})

test('7: the reader follows what happens from now on, without its own calls', async () => {
  const server = await start(data)
  const told = { ...environment, AWS_ENDPOINT_URL: server.url }
  const client = clientOf(server.url, {
    accessKeyId: environment.AWS_ACCESS_KEY_ID,
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY,
  })
  await client.query('iam', 'CreateUser', { UserName: 'before' })
  const child = spawn(process.execPath, [merlonScript, 'audit', 'tail', '--follow', '--lines', '0'], {
    env: { ...process.env, ...told },
  })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  const shows = (name: string) => expect.poll(() => text, { interval: 50 }).toContain(`user/${name}`)
  try {
    // The reader begins at a moment that it does not show.
    for (let n = 0; !text.includes('user/after'); n++) {
      await client.query('iam', 'CreateUser', { UserName: `after${n}` })
      await new Promise((done) => setTimeout(done, 500))
    }
    // Each of these is read by a later call than the one before, whose own event is then part of what is read.
    for (const UserName of ['second', 'third']) {
      await client.query('iam', 'CreateUser', { UserName })
      await shows(UserName)
    }
  } finally {
    child.kill()
  }
  expect(text).toMatch(/iam:CreateUser .*user\/after\d+ {2}ok/)
  expect(text).not.toMatch(/user\/before|LookupEvents/)
})

test('7: what was changed while no server ran is named, and the server says so when it starts', async () => {
  // Killed as it was, the server left no checkpoint of its last minute; the next process that opens the data makes one.
  expect((await verify()).status).toBe(0)
  const checkpoints = await sql((database) =>
    database.prepare("SELECT document FROM documents WHERE key LIKE 'kernel/checkpoint/%' ORDER BY key").all(),
  )
  const witness = join(folder(), 'witness')
  writeFileSync(witness, checkpoints.map(({ document }) => `${document}\n`).join(''))
  const [{ sequence }] = (await sql((database) =>
    database.prepare(`SELECT sequence FROM log WHERE body LIKE '%"userName":"bob"%' AND account = ?`).all(account),
  )) as [{ sequence: number }]

  await sql((database) => database.exec(`UPDATE log SET body = replace(body, 'bob', 'xqz') WHERE body LIKE '%bob%'`))
  const edited = await verify()
  await sql((database) => database.exec(`UPDATE log SET body = replace(body, 'xqz', 'bob') WHERE body LIKE '%xqz%'`))
  const mended = await verify('--witness', witness)
  await sql((database) => database.exec(`DELETE FROM log WHERE body LIKE '%bob%'`))
  const deleted = await merlon(['audit', 'verify', '--data', data])
  const cut = await sql((database) => {
    const { position } = database
      .prepare('SELECT position FROM log WHERE account = ? AND sequence = ?')
      .get(account, 1)!
    database.prepare('DELETE FROM log WHERE account = ? AND sequence > 1').run(account)
    return Number(position)
  })
  const truncated = await merlon(['audit', 'verify', '--data', data])

  expect(checkpoints.length).toBeGreaterThan(0)
  expect(edited.status).toBe(1)
  expect((JSON.parse(edited.stdout) as Verdict).findings).toEqual([
    expect.objectContaining({ sequence, what: 'is not what was written' }),
  ])
  expect([mended.status, mended.stderr]).toEqual([0, ''])
  expect(deleted.status).toBe(1)
  expect(deleted.stdout).toContain(`MERLON_CHAIN_BROKEN(${sequence}) ${account} us-east-1 main: expected here`)
  expect(cut).toBeGreaterThan(0)
  expect(truncated.status).toBe(1)
  // The verification is recorded, too: after the gap.
  expect(truncated.stdout).toMatch(
    new RegExp(`MERLON_CHAIN_BROKEN\\(2\\) ${account} us-east-1 main: expected here, and record \\d+ is here`),
  )
})

test('7: events in each other’s place are named', async () => {
  const reordered = join(folder(), 'data')
  const server = await start(reordered)
  const client = clientOf(server.url, server.accounts[0]!)
  for (const UserName of ['ann', 'bob', 'cem']) await client.query('iam', 'CreateUser', { UserName })
  await server.stop('SIGTERM')
  const database = await openDatabase(join(reordered, 'merlon.db'))
  const places = database
    .prepare(`SELECT position, sequence FROM log WHERE body LIKE '%"eventName":"CreateUser"%' ORDER BY position`)
    .all() as { position: number; sequence: number }[]
  const [one, two] = [places[0]!, places[1]!]
  const move = database.prepare('UPDATE log SET position = ? WHERE position = ?')
  move.run(1_000_000, one.position)
  move.run(one.position, two.position)
  move.run(two.position, 1_000_000)
  database.close()

  const told = await merlon(['audit', 'verify', '--data', reordered])
  expect(told.status).toBe(1)
  expect(told.stdout).toContain(`MERLON_CHAIN_BROKEN(${one.sequence}) ${server.accounts[0]!.accountId}`)
  expect(told.stdout).toContain(`expected here, and record ${two.sequence} is here`)
})

async function sql<T>(work: (database: Awaited<ReturnType<typeof openDatabase>>) => T): Promise<T> {
  const database = await openDatabase(join(data, 'merlon.db'))
  try {
    return work(database)
  } finally {
    database.close()
  }
}

test('7: a data directory of an earlier build is opened with its history: proven, found, and continued', async () => {
  const early = (name: string) => readFileSync(join(import.meta.dirname, 'data', 'schema-3', name))
  const old = join(folder(), 'old')
  mkdirSync(old)
  writeFileSync(join(old, 'merlon.db'), gunzipSync(early('merlon.db.gz')), { mode: 0o600 })
  for (const name of ['merlon.keyring', 'merlon.head', 'root.key'])
    writeFileSync(join(old, name), early(name), { mode: 0o600 })
  const root = JSON.parse(early('root.json').toString()) as MadeAccount

  const server = await start(old)
  await clientOf(server.url, root).query('iam', 'CreateUser', { UserName: 'eve' })
  await server.stop('SIGTERM')

  const proven = await merlon(['audit', 'verify', '--json', '--data', old])
  expect(proven).toMatchObject({ status: 0 })
  expect((JSON.parse(proven.stdout) as Verdict).findings).toEqual([])
  const store = await openStore({ file: join(old, 'merlon.db') })
  const found = async (
    name: string,
    value: string,
    more: { readonly after?: string; readonly limit?: number } = {},
  ) => {
    const query = { account: root.accountId, region: 'us-east-1', limit: 50, ...more }
    return store.log({ ...query, attribute: [name, value] })
  }
  const users = ({ body }: LogEntry) => JSON.parse(body).requestParameters.userName
  const all = await found('EventName', 'CreateUser')
  expect(all.map(users)).toEqual(['eve', 'dora', 'cem', 'bob', 'ann'])
  const page = await found('EventName', 'CreateUser', { limit: 2 })
  const rest = await found('EventName', 'CreateUser', { after: page.at(-1)!.position })
  expect([...page, ...rest]).toEqual(all)
  expect(await found('EventSource', 'kms.amazonaws.com')).toHaveLength(2)
  for (const event of all) expect(await found('EventId', event.id)).toEqual([event])
  await store.close()
})
