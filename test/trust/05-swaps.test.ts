/** Root of trust §6.5: a ciphertext moved by SQL, to another cell, row or account, or from yesterday, fails closed. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { element } from '../../src/kernel/client/client.ts'
import { openDatabase } from '../../src/store/engine.ts'
import type { MadeAccount, Running } from '../process.ts'
import { clientOf, folder, merlon, start } from './shell.ts'

interface Key extends Omit<MadeAccount, 'accountId'> {
  readonly user: string
}

/** Two users with two keys each, on a server that is stopped; a key's row is `iam/access-key/ID`. */
async function world() {
  const data = join(folder(), 'data')
  const server = await start(data)
  const root = server.accounts[0]!
  const client = clientOf(server.url, root)
  const keys: Key[] = []
  for (const user of ['ann', 'bob']) {
    await client.query('iam', 'CreateUser', { UserName: user })
    for (let n = 0; n < 2; n++) {
      const made = await client.query('iam', 'CreateAccessKey', { UserName: user })
      keys.push({
        user,
        accessKeyId: element(made, 'AccessKeyId')!,
        secretAccessKey: element(made, 'SecretAccessKey')!,
      })
    }
  }
  await server.stop()
  return { data, root, keys: keys as [Key, Key, Key, Key] }
}

async function sql(data: string, work: (rows: Rows) => void): Promise<void> {
  const database = await openDatabase(join(data, 'merlon.db'))
  const read = database.prepare('SELECT document FROM documents WHERE key = ?')
  const write = database.prepare('UPDATE documents SET document = ? WHERE key = ?')
  work({
    get: (key) => JSON.parse(String(read.get(key)!['document'])),
    put: (key, document) => void write.run(JSON.stringify(document), key),
  })
  database.close()
}
interface Rows {
  get(key: string): Record<string, unknown>
  put(key: string, document: object): void
}

const rowOf = (key: Pick<Key, 'accessKeyId'>) => `iam/access-key/${key.accessKeyId}`
/** The identity that the server finds for the signer; undefined when it refuses the request. */
const whoIs = async (server: Running, key: Omit<MadeAccount, 'accountId'>): Promise<string | undefined> =>
  clientOf(server.url, key)
    .query('sts', 'GetCallerIdentity')
    .then(
      (xml) => element(xml, 'Arn')?.split('/').at(-1),
      () => undefined,
    )

describe('Trust 5: moved by SQL', () => {
  let made: Awaited<ReturnType<typeof world>>
  beforeAll(async () => {
    made = await world()
  })
  const fresh = () => {
    const data = join(folder(), 'data')
    execFileSync('cp', ['-a', made.data, data])
    return { ...made, data }
  }

  test('nothing, every caller is accepted', async () => {
    const { data, keys } = fresh()
    const server = await start(data)

    expect(await Promise.all(keys.map((key) => whoIs(server, key)))).toEqual(['ann', 'ann', 'bob', 'bob'])
    expect((await merlon(['trust', 'report', '--data', data])).stdout).toMatch(/^PASS {2}sealed values/m)
  })

  test("a secret of one's own in the row of another opens nothing, with neither secret", async () => {
    const { data, keys } = fresh()
    const [ann, , bob] = keys
    await sql(data, (rows) => rows.put(rowOf(bob), { ...rows.get(rowOf(bob)), secret: rows.get(rowOf(ann))['secret'] }))
    const server = await start(data)

    expect(await whoIs(server, { ...bob, secretAccessKey: ann.secretAccessKey })).toBeUndefined()
    expect(await whoIs(server, bob)).toBeUndefined()
    expect(await whoIs(server, ann)).toBe('ann')
    expect(server.log()).toContain('does not open there')
    const { stdout, status } = await merlon(['trust', 'report', '--data', data])
    const found = `iam/access-key/${bob.accessKeyId}.secret (2 times, last `
    expect(stdout).toContain(`FAIL  sealed values: changed or moved in the store: ${found}`)
    expect(status).toBe(1)
    await server.stop('SIGKILL')
    // It outlives the process that saw it, and the value need not be read again.
    await start(data)
    expect((await merlon(['trust', 'report', '--data', data])).stdout).toContain(found)
  })

  test('two whole rows exchanged let no caller in', async () => {
    const { data, keys } = fresh()
    const [ann, , bob] = keys
    await sql(data, (rows) => {
      const [first, second] = [rows.get(rowOf(ann)), rows.get(rowOf(bob))]
      rows.put(rowOf(ann), second)
      rows.put(rowOf(bob), first)
    })
    const server = await start(data)

    for (const id of [ann, bob])
      for (const { secretAccessKey } of [ann, bob])
        expect(await whoIs(server, { accessKeyId: id.accessKeyId, secretAccessKey })).toBeUndefined()
  })

  test('a row made to belong to another account opens nothing', async () => {
    const { data, root, keys } = fresh()
    const [ann] = keys
    const stranger = root.accountId === '999988887777' ? '111122223333' : '999988887777'
    await sql(data, (rows) => rows.put(rowOf(ann), { ...rows.get(rowOf(ann)), account: stranger, ownerId: stranger }))
    const server = await start(data)

    expect(await whoIs(server, ann)).toBeUndefined()
  })

  test('a secret of yesterday does not come back in the row of a key made since', async () => {
    const { data, keys } = fresh()
    const [ann] = keys
    let yesterday: Record<string, unknown> = {}
    await sql(data, (rows) => {
      yesterday = rows.get(rowOf(ann))
    })
    const before = await start(data)
    const client = clientOf(before.url, made.root)
    await client.query('iam', 'DeleteAccessKey', { UserName: 'ann', AccessKeyId: ann.accessKeyId })
    const again = await client.query('iam', 'CreateAccessKey', { UserName: 'ann' })
    const accessKeyId = element(again, 'AccessKeyId')!
    await before.stop()
    await sql(data, (rows) => rows.put(rowOf({ accessKeyId }), { ...yesterday, id: accessKeyId }))
    const server = await start(data)

    expect(await whoIs(server, { accessKeyId, secretAccessKey: ann.secretAccessKey })).toBeUndefined()
    expect(await whoIs(server, { accessKeyId, secretAccessKey: element(again, 'SecretAccessKey')! })).toBeUndefined()
  })

  test('the canary of an account in the place of another is found by the trust report', async () => {
    const { data, root } = fresh()
    await sql(data, (rows) => {
      const at = `vault/canary/${root.accountId}`
      const { secret } = rows.get(rowOf(made.keys[0]))
      rows.put(at, { ...rows.get(at), sealed: secret })
    })
    await start(data)

    const { stdout, status } = await merlon(['trust', 'report', '--data', data])

    expect(stdout).toMatch(/^FAIL {2}account keys: the value sealed at vault\/canary/m)
    expect(status).toBe(1)
  })
})
