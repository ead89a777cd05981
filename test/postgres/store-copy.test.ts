/** Moving in, moving out: an installation goes from a folder into PostgreSQL and back, by the command line. */
import { randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '../../src/kernel/client/client.ts'
import type { MadeAccount, Running } from '../process.ts'
import { type Database, postgres } from '../rotation/databases.ts'
import { clientOf, folder, merlon, merlonJson, start } from '../trust/shell.ts'

let server: Database
beforeAll(async () => {
  server = await postgres('SELECT 1')
})
afterAll(() => server.stop())

let databases = 0
async function emptyDatabase(): Promise<string> {
  const name = `moved${databases++}`
  const client = new pg.Client(`postgres://boss:boss-password@127.0.0.1:${server.port}/postgres`)
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return `postgres://boss:boss-password@127.0.0.1:${server.port}/${name}`
}

const secret = async (root: Client, SecretId: string) =>
  (await root.json<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId }))
    .SecretString
const create = (root: Client, Name: string) =>
  root.json('secretsmanager', 'secretsmanager.CreateSecret', {
    ClientRequestToken: randomUUID(),
    Name,
    SecretString: `value of ${Name}`,
  })
const s3Of = ({ url }: Running, credentials: MadeAccount) =>
  new S3Client({ endpoint: url, region: 'us-east-1', credentials, forcePathStyle: true })
const object = async (s3: S3Client, Key: string) =>
  (await s3.send(new GetObjectCommand({ Bucket: 'kept', Key }))).Body!.transformToString()
interface Verdict {
  readonly records: number
  readonly findings: readonly unknown[]
}

test('what was made in a folder is there in PostgreSQL and, with what came since, in a folder again: secrets, objects, trail', async () => {
  const [first, node, back] = [join(folder(), 'first'), join(folder(), 'node'), join(folder(), 'back')]
  const key = join(first, 'root.key')
  const onSqlite = await start(first)
  const credentials = onSqlite.accounts[0]!
  await create(clientOf(onSqlite.url, credentials), 'early')
  const early = s3Of(onSqlite, credentials)
  await early.send(new CreateBucketCommand({ Bucket: 'kept' }))
  await early.send(new PutObjectCommand({ Bucket: 'kept', Key: 'a', Body: 'first words' }))
  await onSqlite.stop()

  const url = await emptyDatabase()
  const movedIn = await merlonJson<{ sha256: string; objects: number }>(['store', 'copy', '--data', first], '', {
    MERLON_TO_STORE: url,
  })
  expect(movedIn).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), objects: 1 })

  const shared = { MERLON_STORE: url, MERLON_KEY_FILE: key }
  const onPostgres = await start(node, [], shared)
  expect(onPostgres.accounts).toEqual([])
  const root = clientOf(onPostgres.url, credentials)
  expect(await secret(root, 'early')).toBe('value of early')
  await create(root, 'late')
  const there = s3Of(onPostgres, credentials)
  expect(await object(there, 'a')).toBe('first words')
  await there.send(new PutObjectCommand({ Bucket: 'kept', Key: 'b', Body: 'second words' }))
  expect(await merlonJson<Verdict>(['audit', 'verify', '--data', node], '', shared)).toMatchObject({ findings: [] })
  await onPostgres.stop()

  const out = await merlonJson<{ sha256: string; objects: number }>(
    ['store', 'copy', '--data', node, '--to-data', back],
    '',
    shared,
  )
  expect(out.objects).toBe(2)
  expect(out.sha256).not.toBe(movedIn.sha256)
  copyFileSync(key, join(back, 'root.key'))
  const again = await start(back)
  const returned = clientOf(again.url, credentials)
  for (const name of ['early', 'late']) expect(await secret(returned, name)).toBe(`value of ${name}`)
  expect(await object(s3Of(again, credentials), 'b')).toBe('second words')
  expect(await merlonJson<Verdict>(['audit', 'verify', '--data', back])).toMatchObject({ findings: [] })
  await again.stop()
  expect(readdirSync(back)).toContain('merlon.keyring')
})

test('nothing is copied over anything: neither into a database that holds data, nor into a folder that is an installation', async () => {
  const [data, other] = [join(folder(), 'data'), join(folder(), 'other')]
  await (await start(data)).stop()
  await (await start(other)).stop()
  const url = await emptyDatabase()
  await merlonJson(['store', 'copy', '--data', data], '', { MERLON_TO_STORE: url })

  const twice = await merlon(['store', 'copy', '--data', data], '', { MERLON_TO_STORE: url })
  expect(twice).toMatchObject({ status: 1, stderr: expect.stringContaining('holds data already') })
  const over = await merlon(['store', 'copy', '--data', data, '--to-data', other])
  expect(over).toMatchObject({ status: 1, stderr: expect.stringContaining('holds an installation') })
  expect(twice.stderr + over.stderr).not.toContain('boss-password')
  expect((await merlon(['store', 'copy', '--data', data])).status).toBe(2)
})

test('a backup of a node on PostgreSQL opens on SQLite by the keyring beside it, which is not in it', async () => {
  const [node, backups, restored] = [join(folder(), 'node'), folder(), join(folder(), 'restored')]
  const shared = { MERLON_STORE: await emptyDatabase() }
  const running = await start(node, [], shared)
  const root = clientOf(running.url, running.accounts[0]!)
  await create(root, 'kept')
  const s3 = s3Of(running, running.accounts[0]!)
  await s3.send(new CreateBucketCommand({ Bucket: 'kept' }))
  await s3.send(new PutObjectCommand({ Bucket: 'kept', Key: 'a', Body: 'words of all nodes' }))
  const file = join(backups, 'x.merlon')
  await merlonJson(['backup', file, '--data', node], '', shared)
  expect((await merlon(['backup', 'verify', file, '--drill', '--data', node], '', shared)).stdout).toContain(
    '1 objects open',
  )
  await running.stop()

  const key = join(node, 'root.key')
  expect((await merlon(['restore', file, '--data', restored, '--key-file', key])).stderr).toBe('')
  copyFileSync(key, join(restored, 'root.key'))
  const again = await start(restored)
  expect(await secret(clientOf(again.url, running.accounts[0]!), 'kept')).toBe('value of kept')
  expect(await object(s3Of(again, running.accounts[0]!), 'a')).toBe('words of all nodes')
})

test('a folder of one kind is not taken for the other, whichever way it is tried', async () => {
  const [node, data] = [join(folder(), 'node'), join(folder(), 'data')]
  const shared = { MERLON_STORE: await emptyDatabase() }
  await (await start(node, [], shared)).stop()
  await (await start(data)).stop()

  await expect(start(node)).rejects.toThrow(/shared database/)
  await expect(start(data, [], shared)).rejects.toThrow(/installation of its own/)
  mkdirSync(join(data, 'untouched'))
  writeFileSync(join(data, 'untouched', 'x'), '')
  expect(existsSync(join(data, 'merlon.node'))).toBe(false)
})
