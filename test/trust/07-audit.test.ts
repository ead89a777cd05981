/** Root of trust §6.7: events edited, deleted and cut off by SQL are named by `merlon audit verify`; people read the trail. */
import { createPublicKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/store/engine.ts'
import { clientOf, folder, merlon, start } from './shell.ts'

interface Verdict {
  readonly records: number
  readonly findings: readonly { readonly chain: string; readonly sequence: number; readonly what: string }[]
}

const data = join(folder(), 'data')
const verify = (...more: readonly string[]) => merlon(['audit', 'verify', '--json', '--data', data, ...more])
let account: string
let environment: object

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

test('7: a running server proves its log, and shows its end to whoever may read it', async () => {
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

test('7: what was changed while no server ran is named, and the server says so when it starts', async () => {
  // Killed as it was, the server left no checkpoint of its last minute; who opens the data next makes one.
  expect((await verify()).status).toBe(0)
  const checkpoints = await sql((database) =>
    database.prepare("SELECT document FROM documents WHERE key LIKE 'kernel/checkpoint/%' ORDER BY key").all(),
  )
  const witness = join(folder(), 'witness')
  writeFileSync(witness, checkpoints.map(({ document }) => `${document}\n`).join(''))
  const [{ sequence }] = (await sql((database) =>
    database.prepare(`SELECT sequence FROM log WHERE body LIKE '%"userName":"bob"%' AND account = ?`).all(account),
  )) as [{ sequence: number }]

  await sql((database) => database.exec(`UPDATE log SET body = replace(body, 'bob', 'zed') WHERE body LIKE '%bob%'`))
  const edited = await verify()
  await sql((database) => database.exec(`UPDATE log SET body = replace(body, 'zed', 'bob') WHERE body LIKE '%zed%'`))
  const mended = await verify('--witness', witness)
  await sql((database) => database.exec(`DELETE FROM log WHERE body LIKE '%bob%'`))
  const deleted = await merlon(['audit', 'verify', '--data', data])

  expect(checkpoints.length).toBeGreaterThan(0)
  expect(edited.status).toBe(1)
  expect((JSON.parse(edited.stdout) as Verdict).findings).toEqual([
    expect.objectContaining({ sequence, what: 'is not what was written' }),
  ])
  expect([mended.status, mended.stderr]).toEqual([0, ''])
  expect(deleted.status).toBe(1)
  expect(deleted.stdout).toContain(`MERLON_CHAIN_BROKEN(${sequence}) ${account} us-east-1 main: expected here`)
})

async function sql<T>(work: (database: Awaited<ReturnType<typeof openDatabase>>) => T): Promise<T> {
  const database = await openDatabase(join(data, 'merlon.db'))
  try {
    return work(database)
  } finally {
    database.close()
  }
}
