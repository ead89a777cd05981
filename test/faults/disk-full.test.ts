/**
 * The disk of the log is full: nothing runs that could not be recorded, reads neither; what was acknowledged stays, and
 * once there is space it goes on. On a small file system of its own, which root may mount.
 */
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ApiError, Client, overHttp } from '../../src/kernel/client/client.ts'
import { merlon, type Running, startMerlon, temporaryFolder } from '../process.ts'

const disk = temporaryFolder()
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]).status === 0
let server: Running | undefined
afterAll(async () => {
  await server?.stop('SIGKILL')
  if (mounted) spawnSync('umount', ['-l', disk])
})

test.skipIf(!mounted)('a full disk refuses every call, loses nothing, and is over when there is room', async () => {
  const data = join(disk, 'data')
  server = await startMerlon(['--data', data])
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  const credential = { accessKeyId, secret: secretAccessKey }
  const client = new Client({ credential, transport: overHttp(server.url) })
  const acknowledged: string[] = []
  const create = async (n: number) => {
    await client.query('iam', 'CreateUser', { UserName: `user-${n}` })
    acknowledged.push(`user-${n}`)
  }
  await create(0)

  const filler = join(disk, 'filler')
  fill(filler)
  let refused: unknown
  for (let n = 1; n < 2_000 && !refused; n++) await create(n).catch((error: unknown) => (refused = error))
  expect(refused).toBeInstanceOf(ApiError)
  expect((refused as ApiError).code).toMatch(/ServiceFailure|InternalFailure|ServiceUnavailable/)
  const answers = await Promise.all([
    ask(client, 'iam', 'GetUser', { UserName: 'user-0' }),
    ask(client, 'iam', 'ListUsers'),
    ask(client, 'iam', 'CreateUser', { UserName: 'never' }),
  ])
  const health = async (path = '/health') => {
    const answer = await fetch(server!.url + path)
    return [answer.status, ((await answer.json()) as { reason?: string }).reason]
  }
  // A result serves for a second: the first may be from before.
  await expect.poll(() => health(), { timeout: 20_000 }).toEqual([503, 'disk_full'])
  expect((await health('/health/ready'))[0]).toBe(503)
  expect((await health('/health/live'))[0]).toBe(200)
  expect(answers).toEqual(Array(3).fill(expect.stringMatching(/ServiceFailure|InternalFailure|ServiceUnavailable/)))

  rmSync(filler)
  await expect.poll(() => ask(client, 'iam', 'GetUser', { UserName: 'user-0' }), { timeout: 20_000 }).toBe('answered')
  await expect.poll(() => health(), { timeout: 20_000 }).toEqual([200, undefined])
  expect(await ask(client, 'iam', 'GetUser', { UserName: 'never' })).toMatch(/NoSuchEntity/)
  for (const name of acknowledged) expect(await ask(client, 'iam', 'GetUser', { UserName: name })).toBe('answered')
  expect(await ask(client, 'iam', 'CreateUser', { UserName: 'after' })).toBe('answered')
  await server.stop('SIGTERM')
  expect(await merlon(['audit', 'verify', '--data', data])).toMatchObject({ status: 0 })
})

function fill(file: string): void {
  const blocks: Buffer[] = []
  for (let free = 24; free > 0; free--) blocks.push(Buffer.alloc(1024 * 1024))
  try {
    writeFileSync(file, Buffer.concat(blocks))
  } catch {
    // Full, as intended. What there was space for is there.
  }
}

async function ask(client: Client, service: 'iam', action: string, parameters = {}): Promise<string> {
  try {
    await client.query(service, action, parameters)
    return 'answered'
  } catch (error) {
    return error instanceof ApiError ? error.code : String(error)
  }
}
