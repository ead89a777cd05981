/** Root of trust §6.12: the root key is replaced under load, and under kills, and nothing is lost or left behind. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  clientOf,
  durationOf,
  folder,
  foundIn,
  keysOf,
  killMoment,
  merlon,
  readAll,
  spellings,
  start,
} from './shell.ts'

const KILLS = 20

test('Trust 12: no read fails while the root key rotates under load, and the old one opens nothing afterwards', async () => {
  const data = join(folder(), 'data')
  const server = await start(data)
  const root = clientOf(server.url, server.accounts[0]!)
  await root.json('secretsmanager', 'secretsmanager.CreateSecret', {
    ClientRequestToken: randomUUID(),
    Name: 's',
    SecretString: 'canary',
  })
  const before = keysOf(data).get('root key')!
  let [reads, rotating] = [0, true]
  const load = (async () => {
    while (rotating) {
      const told = await root.json<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', {
        SecretId: 's',
      })
      if (told.SecretString !== 'canary') throw new Error('another value')
      reads++
    }
  })()
  for (let n = 0; n < 3; n++) expect((await merlon(['rotate-root', '--data', data])).status).toBe(0)
  await expect.poll(() => reads).toBeGreaterThan(10)
  rotating = false
  await load

  const after = keysOf(data).get('root key')!
  expect(after.equals(before)).toBe(false)
  const files = ['merlon.keyring', 'merlon.db', 'merlon.db-wal'].map((name) => join(data, name))
  expect(foundIn(readAll(...files), new Map([['old root key', spellings(before)]]))).toEqual([])
})

test(`Trust 12: killed ${KILLS} times in the middle, it always starts again and reads what was there`, async () => {
  const data = join(folder(), 'data')
  let server = await start(data)
  const [account] = server.accounts
  await clientOf(server.url, account!).json('secretsmanager', 'secretsmanager.CreateSecret', {
    ClientRequestToken: randomUUID(),
    Name: 's',
    SecretString: 'canary',
  })
  const rotate = () => merlon(['rotate-root', '--data', data])
  const tookMs = await durationOf(rotate)
  for (let n = 0; n < KILLS; n++) {
    const rotation = rotate()
    await new Promise((done) => setTimeout(done, killMoment(n, KILLS, tookMs)))
    await server.stop('SIGKILL')
    await rotation
    server = await start(data)
    const told = await clientOf(server.url, account!).json<{ SecretString: string }>(
      'secretsmanager',
      'secretsmanager.GetSecretValue',
      { SecretId: 's' },
    )
    expect(told.SecretString).toBe('canary')
  }
  expect((await merlon(['rotate-root', '--data', data])).status).toBe(0)
})
