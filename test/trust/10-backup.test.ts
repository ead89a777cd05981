/** Root of trust §6.10 and §6.11: a backup under load brings everything back; a changed one, and older data, do not pass. */
import { randomUUID } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { cleanEnvironment, run } from '../clients/command.ts'
import { ValidatedTrail } from '../clients/validated-trail.ts'
import type { MadeAccount } from '../process.ts'
import { clientOf, folder, merlon, merlonJson, start } from './shell.ts'

const create = (root: Client, Name: string) =>
  root.json('secretsmanager', 'secretsmanager.CreateSecret', {
    ClientRequestToken: randomUUID(),
    Name,
    SecretString: `canary ${Name}`,
  })
const value = async (root: Client, SecretId: string) =>
  (await root.json<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId }))
    .SecretString

test('Trust 10: a backup made under load, restored elsewhere, opens every canary that was there', async () => {
  const [data, backups, other] = [join(folder(), 'data'), folder(), join(folder(), 'other')]
  const server = await start(data)
  const root = clientOf(server.url, server.accounts[0]!)
  const before = Array.from({ length: 20 }, (_, n) => `before-${n}`)
  for (const name of before) await create(root, name)

  let loading = true
  const load = (async () => {
    for (let n = 0; loading; n++) await create(root, `during-${n}`)
  })()
  const file = join(backups, 'x.merlon')
  await merlonJson(['backup', file, '--data', data])
  loading = false
  await load
  await server.stop('SIGKILL')

  expect((await merlon(['restore', file, '--data', other, '--key-file', join(data, 'root.key')])).status).toBe(0)
  copyFileSync(join(data, 'root.key'), join(other, 'root.key'))
  const restored = await start(other)
  const again = clientOf(restored.url, server.accounts[0]!)
  for (const name of before) expect(await value(again, name)).toBe(`canary ${name}`)
  expect((await merlon(['restore', '--activate', '--data', other])).status).toBe(0)
  await create(again, 'after')
  expect(await value(again, 'after')).toBe('canary after')
})

test('Trust 10: of two backups to one file at the same time, one has the name and the other leaves nothing', async () => {
  const [data, backups] = [join(folder(), 'data'), folder()]
  const server = await start(data)
  await create(clientOf(server.url, server.accounts[0]!), 'kept')
  const file = join(backups, 'x.merlon')

  const ended = await Promise.all([1, 2].map(() => merlon(['backup', file, '--data', data])))

  expect(ended.map(({ status }) => status).sort()).toEqual([0, 1])
  expect(ended.find(({ status }) => status === 1)!.stderr).toContain('MERLON_FILE_EXISTS')
  expect(readdirSync(backups).sort()).toEqual(['merlon.keyring', 'x.merlon'])
  expect((await merlon(['backup', 'verify', file, '--drill', '--data', data])).status).toBe(0)
  expect(readdirSync(data).filter((name) => name.includes('.copy-'))).toEqual([])
})

/** The server's clock, moved from outside: by libfaketime and a file that it reads again and again. */
async function movableClock() {
  const file = join(folder(), 'clock')
  const { stdout } = await run('faketime', ['-f', '+0s', 'printenv', 'LD_PRELOAD'], cleanEnvironment())
  const move = async (aheadSeconds: number) => {
    writeFileSync(`${file}.new`, `+${aheadSeconds}s\n`)
    renameSync(`${file}.new`, file)
  }
  await move(0)
  const environment = {
    LD_PRELOAD: stdout.trim(),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
  return { move, environment }
}

const digestsValid = (stdout: string): number => {
  const [, valid, all] = /(\d+)\/(\d+) digest files valid/.exec(stdout) ?? []
  expect(valid).toBe(all)
  return Number(valid)
}

test('Trust 10: a trail that delivers while it is backed up passes validate-logs after the restore, and goes on', async () => {
  const [data, backups, kept] = [join(folder(), 'data'), folder(), join(folder(), 'root.key')]
  const { move, environment } = await movableClock()
  const server = await start(data, [], environment)
  const account = server.accounts[0]!
  const trail = new ValidatedTrail(server.url, account)
  const root = () =>
    new Client({
      credential: { accessKeyId: account.accessKeyId, secret: account.secretAccessKey },
      transport: overHttp(trail.url),
      now: () => Date.now() + trail.aheadSeconds * 1000,
    })
  const put = (Key: string, Body: string) =>
    trail.client(S3Client).send(new PutObjectCommand({ Bucket: trail.bucket, Key, Body }))
  await trail.begin()
  for (let step = 0; step < 6; step++) {
    await create(root(), `before-${step}`)
    await put('replaced', `words ${step}`)
    await trail.pass(20 * 60, move)
  }

  // What is replaced now falls due for sweeping while the backup is made.
  let [loading, rounds] = [true, 0]
  const load = (async () => {
    for (let n = 0; loading; n++) {
      await create(root(), `during-${n}`)
      await put('replaced', `words during ${n} ${'x'.repeat(200_000)}`)
      if (n % 5 === 0) await trail.pass(11 * 60, move)
      rounds++
    }
  })()
  await Promise.race([expect.poll(() => rounds).toBeGreaterThan(6), load])
  const file = join(backups, 'x.merlon')
  const made = await merlonJson<{ objects: number }>(['backup', file, '--data', data])
  loading = false
  await load
  expect(made.objects).toBeGreaterThan(8)
  const proof = await merlon(['backup', 'verify', file, '--drill', '--data', data])
  expect(proof).toMatchObject({ status: 0, stdout: expect.stringMatching(/\. \d+ objects open/) })
  await server.stop('SIGKILL')
  copyFileSync(join(data, 'root.key'), kept)
  rmSync(data, { recursive: true })

  expect(await merlon(['restore', file, '--data', data, '--key-file', kept])).toMatchObject({ status: 0, stderr: '' })
  copyFileSync(kept, join(data, 'root.key'))
  trail.url = (await start(data, [], environment)).url
  for (let step = 0; step < 6; step++) expect(await value(root(), `before-${step}`)).toBe(`canary before-${step}`)
  const before = await trail.validate()
  expect([before.status, before.stdout]).toEqual([0, expect.stringContaining('Results requested')])
  expect(digestsValid(before.stdout)).toBeGreaterThanOrEqual(2)

  expect((await merlon(['restore', '--activate', '--data', data])).status).toBe(0)
  for (let step = 0; step < 4; step++) {
    await create(root(), `after-${step}`)
    await trail.pass(20 * 60, move)
  }
  const after = await trail.validate()
  expect([after.status, after.stdout]).toEqual([0, expect.not.stringContaining('INVALID')])
  expect(digestsValid(after.stdout)).toBeGreaterThan(digestsValid(before.stdout))
  const { Body } = await trail.client(S3Client).send(new GetObjectCommand({ Bucket: trail.bucket, Key: 'replaced' }))
  expect(await Body!.transformToString()).toMatch(/^words (during )?\d+/)
})

test('Trust 10: a backup of an earlier version, which holds no objects, is restored as ever', async () => {
  const other = join(folder(), 'other')
  const early = (name: string) => join(import.meta.dirname, 'data', 'version-1', name)
  const words = ['restore', early('x.merlon'), '--data', other]
  mkdirSync(other)
  writeFileSync(join(other, 'root.key'), readFileSync(early('root.key')), { mode: 0o600 })

  const ended = await merlon(words)
  expect(ended).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('no objects') })
  const { url } = await start(other)
  const account = JSON.parse(readFileSync(early('root.json'), 'utf8')) as MadeAccount
  expect(await value(clientOf(url, account), 'kept')).toBe('value of version 1')
  expect(await merlon(words)).toMatchObject({ status: 1, stderr: expect.stringContaining('holds an installation') })
})

test('Trust 10: one bit changed anywhere in a backup is reported, by its chunk, and nothing is restored', async () => {
  const [data, backups] = [join(folder(), 'data'), folder()]
  const server = await start(data)
  await create(clientOf(server.url, server.accounts[0]!), 'canary')
  const trail = new ValidatedTrail(server.url, server.accounts[0]!)
  await trail.begin()
  for (const Key of ['first', 'last']) {
    const put = new PutObjectCommand({ Bucket: trail.bucket, Key, Body: 'x'.repeat(500_000) })
    await trail.client(S3Client).send(put)
  }
  const file = join(backups, 'x.merlon')
  await merlonJson(['backup', file, '--data', data])
  const bytes = readFileSync(file)
  for (const at of [0.01, 0.3, 0.6, 0.99].map((part) => Math.floor(bytes.length * part))) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    writeFileSync(file, changed)
    const other = join(folder(), 'other')
    const ended = await merlon(['restore', file, '--data', other, '--key-file', join(data, 'root.key')])
    expect(ended.stderr).toMatch(/MERLON_BACKUP_TAMPERED\(\d+\)/)
    expect(ended.status).toBe(1)
    expect(existsSync(other) ? readdirSync(other).filter((name) => /^(merlon\.db|objects)$/.test(name)) : []).toEqual(
      [],
    )
  }
  writeFileSync(file, bytes)
  const proof = await merlon(['backup', 'verify', file, '--drill', '--data', data])
  expect(proof).toMatchObject({ status: 0, stdout: expect.stringContaining('restored aside') })
})

test('Trust 11: data that is older than what was there is refused, and accepted only when that is said', async () => {
  const data = join(folder(), 'data')
  const first = await start(data)
  const root = clientOf(first.url, first.accounts[0]!)
  await create(root, 'old')
  await first.stop('SIGTERM')
  const kept = folder()
  mkdirSync(kept, { recursive: true })
  const files = readdirSync(data).filter((name) => name.startsWith('merlon.db'))
  for (const name of files) copyFileSync(join(data, name), join(kept, name))

  const second = await start(data)
  await create(clientOf(second.url, first.accounts[0]!), 'new')
  await second.stop('SIGTERM')
  for (const name of files) copyFileSync(join(kept, name), join(data, name))

  await expect(start(data)).rejects.toThrow(/MERLON_ROLLBACK_DETECTED/)
  const accepted = await start(data, ['--accept-rollback'])
  const back = clientOf(accepted.url, first.accounts[0]!)
  expect(await value(back, 'old')).toBe('canary old')
  await expect(value(back, 'new')).rejects.toThrow()
})
