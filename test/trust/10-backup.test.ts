/** Root of trust §6.10 and §6.11: a backup under load brings everything back; a changed one, and older data, do not pass. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Client } from '../../src/kernel/client.ts'
import { clientOf, folder, merlon, merlonJson, start } from './shell.ts'

const create = (root: Client, Name: string) =>
  root.json('secretsmanager', 'secretsmanager.CreateSecret', { Name, SecretString: `canary ${Name}` })
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

test('Trust 10: one bit changed anywhere in a backup is told, by its chunk, and nothing is restored', async () => {
  const [data, backups] = [join(folder(), 'data'), folder()]
  const server = await start(data)
  await create(clientOf(server.url, server.accounts[0]!), 'canary')
  const file = join(backups, 'x.merlon')
  await merlonJson(['backup', file, '--data', data])
  const bytes = readFileSync(file)
  for (const at of [0.3, 0.6, 0.99].map((part) => Math.floor(bytes.length * part))) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    writeFileSync(file, changed)
    const other = join(folder(), 'other')
    const ended = await merlon(['restore', file, '--data', other, '--key-file', join(data, 'root.key')])
    expect(ended.stderr).toMatch(/MERLON_BACKUP_TAMPERED\(\d+\)/)
    expect(ended.status).toBe(1)
    expect(existsSync(other) ? readdirSync(other).filter((name) => name === 'merlon.db') : []).toEqual([])
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
