/**
 * The server or command is killed in the middle of a change to the root of trust: the next start unseals what was
 * acknowledged, by the sealer that was valid before or by its replacement, and the command can be run again.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import type { Running } from '../process.ts'
import { merlonScript } from '../process.ts'
import { clientOf, durationOf, folder, initWithShares, killMoment, lines, merlon, merlonJson, start } from './shell.ts'

const ROUNDS = Number(process.env['MERLON_KILLS'] ?? 12)

const create = ({ url }: Running, account: Running['accounts'][number]) =>
  clientOf(url, account).json('secretsmanager', 'secretsmanager.CreateSecret', {
    ClientRequestToken: randomUUID(),
    Name: 's',
    SecretString: 'canary',
  })
const canary = async ({ url }: Running, account: Omit<Running['accounts'][number], 'accountId'>) =>
  (
    await clientOf(url, { ...account }).json<{ SecretString: string }>(
      'secretsmanager',
      'secretsmanager.GetSecretValue',
      { SecretId: 's' },
    )
  ).SecretString

/** A command that is killed after so long, unless it has ended. Answers what it wrote. */
async function killed(words: readonly string[], afterMs: number): Promise<{ status: number | null; stdout: string }> {
  const child = spawn(process.execPath, [merlonScript, ...words], { env: { ...process.env, NODE_OPTIONS: '' } })
  let stdout = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
  const [status] = await once(child, 'close')
  clearTimeout(timer)
  return { status, stdout }
}

/** Every outcome has to occur in the rounds, else they show nothing. */
const moment = (n: number, tookMs: number) => killMoment(n, ROUNDS, tookMs)

test(`merlon init, killed ${ROUNDS} times: what it has left can be started`, async () => {
  const tookMs = await durationOf(() => merlon(['init', '--data', join(folder(), 'data'), '--json']))
  let unfinished = 0
  for (let n = 0; n < ROUNDS; n++) {
    const data = join(folder(), 'data')
    const { status } = await killed(['init', '--data', data, '--json'], moment(n, tookMs))
    if (status !== 0) unfinished++
    const server = await start(data)
    const { status: health } = await fetch(`${server.url}/health`)
    expect(health).toBe(200)
    const [account] = server.accounts
    if (account) {
      await create(server, account)
      expect(await canary(server, account)).toBe('canary')
    }
    await server.stop('SIGKILL')
  }
  expect(unfinished).toBeGreaterThan(0)
})

test(`killed ${ROUNDS} times while a sealer comes and goes, it starts by the one that stays`, async () => {
  const data = join(folder(), 'data')
  let server = await start(data)
  const account = server.accounts[0]!
  await create(server, account)
  const sealers = () =>
    merlonJson<{ sealers: readonly { id: string; kind: string }[] }>(['sealer', 'list', '--data', data])
  const add = ['sealer', 'add', 'shamir', '--shares', '3', '--threshold', '2', '--data', data]
  const tookMs = await durationOf(() => merlon(add))
  const added: boolean[] = []
  for (let n = 0; n < ROUNDS; n++) {
    const there = (await sealers()).sealers.find(({ kind }) => kind === 'shamir')
    added.push(there !== undefined)
    const change = merlon(there ? ['sealer', 'remove', there.id, '--data', data] : add)
    await new Promise((done) => setTimeout(done, moment(n, tookMs)))
    await server.stop('SIGKILL')
    await change
    server = await start(data)
    expect(await canary(server, account)).toBe('canary')
  }
  expect(added).toContain(true)
})

test(`killed ${ROUNDS} times during rekey, the shares that were good open it until others are confirmed`, async () => {
  const data = join(folder(), 'data')
  const { shares, root } = await initWithShares(data)
  let tookMs = 0
  for (let n = 0; n < ROUNDS; n++) {
    const server = await start(data)
    expect((await merlon(['unseal', '--data', data], lines(...shares.slice(n % 3, (n % 3) + 3)))).status).toBe(0)
    if (n === 0) await create(server, root)
    expect(await canary(server, root)).toBe('canary')
    const rekey = () => merlon(['rekey', '--data', data, '--json'])
    if (n === 0) tookMs = await durationOf(rekey)
    const rekeying = rekey()
    await new Promise((done) => setTimeout(done, moment(n, tookMs)))
    await server.stop('SIGKILL')
    await rekeying
  }
})

test(`merlon restore, killed ${ROUNDS} times: it is refused or done again, and the canary is there with the object`, async () => {
  const [data, backups] = [join(folder(), 'data'), folder()]
  const server = await start(data)
  const account = server.accounts[0]!
  await create(server, account)
  const s3 = ({ url }: Running) =>
    new S3Client({ endpoint: url, region: 'us-east-1', credentials: account, forcePathStyle: true })
  const object = { Bucket: 'kept', Key: 'k' }
  await s3(server).send(new CreateBucketCommand({ Bucket: 'kept' }))
  await s3(server).send(new PutObjectCommand({ ...object, Body: 'x'.repeat(1_000_000) }))
  const file = join(backups, 'x.merlon')
  await merlonJson(['backup', file, '--data', data])
  await server.stop('SIGKILL')
  const restore = (other: string) => ['restore', file, '--data', other, '--key-file', join(data, 'root.key')]
  const tookMs = await durationOf(() => merlon(restore(join(folder(), 'other'))))
  let unfinished = 0
  for (let n = 0; n < ROUNDS; n++) {
    const other = join(folder(), 'other')
    const words = restore(other)
    if ((await killed(words, moment(n, tookMs))).status !== 0) {
      unfinished++
      const again = await merlon(words)
      if (again.status !== 0) expect(again.stderr).toMatch(/already|empty/)
    }
    if (!existsSync(join(other, 'root.key'))) copyFileSync(join(data, 'root.key'), join(other, 'root.key'))
    const restored = await start(other)
    expect(await canary(restored, account)).toBe('canary')
    const { Body } = await s3(restored).send(new GetObjectCommand(object))
    expect(await Body!.transformToString()).toBe('x'.repeat(1_000_000))
    await restored.stop('SIGKILL')
  }
  expect(unfinished).toBeGreaterThan(0)
})
